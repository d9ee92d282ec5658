"""The plan meets the book: who is known already, what is there already, and only then the writing.

Short transactions with pauses (``core.db.paced``), each a whole batch. A run that was killed is
simply run again: the keys say what is there.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from core.db import batches, lock_in_transaction, paced_looks, refresh_statistics
from ledger.importing.plan import Plan, PlannedEntry, PlannedParty, Problem, make_plan
from ledger.importing.reading import ImportRefused, open_sheet
from ledger.models import Entry, Khata, Kind, Source
from ledger.services import Batch, Draft, chain_batch, new_khata, post_many, write_batch
from parties.search import roman
from shops.models import Shop, User
from shops.services import audit

_LOOKUP_ROWS = 500
_Work = PlannedEntry | PlannedParty


@dataclass
class Report:
    """What a file holds and what became of it. ``problems`` not empty: nothing was written."""

    plan: Plan
    problems: list[Problem]
    left_out: list[Problem]
    new_parties: int = 0
    known_parties: int = 0
    new_entries: int = 0
    known_entries: int = 0


@dataclass
class _Match:
    """The plan beside the book. ``khatas``: of planned parties that the book knows."""

    khatas: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)  # keys of entries that are there
    problems: list[Problem] = field(default_factory=list)


def read_book(path: Path, *, shop: Shop, order: str | None = None) -> tuple[Plan, Report]:
    """Understand ``path`` and hold it against the book; writes nothing.

    ``shop`` may be unsaved (it is to be made). Raises ImportRefused for the file as a whole.
    """
    plan = make_plan(open_sheet(path), today=shop.today(), order=order)
    match = _match(shop, plan)
    return plan, _report(plan, match)


def write_book(plan: Plan, *, shop: Shop, actor: User | None) -> Iterator[Report]:
    """Write what is missing; yields the report as it grows, after every batch and at the end.

    Raises ImportRefused when the plan has problems, before anything is written.
    """
    match = _match(shop, plan)
    report = _report(plan, match)
    if report.problems:
        raise ImportRefused("The file has problems; nothing was written.")
    expected = report.new_parties + report.new_entries
    report.new_parties = report.new_entries = 0
    busy = {entry.party for entry in plan.entries}
    work: list[_Work] = [e for e in plan.entries if e.key not in match.known]
    work += [party for key, party in plan.parties.items() if key not in busy and key not in match.khatas]

    def look(batch: list[_Work]) -> list[_Work] | Batch:
        if connection.in_atomic_block:  # one import of a shop at a time; screens are not held up by this lock
            lock_in_transaction(f"import:{shop.pk}")
        if any(_party_key(item) not in match.khatas for item in batch):
            return batch
        return chain_batch(shop=shop, drafts=_drafts(batch, match), actor=actor, source=Source.IMPORT)

    def write(seen: list[_Work] | Batch) -> None:
        if isinstance(seen, Batch):
            report.new_entries += write_batch(seen)
            return
        opened = _open_missing(shop, plan, match, seen, actor)
        report.new_entries += post_many(shop=shop, drafts=_drafts(seen, match), actor=actor, source=Source.IMPORT)
        report.new_parties += opened

    for _done in paced_looks(work, look, write):
        yield report
    if expected:
        _audit(shop, actor, report)
        refresh_statistics()
    yield report


def _report(plan: Plan, match: _Match) -> Report:
    problems = sorted([*plan.problems, *match.problems], key=lambda problem: problem.line)
    new = sum(entry.key not in match.known for entry in plan.entries)
    return Report(
        plan=plan,
        problems=problems,
        left_out=plan.left_out,
        new_parties=len(plan.parties) - len(match.khatas),
        known_parties=len(match.khatas),
        new_entries=new,
        known_entries=len(plan.entries) - new,
    )


def _match(shop: Shop, plan: Plan) -> _Match:
    """Find the plan's parties and entries in the book.

    A party is known by the key of an earlier import, by the lines it already has, or (where the
    file has no customer ids) by its name and phone. Two that fit are asked about, never guessed.
    """
    match = _Match()
    if shop._state.adding:  # it is to be made: nothing of it is known
        return match
    by_key = _khatas_by_key(shop, plan)
    holders = _holders(shop, plan, match)
    by_name = _khatas_by_name(shop, plan, set(by_key) | set(holders))
    for key, party in plan.parties.items():
        held = set(holders.get(key, {}))
        fits = {by_key[key]} if key in by_key else held or by_name.get(key, set())
        if len(fits) > 1:
            reason = f"two customers of the shop fit “{party.name}”; add the phone number, or put one aside"
            match.problems.append(Problem(party.line, reason))
        elif held - fits:
            line = next(iter(holders[key].values()))
            reason = f"this line is in the book already, under another customer called “{party.name}”"
            match.problems.append(Problem(line, reason))
        elif fits:
            match.khatas[key] = fits.pop()
    return match


def _khatas_by_key(shop: Shop, plan: Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    for keys in batches(plan.parties, _LOOKUP_ROWS):
        rows = Khata.objects.for_shop(shop).filter(party__key__in=keys)
        found.update(rows.values_list("party__key", "pk"))
    return found


def _holders(shop: Shop, plan: Plan, match: _Match) -> dict[str, dict[int, int]]:
    """Planned party → the khatas that hold some of its lines already (and one such line).

    Notes what is known; an opening or a bill that says something else now is a problem.
    """
    holders: dict[str, dict[int, int]] = defaultdict(dict)
    for chunk in batches(plan.entries, _LOOKUP_ROWS):
        planned = {entry.key: entry for entry in chunk}
        rows = Entry.objects.for_shop(shop).filter(key__in=list(planned))
        columns = ("key", "khata_id", "direction", "amount_paise", "occurred_on", "due_on")
        for key, khata_id, direction, amount, day, due_on in rows.values_list(*columns):
            entry = planned[key]
            match.known.add(key)
            holders[entry.party].setdefault(khata_id, entry.line)
            # A day that the file does not name was chosen by us, and may be any.
            is_same = (direction, amount) == (entry.direction, entry.amount_paise)
            if not is_same or entry.occurred_on not in (None, day) or entry.due_on not in (None, due_on):
                match.problems.append(Problem(entry.line, _other_content(entry)))
    return holders


def _other_content(entry: PlannedEntry) -> str:
    if entry.kind == Kind.OPENING:
        return "this customer has another opening balance from an earlier import; nothing was added to it"
    return "this bill is in the book with another date or amount; nothing was added: correct it in the khata"


def _khatas_by_name(shop: Shop, plan: Plan, found: set[str]) -> dict[str, set[int]]:
    """Same name (but for capitals) and no other phone: the one whom the shop means."""
    fits: dict[str, set[int]] = defaultdict(set)
    asked = [party for key, party in plan.parties.items() if key not in found and not party.has_id]
    for chunk in batches(asked, _LOOKUP_ROWS):
        by_name: dict[str, list[PlannedParty]] = defaultdict(list)
        for party in chunk:
            by_name[party.name.casefold()].append(party)
        for pk, name, phone in _live_names(shop, {roman(party.name) for party in chunk}):
            for party in by_name.get(name.casefold(), []):
                if not (phone and party.phone and phone != party.phone):
                    fits[party.key].add(pk)
    return fits


def _live_names(shop: Shop, romans: set[str]) -> Any:
    rows = Khata.objects.for_shop(shop).filter(party__roman__in=romans, party__archived_at=None)
    return rows.values_list("pk", "party__name", "party__phone").iterator()


def _open_missing(shop: Shop, plan: Plan, match: _Match, batch: list[_Work], actor: User | None) -> int:
    """Parties and khatas that this batch needs and the book lacks; how many were made."""
    opened = 0
    for item in batch:
        key = _party_key(item)
        if key in match.khatas:
            continue
        party = plan.parties[key]
        khata = new_khata(
            shop=shop,
            actor=actor,
            name=party.name,
            key=key,
            phone=party.phone,
            kind=party.kind,
            source=Source.IMPORT,
        )
        match.khatas[key] = khata.pk
        opened += 1
    return opened


def _party_key(item: _Work) -> str:
    return item.party if isinstance(item, PlannedEntry) else item.key


def _drafts(batch: list[_Work], match: _Match) -> list[Draft]:
    return [
        Draft(
            khata_id=match.khatas[entry.party],
            direction=entry.direction,
            amount_paise=entry.amount_paise,
            kind=entry.kind,
            key=entry.key,
            occurred_on=entry.occurred_on,
            due_on=entry.due_on,
            note=entry.note,
        )
        for entry in batch
        if isinstance(entry, PlannedEntry)
    ]


@transaction.atomic
def _audit(shop: Shop, actor: User | None, report: Report) -> None:
    audit(
        shop=shop,
        actor=actor,
        action="book.imported",
        after={
            "shape": report.plan.sheet.shape,
            "entries": report.new_entries,
            "parties": report.new_parties,
        },
    )
