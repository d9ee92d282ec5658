"""The sandbox as Khata sees it: the shape of ``payments/providers/base.py``."""

import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core import crypto
from payments.models import Checkout, Payment, ProviderAccount
from payments.providers.base import EventUnreadable, ProviderEventFacts, webhook_secrets
from payments.providers.sandbox.delivery import deliver_due  # noqa: F401  the worker asks for it here
from payments.providers.sandbox.signature import EVENT_ID, SIGNATURE, sign

_STATES = {
    "failed": Payment.State.FAILED,
    "authorized": Payment.State.AUTHORISED,
    "captured": Payment.State.PAID,
    "refunded": Payment.State.REFUNDED,
}


def create_checkout(account: ProviderAccount, checkout: Checkout, return_url: str) -> str:
    """A path: the sandbox is at home here. It brings the customer back only to an address that we sealed."""
    back = crypto.seal_cursor("sandbox-return", [return_url])
    return f"{reverse('pay:sandbox', args=[checkout.reference])}?back={back}"


def verify(account: ProviderAccount, headers: Mapping[str, str], raw_body: bytes) -> bool:
    """Whether any of the account's secrets signed these bytes."""
    given = headers.get(SIGNATURE, "").encode()
    found = False
    for secret in webhook_secrets(account):  # no early exit: the time says nothing about which
        found |= hmac.compare_digest(sign(secret, raw_body).encode(), given)
    return found


def event_id(headers: Mapping[str, str], raw_body: bytes) -> str:
    """From the header, as it comes on every delivery of the same event."""
    return headers.get(EVENT_ID, "").strip()


def parse(raw_body: bytes) -> ProviderEventFacts:
    """``{"event": "payment.captured", "payment": {id, amount, currency, status, method, rrn, order}}``."""
    try:
        data = json.loads(raw_body)
        json.dumps(data, ensure_ascii=False).encode()  # a half of a letter cannot be kept
    except (ValueError, RecursionError) as error:
        raise EventUnreadable(_("the event is not JSON")) from error
    kind = data.get("event") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise EventUnreadable(_("the event has no name"))
    if not kind.startswith("payment."):
        return ProviderEventFacts(kind=kind[:60])
    payment = data.get("payment")
    if not isinstance(payment, dict):
        raise EventUnreadable(_("the event carries no payment"))
    amount = payment.get("amount")
    if type(amount) is not int or payment.get("currency") != "INR":
        raise EventUnreadable(_("the amount is not whole paise of rupees"))
    state = _STATES.get(_text(payment, "status", 20))
    if state is None:
        raise EventUnreadable(_("the payment's state is not known"))
    return ProviderEventFacts(
        kind=kind[:60],
        payment_id=_text(payment, "id", 80),
        checkout_reference=_text(payment, "order", 40),
        amount_paise=amount,
        state=state,
        method=_text(payment, "method", 20),
        utr=_text(payment, "rrn", 40, needed=False),
    )


def _text(payment: dict[str, Any], field: str, chars: int, *, needed: bool = True) -> str:
    value = payment.get(field) or ""
    if not isinstance(value, str) or len(value) > chars or "\x00" in value or (needed and not value):
        raise EventUnreadable(_("the payment's “%(field)s” is missing or not text") % {"field": field})
    return value
