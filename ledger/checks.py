"""Recompute the whole book and name the first difference.

Nothing is locked while all is well (see ledger/walk.py). Only a khata that seems wrong is looked
at a second time, under its lock, before anyone is alarmed.
"""

import datetime as dt
from collections.abc import Iterator

from django.db import connection, transaction

from core import clock
from ledger import allocation, chain
from ledger.models import Entry, Khata, LedgerCheck
from ledger.walk import entries_of, khatas_with_entries
from shops.models import Shop


class Finding(Exception):
    """What differs, in one sentence that names the khata by its party code."""


def check_all(*, shop: Shop | None = None) -> LedgerCheck:
    """Check the lock of the book, and every khata (of ``shop``, or of all shops) up to the first difference.

    Bounded memory. Returns a LedgerCheck; one of all shops is saved for operators to see, and a
    check that died half-way stays without ``finished_at``.
    """
    everything = Khata.objects.for_shop(shop) if shop else Khata.objects.unscoped("check_ledger reads every shop")
    result = LedgerCheck(started_at=clock.now())
    if shop is None:
        result.save()
    findings = [open_lock] if (open_lock := _open_lock()) else []
    try:
        for khata, entries in khatas_with_entries(everything):
            result.entries += _check_twice(khata, entries)
            result.khatas += 1
    except Finding as finding:
        findings.append(str(finding))
    result.finding = "; ".join(findings)
    result.finished_at = clock.now()
    if shop is None:
        result.save()
    return result


def _open_lock() -> str:
    """What is wrong with the lock, if anything: whoever unlocks, locks again in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM ledger_unlock LIMIT 1")
        row = cursor.fetchone()
    return f"entries can be changed and deleted: ledger_unlock holds “{row[0]}”" if row else ""


def check_khata(khata: Khata, entries: Iterator[Entry]) -> int:
    """Check one khata as it stands in hand; how many entries were read. Raises Finding.

    ``entries`` are those up to its count, by position.
    """
    walk = _Walk(khata)
    for entry in entries:
        walk.step(entry)
    walk.end()
    return walk.count


def _check_twice(khata: Khata, entries: Iterator[Entry]) -> int:
    try:
        return check_khata(khata, entries)
    except Finding:
        with transaction.atomic():  # posting takes this row first, so now nothing of it moves
            row = Khata.everything.select_for_update().filter(pk=khata.pk).first()
            if row is None:
                return 0  # the whole shop was deleted meanwhile
            row.party = khata.party
            row.shop = khata.shop
            return check_khata(row, entries_of(row))


class _Walk:
    """Everything of one khata, recomputed in one pass over its entries."""

    def __init__(self, khata: Khata) -> None:
        self.khata = khata
        self.count = 0
        self.balance_paise = 0
        self.head = chain.genesis(khata.uid)
        self.latest_on: dt.date | None = None

    def step(self, entry: Entry) -> None:
        """Hold the next entry against what it must be."""
        position = self.count + 1
        if entry.position != position:
            self.fail(f"position {position} is missing (the next one is {entry.position})")
        if entry.shop_id != self.khata.shop_id:
            self.fail(f"position {position} belongs to another shop")
        original = entry.reverses
        if original is not None:
            self._check_pair(entry, original)
        self._check_text(entry)
        body = chain.body(
            direction=entry.direction,
            amount_paise=entry.amount_paise,
            kind=entry.kind,
            occurred_on=entry.occurred_on,
            due_on=entry.due_on,
            created_at=entry.created_at,
            source=entry.source,
            reverses_position=original.position if original else None,
            text_digest=bytes(entry.text_digest),
        )
        self.head = chain.link(self.head, position, body)
        if bytes(entry.digest) != self.head:
            self.fail(f"position {position}: the digest differs, so this entry or one before it was changed")
        self.count = position
        self.balance_paise += entry.signed_paise
        self.latest_on = max(self.latest_on or entry.occurred_on, entry.occurred_on)

    def end(self) -> None:
        """Hold the khata's own row against the sum of its entries."""
        khata = self.khata
        if khata.shop_id != khata.party.shop_id:
            self.fail("its party belongs to another shop")
        if khata.entry_count != self.count:
            self.fail(f"it counts {khata.entry_count} entries, there are {self.count}")
        if Entry.everything.filter(khata=khata.pk, position__gt=self.count).exists():
            self.fail(f"there are entries after position {self.count}, which it does not count")
        if khata.balance_paise != self.balance_paise:
            self.fail(f"its balance is {khata.balance_paise} paise, its entries add up to {self.balance_paise}")
        if bytes(khata.head_digest) != self.head:
            self.fail(f"its head digest differs from the digest at position {self.count}")
        if khata.latest_on != self.latest_on:
            self.fail(f"its latest day is {khata.latest_on}, that of its entries is {self.latest_on}")
        oldest = allocation.oldest_due_on(khata.pk, self.balance_paise)
        if khata.oldest_due_on != oldest:
            self.fail(f"its oldest due day is {khata.oldest_due_on}, that of its entries is {oldest}")

    def fail(self, what: str) -> None:
        """Raise the finding, with the khata named."""
        raise Finding(f"khata {self.khata.party.code} of shop {self.khata.shop.code}: {what}")

    def _check_pair(self, entry: Entry, original: Entry) -> None:
        at = f"position {entry.position} reverses position {original.position}"
        if original.khata_id != entry.khata_id:
            self.fail(f"position {entry.position} reverses an entry of another khata")
        if original.position >= entry.position or original.reverses_id is not None:
            self.fail(f"{at}, which cannot be reversed")
        if original.amount_paise != entry.amount_paise or original.direction == entry.direction:
            self.fail(f"{at}, but does not cancel it")

    def _check_text(self, entry: Entry) -> None:
        is_erased = not (entry.note or entry.items or entry.attachments or bytes(entry.text_salt))
        if is_erased:
            return
        digest = chain.text_digest(bytes(entry.text_salt), entry.note, entry.items, entry.attachments)
        if digest != bytes(entry.text_digest):
            self.fail(f"position {entry.position}: its note or items were changed")
