"""``manage.py export_book --shop CODE --format hledger|csv|json``: leave with everything."""

import io
import os
import sys
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.exporting import FORMATS, export_book
from shops.models import Shop


class Command(BaseCommand):
    help = "Write the whole book of a shop as an hledger journal, CSV or JSON (with the digests of its chains)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop", required=True, metavar="CODE")
        parser.add_argument("--format", required=True, choices=FORMATS)
        parser.add_argument("--output", type=Path, metavar="FILE", help="a file instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        shop = Shop.objects.filter(code=options["shop"]).first()
        if shop is None:
            raise CommandError(f"There is no shop {options['shop']}.")
        pieces = export_book(shop, options["format"])
        target: Path | None = options["output"]
        if target is None:
            _to_standard_output(self, pieces)
            return
        part = target.with_name(f"{target.name}.part")
        try:
            # Whole or not at all: a full disk must not leave half a book under the real name.
            with part.open("w", encoding="utf-8", newline="") as handle:
                handle.writelines(pieces)
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"Wrote {target}.")


def _to_standard_output(command: BaseCommand, pieces: Any) -> None:
    """Bytes of UTF-8 whatever the terminal's language, so that a pipe gets names as they are."""
    if getattr(command.stdout, "_out", None) is sys.stdout and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    for piece in pieces:
        command.stdout.write(piece, ending="")
