"""Requests through the whole WSGI application, without a socket: for pages and profiles."""

import io
import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client

from khata.bench.measure import cpu_ms
from shops.models import User


class Browser:
    """One signed-in person. ``get`` and ``send`` answer with the body as it would travel."""

    def __init__(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self.cookies = f"{name}={client.cookies[name].value}"
        self.application = get_wsgi_application()

    def get(self, address: str, *, htmx: bool = False) -> bytes:
        """The answer to a GET. Raises RuntimeError unless it is 200."""
        head = f"GET {address} HTTP/1.1\r\nCookie: {self.cookies}\r\n{'HX-Request: true' if htmx else ''}"
        return self.send(head.encode(), expect="200")

    def send(self, request: bytes, *, expect: str) -> bytes:
        """The answer to a request as bytes, as the load generator sends it."""
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, address, _protocol = first.split()
        path, _, query = address.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
        }
        for line in lines:
            name, _, value = line.partition(": ")
            environ[_variable(name)] = value
        said: list[str] = []

        def start(status: str, headers: Any, error: Any = None, /) -> Callable[[bytes], object]:
            said.append(status)
            return said.append  # type: ignore[return-value]  # nobody writes that way

        answer = self.application(environ, start)
        content = b"".join(answer)
        answer.close()
        if not said[0].startswith(expect):
            raise RuntimeError(f"{address} answered {said[0]}")
        return content


def _variable(name: str) -> str:
    plain = name.upper().replace("-", "_")
    return plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}"


def cost(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Wall ms and CPU ms (ours and our PostgreSQL backend's) of one ``work()``, the mean of ``times``."""
    backend = _own_backend()
    database, own, begin = cpu_ms(backend), time.process_time(), time.perf_counter()
    for _ in range(times):
        work()
    wall = (time.perf_counter() - begin) * 1000
    cpu = (time.process_time() - own) * 1000 + cpu_ms(backend) - database
    return wall / times, cpu / times


def _own_backend() -> list[int]:
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return [cursor.fetchone()[0]]
