"""Rows become a plan: which parties, which entries, and what is wrong, line by line.

Nothing here touches the database. Every entry gets a key made of what it says (not of how the
cell was written), so that the same file, or a later export that holds the same lines again, is
recognised. Two equal lines are two entries: the second carries the number 2 in its key. A bill that
has a number is known by that, so that it is not posted twice when its date or amount was changed.
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

# CN-7, CRN/12 look like credit notes, DN-7 from a supplier like a debit note, and may be none. C123 is
# any bill, CR-12 one on credit, CHN/12 one from Chennai.
_LIKE_A_NOTE = {
    PartyKind.CUSTOMER: re.compile(r"(cn|crn)[-/ #]*\d", re.IGNORECASE),
    PartyKind.SUPPLIER: re.compile(r"(cn|crn|dn|drn)[-/ #]*\d", re.IGNORECASE),
}
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
    bill: str = ""  # the number and financial year of the bill that this line is, or pays
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
    if sheet.shape == ENTRIES and "type" in sheet.columns and not sheet.is_of_suppliers:
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
        is_supplier = self.plan.sheet.is_of_suppliers or words.says_supplier(group)
        kind = PartyKind.SUPPLIER if is_supplier else PartyKind.CUSTOMER
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
        gave, got = _by_type(plan, party, row)
    if not (gave or got):
        raise _LeftOut("no amount on this line")
    if day is None:
        raise CellError("this line has an amount and no date")
    note, due_on = cells.note_of(row.get(get("note"))), cells.date_of(row.get(get("due")), plan.order)
    for direction, amount in ((Direction.GAVE, gave), (Direction.GOT, got)):
        if amount:
            kind = _kind(kind_word, direction, party)
            bill = ""
            if kind in (Kind.SALE, Kind.PURCHASE):
                _refuse_paid(_state(plan, row))
                bill = _bill_of(plan, row, day)
            due = due_on if direction == Direction.GAVE else None
            yield _entry(party, row, direction, amount, kind, day, due, note, bill)


def _opening(plan: Plan, people: _People, row: Row) -> Iterator[PlannedEntry]:
    party, columns = people.of(row), plan.sheet.columns
    get = columns.get
    day = cells.date_of(row.get(get("date")), plan.order)
    side_word = row.get(get("type"))
    state = _state(plan, row)
    if columns.keys() & {"gave", "got"}:
        gave, got = _two_sides(row, get("gave"), get("got"))
        if gave and got:
            raise CellError("this line says both that they owe and that you owe")
        balance = gave - got
    else:
        cell = row.get(get("balance" if "balance" in columns else "amount"))
        balance = cells.signed_paise(cell)
        side = words.direction_of(side_word)
        if side is None and side_word.strip() and words.kind_of(side_word) is None:
            raise CellError(f"“{cells.text_of(side_word)[:40]}” does not say who owes whom")
        if side == Direction.GOT:
            balance = -abs(balance)  # “To Pay” is never a due, whatever the sign beside it
        if balance and side is None and party.kind == PartyKind.SUPPLIER and not cells.says_side(cell):
            raise CellError(
                "this supplier's line does not say who owes whom: add a type, “To Pay” or “To Receive”"
            )
    if words.says_supplier(side_word):
        party.kind = PartyKind.SUPPLIER
    if not balance:
        return
    if state == words.PAID or "balance" not in columns:  # what is left of a bill paid in part is a due
        _refuse_paid(state)
    direction = Direction.GAVE if balance > 0 else Direction.GOT
    due_on = cells.date_of(row.get(get("due")), plan.order) if balance > 0 else None
    note = cells.note_of(row.get(get("note")))
    yield _entry(party, row, direction, abs(balance), Kind.OPENING, day, due_on, note)


def _bill(plan: Plan, people: _People, row: Row) -> Iterator[PlannedEntry]:
    party, columns = people.of(row), plan.sheet.columns
    get = columns.get
    day = cells.date_of(row.get(get("date")), plan.order)
    settled_on = cells.date_of(row.get(get("settled")), plan.order)
    number, word = cells.text_of(row.get(get("number")))[:60], row.get(get("type"))
    amount, state = cells.signed_paise(row.get(get("amount"))), _state(plan, row)
    if not amount:
        raise _LeftOut("a bill of nothing")
    if day is None:
        raise CellError("this bill has no date")
    if state is None and settled_on is None:  # with that date the file says itself that it is paid
        unknown = cells.text_of(row.get(get("status")))[:40]
        raise CellError(f"“{unknown}” does not say whether this bill is paid")
    note, bill = number or cells.note_of(row.get(get("note"))), _bill_of(plan, row, day)
    is_theirs = words.kind_of(word) == Kind.PURCHASE or (
        party.kind == PartyKind.SUPPLIER and not words.says_sale(word)
    )
    raises, lowers = (Direction.GOT, Direction.GAVE) if is_theirs else (Direction.GAVE, Direction.GOT)
    if amount < 0 or words.says_return(word, of_supplier=is_theirs):
        if settled_on or state in (words.PAID, words.PARTIAL):
            raise CellError("this return is settled too; bring it and what was paid for it as dated entries")
        yield _entry(party, row, lowers, abs(amount), Kind.RETURN, day, None, note, bill)
        return
    if words.kind_of(word) is None and _LIKE_A_NOTE[PartyKind(party.kind)].match(number):
        raise CellError(
            f"“{number[:40]}” may be a bill or a return; give returns a minus, or add a type to each line"
        )
    _whole_or_nothing(plan, row, amount, settled_on, state)
    due_on = cells.date_of(row.get(get("due")), plan.order) if raises == Direction.GAVE else None
    kind = Kind.PURCHASE if is_theirs else Kind.SALE
    yield _entry(party, row, raises, amount, kind, day, due_on, note, bill)
    if settled_on:
        yield _entry(party, row, lowers, amount, Kind.PAYMENT, settled_on, None, note, bill)


def _bill_of(plan: Plan, row: Row, day: dt.date) -> str:
    """By what a bill is known again: its number, and when such numbers do not repeat.

    In a register that is the financial year (from April on). Among dated entries, where some count
    anew each morning, it is the day, and only a column of bill numbers will do.
    """
    at = plan.sheet.columns.get("number")
    number = cells.text_of(row.get(at))
    if at is None or not any(char.isdigit() for char in number):
        return ""
    if plan.sheet.shape == BILLS:
        return f"{number.casefold()} of {day.year - (day.month < 4)}"
    return f"{number.casefold()} on {day}" if words.heads_bills(plan.sheet.headers[at]) else ""


def _state(plan: Plan, row: Row) -> str | None:
    """What a status column says of this line: "" where nothing, None for a word that is not known."""
    state = words.state_of(row.get(plan.sheet.columns.get("status")))
    if state == words.CANCELLED:
        raise _LeftOut("a cancelled bill")
    return state


_NO_DAY = "this bill is paid in part or on a day the file does not say; bring such payments as dated entries"


def _refuse_paid(state: str | None) -> None:
    if state in (words.PAID, words.PARTIAL):
        raise CellError(_NO_DAY)


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


def _by_type(plan: Plan, party: PlannedParty, row: Row) -> tuple[int, int]:
    get = plan.sheet.columns.get
    amount = cells.signed_paise(row.get(get("amount")))
    if not amount:
        return 0, 0
    word, of_supplier = row.get(get("type")), party.kind == PartyKind.SUPPLIER
    direction = words.direction_of(word, of_supplier=of_supplier)
    if words.fold(word) == "credit" and not of_supplier:
        direction = plan.credit
    if direction is None:
        raise CellError(f"“{cells.text_of(word)[:40]}” does not say whether you gave or got")
    if (direction == Direction.GAVE) == (amount > 0):
        return abs(amount), 0
    return 0, abs(amount)


def _whole_or_nothing(plan: Plan, row: Row, amount: int, settled_on: dt.date | None, state: str | None) -> None:
    """A bill is open or settled. Paid in part on a day nobody names cannot be put into a book."""
    get = plan.sheet.columns.get
    paid = 0
    for role in ("paid", "got", "gave"):
        paid += abs(cells.signed_paise(row.get(get(role))))
    rest = row.get(get("balance"))
    if rest.strip():
        paid = max(paid, amount - cells.signed_paise(rest))
    if paid and (settled_on is None or paid != amount):
        raise CellError(_NO_DAY)
    if state == words.PARTIAL or (state == words.PAID and settled_on is None):
        raise CellError(_NO_DAY)
    if state == words.UNPAID and settled_on:
        raise CellError("this bill is called unpaid and has the day of its payment")


def _kind(word: str, direction: str, party: PlannedParty) -> str:
    """The kind that the file names where it can go this way, else what it most likely is."""
    kind = words.kind_of(word)
    of_supplier = party.kind == PartyKind.SUPPLIER
    if words.says_return(word, of_supplier=of_supplier):
        return Kind.RETURN
    if kind and ONE_WAY.get(Kind(kind), direction) == direction:
        return kind
    if kind and (direction == Direction.GOT or kind == Kind.PURCHASE):
        is_bill = of_supplier and direction == Direction.GOT and not words.says_sale(word)
        return Kind.PURCHASE if is_bill else Kind.RETURN
    if of_supplier:
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
    bill: str = "",
) -> PlannedEntry:
    return PlannedEntry(party.key, row.line, direction, amount_paise, kind, day, due_on, note, bill)


def _check_days(entry: PlannedEntry, today: dt.date) -> None:
    day, due_on = entry.occurred_on, entry.due_on
    if day and not FIRST_DAY <= day <= today:
        raise CellError(f"the date {day} lies in the future" if day > today else f"the date {day} is too old")
    if due_on is None:
        return
    last = (day or today) + LONGEST_CREDIT
    if entry.kind == Kind.OPENING:  # what it stands for was due before the book began
        if not FIRST_DAY <= due_on <= last:
            raise CellError(f"the due date {due_on} is too old or too far ahead")
    elif day and not day <= due_on <= last:
        raise CellError(f"the due date {due_on} does not fit a bill of {day}")


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
        elif entry.bill:
            # Not its date or amount: the bill with another due day is no second bill.
            said = ("bill", who, entry.bill, entry.kind)
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
