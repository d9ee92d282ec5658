"""Opening a shop touches people, shops and payments, so it lives above them."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from payments.services import ensure_sandbox
from shops.models import Shop, User
from shops.services import open_shop


class FormReused(ValueError):
    """The form has opened a shop before, of another content; nothing was opened. For people."""


def start_shop(
    *,
    owner: User,
    key: str,
    name: str,
    trade: str = "",
    language: str = "en",
    upi_id: str = "",
    owner_name: str = "",
) -> tuple[Shop, bool]:
    """A new shop with ``owner`` in it, ready to take payments, and whether it is new; all of it or nothing.

    ``owner_name`` and ``language`` are kept as the person's own. The same ``key`` with the same content
    gives the first shop again; it is kept with the shop, so that a try that failed leaves it free.
    Raises FormReused where the key's shop is another, also one whose settings were changed since.
    """
    content: dict[str, Any] = {"name": name, "trade": trade, "language": language, "upi_id": upi_id}
    if first := opened_with(owner, key):
        return _same_or_refuse(first, content), False
    try:
        with transaction.atomic():
            changes = {"language": language} | ({"name": owner_name} if owner_name else {})
            User.objects.filter(pk=owner.pk).update(**changes)
            shop = open_shop(owner=owner, key=_key(owner, key), **content)
            ensure_sandbox(shop)
    except IntegrityError:  # the other of two taps was faster
        first = opened_with(owner, key)
        if first is None:
            raise
        return _same_or_refuse(first, content), False
    return shop, True


def opened_with(owner: User, key: str) -> Shop | None:
    """The shop that this form of ``owner`` has opened."""
    return Shop.objects.filter(key=_key(owner, key)).first()


def _key(owner: User, key: str) -> str:
    return f"{owner.pk}:{key}"


def _same_or_refuse(first: Shop, content: dict[str, Any]) -> Shop:
    if any(getattr(first, field) != value for field, value in content.items()):
        raise FormReused(
            _(
                "This form has already opened the shop “%(name)s”. Nothing more was opened. "
                "To open another one as it stands here, press the button once more."
            )
            % {"name": first.name}
        )
    return first
