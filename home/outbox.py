"""The demo outbox: every message as a phone would show it. Only where nothing really leaves."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core import clock
from reminders.models import Message, Purpose
from shops.access import Seat, door
from shops.models import Role

NEWEST = 150
CODES_OF = dt.timedelta(minutes=15)


@require_safe
@door(Role.MANAGER)
def outbox(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The newest messages of the shop, one phone per recipient."""
    if not settings.DEMO_OUTBOX:
        raise Http404
    rows = Message.objects.for_shop(seat.shop).filter(backend="demo").select_related("party").order_by("-id")
    phones: dict[str, list[Message]] = {}
    for message in rows[:NEWEST]:
        phones.setdefault(message.recipient, []).append(message)
    return render(request, "home/outbox.html", {"phones": list(phones.values())})


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
