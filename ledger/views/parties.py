"""A new khata, and changing the party and the terms of one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ledger import selectors
from ledger.forms import KhataForm, PartyForm, TermsForm, ask_once_more, new_key
from ledger.models import Khata
from ledger.services import KeyReused, new_khata, set_terms
from parties.models import Channel, Party
from parties.selectors import look_alikes
from parties.services import archive_party, edit_party, has_consent
from shops.access import Seat, door
from shops.models import Role


@require_http_methods(["GET", "POST"])
@door(Role.CASHIER)
def new(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Name, phone and opening due in one form. A duplicate warns once, and never blocks."""
    initial = {"key": new_key(), "name": request.GET.get("name", ""), "kind": request.GET.get("kind", "customer")}
    form = KhataForm(request.POST or None, initial=initial | {"consent": True, "opening_way": "get"})
    twins: list[Party] = []
    if request.method == "POST" and form.is_valid():
        twins = _twins(seat, form.cleaned_data)
        if not twins or request.POST.get("anyway"):
            try:
                khata = _create(seat, form)
            except KeyReused as error:
                ask_once_more(form, error)
            else:
                messages.success(request, _("%(name)s is in the book.") % {"name": khata.party.name})
                return redirect("ledger:khata", seat.shop.code, khata.party.code)
    context = {"form": form, "twins": twins, "is_first": not Khata.objects.for_shop(seat.shop).exists()}
    return render(request, "ledger/new_khata.html", context, status=422 if form.errors else 200)


def _twins(seat: Seat, data: dict[str, Any]) -> list[Party]:
    """Whom the form may mean that is in the book; a form sent twice is no twin of itself."""
    if Party.objects.for_shop(seat.shop).filter(key=data["key"]).exists():
        return []
    return look_alikes(seat.shop, name=data["name"], phone=data["phone"])


def _create(seat: Seat, form: KhataForm) -> Khata:
    data = form.cleaned_data
    return new_khata(
        shop=seat.shop,
        actor=seat.user,
        name=data["name"],
        phone=data["phone"],
        kind=data["kind"],
        key=data["key"],
        opening_paise=form.opening_paise,
        consent_source="counter" if data["consent"] else "",
    )


_FIELDS = ("name", "phone", "email", "language", "kind", "note", "reminders_paused_until")


def _initial(party: Party) -> dict[str, Any]:
    """The party as its form shows it."""
    agreed = has_consent(party, Channel.WHATSAPP) or has_consent(party, Channel.EMAIL)
    return {field: getattr(party, field) for field in _FIELDS} | {"consent": agreed, "had_consent": agreed}


@require_http_methods(["GET", "POST"])
@door(Role.CASHIER)
def edit(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """Change the party; its terms are a form of their own below, for managers."""
    khata = selectors.khata_by_code(seat.shop, party_code)
    party = khata.party
    form = PartyForm(request.POST or None, initial=_initial(party))
    twins: list[Any] = []
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        twins = look_alikes(seat.shop, name=data["name"], phone=data["phone"], but_not=party.pk)
        edit_party(
            party=party,
            actor=seat.user,
            changes={field: data[field] for field in _FIELDS},
            consent=data["consent"],
            consent_shown=data["had_consent"],
            consent_anew=data["consent_anew"],
        )
        if twins:
            names = ", ".join(twin.name for twin in twins)
            messages.warning(request, _("Saved. There is also: %(names)s.") % {"names": names})
        else:
            messages.success(request, _("Saved."))
        return redirect("ledger:khata", seat.shop.code, party_code)
    context = {"khata": khata, "party": party, "form": form, "terms": TermsForm.of(khata)}
    return render(request, "ledger/edit.html", context, status=422 if form.errors else 200)


@require_POST
@door(Role.MANAGER)
def terms(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """The credit limit, days of credit and collect-on date."""
    khata = selectors.khata_by_code(seat.shop, party_code)
    form = TermsForm(request.POST)
    if form.is_valid():
        set_terms(khata=khata, actor=seat.user, changes=form.changes)
        messages.success(request, _("Saved."))
        return redirect("ledger:khata", seat.shop.code, party_code)
    context = {
        "khata": khata,
        "party": khata.party,
        "form": PartyForm(initial=_initial(khata.party)),
        "terms": form,
    }
    return render(request, "ledger/edit.html", context, status=422)


@require_POST
@door(Role.MANAGER)
def archive(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """Put a party aside or take it up again; the khata stays."""
    khata = selectors.khata_by_code(seat.shop, party_code)
    archived = request.POST.get("archived") == "1"
    archive_party(party=khata.party, actor=seat.user, archived=archived)
    text = _("Put aside. Search still finds it under “Archived”.") if archived else _("Back in the list.")
    messages.success(request, text)
    return redirect("ledger:khata", seat.shop.code, party_code)
