"""``manage.py add_member SHOP_CODE PHONE ROLE``: let somebody into a shop that nobody can open."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.phones import e164
from shops.models import Role, Shop
from shops.services import ShopError, add_member


class Command(BaseCommand):
    help = (
        "Give a person a seat in a shop: the first owner of a book that was brought in without one, or a new one "
        "where the last has lost the phone for good. The shop's owners are told, and its activity page says that "
        "an operator did it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("shop", metavar="SHOP_CODE", help="the shop's code, as in its address")
        parser.add_argument("phone", metavar="PHONE", help="with which the person signs in, or will sign up")
        parser.add_argument("role", metavar="ROLE", choices=Role.values, help=", ".join(Role.values))
        parser.add_argument("--name", default="", help="what the shop calls them until they come")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = Shop.objects.filter(code=options["shop"]).first()
        if shop is None:
            raise CommandError(f"There is no shop {options['shop']}. Nothing was changed.")
        phone = e164(options["phone"])
        if phone is None:
            raise CommandError(f"{options['phone']} is not a phone number. Nothing was changed.")
        role = Role(options["role"])
        try:
            member = add_member(shop=shop, actor=None, phone=phone, role=role, name=options["name"])
        except ShopError as refusal:
            raise CommandError(f"{refusal} Nothing was changed.") from refusal
        self.stdout.write(
            f"{member.shown_name} is in {shop.name} ({shop.code}) as {role.value}. "
            "They sign in with their phone number and a code."
        )
