"""The home list, its search, and the quick line."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from core.crypto import SealBroken
from core.money import plain_rupees
from core.worker import nudge
from ledger import quick, selectors
from ledger.forms import QuickForm, new_key
from ledger.models import Direction, Source
from ledger.services import LedgerError, OverLimit, default_kind, post_entry
from ledger.views.khata import UNDO_S
from shops.access import Seat, door
from shops.models import Role


@require_safe
@door(Role.VIEWER)
def home(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Totals, chips, and the khatas, recent first; the fragments of the same page for htmx."""
    which = request.GET.get("show", "all")
    which = which if which in selectors.FILTERS else "all"
    text = request.GET.get("q", "").strip()
    today = seat.shop.today()
    try:
        page = selectors.khata_list(seat.shop, today, which=which, text=text, cursor=request.GET.get("after", ""))
    except SealBroken:
        return redirect("ledger:home", seat.shop.code)
    context = {"page": page, "which": which, "text": text, "today": today, "new_key": new_key()}
    if request.htmx and request.GET.get("part") == "rows":  # type: ignore[attr-defined]
        return render(request, "ledger/home.html#rows", context)
    context |= _heads(seat, today)
    if request.htmx and request.GET.get("part") == "side":  # type: ignore[attr-defined]
        return render(request, "ledger/home.html#list", context)
    return render(request, "ledger/home.html", context)


def _heads(seat: Seat, today: Any) -> dict[str, Any]:
    """A cashier sees khatas but not what the shop is owed in all."""
    if seat.may(Role.MANAGER) or seat.member.role == Role.VIEWER:
        return {"totals": selectors.totals(seat.shop), "chips": selectors.chip_counts(seat.shop, today)}
    return {"totals": None, "chips": {}}


@require_safe
@door(Role.VIEWER)
def ageing(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The shop's ageing bar, asked for after the page stands: it reads every unpaid entry."""
    if seat.member.role == Role.CASHIER:
        return HttpResponse()
    buckets = selectors.shop_ageing(seat.shop, seat.shop.today())
    return render(request, "parts/ageing.html", {"bands": selectors.bands(buckets)})


@require_POST
@door(Role.CASHIER)
def quick_line(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Post what the line says when it is sure; ask when it is not; search when it has no amount."""
    form = QuickForm(request.POST)
    if not form.is_valid():
        return _ask(request, seat, quick.Understood("amount"), request.POST.get("line", ""), status=422)
    data = form.cleaned_data
    if data["party"]:
        return _post(request, seat, data, data["party"], data["direction"], data["amount"], data["note"])
    meant = quick.understand(seat.shop, data["line"])
    if meant.question == "search":
        query = urlencode({"q": data["line"]})
        return redirect(f"{reverse('ledger:home', args=[seat.shop.code])}?{query}")
    if meant.question:
        return _ask(request, seat, meant, data["line"])
    return _post(request, seat, data, meant.parties[0].code, meant.direction, meant.amount_paise, meant.note)


def _ask(request: HttpRequest, seat: Seat, meant: quick.Understood, line: str, status: int = 200) -> HttpResponse:
    context = {"meant": meant, "line": line, "key": new_key(), "amounts": meant.amounts_paise}
    return render(request, "ledger/quick.html", context, status=status)


def _post(
    request: HttpRequest, seat: Seat, data: dict[str, Any], code: str, direction: str, paise: int | None, note: str
) -> HttpResponse:
    khata = selectors.khata_by_code(seat.shop, code)
    if direction not in Direction.values or not paise:
        question = "direction" if paise else "amount"
        amounts = quick.read_line(data["line"]).amounts_paise
        meant = quick.Understood(
            question, [khata.party], khata.party.name, direction, paise or 0, note, amounts_paise=amounts
        )
        return _ask(request, seat, meant, data["line"], status=422)
    try:
        posting = post_entry(
            shop=seat.shop,
            khata=khata,
            actor=seat.user,
            direction=direction,
            amount_paise=paise,
            kind=default_kind(direction, khata.party.kind),
            note=note,
            source=Source.QUICK,
            key=data["key"] or new_key(),
        )
    except LedgerError as error:
        context = {"meant": None, "line": data["line"], "key": new_key(), "error": str(error)}
        if isinstance(error, OverLimit) and seat.is_owner:  # who may give a reason there
            query = urlencode({"amount": plain_rupees(paise), "note": note})
            context["keypad"] = f"{reverse('ledger:entry', args=[seat.shop.code, code, direction])}?{query}"
        return render(request, "ledger/quick.html", context, status=422)
    if direction == Direction.GOT or seat.shop.sends_entries:
        nudge(after_s=UNDO_S + 3)
    address = reverse("ledger:khata", args=[seat.shop.code, code])
    return redirect(f"{address}?saved={posting.entry.position}")
