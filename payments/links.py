"""Pay links: a token that is shown again and printed, and yet is in no column.

The token is the link's random id and a MAC over it and a nonce, under a key from settings: the
database alone opens no page. Another nonce, and the old token is a stranger's.
"""

from django.conf import settings
from django.urls import reverse

from core import crypto
from payments.models import PayLink

_UID_BYTES = 16
_MAC_BYTES = 16
_NO_NONCE = bytes(8)


def token_of(link: PayLink) -> str:
    """The link's token, 45 characters safe in an address."""
    uid, nonce = bytes(link.uid), bytes(link.nonce)
    return f"{crypto.b64(uid)}.{crypto.b64(crypto.mac('paylink', uid + nonce)[:_MAC_BYTES])}"


def find_link(token: str) -> PayLink | None:
    """The open link of ``token`` with its khata, party and shop; None for anything else.

    Forged, unknown, revoked and expired look alike from outside, in answer and in work done.
    """
    try:
        uid, given = _parts(token)
    except crypto.SealBroken:
        return None
    link = (
        PayLink.objects.unscoped("a pay link is found by its token")
        .select_related("shop", "khata__party")
        .filter(uid=uid)
        .first()
    )
    matches = crypto.mac_matches("paylink", uid + (bytes(link.nonce) if link else _NO_NONCE), given)
    return link if link is not None and matches and link.is_open() else None


def was_token_of(token: str, link: PayLink | None, nonce: bytes) -> bool:
    """Whether ``token`` was the link's while it had ``nonce``. It opens nothing any more."""
    if link is None:
        return False
    try:
        uid, given = _parts(token)
    except crypto.SealBroken:
        return False
    return uid == bytes(link.uid) and crypto.mac_matches("paylink", uid + nonce, given)


def _parts(token: str) -> tuple[bytes, bytes]:
    """The id and the MAC of a token. Raises SealBroken for what has not the form of one."""
    uid_text, _, mac_text = token.partition(".")
    uid, given = crypto.unb64(uid_text), crypto.unb64(mac_text)
    if len(uid) != _UID_BYTES or len(given) != _MAC_BYTES:
        raise crypto.SealBroken("no token of a pay link")
    return uid, given


def link_url(link: PayLink) -> str:
    """The whole address, as it is sent and printed."""
    return f"{settings.BASE_URL}{reverse('pay:page', args=[token_of(link)])}"
