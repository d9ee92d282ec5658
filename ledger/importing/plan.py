"""Rows become a plan: which parties, which entries, and what is wrong, line by line.

Nothing here touches the database. Every entry gets a key made of what it says (not of how the
cell was written), so that the same file, or a later export that holds the same lines again, is
recognised. Two equal lines are two entries: the second carries the number 2 in its key.
"""

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from core.phones import e164
from ledger.importing import cells, words
from ledger.importing.cells import CellError
from ledger.importing.reading import BILLS, ENTRIES, OPENINGS, SHARES, ImportRefused, Row, Sheet, rows_of
from ledger.models import Direction, Kind
from ledger.services import FIRST_DAY, LONGEST_CREDIT, ONE_WAY
from parties.models import PartyKind

# C123, CN-7, CRN/12: credit notes. CHN/12 is a bill from Chennai.
_CREDIT_NOTE = re.compile(r"c(n|r|rn)?[-/ #]*\d", re.IGNORECASE)
MAX_PROBLEMS = 1000  # a file with more is not worth reading further


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line, or why it was left out."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(slots=True)
class PlannedParty:
    """A party of the file. ``has_id``: the file knows it by a code of its own, not by its name."""

    key: str
    name: str
    line: int
    phone: str = ""
    kind: str = PartyKind.CUSTOMER
    has_id: bool = False


@dataclass(slots=True)
class PlannedEntry:
    """An entry of the file; ``occurred_on`` None is the day of the import."""

    party: str  # the key of its PlannedParty
    line: int
    direction: str
    amount_paise: int
    kind: str
    occurred_on: dt.date | None
    due_on: dt.date | None
    note: str
    key: str = ""


@dataclass
class Plan:
    """The whole file, understood. With ``problems`` nothing of it may be written."""

    sheet: Sheet
    order: str
    parties: dict[str, PlannedParty] = field(default_factory=dict)
    entries: list[PlannedEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)
    rows: int = 0
    credit: str = Direction.GOT  # what a type column means by “credit”


def make_plan(sheet: Sheet, *, today: dt.date, order: str | None = None) -> Plan:
    """Read the whole file. ``today`` (the shop's) is the last day an entry may have.

    Raises ImportRefused where the file as a whole cannot be understood, for one when its dates
    may be day-month or month-day and ``order`` (dmy, mdy, ymd) does not say which.
    """
    plan = Plan(sheet, order or _find_order(sheet, today))
    if sheet.shape == ENTRIES and "type" in sheet.columns:
        plan.credit = _what_credit_means(sheet)
    make = {ENTRIES: _dated, OPENINGS: _opening, BILLS: _bill, SHARES: _shares}[sheet.shape]
    people = _People(plan)
    for row in rows_of(sheet):
        plan.rows += 1
        try:
            for entry in make(plan, people, row):
                _check_days(entry, today)
                plan.entries.append(entry)
        except _LeftOut as reason:
            plan.left_out.append(Problem(row.line, str(reason)))
        except CellError as error:
            plan.problems.append(Problem(row.line, str(error)))
            if len(plan.problems) >= MAX_PROBLEMS:
                break
    people.settle()
    _give_keys(plan)
    # Party by party and day by day: a chain grows in order, and khatas are met in one order.
    plan.entries.sort(key=lambda entry: (entry.party, entry.occurred_on or today, entry.line))
    return plan


class _LeftOut(Exception):
    """This row is no entry, and that is no mistake: it is reported and passed over."""


class _People:
    """Who is who in one file: by its customer id, else by name and phone."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.columns = plan.sheet.columns
        self.phones_of: dict[str, set[str]] = {}
        self.bare: dict[str, int] = {}  # names that came without a phone: first line

    def of(self, row: Row) -> PlannedParty:
        """The party of a row. Raises _LeftOut where the row names nobody: it is never guessed."""
        get = self.columns.get
        name, code = cells.name_of(row.get(get("party"))), cells.name_of(row.get(get("party_id")))
        if words.is_total(name) and not code:
            raise _LeftOut("a sum line of the sheet")
        if not name and not code or ("party_id" in self.columns and not code):
            raise _LeftOut("no customer on this line")
        _check_width(self.plan.sheet, row)
        phone = self._phone(row.get(get("phone")))
        group = row.get(get("party_kind"))
        kind = PartyKind.SUPPLIER if words.says_supplier(group) else PartyKind.CUSTOMER
        if code:
            return self.known(_digest("id", code.casefold()), name or code, row.line, phone, kind, has_id=True)
        self._remember(name, phone, row.line)
        return self.known(_digest("name", name.casefold(), phone), name, row.line, phone, kind)

    def known(
        self, key: str, name: str, line: int, phone: str = "", kind: str = PartyKind.CUSTOMER, has_id: bool = False
    ) -> PlannedParty:
        """The party of this key, first come."""
        party = self.plan.parties.setdefault(key, PlannedParty(key, name, line, phone, kind, has_id))
        party.phone = party.phone or phone
        return party

    def settle(self) -> None:
        """Who came without a phone is the one of that name who has one; two are asked about."""
        moved: dict[str, str] = {}
        for folded, line in self.bare.items():
            phones = self.phones_of.get(folded, set())
            if len(phones) > 1:
                reason = "two customers of this file have this name; add the phone number here"
                self.plan.problems.append(Problem(line, reason))
            elif phones:
                moved[_digest("name", folded, "")] = _digest("name", folded, *phones)
        for key in moved:
            self.plan.parties.pop(key, None)
        for entry in self.plan.entries:
            entry.party = moved.get(entry.party, entry.party)

    def _remember(self, name: str, phone: str, line: int) -> None:
        folded = name.casefold()
        if phone:
            self.phones_of.setdefault(folded, set()).add(phone)
        else:
            self.bare.setdefault(folded, line)

    @staticmethod
    def _phone(cell: str) -> str:
        text = cells.text_of(cell)
        # A phone that is none is not worth refusing a book for; the khata starts without it.
        return (e164(text) or "") if text else ""


def _dated(plan: Plan, people: _People, row: Row) -> Iterator[PlannedEntry]:
    party, get = people.of(row), plan.sheet.columns.get
    day = cells.date_of(row.get(get("date")), plan.order)
    gave, got = _two_sides(row, get("gave"), get("got"))
    kind_word = row.get(get("kind")) or row.get(get("type"))
    if "amount" in plan.sheet.columns and not (gave or got):
        gave, got = _by_type(plan, row)
    if not (gave or got):
        raise _LeftOut("no amount on this line")
    if day is None:
        raise CellError("this line has an amount and no date")
    note, due_on = cells.note_of(row.get(get("note"))), cells.date_of(row.get(get("due")), plan.order)
    for direction, amount in ((Direction.GAVE, gave), (Direction.GOT, got)):
        if amount:
            kind = _kind(kind_word, direction, party)
            yield _entry(
                party, row, direction, amount, kind, day, due_on if direction == Direction.GAVE else None, note
            )


def _opening(plan: Plan, people: _People, row: Row) -> Iterator[PlannedEntry]:
    party, columns = people.of(row), plan.sheet.columns
    get = columns.get
    day = cells.date_of(row.get(get("date")), plan.order)
    side_word = row.get(get("type"))
    if columns.keys() & {"gave", "got"}:
        gave, got = _two_sides(row, get("gave"), get("got"))
        if gave and got:
            raise CellError("this line says both that they owe and that you owe")
        balance = gave - got
    else:
        balance = cells.signed_paise(row.get(get("balance" if "balance" in columns else "amount")))
        side = words.direction_of(side_word)
        if side is None and side_word.strip() and words.kind_of(side_word) is None:
            raise CellError(f"“{cells.text_of(side_word)[:40]}” does not say who owes whom")
        if side == Direction.GOT:
            balance = -abs(balance)  # “To Pay” is never a due, whatever the sign beside it
    if words.says_supplier(side_word):
        party.kind = PartyKind.SUPPLIER
    if not balance:
        return
    direction = Direction.GAVE if balance > 0 else Direction.GOT
    note = cells.note_of(row.get(get("note")))
    yield _entry(party, row, direction, abs(balance), Kind.OPENING, day, None, note)


def _bill(plan: Plan, people: _People, row: Row) -> Iterator[PlannedEntry]:
    party, columns = people.of(row), plan.sheet.columns
    get = columns.get
    day = cells.date_of(row.get(get("date")), plan.order)
    settled_on = cells.date_of(row.get(get("settled")), plan.order)
    number = cells.text_of(row.get(get("number")))[:60]
    amount = cells.signed_paise(row.get(get("amount")))
    if not amount:
        raise _LeftOut("a bill of nothing")
    if day is None:
        raise CellError("this bill has no date")
    note = number or cells.note_of(row.get(get("note")))
    if amount < 0 or _CREDIT_NOTE.match(number) or words.kind_of(row.get(get("type"))) == Kind.RETURN:
        yield _entry(party, row, Direction.GOT, abs(amount), Kind.RETURN, day, None, note)
        return
    _whole_or_nothing(plan, row, amount, settled_on)
    due_on = cells.date_of(row.get(get("due")), plan.order)
    yield _entry(party, row, Direction.GAVE, amount, Kind.SALE, day, due_on, note)
    if settled_on:
        yield _entry(party, row, Direction.GOT, amount, Kind.PAYMENT, settled_on, None, note)


def _check_width(sheet: Sheet, row: Row) -> None:
    if len(row.cells) > len(sheet.headers):
        raise CellError(
            f"this line has {len(row.cells)} cells and the header {len(sheet.headers)}; "
            "put a text or an amount with a comma in quotes"
        )


def _shares(plan: Plan, people: _People, row: Row) -> Iterator[PlannedEntry]:
    """One column per person: what the group owes them for this line. In a khata that is ``got``."""
    note = cells.note_of(row.get(1))
    if words.is_total(note) or words.fold(note) == "totalbalance":
        raise _LeftOut("a sum line of the sheet")
    day = cells.date_of(row.get(0), plan.order)
    if day is None:
        raise CellError("this line has no date")
    if words.fold(row.get(4)) not in ("", "inr"):
        raise CellError("only rupees (INR) can be imported")
    _check_width(plan.sheet, row)
    for at, name in plan.sheet.people.items():
        amount = cells.signed_paise(row.get(at))
        if amount:
            party = people.known(_digest("name", name.casefold(), ""), cells.name_of(name), row.line)
            direction = Direction.GOT if amount > 0 else Direction.GAVE
            kind = Kind.PAYMENT if direction == Direction.GOT else Kind.SALE
            yield _entry(party, row, direction, abs(amount), kind, day, None, note)


def _two_sides(row: Row, gave_column: int | None, got_column: int | None) -> tuple[int, int]:
    """Both amounts; a minus in one column is an amount of the other."""
    gave, got = cells.signed_paise(row.get(gave_column)), cells.signed_paise(row.get(got_column))
    return max(gave, 0) + max(-got, 0), max(got, 0) + max(-gave, 0)


def _by_type(plan: Plan, row: Row) -> tuple[int, int]:
    get = plan.sheet.columns.get
    amount = cells.signed_paise(row.get(get("amount")))
    if not amount:
        return 0, 0
    word = row.get(get("type"))
    direction = plan.credit if words.fold(word) == "credit" else words.direction_of(word)
    if direction is None:
        raise CellError(f"“{cells.text_of(word)[:40]}” does not say whether you gave or got")
    if (direction == Direction.GAVE) == (amount > 0):
        return abs(amount), 0
    return 0, abs(amount)


def _whole_or_nothing(plan: Plan, row: Row, amount: int, settled_on: dt.date | None) -> None:
    """A bill is open or settled. Paid in part on a day nobody names cannot be put into a book."""
    get = plan.sheet.columns.get
    paid = 0
    for role in ("paid", "got", "gave"):
        paid += abs(cells.signed_paise(row.get(get(role))))
    rest = row.get(get("balance"))
    if rest.strip():
        paid = max(paid, amount - cells.signed_paise(rest))
    if paid and (settled_on is None or paid != amount):
        raise CellError(
            "this bill is paid in part or on a day the file does not say; bring such payments as dated entries"
        )


def _kind(word: str, direction: str, party: PlannedParty) -> str:
    """The kind that the file names where it can go this way, else what it most likely is."""
    kind = words.kind_of(word)
    if kind and ONE_WAY.get(Kind(kind), direction) == direction:
        return kind
    if kind and direction == Direction.GOT:
        return Kind.RETURN
    if party.kind == PartyKind.SUPPLIER:
        return Kind.PURCHASE if direction == Direction.GOT else Kind.PAYMENT
    return Kind.SALE if direction == Direction.GAVE else Kind.PAYMENT


def _entry(
    party: PlannedParty,
    row: Row,
    direction: str,
    amount_paise: int,
    kind: str,
    day: dt.date | None,
    due_on: dt.date | None,
    note: str,
) -> PlannedEntry:
    return PlannedEntry(party.key, row.line, direction, amount_paise, kind, day, due_on, note)


def _check_days(entry: PlannedEntry, today: dt.date) -> None:
    day = entry.occurred_on
    if day and not FIRST_DAY <= day <= today:
        raise CellError(f"the date {day} lies in the future" if day > today else f"the date {day} is too old")
    if entry.due_on and day and not day <= entry.due_on <= day + LONGEST_CREDIT:
        raise CellError(f"the due date {entry.due_on} does not fit a bill of {day}")


def _give_keys(plan: Plan) -> None:
    """In the order of the file. The name stands in the key without the phone: a later export that
    has lost the phones must still be recognised."""
    seen: Counter[tuple[object, ...]] = Counter()
    for entry in plan.entries:
        party = plan.parties[entry.party]
        who = party.key if party.has_id else party.name.casefold()
        if plan.sheet.shape == OPENINGS:
            # One opening per party, ever: a later list with other dues must not be added on top.
            said: tuple[object, ...] = ("opening", who, "" if party.has_id else party.phone)
        else:
            what = (entry.direction, entry.amount_paise, entry.kind, entry.occurred_on, entry.due_on, entry.note)
            said = ("entry", who, *what)
        seen[said] += 1
        if plan.sheet.shape == OPENINGS and seen[said] > 1:
            plan.problems.append(Problem(entry.line, "this customer has two opening balances in this file"))
        entry.key = _digest(*said, seen[said])


def _digest(*parts: object) -> str:
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return f"import:{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _what_credit_means(sheet: Sheet) -> str:
    """Beside “debit” it is what one got; beside “payment” it is what one gave; alone, we ask."""
    lines: dict[str, int] = {}
    for row in rows_of(sheet):
        lines.setdefault(words.fold(row.get(sheet.columns["type"])), row.line)
    if "credit" not in lines or lines.keys() & {"debit", "dr"}:
        return Direction.GOT
    if lines.keys() & {"payment", "paymentreceived", "received"}:
        return Direction.GAVE
    raise ImportRefused(
        f"“Credit” (line {lines['credit']}) may be what you gave or what you got. Write “gave” or “got” instead."
    )


_ORDER_NAMES = {cells.DMY: "day-month", cells.MDY: "month-day", cells.YMD: "year-month-day"}


def _find_order(sheet: Sheet, today: dt.date) -> str:
    """Day-month, month-day or year first, decided over every date of the file; refuses to guess."""
    ends = {"date": today, "settled": today, "due": today + LONGEST_CREDIT}
    columns = [(sheet.columns[role], last) for role, last in ends.items() if role in sheet.columns]
    possible = list(cells.ORDERS)
    narrowed: dict[tuple[str, ...], int] = {}  # what a date alone may be: the first line of such a one
    differs: dict[tuple[str, str], int] = {}  # where two orders make two days of it
    for row in rows_of(sheet):
        for column, last in columns:
            found = cells.readings(row.get(column), last)
            if not found:
                continue
            possible = [order for order in possible if order in found]
            if not possible:
                raise _disagreement(narrowed, tuple(found), row.line)
            narrowed.setdefault(tuple(found), row.line)
            for pair in combinations(found, 2):
                if found[pair[0]] != found[pair[1]]:
                    differs.setdefault(pair, row.line)
    asked = {pair: differs[pair] for pair in combinations(possible, 2) if pair in differs}
    if asked:
        orders = [order for order in possible if any(order in pair for pair in asked)]
        raise ImportRefused(
            f"The dates may be {_either(orders)} (first seen on line {min(asked.values())}). "
            f"Say which with {' or '.join(f'--date-order {order}' for order in orders)}."
        )
    return possible[0]


def _either(orders: Iterable[str]) -> str:
    return " or ".join(_ORDER_NAMES[order] for order in orders)


def _disagreement(narrowed: dict[tuple[str, ...], int], found: tuple[str, ...], line: int) -> ImportRefused:
    # There is one: a date that may be month-day or year first, and nothing else, cannot be written.
    other = next(orders for orders in narrowed if not set(orders) & set(found))
    said = f"line {line} is {_either(found)}, line {narrowed[other]} {_either(other)}"
    return ImportRefused(f"The dates disagree: {said}. Make them one order.")
