"""Pages that belong to no app of the trade: health, language, errors in plain words."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import TooManyFieldsSent
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from core.http import keep_language


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive, able to read the database and the cache, where rate limits live: 200, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"ok": False, "why": "the database does not answer"}, status=503)
    try:
        cache.get("healthz")
    except Exception:  # whatever the cache's client raises
        return JsonResponse({"ok": False, "why": "the cache does not answer"}, status=503)
    return JsonResponse({"ok": True})


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language in a cookie, and go back to where one was."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = redirect(target)
    keep_language(response, request.POST.get("language", ""))
    return response


def _error(request: HttpRequest, status: int, **context: bool) -> HttpResponse:
    return render(request, "errors/page.html", {"status": status} | context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 413 if isinstance(exception, TooManyFieldsSent) else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long. Nothing was saved, and the page says so."""
    return _error(request, 419)


def too_many(request: HttpRequest, *, is_sign_up: bool = False) -> HttpResponse:
    """More tries than a person makes. Nothing is locked; waiting helps, and so may another way in."""
    return _error(request, 429, is_sign_up=is_sign_up)


def server_error(request: HttpRequest) -> HttpResponse:
    """No template context, no query: the house may be on fire."""
    try:
        stylesheet = static("css/khata.css")
    except ValueError:  # the collected files are missing: plain words are better than none
        stylesheet = ""
    return render(None, "errors/500.html", {"stylesheet": stylesheet}, status=500)
