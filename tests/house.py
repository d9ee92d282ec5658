"""The whole product on the test database: web server and worker, started as ``make run`` starts them."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from khata.bench.measure import family
from scripts.run import Child
from tests.processes import database_url

WITHIN_S = 90  # a busy machine is slow, a broken one is never done


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Look again and again until ``condition`` holds; fails with ``what`` it waited for."""
    give_up = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up, f"waited in vain for {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LoggedChild(Child):
    """A child of ``scripts/run.py`` whose output goes to a file."""

    log: BinaryIO | int = subprocess.DEVNULL

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


class House:
    """Web server and worker; ``folder`` takes static files, the trace of messages and the log."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, pause_s: float = 0.02) -> None:
        self.folder, self.trace = folder, folder / "trace"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        here = {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "khata.settings",
            "PORT": str(port),
            "BASE_URL": self.address,
            "KHATA_VAR": str(folder),
            "SECRET_KEY": settings.SECRET_KEY,  # sessions, seals and links are made in the test's process
            "KHATA_DATA_KEYS": ",".join(settings.DATA_KEYS),
            "KHATA_LINK_KEYS": ",".join(settings.LINK_KEYS),
            "WEB_CONCURRENCY": "3",
            "KHATA_WORKERS": "2",
        }
        for name, value in here.items():
            monkeypatch.setenv(name, value)
        storages = settings.STORAGES | {
            "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
        }
        with override_settings(STORAGES=storages, STATIC_ROOT=folder / "static"):
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
        gunicorn = ["-m", "gunicorn", "--config", "python:khata.serving", "khata.wsgi"]
        self.web = LoggedChild("web server", [sys.executable, *gunicorn])
        # `manage.py qcluster` with a channel of our own in front.
        self.worker = LoggedChild("worker", [sys.executable, "-m", "tests.worker", str(self.trace), str(pause_s)])

    def __enter__(self) -> "House":
        self.log = (self.folder / "log").open("ab")
        self.web.log = self.worker.log = self.log
        self.web.start()
        self.worker.start()
        try:
            wait_until(self.answers, "the web server")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for child in (self.web, self.worker):
            child.clear()
        self.log.close()

    def answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.address}/healthz", timeout=5, trust_env=False).status_code == 200
        return False

    def kill(self, child: Child, chance: random.Random | None = None) -> None:
        """kill -9: the whole of ``child``, or one process below its leader that ``chance`` picks.

        What is gone is started again at once, as by ``scripts/run.py``.
        """
        assert child.process is not None
        below = family(child.process.pid)[1:] if chance else []
        if chance and below:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(below), signal.SIGKILL)
        else:
            child.clear()
            child.start()

    def revive(self) -> None:
        """Start again what has ended by itself."""
        for child in (self.web, self.worker):
            if child.has_ended():
                child.clear()
                child.start()

    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")
