"""Talking HTTP, both ways: calls out always have time-outs; answers in are built in one place."""

from typing import Any

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse

TIMEOUT = httpx.Timeout(5.0, connect=3.0)
MAX_ANSWER_BYTES = 1024 * 1024


def client(**options: Any) -> httpx.Client:
    """An HTTP client with time-outs on everything, no redirects, no environment proxies."""
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False, **options)


def client_address(request: HttpRequest) -> str:
    """The caller's address as our own server saw it, never a header that anyone can write.

    Behind our own proxies everybody would seem to come from the last of them, and one stranger's
    guesses would use up everybody's tries: then the entry that the outermost of them added counts.
    """
    seen = str(request.META.get("REMOTE_ADDR") or "unknown")
    hops = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    if 0 < settings.PROXY_COUNT <= len(hops):
        return hops[-settings.PROXY_COUNT].strip()[:64] or seen
    return seen


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page (a history restore needs the whole)."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request and not htmx.boosted


def keep_language(response: HttpResponse, language: str) -> None:
    """Speak ``language`` in this browser from now on; a language we do not have changes nothing."""
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=60 * 60 * 24 * 365,
            samesite="Lax",
            secure=bool(settings.SESSION_COOKIE_SECURE),
            httponly=True,
        )
