"""Where providers report. Verified over the raw bytes, stored, and only then acted upon."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.crypto import SealBroken
from core.limits import MAX_WEBHOOK_BYTES
from core.worker import nudge
from payments import providers, selectors, services

log = logging.getLogger(__name__)


@csrf_exempt
@login_not_required
@require_POST
def hook(request: HttpRequest, kind: str, hook: str) -> HttpResponse:
    """2xx once the event is stored: what then goes wrong is ours to repeat, not the provider's.

    A bad signature is refused before anything is written.
    """
    raw_body = _raw_body(request)
    if raw_body is None:
        return _plain("too large", 413)
    account = selectors.account_of_hook(kind, hook)
    if account is None:
        raise Http404
    provider = providers.get(kind)
    try:
        is_signed = provider.verify(account, request.headers, raw_body)
    except SealBroken:
        log.error("provider account %s cannot be opened: its key is gone", account.pk)
        return _plain("not ready", 503)  # our fault: the provider keeps the event and comes again
    event_id = provider.event_id(request.headers, raw_body) if is_signed else ""
    if not event_id or len(event_id) > services.MAX_EVENT_ID_CHARS:
        return _plain("refused", 400)
    event, _is_new = services.store_event(
        account=account, event_id=event_id, headers=request.headers, raw_body=raw_body
    )
    if event is None:
        return _plain("seen")
    _process(event.pk)
    nudge()  # the receipt
    return _plain("ok")


def _process(event_pk: int) -> None:
    try:
        services.process_event(event_pk=event_pk)
    except Exception:  # stored is stored: the tick takes it up
        log.exception("event %s is left to the tick", event_pk)


def _raw_body(request: HttpRequest) -> bytes | None:
    """The bytes as they came, or None where they are more than a webhook may be."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > MAX_WEBHOOK_BYTES:
        return None
    return request.body if len(request.body) <= MAX_WEBHOOK_BYTES else None


def _plain(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
