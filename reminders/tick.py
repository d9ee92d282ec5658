"""The worker's minute: everything that must happen by itself, each part bounded and on its own.

The rows say what is to be done, so a tick that was missed, doubled or cut off changes nothing. One
part that breaks is logged and noted in its Beat; the others go on. A nudge (core/worker.py) runs
the same parts at once; nothing depends on it but speed.
"""

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from core import clock
from core.db import copy_log_back
from payments import services as payments
from reminders import services
from reminders.models import Beat

logger = logging.getLogger(__name__)

SEND_BUDGET_S = 20.0  # then the next tick has its turn: money and drawings come first
NIGHT_HOUR = 2  # local; the book is checked after this

# In this order: money first, then what it makes us say, then the saying.
PARTS: dict[str, Callable[[], Any]] = {
    "sandbox": payments.deliver_sandbox_due,
    "events": payments.process_left_events,
    "checkouts": payments.expire_checkouts,
    "drawings": payments.draw_stale_qrs,  # before a slow channel: a customer may be looking at the page
    "stuck": services.release_stuck,
    "receipts": services.queue_receipts,
    "entries": services.queue_entry_messages,
    "reversals": services.queue_reversals,
    "alarms": services.queue_alarms,
    "runs": partial(services.work_open_runs, budget_s=SEND_BUDGET_S),
    "rules": services.ask_by_rules,
    "new links": payments.draw_stale_qrs,  # whose address is about to be sent
    "send": partial(services.send_due, limit=10_000, budget_s=SEND_BUDGET_S),
    "blank": services.blank_codes,
    "log": copy_log_back,
}


def run_tick() -> dict[str, Any]:
    """Do every part once; returns what each one said, or "broken"."""
    said: dict[str, Any] = {}
    for name, part in PARTS.items():
        try:
            said[name] = part()
        except Exception:
            logger.exception("tick: %s broke, the rest goes on", name)
            said[name] = "broken"
    broken = [name for name, answer in said.items() if answer == "broken"]
    beat("tick", f"broken: {', '.join(broken)}" if broken else "")
    return said


def beat(name: str, note: str = "") -> None:
    """Write down that this kind of work was done now."""
    Beat.objects.update_or_create(name=name, defaults={"at": clock.now(), "note": note[:200]})


def claim_night(name: str = "check_ledger") -> bool:
    """True for exactly one caller per night, once the local clock has passed NIGHT_HOUR."""
    now = clock.now()
    night = clock.start_of_day(clock.today()) + dt.timedelta(hours=NIGHT_HOUR)
    if now < night:
        return False
    if Beat.objects.filter(name=name, at__lt=night).update(at=now, note="started"):
        return True
    if Beat.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Beat.objects.create(name=name, at=now, note="started")
    except IntegrityError:
        return False
    return True
