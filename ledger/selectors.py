"""Reads of the book for screens: the home list, one khata's page, ageing, totals."""

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import Http404

from core import crypto
from core.limits import PAGE_ROWS
from core.prepared import Prepared
from ledger.allocation import BUCKETS, bucket_of
from ledger.models import Direction, Entry, Khata
from parties.search import search
from shops.access import Seat
from shops.models import Role, Shop

FILTERS = ("all", "due_today", "overdue", "over_limit", "suppliers", "archived")


class Row(NamedTuple):
    """One line of the home list: everything it shows, nothing to compute in the template."""

    khata_id: int
    code: str
    name: str
    kind: str
    balance_paise: int
    oldest_due_on: dt.date | None
    last_entry_at: dt.datetime
    credit_limit_paise: int | None
    last_direction: str
    last_paise: int
    last_note: str
    overdue_days: int

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def is_over_limit(self) -> bool:
        return self.credit_limit_paise is not None and self.balance_paise > self.credit_limit_paise


@dataclass(frozen=True)
class Page:
    """Some rows and the sealed cursor of the next ones ("" at the end)."""

    rows: list[Any]
    next_cursor: str = ""


class Totals(NamedTuple):
    """A shop's two sums, in paise, and over how many khatas."""

    get_paise: int
    get_count: int
    give_paise: int
    give_count: int


def initials(name: str) -> str:
    """Two letters for the face: ``Ramesh Kumar`` → ``RK``; other scripts give their first syllable."""
    words = name.split()
    if name.isascii():
        return "".join(word[0] for word in words[:2]).upper()
    return _syllable(words[0]) if words else "?"


def _syllable(word: str) -> str:
    """The first letter with the vowel signs that belong to it (सु, मु), never a bare sign."""
    end = 1
    while end < len(word) and end < 4 and unicodedata.category(word[end]).startswith("M"):
        end += 1
    return word[:end].upper()


def totals(shop: Shop) -> Totals:
    """“You will get” and “you will give”: one read of an index that holds both."""
    sums = Khata.objects.for_shop(shop).aggregate(
        get=Sum("balance_paise", filter=Q(balance_paise__gt=0), default=0),
        get_count=Count("pk", filter=Q(balance_paise__gt=0)),
        give=Sum("balance_paise", filter=Q(balance_paise__lt=0), default=0),
        give_count=Count("pk", filter=Q(balance_paise__lt=0)),
    )
    return Totals(sums["get"], sums["get_count"], -sums["give"], sums["give_count"])


def _chips(today: dt.date) -> dict[str, Q]:
    """What each chip of the home page shows: one condition for its number and for its list."""
    owes = Q(balance_paise__gt=0)
    return {
        "due_today": Q(oldest_due_on=today) & owes,
        "overdue": Q(oldest_due_on__lt=today) & owes,
        "over_limit": Q(balance_paise__gt=F("credit_limit_paise")),
        "suppliers": Q(party__kind="supplier"),
    }


def chip_counts(shop: Shop, today: dt.date) -> dict[str, int]:
    """How many khatas stand behind each chip of the home page; those put aside do not."""
    chips = _chips(today)
    counts: dict[str, int] = (
        Khata.objects.for_shop(shop)
        .filter(party__archived_at=None)
        .aggregate(**{which: Count("pk", filter=chips[which]) for which in ("due_today", "overdue", "over_limit")})
    )
    return counts


def khata_list(
    shop: Shop, today: dt.date, *, which: str = "all", text: str = "", cursor: str = "", size: int = PAGE_ROWS
) -> Page:
    """The home list, recent first, or what a search finds, best first. Two queries at any size."""
    rows = Khata.objects.for_shop(shop).filter(party__archived_at__isnull=which != "archived")
    found: dict[int, int] = {}
    if text:
        hits = search(shop, text, limit=size, include_archived=which == "archived")
        for place, hit in enumerate(hits):
            found.setdefault(hit.party_id, place)
        rows = rows.filter(party_id__in=list(found))
    else:
        rows = rows.filter(_chips(today).get(which, Q())).order_by("-last_entry_at", "-id")
    if cursor and not text:
        at, pk = crypto.open_cursor(f"home:{shop.pk}", cursor)
        at = dt.datetime.fromisoformat(at)
        rows = rows.filter(Q(last_entry_at__lt=at) | Q(last_entry_at=at, pk__lt=pk))
    columns = (
        "pk",
        "party__code",
        "party__name",
        "party__kind",
        "balance_paise",
        "oldest_due_on",
        "last_entry_at",
    )
    read = list(rows.values_list(*columns, "credit_limit_paise", "entry_count", "party_id")[: size + 1])
    if text:
        read.sort(key=lambda row: found[row[9]])  # best first
    page, more = read[:size], len(read) > size
    last = _last_entries((row[0], row[8]) for row in page)
    lines = [Row._make((*row[:8], *last.get(row[0], ("", 0, "")), _days_over(row[5], today))) for row in page]
    if not more or text:
        return Page(lines)
    return Page(lines, crypto.seal_cursor(f"home:{shop.pk}", [page[-1][6].isoformat(), page[-1][0]]))


def _days_over(due_on: dt.date | None, today: dt.date) -> int:
    return max(0, (today - due_on).days) if due_on else 0


def _last_entries(heads: Iterable[tuple[int, int]]) -> dict[int, tuple[str, int, str]]:
    """The newest entry of each khata by (khata, position): the unique index finds each at once."""
    wanted = [head for head in heads if head[1]]
    if not wanted:
        return {}
    marks = ", ".join(["(%s, %s)"] * len(wanted))
    values = [value for head in wanted for value in head]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT khata_id, direction, amount_paise, note FROM ledger_entry "  # noqa: S608  (marks only)
            f"WHERE (khata_id, position) IN (VALUES {marks})",
            values,
        )
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}


# for_shop() by id: the statement is put together once, for every shop.
_BY_CODE = Prepared(
    lambda shop_id, party_code: (
        Khata.objects.for_shop(shop_id).select_related("party").filter(party__code=party_code)
    ),
    shop_id=int,
    party_code=str,
)


def khata_by_code(shop: Shop, party_code: str) -> Khata:
    """One khata with its party. Raises Http404 where the shop has none of this code."""
    khata: Khata | None = _BY_CODE.first(shop_id=shop.pk, party_code=party_code)
    if khata is None:
        raise Http404
    return khata


class EntryFacts(NamedTuple):
    """The columns of an entry that screens show."""

    pk: int
    position: int
    direction: str
    amount_paise: int
    kind: str
    occurred_on: dt.date
    due_on: dt.date | None
    note: str
    source: str
    created_at: dt.datetime
    created_by_id: int | None
    by_name: str | None
    reverses_id: int | None
    reversed_by_pk: int | None

    @property
    def signed_paise(self) -> int:
        return self.amount_paise if self.direction == Direction.GAVE else -self.amount_paise

    @property
    def is_reversed(self) -> bool:
        """Part of a reversed pair: either the mistake or its correction."""
        return self.reverses_id is not None or self.reversed_by_pk is not None


_COLUMNS = (
    "pk", "position", "direction", "amount_paise", "kind", "occurred_on", "due_on", "note", "source", "created_at",
    "created_by_id", "created_by__name", "reverses_id", "reversed_by__pk",
)  # fmt: skip


class StatementRow(NamedTuple):
    """An entry and the balance after it; None on a reversed pair, which changed nothing."""

    entry: EntryFacts
    balance_paise: int | None


def statement_page(khata: Khata, cursor: str = "", *, show_reversed: bool = False, size: int = PAGE_ROWS) -> Page:
    """One page by business date and position, newest first, with running balances.

    The sealed cursor carries the running balance and the count of entries it was true for, so no
    page sums what lies before it: page 1,000 costs what page 1 costs. Entries that were added
    since (at most a handful) are settled against it. Entries after those that the khata in hand
    counts are not there yet: its balance does not hold them. Raises SealBroken for a forged cursor.
    """
    rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata, position__lte=khata.entry_count)
    if not show_reversed:
        # Said so, and not by a join, the walk along the index stops where the page is full.
        undone = Entry.everything.filter(reverses=OuterRef("pk"), position__lte=khata.entry_count)
        rows = rows.filter(~Exists(undone), reverses=None)
    running = khata.balance_paise
    # The first page is bounded too: without the bound on the date, and without statistics, SQLite
    # reads every entry of every shop whose ``reverses`` is NULL and sorts them.
    day, position = dt.date.max, 2**63 - 1
    if cursor:
        day_text, position, running, count = crypto.open_cursor(f"statement:{khata.uid}", cursor)
        day = dt.date.fromisoformat(day_text)
        if count != khata.entry_count:
            running += _added_since(khata, count, day, position)
    # The plain bound on the date lets the index start there; the second cuts within the day.
    rows = rows.filter(occurred_on__lte=day).exclude(occurred_on=day, position__gte=position)
    found = _newest_first(rows, size + 1, upto=khata.entry_count, none_reversed=not show_reversed)
    lines = []
    for entry in found[:size]:
        lines.append(StatementRow(entry, None if entry.is_reversed else running))
        running -= 0 if entry.is_reversed else entry.signed_paise
    if len(found) <= size:
        return Page(lines)
    last = lines[-1].entry
    values = [last.occurred_on.isoformat(), last.position, running, khata.entry_count]
    return Page(lines, crypto.seal_cursor(f"statement:{khata.uid}", values))


def _newest_first(
    rows: QuerySet[Entry], size: int, *, upto: int | None = None, none_reversed: bool = False
) -> list[EntryFacts]:
    """``upto``: a reversal at a later position has not happened yet."""
    rows = rows.order_by("-occurred_on", "-position")
    if none_reversed:
        return [EntryFacts._make((*row, None)) for row in rows.values_list(*_COLUMNS[:-1])[:size]]
    found = []
    for *row, undone_by, undone_at in rows.values_list(*_COLUMNS, "reversed_by__position")[:size]:
        is_later = undone_at is not None and upto is not None and undone_at > upto
        found.append(EntryFacts._make((*row, None if is_later else undone_by)))
    return found


def _added_since(khata: Khata, count: int, day: dt.date, position: int) -> int:
    """What entries after ``count`` changed below the cursor's place, in paise.

    A reversal takes its original out of the running balance; an original of after ``count`` that
    was reversed meanwhile never counted.
    """
    delta = 0
    upto = khata.entry_count
    rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata, position__gt=count, position__lte=upto)
    at, undone = "reverses__position", "reversed_by__position"
    lines = rows.values_list("occurred_on", "position", "direction", "amount_paise", at, undone)
    for added_on, added_at, direction, amount_paise, original_at, undone_at in lines:
        is_undone = undone_at is not None and undone_at <= upto
        if is_undone or (original_at is not None and original_at > count):
            continue
        place = (added_on, original_at if original_at is not None else added_at)
        if place < (day, position):
            delta += amount_paise if direction == Direction.GAVE else -amount_paise
    return delta


def entry_facts(khata: Khata, position: int) -> EntryFacts:
    """One entry of a khata. Raises Http404 where there is none at ``position``."""
    rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata, position=position)
    found = _newest_first(rows, 1)
    if not found:
        raise Http404
    return found[0]


def may_reverse(seat: Seat, entry: EntryFacts) -> bool:
    """Managers any entry; a cashier only what they wrote today; nobody a reversed one."""
    if entry.is_reversed:
        return False
    if seat.may(Role.MANAGER):
        return True
    zone = seat.shop.zoneinfo
    is_today = entry.created_at.astimezone(zone).date() == seat.shop.today()
    return seat.may(Role.CASHIER) and entry.created_by_id == seat.user.pk and is_today


_SHOP_AGEING = """
WITH gave AS (
  SELECT e.due_on, e.amount_paise AS amount, k.balance_paise AS balance,
    SUM(e.amount_paise) OVER (PARTITION BY e.khata_id ORDER BY e.occurred_on DESC, e.position DESC
                              ROWS UNBOUNDED PRECEDING) AS running
  FROM ledger_khata k {join} ON e.khata_id = k.id
  WHERE k.shop_id = %s AND k.balance_paise > 0 AND e.direction = 'gave' AND e.reverses_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id))
SELECT due_on, SUM(CASE WHEN running <= balance THEN amount ELSE balance - (running - amount) END)
FROM gave WHERE running - amount < balance GROUP BY due_on
"""


# SQLite without statistics would start at the unreversed entries of every shop.
_JOIN = {"sqlite": "CROSS JOIN ledger_entry e INDEXED BY entry_gave_walk", "postgresql": "JOIN ledger_entry e"}


def shop_ageing(shop: Shop, today: dt.date) -> dict[str, int]:
    """What all parties owe, by bucket, in paise: the same allocation, done by the database."""
    sums = dict.fromkeys(BUCKETS, 0)
    with connection.cursor() as cursor:
        cursor.execute(_SHOP_AGEING.format(join=_JOIN[connection.vendor]), [shop.pk])
        for due_on, paise in cursor.fetchall():
            day = dt.date.fromisoformat(due_on) if isinstance(due_on, str) else due_on
            sums[bucket_of(day, today)] += int(paise)
    return sums


class Band(NamedTuple):
    """One coloured part of an ageing bar, in thousandths of its width."""

    bucket: str
    paise: int
    start: int
    width: int


def bands(ageing: dict[str, int]) -> list[Band]:
    """The parts of an ageing bar that are there, left to right."""
    whole = sum(ageing.values())
    result, start = [], 0
    for bucket in BUCKETS:
        if paise := ageing[bucket]:
            width = max(8, paise * 1000 // whole)
            result.append(Band(bucket, paise, start, width))
            start += width
    return result
