"""Plain functions that speak as the sandbox gateway does, and let several hands act at once."""

import json
import threading
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from ledger.models import Entry, Khata
from payments.models import Checkout, PayLink, ProviderAccount
from payments.providers.base import webhook_secrets
from payments.providers.sandbox.signature import EVENT_ID, SIGNATURE, sign
from payments.services import open_checkout
from tests.cast import unique


def make_checkout(link: PayLink, account: ProviderAccount, amount_paise: int = 500_00) -> Checkout:
    return open_checkout(link=link, account=account, amount_paise=amount_paise)


def event_body(checkout: Checkout, status: str = "captured", **changes: Any) -> bytes:
    """One event of the payment ``pay_1`` (or ``id``) on ``checkout``."""
    payment: dict[str, Any] = {
        "id": "pay_1",
        "order": checkout.reference,
        "amount": checkout.amount_paise,
        "currency": "INR",
        "status": status,
        "method": "upi",
        "rrn": "412355678812" if status in {"captured", "refunded"} else "",
    }
    return json.dumps({"event": f"payment.{status}", "payment": payment | changes}).encode()


def deliver(account: ProviderAccount, body: bytes, *, event_id: str = "", **changes: Any) -> Any:
    """Post a webhook; ``secret`` or ``signature`` forge it, ``hook`` and ``kind`` send it elsewhere."""
    if "signature" not in changes:
        changes["signature"] = sign(changes.get("secret") or webhook_secrets(account)[0], body)
    return Client().post(
        reverse("pay:hook", args=[changes.get("kind", account.kind), changes.get("hook", account.hook)]),
        data=body,
        content_type="application/json",
        headers={
            SIGNATURE: changes["signature"],
            EVENT_ID: event_id or unique("evt"),
        },
    )


def got(khata: Khata) -> list[int]:
    """The amounts of the khata's ``got`` entries."""
    rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata, direction="got").order_by("position")
    return list(rows.values_list("amount_paise", flat=True))


def balance(khata: Khata) -> int:
    khata.refresh_from_db()
    return khata.balance_paise


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run each act in a thread and a connection of its own, let go together; results or exceptions."""
    results: list[Any] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(place: int) -> None:
        try:
            barrier.wait(timeout=20)
            results[place] = acts[place]()
        except Exception as error:  # the test looks at it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
