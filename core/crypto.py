"""Secrets at rest, tokens in links, cursors in pages. Keys come from settings only.

``DATA_KEYS`` (a list, newest first) encrypts provider credentials; old keys still decrypt, so a
key can be rotated without a night shift. ``LINK_KEYS`` sign pay links, again newest first.
"""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# No 0/O, 1/I/L, U: codes are read aloud over a counter.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class SealBroken(ValueError):
    """Something that we signed or encrypted came back changed, or under an unknown key."""


def short_code(chars: int) -> str:
    """A random code for people, ``chars`` long (about 4.9 bits each). Not a secret."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(chars))


def _derive(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "data"))) for key in settings.DATA_KEYS])


def encrypt(value: dict[str, Any]) -> bytes:
    """A small dictionary of credentials, sealed for the database."""
    return _fernet().encrypt(json.dumps(value, sort_keys=True).encode())


def decrypt(sealed: bytes) -> dict[str, Any]:
    """The dictionary again. Raises SealBroken when no key fits."""
    try:
        return dict(json.loads(_fernet().decrypt(bytes(sealed))))
    except InvalidToken as error:
        raise SealBroken("these credentials were sealed with a key that is gone") from error


def mac(purpose: str, message: bytes, *, key: str | None = None) -> bytes:
    """HMAC-SHA256 of ``message`` under a key of its own per purpose (32 bytes)."""
    return hmac.new(_derive(key or settings.LINK_KEYS[0], purpose), message, hashlib.sha256).digest()


def mac_matches(purpose: str, message: bytes, given: bytes) -> bool:
    """Whether ``given`` is a prefix (at least 16 bytes) of the MAC under any current key."""
    if len(given) < 16:
        return False
    found = False
    for key in settings.LINK_KEYS:  # no early exit: the time says nothing about which key
        found |= hmac.compare_digest(mac(purpose, message, key=key)[: len(given)], given)
    return found


def b64(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of ``b64`` text. Raises SealBroken when it is not that, to the letter."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, TypeError) as error:
        raise SealBroken("not base64") from error
    if b64(data) != text:
        raise SealBroken("not canonical base64")
    return data


def seal_cursor(purpose: str, values: list[Any]) -> str:
    """A page cursor that the browser carries and cannot change: JSON and a 16-byte MAC."""
    body = json.dumps(values, separators=(",", ":")).encode()
    return f"{b64(body)}.{b64(mac(purpose, body)[:16])}"


def open_cursor(purpose: str, text: str) -> list[Any]:
    """The values again. Raises SealBroken for anything that we did not sign for ``purpose``."""
    body_text, _, mac_text = text.partition(".")
    body = unb64(body_text)
    if not mac_matches(purpose, body, unb64(mac_text)):
        raise SealBroken("cursor was changed")
    return list(json.loads(body))
