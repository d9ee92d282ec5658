"""A database of its own for every run: never the one that holds somebody's book."""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error, connection

PREFIX = "khata_bench_"
MARK = "KHATA_BENCH_SCRATCH"


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """The environment of a child that sees only a scratch database, on the same kind and disk.

    Raises CommandError where PostgreSQL lets us make none. All of it is removed at the end.
    """
    leave_when_told()
    name = PREFIX + secrets.token_hex(4)
    beside = Path(settings.DATABASES["default"]["NAME"]).parent if connection.vendor == "sqlite" else None
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=beside or settings.VAR_DIR))
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "KHATA_MODE", "DEBUG")}
    child = kept | {
        "KHATA_VAR": str(folder),
        "KHATA_CACHE_PREFIX": name,
        "DJANGO_SETTINGS_MODULE": "khata.settings",
        MARK: name,
    }
    try:
        if connection.vendor == "sqlite":
            yield child
        else:
            with _postgresql(name) as url:
                yield child | {"DATABASE_URL": url}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgresql(name: str) -> Iterator[str]:
    url = urlsplit(settings.DATABASE_URL)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    except Error as error:
        reason = str(error).strip().splitlines()[0]
        raise CommandError(
            f"The benchmark needs a database of its own and could not make one: {reason}."
            " Let the role do it (ALTER ROLE … CREATEDB) and try again. Nothing was touched."
        ) from error
    try:
        yield urlunsplit(url._replace(path=f"/{name}"))
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def refuse_a_real_book() -> Path:
    """In the child: the scratch folder. Raises CommandError unless everything here is scratch."""
    name = os.environ.get(MARK, "")
    is_ours = name.startswith(PREFIX) and settings.VAR_DIR.name.startswith(name)
    where = str(settings.DATABASES["default"]["NAME"])
    if not is_ours or (where != name and Path(where).parent != settings.VAR_DIR):
        raise CommandError("This part of the benchmark only runs in a scratch database.")
    return Path(settings.VAR_DIR)


def leave_when_told() -> None:
    """SIGTERM unwinds, so that servers are stopped and the scratch database is dropped."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)
