"""Background writers work in short transactions, and rest on SQLite."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from core import db
from core.db import batches, lock_in_transaction, paced
from shops.models import User


@contextmanager
def lock_held_elsewhere() -> Iterator[threading.Event]:
    """Another connection holds SQLite's write lock until the event is set, or the block ends."""
    has_it, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            has_it.set()
            let_go.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    has_it.wait(10)
    try:
        yield let_go
    finally:
        let_go.set()
        holder.join()


def test_rows_come_in_batches_of_at_most_the_size() -> None:
    assert [len(batch) for batch in batches(range(250))] == [100, 100, 50]
    assert list(batches([])) == []


@pytest.mark.django_db
def test_a_background_writer_rests_between_batches_on_sqlite_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(db.time, "sleep", rests.append)
    written: list[int] = []
    assert list(paced(range(25), written.extend, size=10))[-1] == 25
    assert written == list(range(25))
    assert set(rests) == ({db.PAUSE_S} if connection.vendor == "sqlite" else set())


@pytest.mark.django_db
def test_on_sqlite_batches_that_hold_the_lock_too_long_get_smaller_and_the_rest_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, rests, sizes = [0.0], [], []
    monkeypatch.setattr(db.time, "sleep", rests.append)
    monkeypatch.setattr(db.time, "monotonic", lambda: clock[0])

    def write(batch: list[int]) -> None:
        sizes.append(len(batch))
        clock[0] += 0.001 * len(batch)  # a millisecond per row

    list(paced(range(200), write, size=100))
    if connection.vendor == "sqlite":
        assert sizes[:3] == [8, 8, 8]
        assert set(rests) == {db.PAUSE_S}
        monkeypatch.setattr(db.Pace, "_has_company", lambda self: True)
        sizes.clear()
        list(paced(range(100), write, size=100))
        assert sizes[:3] == [8, 4, 4]
        clock[0], slow = 0.0, db.Pace(100)
        slow.held(0.05)
        assert (slow.rows, slow.rest_s) == (1, pytest.approx(db._LONGEST_REST_S))
        slow.held(0.02)
        assert (slow.rows, slow.rest_s) == (1, pytest.approx(0.02 * db.REST_IN_COMPANY))
    else:
        assert (sizes, rests) == ([100, 100], [])


@pytest.mark.django_db(transaction=True)
def test_company_is_noticed_by_what_others_write() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    pace = db.Pace()
    assert not pace._has_company()
    User.objects.create(phone="+919900000001")
    assert not pace._has_company(), "one's own writing is no company"
    committed_elsewhere("+919900000002")
    assert pace._has_company()


@pytest.mark.django_db
def test_on_sqlite_batches_grow_while_they_are_quick_and_a_rest_has_an_end() -> None:
    pace = db.Pace(100)
    if connection.vendor == "sqlite":
        for _ in range(4):
            pace.held(0.0005)
        assert (pace.rows, pace.rest_s) == (100, db.PAUSE_S)
        pace.held(30.0)  # a slow gateway, not a held lock
        assert pace.rest_s == 0.2


@pytest.mark.django_db
def test_on_sqlite_the_rest_counts_the_looking_too(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = [10.0]
    monkeypatch.setattr(db.time, "process_time", lambda: cpu[0])
    pace = db.Pace(100)
    cpu[0] += 0.03
    pace.held(0.001)
    assert pace.rest_s == (pytest.approx(0.06) if connection.vendor == "sqlite" else 0)


@pytest.mark.django_db
def test_on_postgresql_a_background_writer_rests_while_the_processors_are_crowded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite always rests")
    pace = db.Pace(100)
    monkeypatch.setattr(db, "_is_crowded", lambda: True)
    pace.held(0.03)
    assert pace.rest_s >= 0.09
    monkeypatch.setattr(db, "_is_crowded", lambda: False)
    pace._company_until = 0.0
    pace.held(0.03)
    assert (pace.rows, pace.rest_s) == (100, 0)


_is_crowded = db._is_crowded  # tests are never in one (conftest.py)


def test_a_crowd_is_more_ready_to_run_than_processors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loadavg = tmp_path / "loadavg"
    monkeypatch.setattr(db, "Path", lambda _name: loadavg)
    assert not _is_crowded(), "a system that does not say"
    monkeypatch.setattr(db.os, "cpu_count", lambda: 2)
    loadavg.write_text("0.52 0.48 0.40 2/345 6789\n")
    assert not _is_crowded()
    loadavg.write_text("0.52 0.48 0.40 3/345 6789\n")
    assert _is_crowded()


def committed_elsewhere(phone: str) -> None:
    def write() -> None:
        User.objects.create(phone=phone)
        connection.close()

    other = threading.Thread(target=write)
    other.start()
    other.join()


@pytest.mark.django_db(transaction=True)
def test_what_was_seen_before_the_lock_holds_under_it_or_is_looked_at_again() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL looks inside its transaction")
    looks: list[bool] = []

    def look() -> int:
        looks.append(connection.in_atomic_block)
        seen = User.objects.count()
        if len(looks) == 1:
            committed_elsewhere("+919900000001")  # a shopkeeper saves while we look
        return seen

    assert db.Pace().look_then_write(look, lambda seen: (seen, connection.in_atomic_block)) == (1, True)
    assert looks == [False, False]


@pytest.mark.django_db(transaction=True)
def test_who_looks_in_vain_looks_under_the_lock_at_last() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL looks inside its transaction")
    looks: list[bool] = []

    def look() -> int:
        looks.append(connection.in_atomic_block)
        if not connection.in_atomic_block:
            committed_elsewhere(f"+9199000000{len(looks):02d}")
        return User.objects.count()

    assert db.Pace().look_then_write(look, lambda seen: seen) == len(looks) - 1
    assert looks[-2:] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_on_postgresql_looking_and_writing_are_one_transaction() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite looks before its lock")
    inside: list[bool] = []
    db.Pace().look_then_write(lambda: inside.append(connection.in_atomic_block), lambda _: None)
    assert inside == [True]


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_the_lock_of_sqlite_gets_it_soon_after_it_is_free() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    with lock_held_elsewhere() as let_go:
        threading.Timer(0.3, let_go.set).start()
        with transaction.atomic():
            assert let_go.is_set()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone()[0] == 20_000


@pytest.mark.django_db(transaction=True)
def test_who_never_gets_the_lock_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    with lock_held_elsewhere(), pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pass


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_fails_is_undone_alone_and_those_before_it_stand() -> None:
    def write(numbers: list[int]) -> None:
        for number in numbers:
            User.objects.create(phone=f"+91990000{number:04d}")
            if number == 5:
                raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        list(paced(range(10), write, size=4))
    assert User.objects.count() == 4


@pytest.mark.django_db
def test_sqlite_is_opened_as_a_durable_database() -> None:
    if not db.is_sqlite():
        pytest.skip("PostgreSQL")
    with connection.cursor() as cursor:
        for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert cursor.execute(f"PRAGMA {pragma}").fetchone()[0] == wanted


@pytest.mark.django_db
def test_statements_are_prepared_on_a_server_and_never_behind_a_pooler() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("PostgreSQL")
    connection.ensure_connection()
    assert connection.connection.prepare_threshold == 2

    class Pooled:  # it names a process that is not the one that answers
        prepare_threshold = 2
        info = type("Info", (), {"backend_pid": -1})

    class Other:
        vendor, connection, cursor = "postgresql", Pooled(), connection.cursor

    db.prepare_connection(connection=Other)
    assert Other.connection.prepare_threshold is None


@pytest.mark.django_db
def test_statistics_that_cannot_be_refreshed_stop_nobody() -> None:
    db.refresh_statistics()

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "ANALYZE" in sql:
            raise OperationalError("canceling statement due to lock timeout")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        db.refresh_statistics()


@pytest.mark.django_db(transaction=True)
def test_a_named_lock_needs_a_transaction_and_is_given_back_with_it() -> None:
    with pytest.raises(TransactionManagementError):
        lock_in_transaction("utr:1:412355678812")
    with transaction.atomic():
        lock_in_transaction("utr:1:412355678812")
        lock_in_transaction("utr:1:412355678812")  # held already: no waiting for oneself
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                )
                assert cursor.fetchone() == (1,)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            assert cursor.fetchone() == (0,)
