"""Two real books, whole: every sum, every ageing and every balance computed here a second time."""

import csv
import datetime as dt
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from core import db
from ledger.allocation import BUCKETS, ageing
from ledger.checks import check_all
from ledger.exporting import account_name, export_book
from ledger.importing.apply import Report
from ledger.models import Entry, Khata
from shops.models import Shop
from shops.services import open_shop
from tests.ledger.books import balances, bring, data_file, paise

pytestmark = pytest.mark.django_db
Bill = tuple[dt.date, int, dt.date, int]  # billed on, line, due on, paise


@dataclass
class Book:
    """A shop with an imported file, and the file read by the test itself."""

    shop: Shop
    path: Path
    report: Report
    bills: dict[str, list[Bill]]
    got: dict[str, int]

    def owed(self, name: str) -> int:
        return sum(bill[3] for bill in self.bills[name]) - self.got[name]

    def aged(self, name: str, today: dt.date) -> dict[str, int]:
        """Money pays the oldest bill first; what stays open falls into its bucket."""
        totals, money = dict.fromkeys(BUCKETS, 0), self.got[name]
        for _billed, _line, due, amount in sorted(self.bills[name]):
            covered = min(money, amount)
            money -= covered
            late = (today - due).days
            at = 0 if late <= 0 else 1 if late <= 30 else 2 if late <= 60 else 3 if late <= 90 else 4
            totals[BUCKETS[at]] += amount - covered
        return totals


def us_date(text: str) -> dt.date:
    month, day, year = map(int, text.split("/"))
    return dt.date(year, month, day)


def read_ibm(path: Path) -> tuple[dict[str, list[Bill]], dict[str, int]]:
    bills: dict[str, list[Bill]] = defaultdict(list)
    got: dict[str, int] = defaultdict(int)
    with path.open(newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle)):
            who, amount = row["customerID"], paise(row["InvoiceAmount"])
            bills[who].append((us_date(row["InvoiceDate"]), line, us_date(row["DueDate"]), amount))
            got[who] += amount if row["SettledDate"] else 0
    return bills, got


def read_uci(path: Path) -> tuple[dict[str, list[Bill]], dict[str, int]]:
    bills: dict[str, list[Bill]] = defaultdict(list)
    got: dict[str, int] = defaultdict(int)
    with path.open(newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle)):
            who, amount = row["CustomerID"], paise(row["total"])
            day = dt.date.fromisoformat(row["InvoiceDate"][:10])
            if who and row["InvoiceNo"].startswith("C"):
                assert amount < 0
                got[who] -= amount
            elif who and amount:
                bills[who].append((day, line, day + dt.timedelta(days=30), amount))
    return bills, got


FILES = {
    "ibm": ("receivables/invoices_asof_2013-05-06.csv", read_ibm),
    "uci": ("imports/online_retail_invoices.csv", read_uci),
}


@pytest.fixture(scope="module", params=FILES)
def book(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Book]:
    """Imported once for all tests of this module, in a transaction that is rolled back after them."""
    name, read = FILES[request.param]
    path = data_file(name)
    bills, got = read(path)
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "PAUSE_S", 0)
        with transaction.atomic():
            shop = open_shop(owner=None, name=request.param)
            yield Book(shop, path, bring(path, shop), bills, got)
            transaction.set_rollback(True)


def test_every_line_is_in_the_book_or_is_named(book: Book) -> None:
    report = book.report
    assert not report.problems
    assert Entry.objects.for_shop(book.shop).count() == report.new_entries
    if book.path.name.startswith("online"):
        assert (report.plan.rows, report.new_entries, len(report.left_out)) == (25_900, 22_186, 3_714)
        reasons = defaultdict(int)
        for left in report.left_out:
            reasons[left.reason] += 1
        assert reasons == {"no customer on this line": 3_710, "a bill of nothing": 4}
        assert report.left_out[0].line == 48  # as an editor counts, the header is line 1
    else:
        assert (report.plan.rows, report.new_entries, report.left_out) == (1_728, 3_356, [])
        assert report.plan.order == "mdy"


def test_every_balance_is_the_sum_of_the_file(book: Book) -> None:
    found = balances(book.shop)
    assert {name: amount for name, amount in found.items() if name in book.bills} == {
        name: book.owed(name) for name in book.bills
    }
    assert all(found[name] == -book.got[name] for name in found.keys() - book.bills.keys())


@pytest.mark.parametrize(
    "day", ["2011-12-01", "2012-01-20", "2013-05-06", "2013-06-05", "2013-08-04", "2020-02-29"]
)
def test_ageing_on_any_day_equals_paying_the_oldest_bill_first(book: Book, day: str) -> None:
    today = dt.date.fromisoformat(day)
    rows = Khata.objects.for_shop(book.shop).filter(balance_paise__gt=0).select_related("party")
    assert rows.count() > 20
    for khata in rows.order_by("pk")[:600]:
        assert ageing(khata.pk, khata.balance_paise, today) == book.aged(khata.party.name, today), khata.party.name


def test_the_whole_book_checks_clean(book: Book) -> None:
    result = check_all(shop=book.shop)
    assert result.is_clean, result.finding
    assert result.entries == book.report.new_entries


def test_the_same_file_again_changes_nothing(book: Book) -> None:
    heads = dict(Khata.objects.for_shop(book.shop).values_list("pk", "head_digest"))
    again = bring(book.path, book.shop)
    assert (again.new_entries, again.new_parties) == (0, 0)
    assert again.known_entries == book.report.new_entries
    assert dict(Khata.objects.for_shop(book.shop).values_list("pk", "head_digest")) == heads


def test_every_balance_equals_that_of_hledger(book: Book, tmp_path: Path) -> None:
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed")
    journal = tmp_path / "book.journal"
    with journal.open("w", encoding="utf-8") as handle:
        handle.writelines(export_book(book.shop, "hledger"))
    assert hledger_balances(hledger, journal) == {
        account_name(khata.party.code, khata.party.name): khata.balance_paise
        for khata in Khata.objects.for_shop(book.shop).select_related("party")
        if khata.entry_count
    }


def hledger_balances(hledger: str, journal: Path) -> dict[str, int]:
    """Paise by receivable account, as hledger adds them up."""
    done = subprocess.run(
        [hledger, "-f", str(journal), "balance", "receivable", "--flat", "-N", "-E", "-O", "csv"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    rows = list(csv.reader(done.stdout.splitlines()))[1:]
    return {account: paise(amount.removeprefix("INR").strip() or "0") for account, amount in rows}
