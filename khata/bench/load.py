"""A load generator that costs little itself: one process, one loop, requests built beforehand.

Run as ``python -m khata.bench.load``; it knows no Django. Reads pickled jobs from stdin, answers each with a
pickled result on stdout. Clients open a connection per request, as browsers do behind a server
that does not keep them.

A job: ``port``, ``requests`` (bytes each), ``seconds``, and either ``clients`` (closed loop: each
sends when its last answer has come) or ``rate`` (open loop: by the clock, late answers or not).
Latencies are ms; in the open loop from the moment the request was due.
"""

import os
import pickle
import selectors
import socket
import sys
import time
from collections import Counter
from typing import Any

_GIVE_UP_S = 30.0


class Loop:
    """All connections of one job."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.address = ("127.0.0.1", job["port"])
        self.requests = iter(job["requests"])
        self.poll = selectors.DefaultSelector()
        self.open: dict[socket.socket, list[Any]] = {}  # socket → [due at, request, answer's first bytes]
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.odd = b""

    def start(self, due_at: float) -> bool:
        request = next(self.requests, None)
        if request is None:
            return False
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(self.address)
        self.open[sock] = [due_at, request, b""]
        self.poll.register(sock, selectors.EVENT_WRITE)
        return True

    def turn(self, wait_s: float) -> int:
        """Move on whatever can move; how many requests were finished."""
        done = 0
        for key, events in self.poll.select(max(0.0, wait_s)):
            sock: Any = key.fileobj
            state = self.open[sock]
            try:
                if events & selectors.EVENT_WRITE:
                    sock.sendall(state[1])  # a few hundred bytes: they fit the socket's buffer
                    self.poll.modify(sock, selectors.EVENT_READ)
                    continue
                part = sock.recv(65536)
            except OSError as error:
                part, state[2] = b"", type(error).__name__.encode()
            if part:
                state[2] = state[2] or part
                continue
            self._finish(sock, state)
            done += 1
        return done

    def _finish(self, sock: socket.socket, state: list[Any]) -> None:
        self.poll.unregister(sock)
        sock.close()
        del self.open[sock]
        answer: bytes = state[2]
        status = answer[9:12].decode() if answer.startswith(b"HTTP/") else answer.decode() or "nothing"
        self.statuses[status] += 1
        self.latencies.append((time.perf_counter() - state[0]) * 1000)
        if not status.startswith(("2", "3")):
            self.odd = answer[:600]


def closed(loop: Loop, clients: int, seconds: float) -> None:
    stop_at = time.perf_counter() + seconds
    for _ in range(clients):
        loop.start(time.perf_counter())
    while loop.open and time.perf_counter() < stop_at + _GIVE_UP_S:
        for _ in range(loop.turn(1.0)):
            if time.perf_counter() < stop_at:
                loop.start(time.perf_counter())


def by_the_clock(loop: Loop, rate: float, seconds: float) -> None:
    begin = time.perf_counter()
    number, count = 0, int(rate * seconds)
    while (number < count or loop.open) and time.perf_counter() < begin + seconds + _GIVE_UP_S:
        due_at = begin + number / rate
        if number < count and time.perf_counter() >= due_at:
            loop.start(due_at)
            number += 1
            continue
        loop.turn(due_at - time.perf_counter() if number < count else 1.0)


def run(job: dict[str, Any]) -> dict[str, Any]:
    loop = Loop(job)
    cpu, begin = time.process_time(), time.perf_counter()
    if job.get("rate"):
        by_the_clock(loop, job["rate"], job["seconds"])
    else:
        closed(loop, job["clients"], job["seconds"])
    return {
        "latencies": loop.latencies,
        "statuses": dict(loop.statuses),
        "left_open": len(loop.open),
        "odd": loop.odd,
        "elapsed_s": time.perf_counter() - begin,
        "cpu_ms": (time.process_time() - cpu) * 1000,
    }


def main() -> None:
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)  # noqa: S301  (from our own parent)
        except EOFError:
            return
        answer = pickle.dumps(run(job))
        os.write(sys.stdout.fileno(), len(answer).to_bytes(8, "big"))
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
