"""``manage.py import_book FILE --shop CODE``: bring a book in from a CSV file."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.phones import e164
from core.worker import step_back
from ledger.importing.apply import Report, read_book, write_book
from ledger.importing.cells import ORDERS
from ledger.importing.reading import ImportRefused
from ledger.services import LedgerError
from shops.models import Role, Shop
from shops.services import add_member, open_shop

_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Import a book from CSV: dated entries (name, date, gave, got), opening dues (name, balance) or a bill "
        "register (customer, bill date, due date, amount, settled date). The whole file is checked before the "
        "first entry is written; the same file twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--shop", required=True, metavar="CODE", help="the shop's code")
        parser.add_argument("--create", action="store_true", help="make the shop where there is none")
        parser.add_argument("--name", default="", help="with --create: the shop's name")
        parser.add_argument("--owner", default="", metavar="PHONE", help="with --create: who owns it")
        parser.add_argument(
            "--date-order", choices=ORDERS, help="how 3/4/2026 is meant, where the file cannot say"
        )
        parser.add_argument("--dry-run", action="store_true", help="check and count only")

    def handle(self, *args: Any, **options: Any) -> None:
        step_back()
        shop = self._shop(options)
        try:
            plan, report = read_book(options["file"], shop=shop, order=options["date_order"])
            self._describe(report)
            if report.problems:
                raise CommandError(f"{len(report.problems)} lines have problems. Nothing was written.")
            if options["dry_run"]:
                self._count(report, "Would write")
                return
            if shop._state.adding:
                shop = _make(shop, options["owner"])
            for report in write_book(plan, shop=shop, actor=None):  # noqa: B007  # the last one counts
                pass
        except ImportRefused as error:
            raise CommandError(f"{error} Nothing was written.") from error
        except LedgerError as error:
            raise CommandError(
                f"{error} The lines before it are in the book. Run the same file again: it goes on from there."
            ) from error
        self._count(report, "Wrote")

    def _shop(self, options: dict[str, Any]) -> Shop:
        code = options["shop"]
        shop = Shop.objects.filter(code=code).first()
        if shop is not None:
            return shop
        if not options["create"]:
            raise CommandError(f"There is no shop {code}. Add --create to make it.")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,12}", code):
            raise CommandError("A shop's code has at most 12 letters, digits, - or _.")
        if options["owner"] and not e164(options["owner"]):
            raise CommandError("The owner's phone is not a phone number.")
        return Shop(code=code, name=options["name"] or code)

    def _describe(self, report: Report) -> None:
        sheet = report.plan.sheet
        self.stdout.write(f"{sheet.shape}: {report.plan.rows} rows, {sheet.encoding}, dates {report.plan.order}")
        if sheet.ignored:
            self.stdout.write(f"columns not read: {', '.join(sheet.ignored)}")
        for problem in report.problems[:_SHOWN]:
            self.stderr.write(str(problem))
        if len(report.problems) > _SHOWN:
            self.stderr.write(f"… and {len(report.problems) - _SHOWN} more")
        for left in report.left_out[:_SHOWN]:
            self.stdout.write(f"left out, {left}")
        if len(report.left_out) > _SHOWN:
            self.stdout.write(f"left out: {len(report.left_out)} lines in all")

    def _count(self, report: Report, verb: str) -> None:
        self.stdout.write(
            f"{verb} {report.new_parties} parties and {report.new_entries} entries; "
            f"already there: {report.known_parties} parties and {report.known_entries} entries; "
            f"left out: {len(report.left_out)} lines."
        )


@transaction.atomic
def _make(shop: Shop, owner: str) -> Shop:
    made = open_shop(owner=None, name=shop.name, code=shop.code)
    if owner:
        add_member(shop=made, actor=None, phone=e164(owner) or "", role=Role.OWNER)
    return made
