"""The way in: welcome, onboarding, the menu, and the UPI ID of the shop."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import limits
from core.http import keep_language
from home.forms import TRADES, StartForm, UpiForm, handle_warning, start_key
from home.services import FormReused, opened_with, start_shop
from ledger.forms import ask_once_more
from shops.access import Seat, door, last_shop, seats_of
from shops.models import Role, User
from shops.services import change_settings

SHOPS_A_DAY = 10


@login_not_required
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Strangers: what Khata is. People: the shop they were in last, or their first."""
    if not request.user.is_authenticated:
        return render(request, "home/welcome.html")
    shop = last_shop(request)
    return redirect("ledger:home", shop.code) if shop else redirect("home:start")


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Onboarding in one screen; also opens a further shop."""
    initial = {"key": start_key(), "language": get_language(), "owner_name": request.user.name}  # type: ignore[union-attr]
    form = StartForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            return _open(request, form)
        except FormReused as refusal:
            ask_once_more(form, refusal, hint=False)
    context = {"form": form, "trades": TRADES, "has_shops": bool(seats_of(request.user))}  # type: ignore[arg-type]
    return render(request, "home/start.html", context, status=422 if form.is_bound else 200)


def _open(request: HttpRequest, form: StartForm) -> HttpResponse:
    person, data = cast("User", request.user), form.cleaned_data
    is_again = opened_with(person, data["key"]) is not None
    if not is_again and not limits.within_rate("shops", str(person.pk), limit=SHOPS_A_DAY, per_s=86_400):
        messages.error(request, _("That is enough shops for one day. Nothing was opened; try again tomorrow."))
        return redirect("home:landing")
    shop, is_new = start_shop(owner=person, **data)
    if not is_new:  # the second tap of two, or the form that the back key brought again
        messages.info(request, _("“%(name)s” is open already.") % {"name": shop.name})
        return redirect("ledger:new_khata", shop.code)
    if warning := handle_warning(data["upi_id"]):
        messages.warning(request, warning)
    messages.success(request, _("Your shop is open. Add your first customer: only a name is needed."))
    response = redirect("ledger:new_khata", shop.code)
    keep_language(response, data["language"])
    return response


@require_safe
@door(Role.VIEWER)
def more(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The menu: what this role may open, and the person's other shops."""
    others = [other for other in seats_of(seat.user) if other.shop_id != seat.shop.pk]
    return render(request, "home/more.html", {"others": others})


@require_http_methods(["GET", "HEAD", "POST"])
@door(Role.OWNER)
def upi(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Where customers' money goes. Asks for the password, is audited, and told to every owner."""
    form = UpiForm(request.POST or None, user=seat.user, initial={"upi_id": seat.shop.upi_id})
    if request.method == "POST" and form.is_valid():
        upi_id = form.cleaned_data["upi_id"]
        change_settings(shop=seat.shop, actor=seat.user, changes={"upi_id": upi_id})
        warning = handle_warning(upi_id)
        messages.add_message(
            request, messages.WARNING if warning else messages.SUCCESS, warning or _("The UPI ID is saved.")
        )
        return redirect("shops:settings", seat.shop.code)
    return render(request, "home/upi.html", {"form": form}, status=422 if form.is_bound else 200)
