"""The hash chain of a khata, and nothing else. docs/decisions/0002-hash-chain.md is its format.

    digest = SHA-256( previous digest ‖ position (8 bytes, big-endian) ‖ body )

The first "previous digest" is the genesis of the khata, made from its uid, so that a chain cannot
be transplanted. ``body`` holds no name, phone or note: only the salted hash of the text.
"""

import datetime as dt
import json
import uuid
from hashlib import sha256
from typing import Any

from core import clock


def genesis(uid: uuid.UUID) -> bytes:
    """The digest before the first entry (32 bytes)."""
    return sha256(b"khata/1\n" + uid.bytes).digest()


def text_digest(salt: bytes, note: str, items: list[Any], attachments: list[Any]) -> bytes:
    """The salted hash of what may be erased. With the salt gone a short note cannot be guessed."""
    text = json.dumps([note, items, attachments], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(bytes(salt) + text.encode()).digest()


def body(
    *,
    direction: str,
    amount_paise: int,
    kind: str,
    occurred_on: dt.date,
    due_on: dt.date | None,
    created_at: dt.datetime,
    source: str,
    reverses_position: int | None,
    text_digest: bytes,
) -> bytes:
    """The canonical bytes of one entry, without its position: nine fields, one per line."""
    return "\n".join(
        (
            direction,
            str(amount_paise),
            kind,
            occurred_on.isoformat(),
            due_on.isoformat() if due_on else "",
            str(clock.unix_us(created_at)),
            source,
            str(reverses_position or ""),
            bytes(text_digest).hex(),
        )
    ).encode()


def link(previous: bytes, position: int, body_bytes: bytes) -> bytes:
    """The digest of the entry at ``position`` (32 bytes)."""
    return sha256(bytes(previous) + position.to_bytes(8, "big") + body_bytes).digest()
