"""Business dates are the shop's days; instants are exact."""

import datetime as dt
from zoneinfo import ZoneInfo

import time_machine
from hypothesis import given
from hypothesis import strategies as st

from core import clock


def test_just_before_midnight_in_india_is_still_today_there() -> None:
    with time_machine.travel(dt.datetime(2026, 11, 22, 18, 29, 59, tzinfo=dt.UTC), tick=False):
        assert clock.today() == dt.date(2026, 11, 22)
    with time_machine.travel(dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC), tick=False):
        assert clock.today() == dt.date(2026, 11, 23)
        assert clock.today(ZoneInfo("UTC")) == dt.date(2026, 11, 22)


def test_a_day_starts_at_midnight_of_its_zone() -> None:
    start = clock.start_of_day(dt.date(2026, 11, 22))
    assert start.astimezone(dt.UTC) == dt.datetime(2026, 11, 21, 18, 30, tzinfo=dt.UTC)


def test_now_is_aware() -> None:
    assert clock.now().utcoffset() == dt.timedelta(0)


@given(st.datetimes(timezones=st.just(dt.UTC), min_value=dt.datetime(1900, 1, 1)))  # noqa: DTZ001
def test_microseconds_since_1970_are_exact(instant: dt.datetime) -> None:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert epoch + dt.timedelta(microseconds=clock.unix_us(instant)) == instant
