"""The book computed a second time, from docs/decisions/0002-hash-chain.md and plain arithmetic.

Nothing here calls ledger/chain.py or ledger/allocation.py: two ways must agree.
"""

import calendar
import datetime as dt
import hashlib
import json
import struct
from collections.abc import Sequence

from ledger.models import Entry, Khata


def lines_of(khata_id: int) -> list[Entry]:
    """Every entry of a khata by position."""
    return list(Entry.everything.filter(khata_id=khata_id).select_related("reverses").order_by("position"))


def balance_of(lines: Sequence[Entry]) -> int:
    """What is owed, in paise: all that was given less all that was got."""
    given = sum(line.amount_paise for line in lines if line.direction == "gave")
    return given - sum(line.amount_paise for line in lines if line.direction == "got")


def unpaid_of(lines: Sequence[Entry]) -> list[tuple[int, dt.date, int]]:
    """(position, due date, unpaid paise) of each gave still owed, newest first.

    Money pays forward here, from the oldest gave on; ledger/allocation.py walks backward.
    """
    undone = {line.reverses_id for line in lines if line.reverses_id} | {
        line.pk for line in lines if line.reverses_id
    }
    standing = [line for line in lines if line.direction == "gave" and line.pk not in undone]
    paid = sum(line.amount_paise for line in standing) - max(balance_of(lines), 0)
    unpaid = []
    for line in sorted(standing, key=lambda line: (line.occurred_on, line.position)):
        covered = min(paid, line.amount_paise)
        paid -= covered
        if covered < line.amount_paise:
            assert line.due_on is not None
            unpaid.append((line.position, line.due_on, line.amount_paise - covered))
    return unpaid[::-1]


def oldest_due_of(lines: Sequence[Entry]) -> dt.date | None:
    """The due date of the oldest unpaid gave."""
    unpaid = unpaid_of(lines)
    return unpaid[-1][1] if unpaid else None


def digest_of(previous: bytes, line: Entry) -> bytes:
    """The link of one entry, as the decision record says it."""
    at = line.created_at.astimezone(dt.UTC)
    microseconds = calendar.timegm(at.utctimetuple()) * 10**6 + at.microsecond
    fields = [
        line.direction,
        str(line.amount_paise),
        line.kind,
        f"{line.occurred_on:%Y-%m-%d}",
        f"{line.due_on:%Y-%m-%d}" if line.due_on else "",
        str(microseconds),
        line.source,
        str(line.reverses.position) if line.reverses else "",
        bytes(line.text_digest).hex(),
    ]
    return hashlib.sha256(previous + struct.pack(">Q", line.position) + "\n".join(fields).encode("utf-8")).digest()


def check(khata_id: int) -> list[Entry]:
    """Assert everything that must always hold of a khata; its entries."""
    khata = Khata.everything.get(pk=khata_id)
    lines = lines_of(khata_id)
    assert [line.position for line in lines] == list(range(1, len(lines) + 1))
    assert khata.entry_count == len(lines)
    assert khata.balance_paise == balance_of(lines)
    head = hashlib.sha256(b"khata/1\n" + khata.uid.bytes).digest()
    for line in lines:
        assert line.shop_id == khata.shop_id
        if bytes(line.text_salt):
            text = json.dumps(
                [line.note, line.items, line.attachments],
                ensure_ascii=False,
                sort_keys=True,
                separators=(",", ":"),
            )
            assert bytes(line.text_digest) == hashlib.sha256(bytes(line.text_salt) + text.encode()).digest()
        head = digest_of(head, line)
        assert bytes(line.digest) == head, f"the chain breaks at {line.position}"
    assert bytes(khata.head_digest) == head
    assert khata.latest_on == max((line.occurred_on for line in lines), default=None)
    assert khata.oldest_due_on == oldest_due_of(lines)
    return lines
