"""The one clock. Instants are aware and in UTC; business dates are the shop's own days."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

INDIA = ZoneInfo("Asia/Kolkata")


def now() -> dt.datetime:
    """This instant, aware, UTC, to the microsecond (what both databases keep)."""
    return timezone.now()


def today(zone: ZoneInfo = INDIA) -> dt.date:
    """The business date in ``zone`` at this instant."""
    return now().astimezone(zone).date()


def start_of_day(day: dt.date, zone: ZoneInfo = INDIA) -> dt.datetime:
    """The first instant of ``day`` in ``zone``."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=zone)


def unix_us(instant: dt.datetime) -> int:
    """Whole microseconds since 1970, exact (no float on the way)."""
    delta = instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
