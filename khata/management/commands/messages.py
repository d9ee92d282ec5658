"""``manage.py messages``: bring the .po files up to date with the sources, and compile them."""

from typing import Any

from django.core.management.base import BaseCommand

from khata import translations


class Command(BaseCommand):
    help = "Update locale/*/LC_MESSAGES/django.po from the sources and compile it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for line in translations.update_all():
            self.stdout.write(line)
        translations.compile_all()
