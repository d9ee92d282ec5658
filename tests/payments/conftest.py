"""A shop that can be paid, and a customer who owes."""

import pytest

from ledger.models import Khata
from payments.models import PayLink, ProviderAccount
from payments.services import ensure_sandbox, make_link
from shops.models import Shop
from tests.cast import make_khata, make_shop, post


@pytest.fixture
def shop(db: None) -> Shop:
    return make_shop(name="Asha Kirana", upi_id="ashakirana@okhdfcbank")


@pytest.fixture
def khata(shop: Shop) -> Khata:
    """Ramesh owes ₹500."""
    khata = make_khata(shop, "Ramesh Kumar", phone="+919876543210")
    post(khata, 500_00)
    khata.refresh_from_db()
    return khata


@pytest.fixture
def link(shop: Shop, khata: Khata) -> PayLink:
    return make_link(shop=shop, khata=khata, actor=None)


@pytest.fixture
def account(shop: Shop) -> ProviderAccount:
    account = ensure_sandbox(shop)
    assert account is not None
    return account
