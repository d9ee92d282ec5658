"""The test ground: both databases, the shared cache, the cast.

SQLite is the default; ``DATABASE_URL=postgres://… pytest`` runs the same tests on PostgreSQL.
The SQLite test database is a file, because real processes race on it.
"""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_django
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations

import core.db
from ledger.models import Khata
from shops.models import Shop
from tests.cast import Cast, make_cast, make_khata, make_shop


def pytest_configure() -> None:
    # Hashing as in production costs 0.3 s per person of the cast.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    _take_a_redis_of_our_own()


def _take_a_redis_of_our_own() -> None:
    """Emptying the cache empties a whole Redis database, so each process of the run takes the next
    one: else the limits that one test counts are gone by the fresh start of another."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if settings.REDIS_URL and number != "0":
        url = urlsplit(settings.REDIS_URL)
        database = int(url.path.strip("/") or 0) + int(number)
        settings.REDIS_URL = urlunsplit(url._replace(path=f"/{database}"))
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
        os.environ["REDIS_URL"] = settings.REDIS_URL  # for the processes that tests start


@pytest.fixture(scope="session", autouse=True)
def _nobody_is_left_in_the_test_database(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """PostgreSQL drops no database with a guest in it: a thread of the browser's server that keeps
    its connection, or a child that was killed a moment ago."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(scope="session", autouse=True)
def _flush_may_empty_the_book() -> Iterator[None]:
    """Unlock the append-only triggers inside the very transaction that empties the test database."""
    operations = type(connection.ops)
    plain = operations.sql_flush

    def sql_flush(self: BaseDatabaseOperations, style: Any, tables: Any, **options: Any) -> list[str]:
        statements: list[str] = plain(self, style, tables, **options)
        if "ledger_entry" not in tables:
            return statements
        return [
            "INSERT INTO ledger_unlock VALUES ('test flush')",
            *statements,
            "DELETE FROM ledger_unlock",
        ]

    operations.sql_flush = sql_flush  # type: ignore[method-assign]
    yield
    operations.sql_flush = plain  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest) -> None:
    """Rate limits of one test never reach the next. (Flush leaves the cache table alone.)"""
    touches_database = request.node.get_closest_marker("django_db") is not None
    if touches_database or {"db", "transactional_db", "live_server"} & set(request.fixturenames):
        request.getfixturevalue("db")
        cache.clear()


@pytest.fixture(autouse=True)
def _alone_on_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two test processes are a crowd: background writers would rest for what is only the other tests."""
    monkeypatch.setattr(core.db, "_is_crowded", lambda: False)


@pytest.fixture
def cast(db: None) -> Cast:
    """Asha, Meena, Bilal, Chitra in shop A; Dev in shop B."""
    return make_cast()


@pytest.fixture
def shop(db: None) -> Shop:
    """A shop of its own, for tests that need no cast."""
    return make_shop()


@pytest.fixture
def khata(shop: Shop) -> Khata:
    """An empty khata of Ramesh in ``shop``."""
    return make_khata(shop)
