"""Run Khata: the web server and the worker together, until Ctrl-C or SIGTERM.

Why not honcho: it ends a process by signalling its whole group, and django-q2's cluster, signalled as
a group, hangs for half a minute. Here each child leads its own session and only its leader is told.

The web server stopping ends everything, with a non-zero exit. The worker stopping is no reason to
turn people away from the counter: it is started again, after 1, 2, 4 … at most 60 seconds.
"""

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
STOP_WITHIN_S = 15  # then it is killed: our rows, not the processes, keep what must not be lost
WEB_ANSWERS_WITHIN_S = 60
LONGEST_BACKOFF_S = 60
PR_SET_PDEATHSIG = 1


def fail(sentence: str) -> NoReturn:
    sys.exit(f"\nKhata did not start. {sentence}")


def wanted_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        fail(f"PORT is {text!r}; it must be a number between 1 and 65535.")
    return int(text)


def check_port_is_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            fail(f"This user may not use port {port}. Take one above 1023: make run PORT=8000")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                fail(f"KHATA_HOST is {host!r}, which is no address of this machine ({error.strerror}).")
            fail(
                f"Port {port} on {host} is busy ({error.strerror}). Take another: make run PORT={port % 65000 + 1}"
            )


def _stop_with_parent() -> None:
    """In the child: be told to stop if this supervisor is killed (Linux only; elsewhere nothing)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One long-running process in a session of its own, so that a Ctrl-C reaches only us."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = self.start_after = 0.0
        self.failures = 0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_stop_with_parent,
        )

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def tell(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def clear(self) -> None:
        """Kill what is left of it: a killed leader leaves its own children behind."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def plan_restart(self) -> None:
        lasted = time.monotonic() - self.started_at
        self.failures = 1 if lasted > LONGEST_BACKOFF_S else self.failures + 1
        pause = min(2 ** (self.failures - 1), LONGEST_BACKOFF_S)
        self.start_after = time.monotonic() + pause
        print(f"The {self.name} stopped; it starts again in {pause} s. Entries are kept meanwhile.", flush=True)
        self.process = None


class Supervisor:
    def __init__(self, web: Child, worker: Child) -> None:
        self.web, self.worker = web, worker
        self.stopping = False

    def stop(self, signum: int, frame: FrameType | None) -> None:
        if self.stopping:  # a second Ctrl-C means now
            for child in (self.web, self.worker):
                child.clear()
        self.stopping = True

    def run(self, when_ready: str, port_url: str) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop)
        self.web.start()
        self.worker.start()
        told = False
        while not self.stopping and not self.web.has_ended():
            if not told and _answers(port_url):
                told = True
                print(when_ready, flush=True)
            if not told and time.monotonic() - self.web.started_at > WEB_ANSWERS_WITHIN_S:
                print("The web server does not answer; the lines above say why.", flush=True)
                break
            self._keep_worker()
            time.sleep(0.1)
        asked = self.stopping
        if self.web.has_ended():
            print("The web server stopped by itself; the lines above say why.", flush=True)
        self._end()
        return 0 if asked else 1

    def _keep_worker(self) -> None:
        if self.worker.has_ended():
            self.worker.clear()
            self.worker.plan_restart()
        elif self.worker.process is None and time.monotonic() >= self.worker.start_after:
            self.worker.start()

    def _end(self) -> None:
        self.stopping = True
        children = [child for child in (self.web, self.worker) if child.process]
        for child in children:
            child.tell()
        give_up = time.monotonic() + STOP_WITHIN_S
        while time.monotonic() < give_up and not all(child.has_ended() for child in children):
            time.sleep(0.05)
        for child in children:
            child.clear()
        print("Khata has stopped.", flush=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return True  # it speaks HTTP; in production it may send us to https
    except OSError:
        return False


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # until the supervisor takes over
        signal.signal(number, signal.default_int_handler)
    host, port = os.environ.get("KHATA_HOST", "127.0.0.1"), wanted_port()
    check_port_is_free(host, port)
    python = sys.executable
    # The logins are the last thing `prepare` has to say; everything else goes to stderr.
    try:
        prepared = subprocess.run(
            [python, "manage.py", "prepare"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_stop_with_parent,
        )
    except KeyboardInterrupt:
        fail("It was stopped while setting up; the next start goes on from there.")
    if prepared.returncode:
        print(prepared.stdout, end="")
        fail("The lines above say why. Nothing was lost.")
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104
        host, f"[{host}]" if ":" in host else host
    )
    web = Child("web server", [python, "-m", "gunicorn", "--config", "python:khata.serving", "khata.wsgi"])
    worker = Child("worker", [python, "manage.py", "qcluster"])
    ready = f"\nKhata is running at http://{near}:{port}/\n{prepared.stdout.rstrip()}\nStop it with Ctrl-C.\n"
    sys.exit(Supervisor(web, worker).run(ready, f"http://{near}:{port}/healthz"))


if __name__ == "__main__":
    main()
