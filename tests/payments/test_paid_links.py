"""A link for one amount asks until it is paid, and then says thank you. What was given back is not paid."""

import datetime as dt
import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from payments import selectors
from payments.links import token_of
from payments.models import Checkout, Claim, PayLink, Payment, ProviderAccount
from payments.services import (
    MAX_OPEN_LINKS,
    ClaimError,
    LinkError,
    confirm_claim,
    draw_stale_qrs,
    make_claim,
    make_link,
    open_checkout,
)
from shops.models import Shop
from tests.cast import Cast, client_of, make_khata, make_user
from tests.payments.making import deliver, event_body, make_checkout

pytestmark = pytest.mark.django_db
UTR = "412355678812"


@pytest.fixture
def bill(shop: Shop, khata: Khata) -> PayLink:
    """A link for ₹500, and nothing else."""
    return make_link(shop=shop, khata=khata, actor=None, amount_paise=500_00)


def html(link: PayLink, name: str = "page", *more: str) -> str:
    return Client().get(reverse(f"pay:{name}", args=[token_of(link), *more])).content.decode()


def confirmed(link: PayLink, amount_paise: int = 500_00, utr: str = UTR) -> Claim:
    claim = make_claim(link=link, amount_paise=amount_paise, utr=utr).claim
    assert claim is not None
    return confirm_claim(claim=claim, actor=make_user("Asha"))


def delete(entry: Entry | None) -> None:
    assert entry is not None
    reverse_entry(shop=entry.shop, entry=entry, actor=None)


@pytest.mark.parametrize("way", ["gateway", "by hand", "both"])
def test_a_paid_link_says_thank_you_and_takes_nothing_more(
    bill: PayLink, account: ProviderAccount, way: str
) -> None:
    draw_stale_qrs()
    assert "please pay" in html(bill)
    assert "upi://pay" in html(bill)
    if way != "by hand":
        deliver(account, event_body(make_checkout(bill, account), rrn=UTR if way == "both" else ""))
    if way != "gateway":
        told = make_claim(link=bill, amount_paise=500_00, utr=UTR)
        assert (told.claim is None) == (way == "both")
        if told.claim is not None:
            confirm_claim(claim=told.claim, actor=make_user("Asha"))
    text = html(bill)
    assert "Paid. Thank you." in text
    assert "₹500.00" in text
    for gone in ("please pay", "upi://", 'id="qr"', "id_checkout_amount", reverse("pay:claim", args=["x"])[-7:]):
        assert gone not in text
    assert Client().get(reverse("pay:qr_svg", args=[token_of(bill)])).status_code == 302
    with pytest.raises(LinkError, match="paid already"):
        open_checkout(link=bill, account=account, amount_paise=500_00)
    with pytest.raises(ClaimError, match="paid already"):
        make_claim(link=bill, amount_paise=500_00, utr="412355678899")
    assert Checkout.everything.filter(link=bill).count() == (0 if way == "by hand" else 1)


def test_a_form_of_a_paid_link_that_was_still_open_is_answered_kindly(
    bill: PayLink, account: ProviderAccount
) -> None:
    deliver(account, event_body(make_checkout(bill, account)))
    claim = Client().post(reverse("pay:claim", args=[token_of(bill)]), {"amount": "500", "utr": "412355678899"})
    assert claim.status_code == 422
    assert "paid already" in claim.content.decode()
    answer = Client().post(reverse("pay:checkout", args=[token_of(bill)]), {"amount": "500"})
    assert answer["Location"] == reverse("pay:page", args=[token_of(bill)])
    assert ["paid already" in str(told) for told in get_messages(answer.wsgi_request)] == [True]


def test_telling_the_reference_again_after_it_was_confirmed_is_still_welcome(bill: PayLink) -> None:
    claim = confirmed(bill)
    assert make_claim(link=bill, amount_paise=500_00, utr=UTR).claim == claim


@pytest.mark.parametrize("why", ["not yet looked at", "a part only", "deleted", "payment deleted", "given back"])
def test_a_link_that_is_not_paid_after_all_goes_on_asking(
    bill: PayLink, account: ProviderAccount, why: str
) -> None:
    if why == "not yet looked at":
        make_claim(link=bill, amount_paise=500_00, utr=UTR)
    elif why == "a part only":
        confirmed(bill, 499_99)
    elif why == "deleted":
        delete(confirmed(bill).entry)
    else:
        make_claim(link=bill, amount_paise=500_00, utr=UTR)  # the payment settles it
        checkout = make_checkout(bill, account)
        deliver(account, event_body(checkout))
        assert selectors.is_paid(bill)
        if why == "payment deleted":
            delete(Payment.everything.get().entry)
        else:
            deliver(account, event_body(checkout, "refunded"))
    assert "please pay" in html(bill)
    assert "upi://pay" in html(bill)
    lacks_paise = 1 if why == "a part only" else 500_00
    assert selectors.asked_paise(bill) == lacks_paise
    assert open_checkout(link=bill, account=account, amount_paise=lacks_paise).pk


def test_a_link_that_is_paid_in_part_asks_for_the_rest_on_its_page_and_in_its_qr(bill: PayLink) -> None:
    confirmed(bill, 200_00)
    assert "am=300.00" in selectors.upi_payload(bill)
    assert "₹300.00" in html(bill)


def test_two_parts_pay_a_link_and_the_standing_link_asks_for_what_is_owed_still(
    bill: PayLink, link: PayLink
) -> None:
    confirmed(bill, 200_00)
    assert not selectors.is_paid(bill)
    confirmed(bill, 300_00, "412355678899")
    assert selectors.is_paid(bill)
    assert not selectors.is_paid(link)
    assert "upi://pay" in html(link)


# --- receipts ---------------------------------------------------------------------------------


def test_the_receipt_of_money_that_was_given_back_says_so(bill: PayLink, account: ProviderAccount) -> None:
    checkout = make_checkout(bill, account)
    deliver(account, event_body(checkout))
    assert "It is in your khata" in html(bill, "receipt", checkout.reference)
    deliver(account, event_body(checkout, "refunded"))
    text = html(bill, "receipt", checkout.reference)
    assert "Given back" in text
    assert "It is in your khata" not in text


def test_of_two_payments_for_one_checkout_one_given_back_leaves_it_paid(
    link: PayLink, account: ProviderAccount
) -> None:
    checkout = make_checkout(link, account)
    deliver(account, event_body(checkout, id="pay_1"))
    deliver(account, event_body(checkout, id="pay_2", rrn="412355678899"))
    deliver(account, event_body(checkout, "refunded", id="pay_2", rrn="412355678899"))
    assert "It is in your khata" in html(link, "receipt", checkout.reference)


@pytest.mark.parametrize(("zone", "hour"), [("Asia/Kolkata", "17:30"), ("Asia/Dubai", "16:00")])
def test_the_receipt_tells_the_shops_own_hour(
    shop: Shop, bill: PayLink, account: ProviderAccount, zone: str, hour: str
) -> None:
    Shop.objects.filter(pk=shop.pk).update(zone=zone)
    checkout = make_checkout(bill, account)
    deliver(account, event_body(checkout))
    Payment.everything.update(arrived_at=dt.datetime(2026, 3, 5, 12, 0, tzinfo=dt.UTC))
    shown = re.findall(r"5 March 2026, (\d\d:\d\d)", html(bill, "receipt", checkout.reference))
    assert shown == [hour]


def test_paying_too_often_is_called_by_its_name(link: PayLink, account: ProviderAccount) -> None:
    client, address = Client(), reverse("pay:checkout", args=[token_of(link)])
    answers = [client.post(address, {"amount": "500"}) for _ in range(21)]
    assert ["sandbox" in answer["Location"] for answer in answers] == [True] * 20 + [False]
    text = client.get(answers[-1]["Location"]).content.decode()
    assert "That was often" in text
    assert "Type an amount" not in text


def test_the_same_amount_again_is_the_same_link_until_it_is_paid(bill: PayLink, khata: Khata, shop: Shop) -> None:
    def again() -> PayLink:
        return make_link(shop=shop, khata=khata, actor=None, amount_paise=500_00)

    assert again() == bill
    confirmed(bill)
    second = again()
    assert second != bill
    assert again() == second
    assert "please pay" in html(second)


def test_paid_links_make_room_for_others(shop: Shop, khata: Khata) -> None:
    for number in range(MAX_OPEN_LINKS + 2):
        link = make_link(shop=shop, khata=khata, actor=None, amount_paise=500_00)
        confirmed(link, utr=f"4123556{number:05d}")
    assert make_link(shop=shop, khata=khata, actor=None, amount_paise=500_00).pk != link.pk


def test_the_shop_sees_which_of_its_links_are_paid(cast: Cast) -> None:
    khata = make_khata(cast.shop)
    bill = make_link(shop=cast.shop, khata=khata, actor=None, amount_paise=500_00)
    page = reverse("payments:link", args=[cast.shop.code, khata.party.code])
    owner = client_of(cast.asha)
    assert "asks for nothing more" not in owner.get(page).content.decode()
    confirmed(bill)
    assert "asks for nothing more" in owner.get(page).content.decode()
