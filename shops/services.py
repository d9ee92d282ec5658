"""Every change of shops and seats. Each writes its audit row in the same transaction."""

import datetime as dt
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from shops.models import AuditEvent, Member, Role, Shop, User


class ShopError(ValueError):
    """The change is refused; the message is for people."""


def audit(
    *,
    shop: Shop | None,
    actor: User | None,
    action: str,
    target: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    is_alarm: bool = False,
) -> AuditEvent:
    """One line of the activity page. ``is_alarm`` makes the tick tell every owner."""
    return AuditEvent.everything.create(
        shop=shop,
        actor=actor,
        action=action,
        target=target,
        before=before or {},
        after=after or {},
        is_alarm=is_alarm,
    )


@transaction.atomic
def open_shop(
    *,
    owner: User | None,
    name: str,
    code: str = "",
    trade: str = "",
    language: str = "en",
    upi_id: str = "",
    is_demo: bool = False,
    key: str | None = None,
) -> Shop:
    """A new shop with ``owner`` in the owner's seat.

    Without an owner (an operator brings a book in) nobody can enter until one is added.
    ``code`` names it in addresses; empty: a random one. ``key`` opens one shop only: the database
    refuses the second.
    """
    shop = Shop(
        name=name.strip(),
        trade=trade.strip(),
        language=language,
        upi_id=upi_id.strip().lower(),
        is_demo=is_demo,
        key=key,
    )
    if code:
        shop.code = code
    shop.save(force_insert=True)
    if owner is not None:
        Member.everything.create(shop=shop, user=owner, role=Role.OWNER, added_by=owner, entered_at=clock.now())
    audit(shop=shop, actor=owner, action="shop.opened", after={"name": shop.name})
    return shop


SETTINGS = (
    "name",
    "trade",
    "language",
    "upi_id",
    "credit_days",
    "blocks_over_limit",
    "sends_receipts",
    "sends_entries",
    "weekly_cap",
    "quiet_from",
    "quiet_until",
    "reminders_paused",
)
# Rules of conduct: nobody is asked for money outside these hours. A shop may ask in fewer of them.
ASK_FROM, ASK_UNTIL = dt.time(8), dt.time(19)


@transaction.atomic
def change_settings(*, shop: Shop, actor: User, changes: dict[str, Any]) -> Shop:
    """Change some of SETTINGS; what did not change is not written. A new UPI ID is an alarm.

    Raises ShopError where the hours of asking would leave ASK_FROM to ASK_UNTIL, or none were left.
    """
    unknown = set(changes) - set(SETTINGS)
    if unknown:
        raise ShopError(f"not settings: {sorted(unknown)}")
    current = Shop.objects.select_for_update().get(pk=shop.pk)
    changed = {field: value for field, value in changes.items() if getattr(current, field) != value}
    if not changed:
        return current
    before = {field: _plain(getattr(current, field)) for field in changed}
    for field, value in changed.items():
        setattr(current, field, value)
    if {"quiet_from", "quiet_until"} & set(changed):
        check_hours(current.quiet_until, current.quiet_from)
    current.save(update_fields=list(changed))
    audit(
        shop=current,
        actor=actor,
        action="shop.upi_changed" if "upi_id" in changed else "shop.settings_changed",
        before=before,
        after={field: _plain(value) for field, value in changed.items()},
        is_alarm="upi_id" in changed,
    )
    return current


def _plain(value: Any) -> Any:
    """As the trail keeps it: times of day as 08:00."""
    return f"{value:%H:%M}" if isinstance(value, dt.time) else value


def check_hours(first: dt.time, last: dt.time) -> None:
    """Raises ShopError unless asking from ``first`` to ``last`` keeps the rules of conduct."""
    if first < ASK_FROM or last > ASK_UNTIL:
        raise ShopError(
            _("Nobody is asked for money before %(first)s or after %(last)s. You may only ask in fewer hours.")
            % {"first": _plain(ASK_FROM), "last": _plain(ASK_UNTIL)}
        )
    if first >= last:
        raise ShopError(_("The first hour of reminders must come before the last."))


@transaction.atomic
def add_member(*, shop: Shop, actor: User | None, phone: str, role: Role, name: str = "") -> Member:
    """Give the person with ``phone`` (E.164) a seat; who is not known yet signs up by that phone.

    ``name`` is the shop's own word for the person until they come. A revoked seat is taken up again.
    Without an actor an operator does it, by a command.
    Raises ShopError for a seat that is already taken. Says nothing of who has an account.
    """
    name = name.strip()
    user, _is_new = User.objects.get_or_create(
        phone=phone, defaults={"name": name, "password": make_password(None)}
    )
    if name and not user.name and not user.phone_verified:
        user.name = name  # a row that an unfinished sign-up left
        user.save(update_fields=["name"])
    member, is_new = Member.everything.select_for_update().get_or_create(
        shop=shop, user=user, defaults={"role": role, "added_by": actor, "name": name}
    )
    if not is_new:
        if member.revoked_at is None:
            raise ShopError(_("This person is already a member."))
        member.role, member.revoked_at, member.added_by = role, None, actor
        member.name = name or member.name
        member.save(update_fields=["role", "revoked_at", "added_by", "name"])
    audit(
        shop=shop,
        actor=actor,
        action="member.added",
        target=f"member:{member.pk}",
        after={"role": role.value, "name": member.shown_name} | ({} if actor else {"by": "operator"}),
        is_alarm=True,
    )
    return member


def enter_seat(member: Member) -> None:
    """Remember that the person has come to the shop; from now on it sees their own name."""
    member.entered_at = clock.now()
    Member.everything.filter(pk=member.pk, entered_at=None).update(entered_at=member.entered_at)


@transaction.atomic
def change_role(*, member: Member, actor: User, role: Role) -> Member:
    """Another role for a member. Raises ShopError rather than leave a shop without an owner."""
    member = Member.everything.select_for_update().get(pk=member.pk)
    if member.revoked_at:
        raise ShopError(_("This person is no longer a member. Add them again."))
    if member.role == role:
        return member
    _keep_an_owner(member)
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    audit(
        shop=member.shop,
        actor=actor,
        action="member.role_changed",
        target=f"member:{member.pk}",
        before={"role": before, "name": member.shown_name},
        after={"role": role.value, "name": member.shown_name},
        is_alarm=True,
    )
    return member


@transaction.atomic
def revoke_member(*, member: Member, actor: User) -> Member:
    """End a seat now: the door reads the row on every request, so open sessions end too."""
    member = Member.everything.select_for_update().get(pk=member.pk)
    if member.revoked_at:
        return member
    _keep_an_owner(member)
    member.revoked_at = clock.now()
    member.save(update_fields=["revoked_at"])
    audit(
        shop=member.shop,
        actor=actor,
        action="member.revoked",
        target=f"member:{member.pk}",
        before={"role": member.role, "name": member.shown_name},
        is_alarm=True,
    )
    return member


def tell_of_new_phone(*, person: User, actor: User) -> None:
    """An operator gave ``person`` another number to sign in with: an alarm in every shop they own."""
    seats = Member.everything.filter(user=person, role=Role.OWNER, revoked_at=None).select_related("shop", "user")
    for member in seats.order_by("pk"):
        audit(
            shop=member.shop,
            actor=actor,
            action="operator.phone_changed",
            target=f"member:{member.pk}",
            after={"name": member.shown_name},
            is_alarm=True,
        )


def _keep_an_owner(member: Member) -> None:
    """Lock the shop, so that two owners cannot remove each other at once."""
    if member.role != Role.OWNER:
        return
    Shop.objects.select_for_update().get(pk=member.shop_id)
    # A seat of a mistyped number, or of an account that is switched off, opens the shop to nobody.
    others = Member.everything.filter(shop=member.shop_id, role=Role.OWNER, revoked_at=None).exclude(pk=member.pk)
    if not others.filter(entered_at__isnull=False, user__is_active=True).exists():
        raise ShopError(_("A shop keeps at least one owner who has been here and can sign in."))
