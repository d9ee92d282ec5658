"""Background work that can be let go and held back: an import, a reminder run.

Run as ``python -m khata.bench.background import|reminders SHOP_CODE COUNT``. Says ``ready``; then
for every line ``seconds`` works for that long and answers how many rows it did. Held back, it
keeps no transaction open.
"""

import csv
import datetime as dt
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402

from core.worker import step_back  # noqa: E402
from khata.bench.fill import names  # noqa: E402
from khata.bench.scratch import refuse_a_real_book  # noqa: E402
from ledger.importing.apply import read_book, write_book  # noqa: E402
from reminders.sending import send_due  # noqa: E402
from shops.models import Shop  # noqa: E402


def importing(shop: Shop, count: int) -> Iterator[int]:
    """``manage.py import_book`` from the inside: yields the rows written, after every batch."""
    path = Path(settings.VAR_DIR) / "import.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["name", "date", "gave", "got", "note"])
        people = names(500, seed=3)
        for number in range(count):
            day = shop.today() - dt.timedelta(days=300 - number * 300 // count)
            amounts = ["", "290"] if number % 4 == 3 else ["100", ""]
            out.writerow([f"{people[number % 500]} import", day.isoformat(), *amounts, f"line {number}"])
    plan, report = read_book(path, shop=shop)
    if report.problems:
        raise SystemExit(f"the made file has problems: {report.problems[0]}")
    done = 0
    for report in write_book(plan, shop=shop, actor=None):  # noqa: B020
        yield report.new_entries - done
        done = report.new_entries


def sending() -> Iterator[int]:
    """The worker's sending, a little at a time, with its own pauses."""
    while sent := send_due(limit=1000, budget_s=0.2):
        yield sent


def main() -> None:
    refuse_a_real_book()
    step_back()  # as the worker and the import command do
    what, code, count = sys.argv[1:]
    shop = Shop.objects.get(code=code)
    rows = importing(shop, int(count)) if what == "import" else sending()
    first = next(rows, 0) if what == "import" else 0  # reading and planning come before the first batch
    sys.stdout.write(f"ready {first}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        stop_at, done = time.monotonic() + float(line), 0
        while time.monotonic() < stop_at and (step := next(rows, None)) is not None:
            done += step
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
