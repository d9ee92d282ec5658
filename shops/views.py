"""The shop's own screens: settings, members, activity."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from shops import selectors, services, words
from shops.access import Seat, door
from shops.forms import MemberForm, RevokeForm, RoleForm, SettingsForm
from shops.models import Member, Role

ROLE_WORDS = (
    (Role.VIEWER, gettext_lazy("sees khatas and statements, changes nothing")),
    (Role.CASHIER, gettext_lazy("writes entries and customers; takes back their own of today")),
    (Role.MANAGER, gettext_lazy("also reverses, changes terms, confirms payments, sends reminders")),
    (Role.OWNER, gettext_lazy("everything, with people, UPI ID and settings")),
)
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@get_or_post
@door(Role.OWNER)
def settings(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Name, terms and messages of the shop. (Its UPI ID has a page of its own, with the password.)"""
    initial = {name: getattr(seat.shop, name) for name in SettingsForm.base_fields}
    form = SettingsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        services.change_settings(shop=seat.shop, actor=seat.user, changes=form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("shops:settings", seat.shop.code)
    return _page(request, "settings", form.is_bound, {"form": form})


@get_or_post
@door(Role.OWNER)
def members(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Who has a seat; add one by phone."""
    form = MemberForm(request.POST or None, user=seat.user, shop=seat.shop)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            added = services.add_member(
                shop=seat.shop, actor=seat.user, phone=data["phone"], role=Role(data["role"]), name=data["name"]
            )
        except services.ShopError as refusal:
            form.add_error("phone", str(refusal))
        else:
            text = _("%(name)s is in. They sign in with their phone number and a code.")
            messages.success(request, text % {"name": added.shown_name})
            return redirect("shops:members", seat.shop.code)
    return _page(
        request,
        "members",
        form.is_bound,
        {"form": form, "members": selectors.members_of(seat.shop), "roles": ROLE_WORDS},
    )


@get_or_post
@door(Role.OWNER)
def role(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """One member: another role, or out."""
    member = _member(seat, pk)
    form = RoleForm(request.POST or None, user=seat.user, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            services.change_role(member=member, actor=seat.user, role=Role(form.cleaned_data["role"]))
        except services.ShopError as refusal:
            form.add_error("role", str(refusal))
        else:
            messages.success(request, _("The role is changed."))
            return redirect("shops:members" if member.user_id != seat.user.pk else "home:more", seat.shop.code)
    revoke_form = RevokeForm(user=seat.user, role=member.role, prefix="revoke")
    return _page(request, "member", form.is_bound, {"form": form, "revoke_form": revoke_form, "member": member})


@require_http_methods(["POST"])
@door(Role.OWNER)
def revoke(request: HttpRequest, seat: Seat, pk: int) -> HttpResponse:
    """End a seat. The door reads the row on every request, so open sessions end with it."""
    member = _member(seat, pk)
    form = RevokeForm(request.POST, user=seat.user, role=member.role, prefix="revoke")
    if form.is_valid():
        try:
            services.revoke_member(member=member, actor=seat.user)
        except services.ShopError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("%(name)s is out, also where still signed in.") % {"name": member.shown_name}
            )
            if member.user_id == seat.user.pk:
                return redirect("home:landing")
            return redirect("shops:members", seat.shop.code)
    role_form = RoleForm(user=seat.user, initial={"role": member.role})
    return _page(request, "member", True, {"form": role_form, "revoke_form": form, "member": member})


@require_safe
@door(Role.MANAGER)
def activity(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Who changed what, newest first."""
    before = request.GET.get("before", "")
    cursor = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    events, following = selectors.activity(seat.shop, before=cursor)
    lines = [words.line(event, seat.shop.zoneinfo) for event in events]
    return render(request, "shops/activity.html", {"lines": lines, "following": following})


def _member(seat: Seat, pk: int) -> Member:
    rows = Member.objects.for_shop(seat.shop).filter(revoked_at=None).select_related("user")
    member: Member = get_object_or_404(rows, pk=pk)
    return member


def _page(request: HttpRequest, name: str, was_refused: bool, context: dict[str, Any]) -> HttpResponse:
    return render(request, f"shops/{name}.html", context, status=422 if was_refused else 200)
