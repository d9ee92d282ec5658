"""Around every answer: its language, and a way on from an address where there is nothing to see."""

from collections.abc import Callable
from functools import cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers

GetResponse = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """Cookie first (the switch on every page), then the browser. The customer's page sets its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if language not in dict(settings.LANGUAGES):
            language = translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
            patch_vary_headers(response, ("Cookie", "Accept-Language"))
        return response


class PolicyMiddleware(CSPMiddleware):
    """django-csp, but for putting together the same words for every answer.

    The policy of settings holds no nonce and no view changes it, so it is one string.
    """

    def process_request(self, request: HttpRequest) -> None:
        pass

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not (settings.DEBUG and response.status_code in (404, 500)):  # Django's own pages for developers
            response.headers.setdefault(HEADER, _policy())
        return response


@cache
def _policy() -> str:
    return str(build_policy())


class OneStepUpMiddleware:
    """A person who comes by GET to an address that only takes forms is led to the page above it.

    That happens after signing in again (the form was sent too late), after the language switch on
    a refused form, and by the reload key. The bare answer (405) would be an empty screen.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        wants_a_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if response.status_code == 405 and wants_a_page:
            return HttpResponseRedirect(page_above(request.path))
        return response


def page_above(path: str) -> str:
    """The nearest address above ``path`` that exists: ``/s/A/collect/run/`` leads to ``/s/A/collect/``."""
    steps = path.strip("/").split("/")
    while len(steps) > 1:
        steps.pop()
        above = f"/{'/'.join(steps)}/"
        try:
            resolve(above)
        except Resolver404:
            continue
        return above
    return "/"
