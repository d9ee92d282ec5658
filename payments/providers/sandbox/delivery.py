"""The sandbox's postman: claims a webhook, commits, posts it, records. Called by the worker only."""

import datetime as dt
import logging

import httpx
from django.conf import settings
from django.urls import reverse

from core import clock, crypto
from core.http import client
from payments.models import SandboxDelivery
from payments.providers.base import webhook_secrets
from payments.providers.sandbox.signature import EVENT_ID, SIGNATURE, sign

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 16  # the back-off below adds up to about a day
_MAX_WAIT_S = 4 * 3600


def deliver_due(*, limit: int = 20) -> int:
    """Post what is due, oldest first, at most ``limit``; returns how many were taken (answered 2xx).

    A row is claimed by pushing its ``send_at`` into the future: who is cut off while sending
    leaves it to be sent again, because a webhook twice is harmless and a lost one is not.
    """
    taken = 0
    due = SandboxDelivery.objects.filter(delivered_at=None, attempts__lt=MAX_ATTEMPTS, send_at__lte=clock.now())
    with client() as http:
        for row in due.select_related("account").order_by("send_at", "pk")[:limit]:
            if _claim(row):
                taken += _post(http, row)
    return taken


def wait_s(attempts: int) -> int:
    """Seconds until the next try: 2, 4, 8 … at most four hours."""
    return min(2**attempts, _MAX_WAIT_S)


def _claim(row: SandboxDelivery) -> bool:
    mine = SandboxDelivery.objects.filter(pk=row.pk, attempts=row.attempts, delivered_at=None)
    # At least as long as the HTTP client may take, so that nobody sends it beside us.
    pause = dt.timedelta(seconds=max(10, wait_s(row.attempts + 1)))
    return bool(mine.update(attempts=row.attempts + 1, send_at=clock.now() + pause))


def _post(http: httpx.Client, row: SandboxDelivery) -> int:
    body = bytes(row.body)
    try:
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: sign(webhook_secrets(row.account)[0], body),
            EVENT_ID: row.event_id,
        }
        path = reverse("pay:hook", args=[row.account.kind, row.account.hook])
        answer = http.post(f"{settings.SANDBOX_HOOK_BASE}{path}", content=body, headers=headers)
        status, ok = str(answer.status_code), answer.is_success
    except (httpx.HTTPError, crypto.SealBroken) as error:
        status, ok = type(error).__name__, False
    now = clock.now()
    mine = SandboxDelivery.objects.filter(pk=row.pk)
    if ok:
        mine.update(delivered_at=now, last_status=status)
        return 1
    log.warning("sandbox delivery %s: %s, try %s", row.pk, status, row.attempts + 1)
    mine.update(send_at=now + dt.timedelta(seconds=wait_s(row.attempts + 1)), last_status=status)
    return 0
