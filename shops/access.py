"""The one door: a request becomes ``(shop, member)``, or 404 (not yours), or 403 (wrong role).

Every view of a shop is wrapped in ``@door(Role.X)``; the decorator leaves ``view.min_role`` for
the test that walks every route as everyone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from core.prepared import Prepared
from shops.models import Member, Role, Shop, User
from shops.services import enter_seat

LAST_SHOP = "last_shop"  # in the session


@dataclass(frozen=True)
class Seat:
    """Where the person of this request sits: a shop and a role in it."""

    shop: Shop
    member: Member
    user: User

    def may(self, role: Role) -> bool:
        """Whether the person has at least the rights of ``role`` here."""
        return self.member.may(role)

    @property
    def is_owner(self) -> bool:
        return self.may(Role.OWNER)

    @property
    def is_manager(self) -> bool:
        return self.may(Role.MANAGER)

    @property
    def is_cashier(self) -> bool:
        return self.may(Role.CASHIER)


# Read on every request, and always anew: a revoked seat is gone at the next one.
_SEAT = Prepared(
    lambda shop_code, user_id: (
        Member.objects.unscoped("the door: the shop is found through the seat")
        .select_related("shop")
        .filter(shop__code=shop_code, user_id=user_id, revoked_at=None)
    ),
    shop_code=str,
    user_id=int,
)


def take_seat(user: User, shop_code: str) -> Seat:
    """The person's seat in the shop. Raises Http404 where there is none, or it was revoked."""
    member = _SEAT.first(shop_code=shop_code, user_id=user.pk)
    if member is None:
        raise Http404
    return Seat(shop=member.shop, member=member, user=user)


def door(role: Role) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let in members with at least ``role``; the view gets ``seat`` instead of the shop's code."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def inner(request: HttpRequest, shop_code: str, *args: Any, **kwargs: Any) -> HttpResponse:
            seat = take_seat(request.user, shop_code)  # type: ignore[arg-type]
            if not seat.may(role):
                raise PermissionDenied
            if seat.member.entered_at is None:
                enter_seat(seat.member)
            request.seat = seat  # type: ignore[attr-defined]  # for the page frame
            _remember(request, seat.shop)
            with timezone.override(seat.shop.zoneinfo):  # times on screen are the shop's own
                response = view(request, seat, *args, **kwargs)
            # No proxy keeps a page of the book, and no browser shows it again unasked.
            response.headers.setdefault("Cache-Control", "private, no-cache")
            return response

        inner.min_role = role  # type: ignore[attr-defined]
        return inner

    return wrap


def _remember(request: HttpRequest, shop: Shop) -> None:
    """The shop to come back to. Pages only: two tabs that ask for parts would write it in turns."""
    is_page = request.method == "GET" and "HX-Request" not in request.headers
    if is_page and request.session.get(LAST_SHOP) != shop.code:
        request.session[LAST_SHOP] = shop.code


def last_shop(request: HttpRequest) -> Shop | None:
    """The shop this person was in last, or the first one, or None.

    A seat that somebody else gave and the person never took comes last: who adds a phone to a shop
    must not move its owner there.
    """
    seats = sorted(seats_of(request.user), key=lambda seat: seat.entered_at is None)  # type: ignore[arg-type]
    code = request.session.get(LAST_SHOP)
    shops = [seat.shop for seat in seats]
    return next((shop for shop in shops if shop.code == code), shops[0] if shops else None)


def seats_of(user: User) -> list[Member]:
    """The person's seats by the shop's name, for the switcher; without ``entered_at`` it is new."""
    return list(
        Member.objects.unscoped("the switcher lists one person's own seats")
        .select_related("shop")
        .filter(user=user, revoked_at=None)
        .order_by("shop__name", "shop_id")
    )
