"""Every khata with all of its entries, in bounded memory: what checks and exports read.

Nothing is locked: a khata's row says how many entries it has, and the entries up to that position
can never change, so the two agree whatever others post meanwhile.
"""

from collections.abc import Iterator
from typing import Any

from ledger.models import Entry, Khata

_KHATAS_PER_READ = 500
_ENTRIES_PER_READ = 2000
# Small khatas are read together, up to this many entries; a larger one is paged by itself.
_ENTRIES_TOGETHER = 2000


def khatas_with_entries(khatas: Any) -> Iterator[tuple[Khata, Iterator[Entry]]]:
    """Each khata of a scoped queryset with its entries by position, ``reverses`` at hand.

    Take the entries of one before asking for the next.
    """
    for group in _groups(khatas.select_related("party", "shop").order_by("pk")):
        together = _together(group)
        for khata in group:
            yield khata, iter(together[khata.pk]) if together is not None else entries_of(khata)


def entries_of(khata: Khata) -> Iterator[Entry]:
    """The entries that the khata in hand counts, by position, some thousand at a time."""
    after = 0
    while True:
        page = _rows().filter(khata=khata.pk, position__gt=after, position__lte=khata.entry_count)
        found = list(page.order_by("position")[:_ENTRIES_PER_READ])
        yield from found
        if len(found) < _ENTRIES_PER_READ:
            return
        after = found[-1].position


def _rows() -> Any:
    return Entry.objects.unscoped("within khatas that the caller has scoped").select_related("reverses")


def _groups(khatas: Any) -> Iterator[list[Khata]]:
    """By id, so that a group has few entries or is one large khata alone."""
    group: list[Khata] = []
    entries = after = 0
    while page := list(khatas.filter(pk__gt=after)[:_KHATAS_PER_READ]):
        after = page[-1].pk
        for khata in page:
            if group and (entries + khata.entry_count > _ENTRIES_TOGETHER or len(group) >= _KHATAS_PER_READ):
                yield group
                group, entries = [], 0
            group.append(khata)
            entries += khata.entry_count
    if group:
        yield group


def _together(group: list[Khata]) -> dict[int, list[Entry]] | None:
    """All entries of a group in one read; None where they are too many, and each is paged."""
    if sum(khata.entry_count for khata in group) > _ENTRIES_TOGETHER:
        return None
    counts = {khata.pk: khata.entry_count for khata in group}
    limit = _ENTRIES_TOGETHER + _ENTRIES_PER_READ  # a damaged count must not make this read large
    rows = list(_rows().filter(khata__in=list(counts)).order_by("khata_id", "position")[:limit])
    if len(rows) == limit:
        return None
    found: dict[int, list[Entry]] = {pk: [] for pk in counts}
    for entry in rows:
        if entry.position <= counts[entry.khata_id]:
            found[entry.khata_id].append(entry)
    return found
