"""The measurements run, compare with their limit, check the book, and never touch somebody's book."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from khata.bench.measure import Report, Series, cpu_ms, interleave, percentile, ratios
from tests.processes import database_url

ROOT = Path(settings.BASE_DIR)


def bench(what: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """``manage.py bench WHAT --tiny`` beside an empty database of this test's kind."""
    env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "KHATA_MODE", "DEBUG")}
    env |= {"KHATA_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "khata.settings"}
    if connection.vendor != "sqlite":
        env["DATABASE_URL"] = database_url()
    command = [sys.executable, "manage.py", "bench", what, "--tiny"]
    return subprocess.run(command, cwd=ROOT, env=env | environment, capture_output=True, text=True, timeout=240)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("what", "ratio", "checked"),
    [
        ("entry", "P2 entries/s, product ÷ raw", "stored once"),
        ("home", "P7 q, peer ÷ balance list", "both lists show the same"),
        ("statement", "P8 selector, last ÷ first page", "equal the sum of all before them"),
        ("search", "search() ÷ plain substring scan", "share that find their own party"),
    ],
)
def test_each_measurement_prints_ratios_and_checks_the_book(
    tmp_path: Path, what: str, ratio: str, checked: str
) -> None:
    done = bench(what, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ratio in done.stdout
    assert checked in done.stdout
    assert "due" in done.stdout
    assert not list(tmp_path.glob("khata_bench_*")), "the scratch folder is gone"
    assert not (tmp_path / "khata.sqlite3").exists(), "the book of this environment was not opened"
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'khata_bench_%%'")
            assert cursor.fetchone()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_a_role_that_may_make_no_database_is_told_so(tmp_path: Path) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite makes a file")
    url = database_url()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS khata_no_databases")
        admin.execute("CREATE ROLE khata_no_databases LOGIN NOCREATEDB PASSWORD 'only-here'")
        try:
            where = admin.info
            poor = f"postgres://khata_no_databases:only-here@{where.host}:{where.port}/{where.dbname}"
            done = bench("search", tmp_path, DATABASE_URL=poor)
        finally:
            admin.execute("DROP ROLE khata_no_databases")
    assert done.returncode != 0
    assert "could not make one" in done.stderr
    assert "Nothing was touched" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_inner_command_refuses_a_real_book() -> None:
    with pytest.raises(CommandError, match="scratch"):
        call_command("bench", "home", inside=True)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios(Series([10.0, 30.0, 20.0]), Series([1.0, 2.0, 4.0])).values == [10.0, 15.0, 5.0]
    assert Series([3.0, 1.0, 2.0]).show(1) == "2.0 [1.0 – 3.0]"


def test_every_step_comes_once_per_round_and_another_one_first() -> None:
    order: list[str] = []
    interleave(2, lambda: order.append("limit"), lambda: order.append("product"))
    assert order == ["limit", "product", "product", "limit"]


def test_the_percentile_is_one_of_the_values() -> None:
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], 0.95) == 5.0
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], 0.5) == 3.0
    assert percentile([], 0.5) == 0.0


def test_a_target_that_is_missed_is_said() -> None:
    lines: list[str] = []
    report = Report("entry", 3, lines.append)
    report.ratio("at least", Series([0.2]), least=0.1)
    report.ratio("at most", Series([1.5]), most=1.2)
    report.ratio("only shown", Series([7.0]))
    assert lines[1].endswith("due ≥ 0.1: met")
    assert lines[2].endswith("due ≤ 1.2: NOT MET")
    assert "due" not in lines[3]


def test_cpu_time_is_read_from_the_operating_system() -> None:
    before = cpu_ms([os.getpid()])
    sum(number * number for number in range(2_000_000))
    assert cpu_ms([os.getpid()]) > before
    assert cpu_ms([2**22 + 1]) == 0.0, "a process that has gone used nothing"
