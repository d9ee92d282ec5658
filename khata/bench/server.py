"""The product as ``make run`` starts it: gunicorn with its own config, and the worker beside it."""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings

from khata.bench.measure import family

_STARTS_WITHIN_S = 60
_STOPS_WITHIN_S = 15


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Child:
    """A process of ours with pipes, in a session of its own, ended with its whole family."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.words = " ".join(words)
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=settings.BASE_DIR,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def pids(self) -> list[int]:
        return family(self.process.pid)

    def say(self, line: str) -> None:
        assert self.process.stdin is not None  # noqa: S101
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def hear(self) -> str:
        """The next line. Raises RuntimeError where the process has ended instead."""
        assert self.process.stdout is not None  # noqa: S101
        line = self.process.stdout.readline().decode()
        if not line:
            raise RuntimeError(f"{self.words} ended with {self.process.wait()}")
        return line.strip()

    def stop(self) -> None:
        # Only its leader is told: django-q2's cluster, signalled as a group, hangs for half a minute.
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOPS_WITHIN_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Generator(Child):
    """The load generator (khata/bench/load.py)."""

    def __init__(self) -> None:
        super().__init__("-m", "khata.bench.load")

    def run(self, **job: Any) -> dict[str, Any]:
        """One job and its result. Raises RuntimeError when an answer was neither 2xx nor 3xx."""
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101
        self.process.stdin.write(pickle.dumps(job))
        self.process.stdin.flush()
        size = int.from_bytes(self.process.stdout.read(8), "big")
        result: dict[str, Any] = pickle.loads(self.process.stdout.read(size))  # noqa: S301  (our own child)
        bad = {status: n for status, n in result["statuses"].items() if not status.startswith(("2", "3"))}
        if bad or result["left_open"]:
            raise RuntimeError(f"answers {bad}, {result['left_open']} left open: {result['odd'][:300]!r}")
        return result


class Product:
    """Web server and worker on a free port, until ``stop``."""

    def __init__(self) -> None:
        self.port = free_port()
        here = {"PORT": str(self.port), "BASE_URL": f"http://127.0.0.1:{self.port}"}
        self.web = Child("-m", "gunicorn", "--config", "python:khata.serving", "khata.wsgi", **here)
        self.worker = Child(str(Path(settings.BASE_DIR) / "manage.py"), "qcluster", **here)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        give_up = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()  # noqa: S310
                return
            time.sleep(0.2)
        raise RuntimeError("the web server does not answer")

    def stop(self) -> None:
        for child in (self.web, self.worker):
            child.stop()
