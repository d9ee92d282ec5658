"""``manage.py check_ledger``: recompute every sum, position and digest; exit 1 on a difference."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.checks import check_all
from shops.models import Shop


class Command(BaseCommand):
    help = "Recompute every balance, position and digest of the book; exits 1 on the first difference, naming it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop", metavar="CODE", help="only this shop")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = None
        if options["shop"]:
            shop = Shop.objects.filter(code=options["shop"]).first()
            if shop is None:
                raise CommandError(f"There is no shop {options['shop']}.")
        result = check_all(shop=shop)
        if not result.is_clean:
            raise CommandError(result.finding)
        self.stdout.write(f"clean: {result.khatas} khatas, {result.entries} entries")
