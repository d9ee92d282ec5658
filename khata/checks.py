"""System checks of our own, beside Django's (``manage.py check --deploy``)."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connection


@checks.register(checks.Tags.database)
def sqlite_is_durable(databases: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """The pragmas that keep an acknowledged entry through a power cut are really in force."""
    if not databases or connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        journal = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    if journal != "wal" or synchronous < 2:
        return [checks.Error("SQLite is not in WAL mode with synchronous=FULL.", id="khata.E001")]
    return []


@checks.register(checks.Tags.database)
def postgresql_is_durable(databases: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """An entry that was acknowledged is on the disk: neither the server nor our connection says otherwise."""
    if not databases or connection.vendor != "postgresql":
        return []
    found: list[checks.CheckMessage] = []
    with connection.cursor() as cursor:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone()[0] == "off":
                found.append(
                    checks.Error(f"PostgreSQL would lose acknowledged entries: {name} is off.", id="khata.E003")
                )
    return found


@checks.register(checks.Tags.caches)
def cache_is_shared(**_: Any) -> list[checks.CheckMessage]:
    """Rate limits in one process's memory would let the next process start from zero."""
    if "locmem" in settings.CACHES["default"]["BACKEND"] or "dummy" in settings.CACHES["default"]["BACKEND"]:
        return [checks.Error("The cache must be shared by all processes.", id="khata.E002")]
    return []
