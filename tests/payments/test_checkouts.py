"""A checkout waits for its customer, then for the provider, and for neither of them for ever."""

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from core import clock
from ledger.models import Khata
from payments.links import find_link, token_of
from payments.models import Checkout, PayLink, ProviderAccount
from payments.providers.sandbox import gateway
from payments.services import (
    CHECKOUT_FOR,
    CONFIRMING_FOR,
    expire_checkouts,
    make_link,
    open_checkout,
    revoke_link,
    rotate_link,
)
from shops.models import Shop
from tests.payments.making import at_once, balance, deliver, event_body, got, make_checkout

pytestmark = pytest.mark.django_db


@pytest.fixture
def bill(shop: Shop, khata: Khata) -> PayLink:
    """A link for ₹500, and nothing else."""
    return make_link(shop=shop, khata=khata, actor=None, amount_paise=500_00)


def url(link: PayLink, name: str, *more: str) -> str:
    return reverse(f"pay:{name}", args=[token_of(link), *more])


def pay(link: PayLink) -> str:
    """Where the button of the page leads."""
    return Client().post(url(link, "checkout"), {"amount": "500"})["Location"].split("?")[0]


def later(wait: dt.timedelta) -> time_machine.travel:
    return time_machine.travel(clock.now() + wait + dt.timedelta(minutes=1), tick=False)


# --- paid, and not yet told -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["pressed", "authorised"])
def test_who_would_pay_a_bill_again_while_it_is_confirmed_sees_its_receipt(
    bill: PayLink, account: ProviderAccount, khata: Khata, how: str
) -> None:
    first = make_checkout(bill, account)
    assert pay(bill) == reverse("pay:sandbox", args=[first.reference])
    if how == "pressed":
        gateway.press(first, "upi")
    else:
        deliver(account, event_body(first, "authorized"))
    receipt = pay(bill)
    assert receipt == url(bill, "receipt", first.reference)
    assert "Do not pay again" in Client().get(receipt).content.decode()
    assert Checkout.everything.count() == 1
    deliver(account, event_body(first))
    assert pay(bill) == url(bill, "page")
    assert got(khata) == [500_00]


@pytest.mark.parametrize("end", ["failed", "expired"])
def test_a_payment_that_came_to_nothing_blocks_no_other(
    bill: PayLink, account: ProviderAccount, khata: Khata, end: str
) -> None:
    first = make_checkout(bill, account)
    gateway.press(first, "upi")
    if end == "failed":
        deliver(account, event_body(first, "failed"))
    else:
        with later(CONFIRMING_FOR):
            assert expire_checkouts() == 1
    second = make_checkout(bill, account)
    assert second != first
    deliver(account, event_body(second, id="pay_2"))
    assert balance(khata) == 0


def test_what_is_owed_can_be_paid_in_parts_one_after_the_other(link: PayLink, account: ProviderAccount) -> None:
    """A link that asks for whatever is owed takes several payments, of the same amount too."""
    first = make_checkout(link, account, 250_00)
    gateway.press(first, "upi")
    assert make_checkout(link, account, 250_00) != first


@pytest.mark.django_db(transaction=True)
def test_taps_at_once_are_one_checkout(bill: PayLink, account: ProviderAccount) -> None:
    found = at_once(*[lambda: open_checkout(link=bill, account=account, amount_paise=500_00).pk] * 4)
    assert len(set(found)) == 1
    assert isinstance(found[0], int)


# --- nobody came ------------------------------------------------------------------------------


def test_a_checkout_ends_when_nobody_paid_it(link: PayLink, account: ProviderAccount) -> None:
    waiting, pressed = make_checkout(link, account), make_checkout(link, account, 100_00)
    gateway.press(pressed, "upi")
    assert expire_checkouts() == 0
    with later(CHECKOUT_FOR):
        assert expire_checkouts() == 1
        waiting.refresh_from_db()
        assert waiting.state == "expired"
        assert not gateway.press(waiting, "upi")
        text = Client().get(url(link, "receipt", waiting.reference)).content.decode()
        assert "told us of no payment" in text
        assert "every 1s" not in text
    with later(CONFIRMING_FOR):
        assert [expire_checkouts(), expire_checkouts()] == [1, 0]


def test_a_round_ends_no_more_than_its_limit(link: PayLink, account: ProviderAccount) -> None:
    for amount in (100_00, 200_00, 300_00):
        make_checkout(link, account, amount)
    with later(CHECKOUT_FOR):
        assert [expire_checkouts(limit=2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize("status", ["failed", "captured"])
def test_what_the_provider_tells_after_all_is_taken(
    link: PayLink, account: ProviderAccount, khata: Khata, status: str
) -> None:
    checkout = make_checkout(link, account)
    with later(CHECKOUT_FOR):
        expire_checkouts()
        deliver(account, event_body(checkout, status))
    checkout.refresh_from_db()
    assert checkout.state == ("paid" if status == "captured" else "expired")
    assert balance(khata) == (0 if status == "captured" else 500_00)


# --- and the link was ended -------------------------------------------------------------------


def test_the_receipt_of_a_dead_link_tells_of_the_payment_and_not_of_the_khata(
    link: PayLink, account: ProviderAccount
) -> None:
    checkout = make_checkout(link, account, 200_00)
    receipt = url(link, "receipt", checkout.reference)
    deliver(account, event_body(checkout))
    assert "Still to pay: ₹300.00" in Client().get(receipt).content.decode()
    revoke_link(link=link, actor=None)
    text = Client().get(receipt).content.decode()
    assert "It is in your khata" in text
    assert "₹300.00" not in text


def test_a_checkout_from_the_new_address_is_another(link: PayLink, account: ProviderAccount) -> None:
    """Each remembers the address that it was opened from, whatever becomes of that."""
    first = make_checkout(link, account)
    link = rotate_link(link=link, actor=None)
    second = make_checkout(link, account)
    assert second != first
    receipt = url(link, "receipt", second.reference)
    revoke_link(link=link, actor=None)
    assert find_link(token_of(link)) is None
    assert Client().get(receipt).status_code == 200


def test_a_reference_alone_or_without_its_link_opens_no_receipt(link: PayLink, account: ProviderAccount) -> None:
    checkout = make_checkout(link, account)
    assert Client().get(reverse("pay:receipt", args=["x", checkout.reference])).status_code == 404
    Checkout.everything.update(link=None)
    assert Client().get(url(link, "receipt", checkout.reference)).status_code == 404
