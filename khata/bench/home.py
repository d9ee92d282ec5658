"""P7: the list of customers with balances, beside the best way a peer has; and the home page's cost."""

import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.urls import reverse

from core.db import batches, is_sqlite
from khata.bench import fill
from khata.bench.inside import Browser, cost
from khata.bench.measure import Report, Series, interleave, ratios
from ledger.models import Entry, Khata
from ledger.selectors import khata_list
from shops.models import Shop


@dataclass(frozen=True)
class Sizes:
    rounds: int = 11
    parties: int = 1000
    entries_each: int = 50  # one a week for a year; more would only flatter us
    lists: int = 10  # per round
    pages: int = 10


TINY = Sizes(rounds=2, parties=20, entries_each=4, lists=2, pages=2)

# What the peer stands for: double-entry books such as django-ledger keep no balance. Their own
# digests are slower still, so the best way is one GROUP BY by hand over tables of this shape: an
# account per customer, a journal that may be posted or not, two lines per sale, decimal amounts.
_PEER_TABLES = (
    "CREATE TABLE bench_account (uuid {uuid} PRIMARY KEY, name varchar(100) NOT NULL, role varchar(30) NOT NULL)",
    "CREATE TABLE bench_journal (uuid {uuid} PRIMARY KEY, timestamp {stamp} NOT NULL, posted {bool} NOT NULL)",
    "CREATE TABLE bench_transaction (uuid {uuid} PRIMARY KEY, account_id {uuid} NOT NULL"
    " REFERENCES bench_account, journal_id {uuid} NOT NULL REFERENCES bench_journal,"
    " tx_type varchar(10) NOT NULL, amount {money} NOT NULL, description varchar(100))",
    "CREATE INDEX bench_transaction_account ON bench_transaction (account_id)",
    "CREATE INDEX bench_transaction_journal ON bench_transaction (journal_id)",
    "CREATE INDEX bench_account_role ON bench_account (role)",
)
_PEER_LIST = """
SELECT a.uuid, a.name, SUM(CASE WHEN t.tx_type = 'debit' THEN t.amount ELSE -t.amount END)
FROM bench_account a
JOIN bench_transaction t ON t.account_id = a.uuid
JOIN bench_journal j ON j.uuid = t.journal_id AND j.posted
WHERE a.role = 'asset_ca_recv' GROUP BY a.uuid, a.name
"""


def run(sizes: Sizes, folder: Path, say: Callable[[str], object]) -> None:
    """Measure and print. Raises RuntimeError when the two lists do not show the same balances."""
    shop, people = fill.a_shop("Bench Kirana")
    khatas = fill.parties(shop, sizes.parties)
    fill.entries(shop, khatas, sizes.entries_each)
    _fill_peer(shop)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    report = Report(f"home, {sizes.parties:,} customers, {sizes.entries_each} entries each", sizes.rounds, say)
    ours, peer, whole, page, page_cpu = (Series() for _ in range(5))
    browser, address = Browser(people[0]), reverse("ledger:home", args=[shop.code])
    steps = (
        lambda: ours.add(cost(lambda: balances(shop), sizes.lists)[0]),
        lambda: peer.add(cost(peer_balances, sizes.lists)[0]),
        lambda: whole.add(cost(lambda: khata_list(shop, shop.today(), size=sizes.parties), sizes.lists)[0]),
        lambda: _add(page, page_cpu, cost(lambda: browser.get(address), sizes.pages)),
    )
    size = len(browser.get(address))
    interleave(1, *steps)
    for series in (ours, peer, whole, page, page_cpu):
        series.values.clear()  # the first round was to warm up
    interleave(sizes.rounds, *steps)
    _same(shop, report)
    report.figure("balance list of all customers, query and rows: ms", ours.show())
    report.figure("best peer way, hand-written GROUP BY over double entry: ms", peer.show())
    report.figure("list with all that the screen shows (last entry, overdue): ms", whole.show())
    report.ratio("P7 q, peer ÷ balance list", ratios(peer, ours), least=10.0)
    report.figure("home page, first 50 rows: wall ms in the application", page.show())
    report.figure("home page, first 50 rows: CPU-ms, application + database", page_cpu.show())
    report.figure("home page, as it travels", f"{size / 1000:.1f} kB")


def balances(shop: Shop) -> list[tuple[str, str, int]]:
    """Everyone's balance, recent first: what ``khata_list`` reads, without the last entry of each."""
    rows = Khata.objects.for_shop(shop).filter(party__archived_at=None).order_by("-last_entry_at", "-id")
    return list(rows.values_list("party__code", "party__name", "balance_paise"))


def peer_balances() -> list[tuple[object, str, object]]:
    with connection.cursor() as cursor:
        cursor.execute(_PEER_LIST)
        return list(cursor.fetchall())


def _add(wall: Series, cpu: Series, took: tuple[float, float]) -> None:
    wall.add(took[0])
    cpu.add(took[1])


def _fill_peer(shop: Shop) -> None:
    """The same customers and entries as double entry."""
    types = {"uuid": "uuid", "stamp": "timestamptz", "bool": "boolean", "money": "numeric(20, 2)"}
    if is_sqlite():
        types = {"uuid": "char(32)", "stamp": "datetime", "bool": "bool", "money": "decimal"}
    khatas = Khata.objects.for_shop(shop).select_related("party")
    accounts = {khata.pk: (uuid.uuid4().hex, khata.party.name, "asset_ca_recv") for khata in khatas}
    sales = (uuid.uuid4().hex, "Sales", "in_operational")
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _PEER_TABLES:
            cursor.execute(statement.format(**types))
        cursor.executemany("INSERT INTO bench_account VALUES (%s, %s, %s)", [*accounts.values(), sales])
        for rows in batches(_journal(shop, {pk: row[0] for pk, row in accounts.items()}, sales[0]), 1000):
            journals: list[tuple[str, str, bool]] = [(key, at, True) for key, at, _lines in rows]
            cursor.executemany("INSERT INTO bench_journal VALUES (%s, %s, %s)", journals)
            lines = [line for row in rows for line in row[2]]
            cursor.executemany("INSERT INTO bench_transaction VALUES (%s, %s, %s, %s, %s, %s)", lines)


def _journal(shop: Shop, accounts: dict[int, str], sales: str) -> Iterator[tuple[str, str, list[tuple[str, ...]]]]:
    for entry in list(Entry.objects.for_shop(shop).order_by("pk")):
        journal = secrets.token_hex(16)
        here, there = ("debit", "credit") if entry.direction == "gave" else ("credit", "debit")
        amount = f"{entry.amount_paise / 100:.2f}"
        yield (
            journal,
            entry.created_at.isoformat(),
            [
                (secrets.token_hex(16), accounts[entry.khata_id], journal, here, amount, entry.note),
                (secrets.token_hex(16), sales, journal, there, amount, entry.note),
            ],
        )


def _same(shop: Shop, report: Report) -> None:
    mine = sorted((name, paise) for _code, name, paise in balances(shop))
    theirs = sorted((name, round(float(str(rupees)) * 100)) for _uuid, name, rupees in peer_balances())
    if mine != theirs:
        raise RuntimeError("the peer's list shows other balances than ours")
    report.note(f"checked: both lists show the same {len(mine):,} balances")
