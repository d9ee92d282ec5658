"""The demo outbox: every message as a phone would show it. Only where nothing really leaves."""

import datetime as dt
import re

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core import clock, crypto
from core.crypto import SealBroken
from core.http import wants_fragment
from reminders.models import Message, Purpose
from reminders.selectors import name_people
from shops.access import Seat, door
from shops.models import Role

PAGE_MESSAGES = 150
# A demo that is started again on another port still has links that open: where they led is put right.
_PAGES = re.compile(r"https?://[^/\s]+(?=/p/)")
CODES_OF = dt.timedelta(minutes=15)


@require_safe
@door(Role.MANAGER)
def outbox(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The messages of the shop, newest first, one phone per recipient of each page."""
    if not settings.DEMO_OUTBOX:
        raise Http404
    rows = (
        Message.objects.for_shop(seat.shop).filter(backend="demo").select_related("party", "shop").order_by("-id")
    )
    purpose, after = f"outbox:{seat.shop.pk}", request.GET.get("after", "")
    try:
        rows = rows.filter(pk__lt=crypto.open_cursor(purpose, after)[0]) if after else rows
    except SealBroken:
        return redirect("home:outbox", seat.shop.code)
    found = name_people(seat.shop, list(rows[: PAGE_MESSAGES + 1]))
    phones: dict[str, list[Message]] = {}
    for message in found[:PAGE_MESSAGES]:
        message.text = _PAGES.sub(settings.BASE_URL, message.text)
        phones.setdefault(message.recipient, []).append(message)
    more = len(found) > PAGE_MESSAGES
    next_cursor = crypto.seal_cursor(purpose, [found[PAGE_MESSAGES - 1].pk]) if more else ""
    template = "home/outbox.html#phones" if after and wants_fragment(request) else "home/outbox.html"
    return render(request, template, {"phones": list(phones.values()), "next_cursor": next_cursor})


@login_not_required
@never_cache
@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """The sign-in codes of the last minutes, so that one can try Khata without an SMS."""
    if not settings.DEMO_OUTBOX:
        raise Http404
    rows = Message.objects.unscoped("sign-in codes belong to no shop").filter(
        purpose=Purpose.CODE, backend="demo", created_at__gte=clock.now() - CODES_OF
    )
    return render(request, "home/codes.html", {"codes": list(rows.order_by("-id")[:50])})
