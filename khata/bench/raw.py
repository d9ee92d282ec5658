"""The raw limit: one durable transaction that moves a balance and adds a line, and nothing else.

Run as ``python -m khata.bench.raw sqlite:PATH|postgres:DSN SEED``; it knows no Django. Reads ``seconds
first last`` from stdin (parties to spread over) and answers ``count p50_ms p95_ms cpu_ms``. Plain driver, one
connection kept: BEGIN, UPDATE … RETURNING, INSERT, COMMIT; on PostgreSQL those are four round trips.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

PARTIES = 1000
# The row that the product keeps: the same columns and the same indexes, because what is stored
# must be found again. No checks, no triggers, no chain: those are the product's own doing.
SCHEMA = (
    "CREATE TABLE bench_party (id {id}, shop_id bigint NOT NULL, balance_paise bigint NOT NULL DEFAULT 0,"
    " position bigint NOT NULL DEFAULT 0, last_entry_at {stamp}, oldest_due_on date)",
    "CREATE INDEX bench_recent ON bench_party (shop_id, last_entry_at, id)",
    "CREATE INDEX bench_balances ON bench_party (shop_id, balance_paise)",
    "CREATE INDEX bench_dues ON bench_party (shop_id, oldest_due_on) WHERE balance_paise > 0",
    "CREATE TABLE bench_line (id {auto}, shop_id bigint NOT NULL, party_id bigint NOT NULL,"
    " position bigint NOT NULL, direction varchar(4) NOT NULL, amount_paise bigint NOT NULL,"
    " kind varchar(10) NOT NULL, occurred_on date NOT NULL, due_on date, source varchar(8) NOT NULL,"
    " reverses_id bigint UNIQUE, note varchar(500) NOT NULL, items {json} NOT NULL, attachments {json} NOT NULL,"
    " text_salt {bytes} NOT NULL, text_digest {bytes} NOT NULL, created_by_id bigint, created_at {stamp} NOT NULL,"
    " key varchar(80) NOT NULL, digest {bytes} NOT NULL, UNIQUE (party_id, position), UNIQUE (shop_id, key))",
    "CREATE INDEX bench_by_date ON bench_line (party_id, occurred_on DESC, position DESC)",
    "CREATE INDEX bench_gave ON bench_line (party_id, occurred_on DESC, position DESC, amount_paise, due_on)"
    " WHERE direction = 'gave' AND reverses_id IS NULL",
    "CREATE INDEX bench_shop ON bench_line (shop_id)",
    "CREATE INDEX bench_party_lines ON bench_line (party_id)",
    "CREATE INDEX bench_author ON bench_line (created_by_id)",
)


def sqlite(path: str) -> tuple[Callable[..., Any], str]:
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection.execute, "BEGIN IMMEDIATE"


def postgres(dsn: str) -> tuple[Callable[..., Any], str]:
    import psycopg

    return psycopg.connect(dsn, autocommit=True).cursor().execute, "BEGIN"


def create(target: str) -> None:
    """The two tables, with PARTIES empty parties."""
    kind, _, where = target.partition(":")
    execute, _begin = sqlite(where) if kind == "sqlite" else postgres(where)
    types = {
        "id": "bigint PRIMARY KEY",
        "auto": "bigserial PRIMARY KEY",
        "stamp": "timestamptz",
        "json": "jsonb",
        "bytes": "bytea",
    }
    if kind == "sqlite":
        types = {
            "id": "integer PRIMARY KEY",
            "auto": "integer PRIMARY KEY",
            "stamp": "datetime",
            "json": "text",
            "bytes": "blob",
        }
    for statement in SCHEMA:
        execute(statement.format(**types))
    numbers = ", ".join(f"({number}, 1)" for number in range(1, PARTIES + 1))
    execute(f"INSERT INTO bench_party (id, shop_id) VALUES {numbers}")


def work(target: str, dice: random.Random, seconds: float, first: int, last: int) -> list[float]:
    """Transactions until the time is over; the latency of each in ms."""
    kind, _, where = target.partition(":")
    execute, begin = CONNECTIONS.setdefault(target, sqlite(where) if kind == "sqlite" else postgres(where))
    mark = "?" if kind == "sqlite" else "%s"
    update = (
        f"UPDATE bench_party SET balance_paise = balance_paise + {mark}, position = position + 1,"
        f" last_entry_at = CURRENT_TIMESTAMP, oldest_due_on = {mark} WHERE id = {mark} RETURNING position"
    )
    columns = (
        "shop_id, party_id, position, direction, amount_paise, kind, occurred_on, due_on, source, note, items,"
        " attachments, text_salt, text_digest, created_by_id, key, digest"
    )
    marks = ", ".join([mark] * 17)
    insert = f"INSERT INTO bench_line ({columns}, created_at) VALUES ({marks}, CURRENT_TIMESTAMP)"
    hashed, today = dice.randbytes(32), "2026-11-22"
    latencies = []
    stop_at = time.perf_counter() + seconds
    while (started := time.perf_counter()) < stop_at:
        party = dice.randint(first, last)
        execute(begin)
        position = execute(update, (100_00, today, party)).fetchone()[0]
        key = f"form:{dice.getrandbits(120):x}"
        line = (1, party, position, "gave", 100_00, "sale", today, today, "screen", "chawal", "[]", "[]")
        execute(insert, (*line, hashed[:16], hashed, 1, key, hashed))
        execute("COMMIT")
        latencies.append((time.perf_counter() - started) * 1000)
    return latencies


CONNECTIONS: dict[str, tuple[Callable[..., Any], str]] = {}


def main() -> None:
    target, dice = sys.argv[1], random.Random(int(sys.argv[2]))
    for line in sys.stdin:
        seconds, first, last = line.split()
        cpu = time.process_time()
        ranked = sorted(work(target, dice, float(seconds), int(first), int(last)))
        cpu = (time.process_time() - cpu) * 1000
        p50, p95 = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.95)]
        sys.stdout.write(f"{len(ranked)} {p50:.3f} {p95:.3f} {cpu:.1f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
