"""Starting real processes against the test database, and letting them go at the same instant."""

import os
import subprocess
import sys
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def database_url() -> str:
    """The address of the database this test runs on, as DATABASE_URL takes it."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    password = f":{quote(known['PASSWORD'], safe='')}" if known["PASSWORD"] else ""
    host = quote(known["HOST"], safe="")
    return f"postgres://{quote(known['USER'], safe='')}{password}@{host}:{known['PORT'] or 5432}/{known['NAME']}"


def start(*words: object) -> "subprocess.Popen[str]":
    """One process of tests/actors.py that has said ``ready`` and waits."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.actors", *map(str, words)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "khata.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.communicate()[1]
    return process


def go(process: "subprocess.Popen[str]") -> None:
    """Let it work."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def together(*commands: tuple[object, ...]) -> list[list[str]]:
    """Run one process per command, all let go at once; what each printed. Any error fails the test."""
    running = [start(*words) for words in commands]
    for process in running:
        go(process)
    said = []
    for process in running:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "locked" not in errors
        said.append(out.splitlines())
    return said
