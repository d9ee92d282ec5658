"""Waking the worker a little earlier than its schedule would.

Never needed for correctness: the tick finds everything in the rows. A view calls ``nudge()``, which
costs it a flag and a short-lived thread; the broker is called behind the answer, once for many
nudges, and whatever goes wrong there stays there.
"""

import logging
import math
import os
import threading
import time
from functools import partial

from django.conf import settings
from django.db import connection, transaction

logger = logging.getLogger(__name__)

_GATHER_S = 0.1
_SHARED_S = 5.0
_MAX_WAITING = 20  # with no worker running the queue must not fill up with nudges
_lock = threading.Lock()
_knocking: set[int] = set()  # when knocks are due that are on their way


_NICE = 10  # of 19


def step_back() -> None:
    """Let the web have the processor first: called by every process that works in the background.

    Where a shopkeeper waits for an answer and a reminder for its turn, the answer goes first. Once
    per process; where the system knows no niceness, nothing happens.
    """
    if hasattr(os, "nice") and os.nice(0) < _NICE and not settings.TESTING:
        os.nice(_NICE - os.nice(0))


def nudge(*, after_s: float = 0) -> None:
    """Have the worker look, after the transaction at hand has committed. Never raises.

    ``after_s``: not before that many seconds, for what must first be past the time to undo it.
    """
    if settings.WORKER_NUDGE:
        transaction.on_commit(partial(_knock_soon, after_s), robust=True)


def _knock_soon(after_s: float) -> None:
    # Nudges for about the same time share a knock: a busy counter must not heap up threads.
    slot = math.ceil((time.monotonic() + after_s) / _SHARED_S) if after_s else 0
    with _lock:
        if slot in _knocking:
            return
        _knocking.add(slot)
    wait_s = max(slot * _SHARED_S - time.monotonic(), _GATHER_S) if slot else _GATHER_S
    threading.Thread(target=_knock, args=(slot, wait_s), name="nudge", daemon=True).start()


def _knock(slot: int, wait_s: float) -> None:
    time.sleep(wait_s)
    with _lock:  # from here on a new nudge needs a new knock
        _knocking.discard(slot)
    try:
        knock_now()
    except Exception:
        logger.warning("the worker could not be nudged; its schedule will do", exc_info=True)
    finally:
        connection.close()


def knock_now() -> bool:
    """Put the nudge into the broker, unless enough work waits there already."""
    from django_q.models import OrmQ  # apps must be loaded first
    from django_q.tasks import async_task

    if OrmQ.objects.count() >= _MAX_WAITING:
        return False
    async_task(settings.WORKER_NUDGE)
    return True
