"""“I have paid”: one reference counts once, one tap posts once, two hands post once."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from core import clock
from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from payments import selectors
from payments.models import Claim, PayLink, ProviderAccount
from payments.services import MAX_OPEN_CLAIMS, ClaimError, confirm_claim, make_claim, make_link, reject_claim
from shops.models import AuditEvent, Shop
from tests.cast import make_khata, make_shop, make_user
from tests.payments.making import at_once, balance, deliver, event_body, got, make_checkout

UTR = "412355678812"


def claimed(link: PayLink, amount_paise: int = 500_00, utr: str = UTR) -> Claim:
    claim = make_claim(link=link, amount_paise=amount_paise, utr=utr).claim
    assert claim is not None
    return claim


def test_a_claim_is_not_money(link: PayLink, khata: Khata) -> None:
    answer = make_claim(link=link, amount_paise=500_00, utr=UTR)
    assert answer.is_new
    assert balance(khata) == 500_00


def test_the_same_reference_twice_is_one_claim(link: PayLink) -> None:
    first = make_claim(link=link, amount_paise=500_00, utr=UTR)
    again = make_claim(link=link, amount_paise=700_00, utr=UTR)
    assert (again.claim, again.is_new) == (first.claim, False)


def test_a_reference_counts_once_in_the_whole_shop_and_again_in_another(shop: Shop, link: PayLink) -> None:
    claimed(link)
    neighbour = make_link(shop=shop, khata=make_khata(shop, "Sunita"), actor=None)
    with pytest.raises(ClaimError, match="another khata"):
        make_claim(link=neighbour, amount_paise=500_00, utr=UTR)
    other = make_shop(make_user("Dev"), "Dev Medicals")
    theirs = make_link(shop=other, khata=make_khata(other), actor=None)
    assert make_claim(link=theirs, amount_paise=500_00, utr=UTR).is_new


def test_a_reference_that_arrived_by_the_gateway_needs_no_claim(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(make_checkout(link, account)))
    answer = make_claim(link=link, amount_paise=500_00, utr=UTR)
    assert (answer.claim, answer.is_new) == (None, False)
    assert got(khata) == [500_00]


def test_confirming_posts_one_entry_of_the_day_it_was_claimed(link: PayLink, khata: Khata) -> None:
    claim, owner = claimed(link), make_user("Asha")
    Claim.everything.filter(pk=claim.pk).update(created_at=claim.created_at - dt.timedelta(days=2))
    done = confirm_claim(claim=claim, actor=owner)
    again = confirm_claim(claim=claim, actor=owner)
    assert done.entry == again.entry == Entry.objects.for_shop(khata.shop_id).get(direction="got")
    assert done.entry is not None
    assert (done.entry.amount_paise, done.entry.created_by, done.decided_by) == (500_00, owner, owner)
    assert done.entry.occurred_on == khata.shop.today() - dt.timedelta(days=2)
    assert UTR in done.entry.note.replace(" ", "")
    assert AuditEvent.objects.for_shop(khata.shop_id).filter(action="claim.confirmed").count() == 1
    assert balance(khata) == 0


@pytest.mark.django_db(transaction=True)
def test_two_hands_at_once_post_one_entry(link: PayLink, khata: Khata) -> None:
    claim, owner = claimed(link), make_user("Asha")
    results = at_once(*[lambda: confirm_claim(claim=claim, actor=owner).entry_id] * 4)
    assert len(set(results)) == 1
    assert isinstance(results[0], int)
    assert got(khata) == [500_00]


@pytest.mark.django_db(transaction=True)
def test_confirming_and_rejecting_at_once_leaves_one_of_the_two(link: PayLink, khata: Khata) -> None:
    claim, owner = claimed(link), make_user("Asha")
    results = at_once(
        lambda: confirm_claim(claim=claim, actor=owner).state,
        lambda: reject_claim(claim=claim, actor=owner).state,
    )
    assert sum(isinstance(result, ClaimError) for result in results) == 1
    claim.refresh_from_db()
    assert got(khata) == ([500_00] if claim.state == "confirmed" else [])


@pytest.mark.django_db(transaction=True)
def test_a_claim_told_many_times_at_once_is_one_claim(link: PayLink) -> None:
    answers = at_once(*[lambda: make_claim(link=link, amount_paise=500_00, utr=UTR)] * 5)
    assert sum(answer.is_new for answer in answers) == 1
    assert Claim.objects.for_shop(link.shop_id).count() == 1


def test_a_claim_turned_down_frees_its_reference(link: PayLink, khata: Khata) -> None:
    claim, owner = claimed(link, 5_00), make_user("Asha")
    reject_claim(claim=claim, actor=owner)
    reject_claim(claim=claim, actor=owner)
    with pytest.raises(ClaimError):
        confirm_claim(claim=claim, actor=owner)
    correct = claimed(link, 500_00)
    assert correct != claim
    confirm_claim(claim=correct, actor=owner)
    with pytest.raises(ClaimError):
        reject_claim(claim=correct, actor=owner)
    assert got(khata) == [500_00]


def test_waiting_claims_of_one_khata_are_bounded(link: PayLink) -> None:
    for number in range(MAX_OPEN_CLAIMS):
        claimed(link, utr=f"{number + 1:012d}")
    with pytest.raises(ClaimError):
        make_claim(link=link, amount_paise=1_00, utr=UTR)


def test_a_claim_told_before_its_webhook_was_stored_takes_the_payments_entry(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    """The two were written at the same instant and neither saw the other: confirming joins them."""
    deliver(account, event_body(make_checkout(link, account)))
    claim = Claim.everything.create(shop=link.shop, khata=khata, link=link, amount_paise=500_00, utr=UTR)
    done = confirm_claim(claim=claim, actor=make_user("Asha"))
    assert done.entry == Entry.objects.for_shop(khata.shop_id).get(direction="got")
    assert got(khata) == [500_00]


# --- what the customer's page says of it ------------------------------------------------------


def told(khata: Khata) -> list[str]:
    return [claim.state for claim in selectors.claims_of(khata)]


def test_a_claim_that_was_not_found_is_said_until_it_is_old(
    link: PayLink, khata: Khata, django_assert_num_queries: Any
) -> None:
    reject_claim(claim=claimed(link), actor=make_user("Asha"))
    with django_assert_num_queries(1):
        assert told(khata) == ["rejected"]
    with time_machine.travel(clock.now() + dt.timedelta(days=14, minutes=1)):
        assert told(khata) == []


@pytest.mark.parametrize("way", ["told again", "confirmed", "arrived", "confirmed elsewhere"])
def test_nobody_is_asked_to_send_again_what_is_told_again_or_in_the_book(
    shop: Shop, link: PayLink, account: ProviderAccount, khata: Khata, way: str
) -> None:
    owner = make_user("Asha")
    reject_claim(claim=claimed(link), actor=owner)
    if way == "arrived":
        deliver(account, event_body(make_checkout(link, account)))
    elif way == "confirmed elsewhere":
        neighbour = make_link(shop=shop, khata=make_khata(shop, "Sunita"), actor=None)
        confirm_claim(claim=claimed(neighbour), actor=owner)
    else:
        claim = claimed(link)
        if way == "confirmed":
            confirm_claim(claim=claim, actor=owner)
    assert told(khata) == (["new"] if way == "told again" else [])


def test_a_claim_that_was_not_found_is_said_again_once_its_money_is_deleted(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    reject_claim(claim=claimed(link), actor=make_user("Asha"))
    deliver(account, event_body(make_checkout(link, account)))
    entry = Entry.objects.for_shop(khata.shop_id).get(direction="got")
    reverse_entry(shop=link.shop, entry=entry, actor=None)
    assert told(khata) == ["rejected"]
