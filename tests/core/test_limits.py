"""The rate limiter counts in the shared cache, exactly, for as long as its window."""

import datetime as dt

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from core.limits import within_rate
from tests.processes import together

WITH_REDIS = bool(settings.REDIS_URL)
NOON = dt.datetime(2026, 11, 22, 6, 30, tzinfo=dt.UTC)


def _cache_keys() -> list[str]:
    """Full keys (``:version:key``) of the database cache."""
    if WITH_REDIS:
        pytest.skip("looks into the table of the database cache")
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM khata_cache")
        return [key for (key,) in cursor.fetchall()]


@pytest.mark.django_db
def test_the_call_after_the_last_allowed_one_is_refused_until_the_window_ends() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert [within_rate("login", "a", limit=2, per_s=60) for _ in range(4)] == [True, True, False, False]
        assert within_rate("login", "b", limit=2, per_s=60)  # another person
        assert within_rate("signup", "a", limit=2, per_s=60)  # another door
        clock.shift(60)
        assert within_rate("login", "a", limit=2, per_s=60)


@pytest.mark.django_db
def test_a_limit_of_nothing_lets_nobody_in() -> None:
    assert not within_rate("closed", "a", limit=0, per_s=60)


@pytest.mark.django_db
def test_a_limit_per_hour_does_not_forget_within_the_hour() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert within_rate("codes", "a", limit=2, per_s=3600)
        assert within_rate("codes", "a", limit=2, per_s=3600)
        clock.shift(20 * 60)
        assert not within_rate("codes", "a", limit=2, per_s=3600)


@pytest.mark.django_db
def test_losing_the_hint_of_the_last_slot_opens_no_door() -> None:
    assert within_rate("login", "a", limit=1, per_s=60)
    for key in _cache_keys():
        if key.count(":") == 5:  # ":1:rate:login:<window>:<who>" is the hint; slots have one part more
            cache.delete(key.removeprefix(":1:"))
    assert not within_rate("login", "a", limit=1, per_s=60)


@pytest.mark.django_db
def test_the_cache_holds_no_phone() -> None:
    within_rate("code", "+919812345678", limit=5, per_s=60)
    assert not any("98123" in key for key in _cache_keys())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_four_processes_together_get_exactly_the_limit() -> None:
    said = together(*[("knock", "door", 30, 50)] * 4)
    assert sum(map(len, said)) == 50
