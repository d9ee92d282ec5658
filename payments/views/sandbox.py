"""The sandbox gateway's own checkout page: what its customer sees, and the three ways it can end."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.crypto import SealBroken, open_cursor
from core.worker import nudge
from payments import providers, selectors
from payments.models import Checkout, ProviderKind
from payments.providers.sandbox import gateway


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sandbox(request: HttpRequest, reference: str) -> HttpResponse:
    """Pay with money that is none. The webhooks leave through the worker, as a gateway's would."""
    checkout = selectors.checkout_by_reference(reference) if providers.is_on(ProviderKind.SANDBOX) else None
    if checkout is None or checkout.account.kind != ProviderKind.SANDBOX:
        raise Http404
    back = _back(request.GET.get("back", ""))
    if request.method == "POST":
        method = request.POST.get("method", "")
        if method in gateway.METHODS and gateway.press(checkout, method):
            nudge()
        return redirect(back or request.get_full_path())
    is_decided = bool(checkout.provider_id) or checkout.state != Checkout.State.OPEN
    context = {"checkout": checkout, "shop": checkout.shop, "is_decided": is_decided, "back": back}
    with timezone.override(checkout.shop.zoneinfo):  # no seat and no link here says whose hours these are
        response = render(request, "payments/sandbox.html", context)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


def _back(sealed: str) -> str:
    """Where the shop wants its customer back; empty for an address that we did not seal."""
    try:
        return str(open_cursor("sandbox-return", sealed)[0])
    except (SealBroken, IndexError):
        return ""
