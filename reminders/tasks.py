"""What django-q2 runs. Our rows, not the queue, decide what is tried again."""

from django_q.tasks import async_task

from core.db import refresh_statistics
from core.worker import nudge, step_back
from ledger import checks
from reminders.tick import beat, claim_night, run_tick

__all__ = ["check_book", "nudge", "tick", "tick_soon"]


def tick() -> None:
    """Every minute, by schedule."""
    step_back()
    run_tick()
    if claim_night():
        async_task("reminders.tasks.check_book")


def tick_soon() -> None:
    """A view has changed something: look at once."""
    step_back()
    run_tick()


def check_book() -> None:
    """Every night: recompute every balance, position and digest. The result is a LedgerCheck row."""
    step_back()
    result = checks.check_all()
    beat("check_ledger", result.finding or "clean")
    refresh_statistics()
