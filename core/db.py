"""What both databases need from us, and what only one of them needs."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.db import DatabaseError, connection, transaction
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S")

# A looping writer on SQLite starves the web for seconds, whatever its transactions hold: it must
# pause. (core/sqlite/base.py sees to it that who waits in the pause gets the lock.) How long it may
# hold the lock depends on whether anybody else is writing: alone it hurries, in company it is brief.
# PostgreSQL locks rows; there it is the processors that are shared, and company is a crowd on them.
BATCH_ROWS = 100
PAUSE_S = 0.02
HOLD_ALONE_S = 0.015
HOLD_IN_COMPANY_S = 0.004
HOLD_IN_A_CROWD_S = 0.04
REST_ALONE, REST_IN_COMPANY = 2, 6  # times what was held
COMPANY_S = 2.0  # others count as writing for so long after the last trace of them
_FIRST_ROWS = 8
_LONGEST_REST_S = 0.2
_LOOKS = 6  # before the lock is taken for the looking too


def is_sqlite() -> bool:
    """Whether the default connection is SQLite."""
    return connection.vendor == "sqlite"


def lock_in_transaction(name: str) -> None:
    """Hold ``name`` until the open transaction ends; whoever asks for the same name waits until then.

    For what has no row to lock yet. Look only after it: what the one before wrote is seen then. On
    SQLite nothing is needed, because transactions are IMMEDIATE: the one that writes is alone.
    Raises TransactionManagementError outside a transaction, where it would hold nothing.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a lock needs an open transaction")
    if not is_sqlite():
        key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def copy_log_back() -> None:
    """Copy SQLite's write-ahead log into its database as far as nobody reads it; nobody waits for it.

    For background processes only, between transactions.
    """
    if is_sqlite() and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def refresh_statistics() -> None:
    """Tell the planner what the tables hold now: after a bulk of rows, and every night.

    A young book has no statistics; PostgreSQL then takes 100,000 entries for a handful, reads them all and
    sorts them for one page of a statement (measured: 130 ms instead of 1). SQLite looks at 400 rows
    of each index, which takes milliseconds at any size. A comfort: never raises, call it last.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if is_sqlite():
                cursor.execute("PRAGMA analysis_limit=400")
            else:
                cursor.execute("SET LOCAL lock_timeout = '5s'")  # a VACUUM may be at work on the table
            cursor.execute("ANALYZE")
    except DatabaseError:
        logger.warning("the statistics were not refreshed", exc_info=True)


def batches(rows: Iterable[T], size: int = BATCH_ROWS) -> Iterator[list[T]]:
    """``rows`` in lists of at most ``size``."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


class Pace:
    """How many rows the next transaction of a background writer may have, and the rest after it.

    Batches grow and shrink until one holds its locks for as long as it may, and the rest is a
    multiple of the work, at least PAUSE_S. Alone on PostgreSQL: ``most`` rows, no rest.
    """

    def __init__(self, most: int = BATCH_ROWS) -> None:
        self.most = most
        self.rows = min(most, _FIRST_ROWS) if is_sqlite() else most
        self.rest_s = 0.0
        self._turn_began_s = time.process_time()
        self._version: int | None = None
        self._company_until = 0.0

    def held(self, held_s: float) -> None:
        """A transaction of ``rows`` rows took ``held_s`` seconds from its lock to its commit."""
        company = self._has_company()
        if not company and not is_sqlite():
            self.rows, self.rest_s = self.most, 0.0
            return
        may_s = (HOLD_IN_COMPANY_S if company else HOLD_ALONE_S) if is_sqlite() else HOLD_IN_A_CROWD_S
        worked_s = max(held_s, time.process_time() - self._turn_began_s)
        rest_s = worked_s * (REST_IN_COMPANY if company else REST_ALONE)
        self.rest_s = min(max(PAUSE_S, rest_s), _LONGEST_REST_S)
        if held_s > may_s:
            self.rows = max(1, round(self.rows * may_s / held_s))
        elif held_s < may_s / 2:
            self.rows = min(self.most, self.rows * 2)

    def _has_company(self) -> bool:
        """Whether others have written lately (SQLite), or want more processors than there are."""
        if is_sqlite():
            version = _commits_of_others()
            noticed = self._version not in (None, version)
            self._version = version
        else:
            noticed = _is_crowded()
        if noticed:
            self._company_until = time.monotonic() + COMPANY_S
        return time.monotonic() < self._company_until

    def rest(self) -> None:
        """Let the web have the lock."""
        if self.rest_s:
            copy_log_back()
            time.sleep(self.rest_s)
        self._turn_began_s = time.process_time()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction whose time counts from when it has the lock."""
        with transaction.atomic():
            began = time.monotonic()  # BEGIN IMMEDIATE has got the lock by now
            yield
        self.held(time.monotonic() - began)

    def look_then_write(self, look: Callable[[], S], write: Callable[[S], T]) -> T:
        """``write(look())`` in one transaction; ``look`` only reads (and locks what it reads).

        On SQLite, whose one lock keeps everybody else from writing, the looking is done before the
        lock is asked for. What was seen holds if by the time the lock is there nobody else has
        committed; else it is looked again, and after some vain looks under the lock.
        """
        for _ in range(_LOOKS if is_sqlite() and not connection.in_atomic_block else 0):
            version = _commits_of_others()
            seen = look()
            with transaction.atomic():
                began = time.monotonic()
                if holds := _commits_of_others() == version:
                    answer = write(seen)
            if holds:
                self.held(time.monotonic() - began)
                return answer
        with self.transaction():
            return write(look())


def _is_crowded() -> bool:
    """Whether more is ready to run than there are processors; False where the system does not say."""
    try:
        ready = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return False
    return ready > (os.cpu_count() or 1)


def _commits_of_others() -> int:
    """A number that changes when another connection commits. SQLite only."""
    with connection.cursor() as cursor:
        number: int = cursor.execute("PRAGMA data_version").fetchone()[0]
    return number


def paced(rows: Iterable[T], write: Callable[[list[T]], Any], *, size: int = BATCH_ROWS) -> Iterator[int]:
    """Every background writer goes through here or through ``Pace``: short transactions with pauses.

    Calls ``write(batch)`` in one transaction per batch and yields how many rows are done.
    """
    iterator, done, pace = iter(rows), 0, Pace(size)
    while batch := list(islice(iterator, pace.rows)):
        pace.rest()
        with pace.transaction():
            write(batch)
        done += len(batch)
        yield done


def paced_looks(
    rows: Iterable[T], look: Callable[[list[T]], S], write: Callable[[S], Any], *, size: int = BATCH_ROWS
) -> Iterator[int]:
    """``paced`` for writers that have much to read first: see ``Pace.look_then_write``."""
    iterator, done, pace = iter(rows), 0, Pace(size)
    while batch := list(islice(iterator, pace.rows)):
        pace.rest()
        pace.look_then_write(partial(look, batch), write)
        done += len(batch)
        yield done


def _sha256_link(previous: bytes, number: int, body: bytes) -> bytes:
    return sha256(previous + number.to_bytes(8, "big") + body).digest()


def prepare_connection(*, connection: Any, **_: Any) -> None:
    """Give SQLite what PostgreSQL has built in (its ``||`` turns blobs into text); beware of poolers."""
    if connection.vendor == "sqlite":
        raw: sqlite3.Connection = connection.connection
        raw.create_function("sha256_link", 3, _sha256_link, deterministic=True)
    elif _is_pooled(connection):
        connection.connection.prepare_threshold = None


def _is_pooled(connection: Any) -> bool:
    """Whether something stands between us and PostgreSQL, such as PgBouncer.

    A pooler hands one client's transactions to many servers. A prepared statement is then missing
    there, or it is another client's of the same name. It gives itself away by the process that it
    names at the start: not the one that answers.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return bool(cursor.fetchone()[0] != connection.connection.info.backend_pid)


def connect_signals() -> None:
    """Called once by the project's app config."""
    connection_created.connect(prepare_connection, dispatch_uid="khata-sqlite-functions")
