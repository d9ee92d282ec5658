from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from home.demo import LOGINS, PASSWORD, make_demo
from shops.models import Shop


class Command(BaseCommand):
    help = "Make the demo shop in an empty database, or print its logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="Do nothing where any shop exists.")
        parser.add_argument("--logins", action="store_true", help="Only print the logins.")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo shop has known passwords: it is not made in production.")
        if not options["logins"] and not (options["if_empty"] and Shop.objects.exists()):
            make_demo()
        if Shop.objects.filter(is_demo=True).exists():
            self.stdout.write(f"Demo logins (password {PASSWORD} for each):")
            for login in LOGINS:
                self.stdout.write(f"  {login.word:8} {login.phone[3:8]} {login.phone[8:]}")
