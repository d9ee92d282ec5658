"""The customer's own page: no login, only the token. It tells strangers nothing and writes little."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.crypto import SealBroken
from core.http import client_address, wants_fragment
from core.limits import within_rate
from core.money import plain_rupees
from ledger.models import Khata
from ledger.selectors import initials, statement_page
from payments import providers, selectors, services
from payments.forms import CheckoutForm, ClaimForm
from payments.links import find_link, token_of, was_token_of
from payments.models import Checkout, PayLink
from payments.services import ClaimError, LinkError
from payments.views import drawing

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    # The token never travels to another site. ``no-referrer`` would say no more, but makes browsers
    # send ``Origin: null`` with our own forms, which the CSRF check rightly refuses.
    "Referrer-Policy": "same-origin",
}


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in whoever has a link's token, in the party's language and the shop's hours; all else is one 404."""

    @wraps(view)
    def inner(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        link = find_link(token)
        if link is None:
            raise Http404
        return _spoken(request, link.khata, lambda: view(request, link, **kwargs))

    return login_not_required(inner)


def _spoken(request: HttpRequest, khata: Khata, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer in the party's language (or the one chosen in this browser) and the shop's hours."""
    language = khata.party.language
    if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) in dict(settings.LANGUAGES):
        language = translation.get_language() or language
    with translation.override(language), timezone.override(khata.shop.zoneinfo):
        response = answer()
    response.headers["Content-Language"] = language
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response


@require_safe
@public
def page(request: HttpRequest, link: PayLink) -> HttpResponse:
    """What is owed, how to pay it, and the statement. Parts of it answer htmx by themselves."""
    part = request.GET.get("part", "") if wants_fragment(request) else ""
    if part == "qr":
        return render(request, "payments/page.html#qr", _qr_context(link))
    after = request.GET.get("after", "")
    try:
        statement = statement_page(link.khata, after)
    except SealBroken:
        return redirect("pay:page", token_of(link))
    context = {"link": link, "token": token_of(link), "statement": statement}
    if after and wants_fragment(request):
        return render(request, "payments/page.html#entries", context)
    return _whole_page(request, link, context)


@require_POST
@public
def claim(request: HttpRequest, link: PayLink) -> HttpResponse:
    """“I have paid”: kept until the shop has looked. One reference counts once."""
    form = ClaimForm(request.POST)
    here = f"{link.pk}:{client_address(request)}"
    if not within_rate("claim", here, limit=10, per_s=3600):
        form.add_error(None, _too_often())
    if not form.is_valid():
        return _again(request, link, form)
    amount_paise, utr = form.cleaned_data["amount"], form.cleaned_data["utr"]
    try:
        answer = services.make_claim(link=link, amount_paise=amount_paise, utr=utr)
    except ClaimError as error:
        form.add_error(None, str(error))
        return _again(request, link, form)
    if answer.is_new:
        messages.success(request, _("Thank you. The shop will look for your payment and write it in the khata."))
    else:
        messages.info(request, _("The shop knows of this reference already. You need not do anything more."))
    return redirect("pay:page", token_of(link))


@require_POST
@public
def checkout(request: HttpRequest, link: PayLink) -> HttpResponse:
    """To the provider's page, for the amount that was typed."""
    account = selectors.account_for_checkout(link.shop)
    if account is None:
        raise Http404
    form = CheckoutForm(request.POST)
    if not within_rate("checkout", f"{link.pk}:{client_address(request)}", limit=20, per_s=600):
        messages.error(request, _too_often())
        return redirect("pay:page", token_of(link))
    if not form.is_valid():
        messages.error(request, _("Type an amount in rupees, like 1,250 or 1250.50. Nothing was paid."))
        return redirect("pay:page", token_of(link))
    try:
        attempt = services.open_checkout(link=link, account=account, amount_paise=form.cleaned_data["amount"])
    except LinkError as error:
        messages.error(request, str(error))
        return redirect("pay:page", token_of(link))
    receipt = reverse("pay:receipt", args=[token_of(link), attempt.reference])
    if selectors.is_being_confirmed(attempt):
        return redirect(receipt)
    back = request.build_absolute_uri(receipt)
    return redirect(providers.get(account.kind).create_checkout(account, attempt, back))


@require_safe
@login_not_required
def receipt(request: HttpRequest, token: str, reference: str) -> HttpResponse:
    """What became of a payment. Asks again each second until the provider has told us.

    Who paid sees the receipt also when the link was ended or given another address meanwhile: the
    token that was good when the payment began is good for this. The way back needs an open link.
    """
    attempt = selectors.checkout_by_reference(reference)
    if attempt is None:
        raise Http404
    link = find_link(token)
    is_open = link is not None and link.pk == attempt.link_id
    if not is_open and not was_token_of(token, attempt.link, bytes(attempt.link_nonce)):
        raise Http404
    return _spoken(request, attempt.khata, lambda: _receipt(request, attempt, token if is_open else ""))


def _receipt(request: HttpRequest, attempt: Checkout, token: str) -> HttpResponse:
    """``token``: of the way back, "" where it is closed."""
    is_open = attempt.state == Checkout.State.OPEN
    context = {
        "shop": attempt.shop,
        "token": token,
        "khata": attempt.khata,
        "checkout": attempt,
        "payment": selectors.payment_of(attempt),
        "is_open": is_open,
        # An open tab that was forgotten asks no more; what comes later is in the khata all the same.
        "asks_again": is_open and attempt.created_at > clock.now() - services.RECEIPT_ASKS_FOR,
        "initials": initials(attempt.shop.name),
    }
    template = "payments/receipt.html#result" if wants_fragment(request) else "payments/receipt.html"
    return render(request, template, context)


@require_POST
@public
def stop(request: HttpRequest, link: PayLink) -> HttpResponse:
    """No more messages, by any channel. Saying it twice is as good as once."""
    services.stop_messages(link=link)
    messages.success(request, _("You will get no more messages from this shop. This page stays yours."))
    return redirect("pay:page", token_of(link))


@require_safe
@public
def qr_svg(request: HttpRequest, link: PayLink) -> HttpResponse:
    """The stored drawing. None yet, or one of another amount: the page, where it is being made."""
    if not selectors.has_fresh_qr(link, selectors.upi_payload(link)):
        return redirect("pay:page", token_of(link))
    return HttpResponse(link.qr_svg, content_type="image/svg+xml")


@require_safe
@public
def qr_png(request: HttpRequest, link: PayLink) -> HttpResponse:
    """The same as a picture to keep: payment apps open one from the gallery."""
    if not selectors.has_fresh_qr(link, selectors.upi_payload(link)):
        return redirect("pay:page", token_of(link))
    response = HttpResponse(bytes(link.qr_png or b""), content_type="image/png")
    response.headers["Content-Disposition"] = f'attachment; filename="pay-{link.khata.party.code}.png"'
    return response


def _too_often() -> str:
    return _("That was often. Please wait an hour, or call the shop. Nothing was lost.")


def _again(request: HttpRequest, link: PayLink, form: ClaimForm) -> HttpResponse:
    context = {"link": link, "token": token_of(link), "statement": statement_page(link.khata)}
    return _whole_page(request, link, context, claim_form=form, status=422)


def _whole_page(
    request: HttpRequest,
    link: PayLink,
    context: dict[str, Any],
    *,
    claim_form: ClaimForm | None = None,
    status: int = 200,
) -> HttpResponse:
    khata, asked = link.khata, selectors.asked_paise(link)
    typed = plain_rupees(asked) if asked else ""
    context |= _qr_context(link) | {
        "shop": link.shop,
        "khata": khata,
        "name": selectors.short_name(khata.party.name),
        "initials": initials(link.shop.name),
        "asked_paise": asked,
        "is_paid": link.amount_paise is not None and asked is None,
        "overdue_paise": selectors.overdue_paise(khata) if link.amount_paise is None else 0,
        "account": selectors.account_for_checkout(link.shop),
        "checkout_amount": typed,
        "claim_form": claim_form or ClaimForm(initial={"amount": typed}),
        "claims": selectors.claims_of(khata),
        "gets_messages": selectors.gets_messages(khata.party),
    }
    if context["payload"] and not context["is_drawn"]:
        drawing.hurry(link)
    return render(request, "payments/page.html", context, status=status)


def _qr_context(link: PayLink) -> dict[str, Any]:
    payload = selectors.upi_payload(link)
    return {
        "link": link,
        "token": token_of(link),
        "payload": payload,
        "is_drawn": selectors.has_fresh_qr(link, payload),
    }
