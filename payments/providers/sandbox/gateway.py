"""What happens inside the sandbox when its customer presses a button: a payment id, and webhooks."""

import datetime as dt
import hashlib
import json
import secrets
from typing import Any

from django.db import transaction

from core import clock
from payments.models import Checkout, SandboxDelivery

METHODS = ("upi", "card", "fail")
_LATE_S = 2.0  # an event out of its order comes this much after the next one
_AGAIN_S = 3.0  # and one that is delivered twice, this much after the first


def press(checkout: Checkout, method: str) -> bool:
    """Decide ``checkout`` once: ``upi`` and ``card`` succeed, ``fail`` fails. False if it was decided.

    Two taps at once: the update that names the payment id lets one of them through.
    """
    if method not in METHODS:
        raise ValueError(f"not a way to pay: {method}")
    payment_id = f"pay_{secrets.token_hex(10)}"
    with transaction.atomic():
        fresh = Checkout.everything.filter(pk=checkout.pk, provider_id="", state=Checkout.State.OPEN)
        if not fresh.update(provider_id=payment_id):
            return False
        SandboxDelivery.objects.bulk_create(deliveries(checkout, payment_id, method, clock.now()))
    return True


def deliveries(checkout: Checkout, payment_id: str, method: str, at: dt.datetime) -> list[SandboxDelivery]:
    """The webhooks of one payment, with the troubles that its id decides (the same every time)."""
    statuses = ["failed"] if method == "fail" else ["authorized", "captured"]
    swapped = _dice(payment_id) % 4 == 0
    rows = []
    for status in statuses:
        event_id = f"evt_{hashlib.sha256(f'{payment_id}:{status}'.encode()).hexdigest()[:24]}"
        late_s = _LATE_S if swapped and status == "authorized" else 0.0
        times = [late_s, late_s + _AGAIN_S] if _dice(event_id) % 3 == 0 else [late_s]
        body = json.dumps(_event(checkout, payment_id, method, status, at), separators=(",", ":")).encode()
        rows += [
            SandboxDelivery(
                account_id=checkout.account_id,
                event_id=event_id,
                body=body,
                send_at=at + dt.timedelta(seconds=seconds),
            )
            for seconds in times
        ]
    return rows


def _event(checkout: Checkout, payment_id: str, method: str, status: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "event": f"payment.{status}",
        "created_at": int(at.timestamp()),
        "payment": {
            "id": payment_id,
            "order": checkout.reference,
            "amount": checkout.amount_paise,
            "currency": "INR",
            "status": status,
            "method": "upi" if method == "fail" else method,
            "rrn": _rrn(payment_id) if status == "captured" else "",
        },
    }


def _dice(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0]


def _rrn(payment_id: str) -> str:
    """Twelve digits beginning as this decade's references do; the same for every event of a payment."""
    number = int.from_bytes(hashlib.sha256(f"rrn:{payment_id}".encode()).digest()[:8]) % 10**11
    return f"4{number:011d}"
