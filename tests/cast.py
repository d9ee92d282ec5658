"""The cast of every test, and plain functions that make what a test needs.

Asha owns shop A; Meena is her manager, Bilal her cashier, Chitra may only look. Dev owns shop B
and must never see anything of Asha's. Every row is made through the same services as a click.
"""

import itertools
from dataclasses import dataclass
from typing import Any

from django.test import Client

from core import clock
from ledger import services as ledger
from ledger.models import Direction, Khata
from shops.models import Member, Role, Shop, User
from shops.services import open_shop

PASSWORD = "a long enough password"
_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    """A text that no other row of this run has: ``prefix-17``."""
    return f"{prefix}-{next(_numbers)}"


def make_user(name: str = "Somebody", **fields: Any) -> User:
    """A person with a valid Indian phone, verified, and PASSWORD."""
    fields.setdefault("phone", f"+9198{next(_numbers):08d}")
    fields.setdefault("phone_verified", True)
    return User.objects.create_user(fields.pop("phone"), PASSWORD, name=name, **fields)


def make_shop(owner: User | None = None, name: str = "Asha Kirana", **changes: Any) -> Shop:
    """A shop with ``owner`` in it; ``changes`` are written to its columns (credit_days, upi_id …)."""
    shop = open_shop(owner=owner or make_user("Owner"), name=name)
    for field, value in changes.items():
        setattr(shop, field, value)
    if changes:
        shop.save(update_fields=list(changes))
    return shop


def make_member(shop: Shop, role: Role, user: User | None = None, name: str = "Member") -> User:
    """A person in a seat of ``shop``."""
    user = user or make_user(name)
    Member.everything.create(shop=shop, user=user, role=role, entered_at=clock.now())
    return user


def make_khata(shop: Shop, name: str = "Ramesh", **fields: Any) -> Khata:
    """A party and its khata: opening_paise, credit_limit_paise, credit_days, phone, kind …"""
    return ledger.new_khata(shop=shop, actor=None, name=name, **fields)


def post(
    khata: Khata,
    amount_paise: int = 100_00,
    direction: str = Direction.GAVE,
    **fields: Any,
) -> ledger.Posting:
    """One entry of ``khata``, a sale or a payment unless ``kind`` says otherwise."""
    fields.setdefault("kind", ledger.default_kind(direction, "customer"))
    fields.setdefault("key", unique("post"))
    fields.setdefault("actor", None)
    fields.setdefault("shop", khata.shop)
    return ledger.post_entry(khata=khata, direction=direction, amount_paise=amount_paise, **fields)


def client_of(user: User | None) -> Client:
    """A browser in which ``user`` is signed in; nobody where ``user`` is None."""
    client = Client()
    if user is not None:
        client.force_login(user, backend="khata.accounts.ActiveUserBackend")
    return client


@dataclass(frozen=True)
class Cast:
    """The five people and their two shops."""

    asha: User
    meena: User
    bilal: User
    chitra: User
    dev: User
    shop: Shop  # Asha's
    other_shop: Shop  # Dev's

    def holder_of(self, role: Role | None) -> User:
        """Who sits in ``role`` of Asha's shop; Dev, the stranger, for None."""
        if role is None:
            return self.dev
        return {
            Role.OWNER: self.asha,
            Role.MANAGER: self.meena,
            Role.CASHIER: self.bilal,
            Role.VIEWER: self.chitra,
        }[role]


def make_cast() -> Cast:
    """Everybody, in their seats."""
    asha, dev = make_user("Asha"), make_user("Dev")
    shop, other_shop = make_shop(asha, "Asha Kirana"), make_shop(dev, "Dev Medicals")
    return Cast(
        asha=asha,
        meena=make_member(shop, Role.MANAGER, name="Meena"),
        bilal=make_member(shop, Role.CASHIER, name="Bilal"),
        chitra=make_member(shop, Role.VIEWER, name="Chitra"),
        dev=dev,
        shop=shop,
        other_shop=other_shop,
    )
