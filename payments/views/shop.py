"""The shop's side: links of a khata, the Payments page, claims to confirm."""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.http import wants_fragment
from core.money import format_paise
from core.worker import nudge
from ledger.models import Khata
from ledger.selectors import khata_by_code
from ledger.services import LedgerError
from payments import selectors, services
from payments.forms import LinkForm
from payments.links import link_url, token_of
from payments.models import Claim, PayLink
from payments.services import ClaimError, LinkError
from payments.views import drawing
from shops.access import Seat, door
from shops.models import Role


@require_safe
@door(Role.VIEWER)
def home(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What arrived by itself, what customers say they paid, what needs a person."""
    return render(request, "payments/home.html", {"page": selectors.payments_home(seat.shop)})


@require_POST
@door(Role.MANAGER)
def confirm_claim(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """One tap: the money is there, the entry is written."""
    claim = get_object_or_404(Claim.objects.for_shop(seat.shop), pk=pk)
    try:
        done = services.confirm_claim(claim=claim, actor=seat.user)
        if done.state == Claim.State.CONFIRMED:
            nudge()  # the receipt
            messages.success(request, _("%s is in the khata.") % format_paise(done.amount_paise))
        else:
            messages.info(request, _("Its line was deleted before. It waits here again: confirm it once more."))
    except (ClaimError, LedgerError) as error:
        messages.error(request, str(error))
    return redirect("payments:home", seat.shop.code)


@require_POST
@door(Role.MANAGER)
def reject_claim(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """The money is not there; the customer's page says so."""
    claim = get_object_or_404(Claim.objects.for_shop(seat.shop), pk=pk)
    try:
        services.reject_claim(claim=claim, actor=seat.user)
        messages.success(request, _("Marked as not found. The customer can tell you another reference."))
    except ClaimError as error:
        messages.error(request, str(error))
    return redirect("payments:home", seat.shop.code)


@require_safe
@door(Role.VIEWER)
def link(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """The khata's link and QR, how to share it, and links of its own for one amount or some days.

    Who has the address acts as the customer: who may only look sees that there is a link, no more.
    """
    khata = khata_by_code(seat.shop, party_code)
    return _link_page(request, seat, khata, LinkForm(shop=seat.shop))


@require_POST
@door(Role.CASHIER)
def make_link(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """The standing link, or one with an amount or a last day. Twice gives the same."""
    khata = khata_by_code(seat.shop, party_code)
    form = LinkForm(request.POST, shop=seat.shop)
    if not form.is_valid():
        return _link_page(request, seat, khata, form, status=422)
    values = form.cleaned_data
    try:
        services.make_link(
            shop=seat.shop,
            khata=khata,
            actor=seat.user,
            amount_paise=values["amount"],
            expires_at=values["last_day"],
        )
    except LinkError as error:
        form.add_error(None, str(error))
        return _link_page(request, seat, khata, form, status=422)
    nudge()
    return redirect("payments:link", seat.shop.code, party_code)


@require_POST
@door(Role.MANAGER)
def revoke_link(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """End one link; its address is a stranger's from now on."""
    services.revoke_link(link=_own_link(request, seat, party_code), actor=seat.user)
    messages.success(request, _("The link is ended. Whoever opens it finds nothing."))
    return redirect("payments:link", seat.shop.code, party_code)


@require_POST
@door(Role.MANAGER)
def rotate_link(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """Another address for the same link, where the old one fell into wrong hands."""
    services.rotate_link(link=_own_link(request, seat, party_code), actor=seat.user)
    messages.success(request, _("The link has a new address. The old one finds nothing now."))
    return redirect("payments:link", seat.shop.code, party_code)


def _own_link(request: HttpRequest, seat: Seat, party_code: str) -> PayLink:
    pk = request.POST.get("link", "")
    links = PayLink.objects.for_shop(seat.shop).select_related("shop", "khata__party")
    return get_object_or_404(
        links, pk=int(pk) if pk.isdecimal() and len(pk) < 19 else 0, khata__party__code=party_code
    )


def _link_page(
    request: HttpRequest, seat: Seat, khata: Khata, form: LinkForm, *, status: int = 200
) -> HttpResponse:
    open_links = selectors.open_links(khata)
    standing = next((link for link in open_links if link.is_standing), None)
    paid = selectors.paid_among(open_links)
    context = {
        "khata": khata,
        "party": khata.party,
        "form": form,
        "link": standing,
        "others": [
            (link, link_url(link) if seat.is_cashier else "", link.pk in paid)
            for link in open_links
            if not link.is_standing
        ],
    }
    may_share = standing is not None and seat.is_cashier
    if standing and may_share:
        context["url"] = link_url(standing)
        payload = selectors.upi_payload(standing)
        context |= {"payload": payload, "is_drawn": selectors.has_fresh_qr(standing, payload)}
        if payload and not context["is_drawn"]:
            drawing.hurry(standing)
        context |= {"token": token_of(standing), "whatsapp": _whatsapp(standing)}
    template = "payments/link.html#qr" if wants_fragment(request) and may_share else "payments/link.html"
    return render(request, template, context, status=status)


def _whatsapp(link: PayLink) -> str:
    """A ``wa.me`` address with the words filled in, in the party's language."""
    party = link.khata.party
    with translation.override(party.language):
        words = {"name": party.name, "shop": link.shop.name, "url": link_url(link)}
        # It hands over the page and asks for nothing: asking goes through the rules of courtesy.
        text = _("Namaste %(name)s. Your khata at %(shop)s is here: %(url)s")
    return f"https://wa.me/{party.phone.lstrip('+')}?text={quote(text % words, safe='')}"
