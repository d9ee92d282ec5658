"""A claim that was confirmed by mistake and undone is no dead end: told again, it waits again and posts once."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from payments import selectors
from payments.links import token_of
from payments.models import Claim, PayLink, Payment, ProviderAccount, ProviderEvent
from payments.services import MAX_OPEN_CLAIMS, ClaimError, confirm_claim, make_claim, make_link, reject_claim
from shops.models import AuditEvent, Shop
from tests.cast import Cast, client_of, make_khata, make_user, post
from tests.payments.making import at_once, balance, deliver, event_body, got, make_checkout

pytestmark = pytest.mark.django_db
UTR = "412355678812"


def tell(link: PayLink, amount_paise: int = 500_00) -> Claim:
    claim = make_claim(link=link, amount_paise=amount_paise, utr=UTR).claim
    assert claim is not None
    return claim


def delete(entry: Entry | None) -> None:
    assert entry is not None
    reverse_entry(shop=entry.shop, entry=entry, actor=None)


def undone(link: PayLink, amount_paise: int = 500_00) -> Claim:
    """Told, confirmed, and its line deleted."""
    claim = confirm_claim(claim=tell(link, amount_paise), actor=make_user("Asha"))
    delete(claim.entry)
    return claim


def test_told_again_it_waits_again_and_confirming_posts_it(link: PayLink, khata: Khata, shop: Shop) -> None:
    first = undone(link)
    assert balance(khata) == 500_00
    answer = make_claim(link=link, amount_paise=500_00, utr=UTR)
    assert (answer.claim, answer.is_new) == (first, True)
    assert selectors.payments_home(shop).claims == [first]
    assert [claim.state for claim in selectors.claims_of(khata)] == ["new"]
    assert not make_claim(link=link, amount_paise=500_00, utr=UTR).is_new
    for _tap in range(2):
        assert confirm_claim(claim=first, actor=make_user()).state == "confirmed"
    assert balance(khata) == 0
    assert got(khata) == [500_00, 500_00]
    assert AuditEvent.objects.for_shop(shop).filter(action="claim.confirmed").count() == 2


def test_it_can_be_undone_and_told_as_often_as_people_err(link: PayLink, khata: Khata) -> None:
    for _again in range(3):
        undone(link)
        assert balance(khata) == 500_00
    confirm_claim(claim=tell(link), actor=make_user())
    assert balance(khata) == 0
    assert not make_claim(link=link, amount_paise=500_00, utr=UTR).is_new


def test_another_amount_told_the_second_time_is_the_one_that_counts(link: PayLink, khata: Khata) -> None:
    undone(link, 5_000_00)
    claim = tell(link, 500_00)
    assert claim.amount_paise == 500_00
    confirm_claim(claim=claim, actor=make_user())
    assert balance(khata) == 0


def test_undone_on_the_wrong_khata_it_can_be_told_on_the_right_one(
    shop: Shop, link: PayLink, khata: Khata
) -> None:
    undone(link)
    sunita = make_khata(shop, "Sunita")
    theirs = make_link(shop=shop, khata=sunita, actor=None)
    claim = tell(theirs)
    assert (claim.khata_id, claim.link_id) == (sunita.pk, theirs.pk)
    confirm_claim(claim=claim, actor=make_user())
    assert (balance(khata), balance(sunita)) == (500_00, -500_00)
    with pytest.raises(ClaimError, match="another khata"):
        tell(link)


def test_it_can_be_turned_down_and_then_told_anew(link: PayLink, khata: Khata) -> None:
    undone(link)
    reject_claim(claim=tell(link), actor=make_user())
    confirm_claim(claim=tell(link), actor=make_user())
    assert balance(khata) == 0


def test_it_waits_among_no_more_than_may_wait(link: PayLink) -> None:
    undone(link)
    for number in range(MAX_OPEN_CLAIMS):
        make_claim(link=link, amount_paise=1_00, utr=f"{number + 1:012d}")
    with pytest.raises(ClaimError, match="ask there"):
        tell(link)


def test_a_confirmation_that_is_repeated_brings_no_deleted_money_back(cast: Cast) -> None:
    """A page that was still open, a request sent twice: it waits again, and the person is told so."""
    khata = make_khata(cast.shop)
    post(khata, 500_00)
    claim = undone(make_link(shop=cast.shop, khata=khata, actor=None))
    manager = client_of(cast.meena)
    answer = manager.post(reverse("payments:confirm_claim", args=[cast.shop.code, claim.pk]))
    assert ["deleted before" in str(told) for told in get_messages(answer.wsgi_request)] == [True]
    claim.refresh_from_db()
    assert claim.state == "new"
    assert balance(khata) == 500_00
    manager.post(reverse("payments:confirm_claim", args=[cast.shop.code, claim.pk]))
    assert balance(khata) == 0


def test_the_customer_hears_thank_you_and_not_that_nothing_is_to_be_done(link: PayLink) -> None:
    undone(link)
    address = reverse("pay:claim", args=[token_of(link)])
    answer = Client().post(address, {"amount": "500", "utr": UTR})
    assert ["will look for" in str(told) for told in get_messages(answer.wsgi_request)] == [True]


# --- and the gateway --------------------------------------------------------------------------


@pytest.mark.parametrize("confirms", [True, False])
def test_the_webhook_of_the_same_money_joins_it(
    link: PayLink, account: ProviderAccount, khata: Khata, confirms: bool
) -> None:
    undone(link)
    claim = tell(link)
    if confirms:
        confirm_claim(claim=claim, actor=make_user())
    deliver(account, event_body(make_checkout(link, account)))
    assert balance(khata) == 0
    claim.refresh_from_db()
    assert claim.state == "confirmed"
    assert claim.entry == Payment.everything.get().entry
    assert confirm_claim(claim=claim, actor=make_user()).state == "confirmed"
    assert balance(khata) == 0


def test_deleted_money_that_had_come_by_itself_can_be_told_and_confirmed(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    """The claim had taken the payment's entry: both lost it, and no redelivery writes it again."""
    tell(link)
    checkout = make_checkout(link, account)
    deliver(account, event_body(checkout))
    delete(Payment.everything.get().entry)
    confirm_claim(claim=tell(link), actor=make_user())
    deliver(account, event_body(checkout))
    assert balance(khata) == 0


def test_what_was_confirmed_for_another_khata_and_undone_holds_no_payment_up(
    shop: Shop, link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    undone(make_link(shop=shop, khata=make_khata(shop, "Sunita"), actor=None))
    deliver(account, event_body(make_checkout(link, account)))
    assert list(ProviderEvent.everything.values_list("state", flat=True)) == ["done"]
    assert balance(khata) == 0


# --- two hands at once ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_told_by_many_hands_at_once_it_is_reopened_once(link: PayLink) -> None:
    undone(link)
    answers = at_once(*[lambda: make_claim(link=link, amount_paise=500_00, utr=UTR)] * 5)
    assert sorted(answer.is_new for answer in answers) == [False] * 4 + [True]
    assert Claim.objects.for_shop(link.shop_id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_confirmed_again_by_many_hands_at_once_it_posts_once(link: PayLink, khata: Khata) -> None:
    undone(link)
    claim, owner = tell(link), make_user()
    results = at_once(*[lambda: confirm_claim(claim=claim, actor=owner).entry_id] * 4)
    assert len(set(results)) == 1
    assert isinstance(results[0], int)
    assert balance(khata) == 0


@pytest.mark.django_db(transaction=True)
def test_told_confirmed_and_arrived_at_once_it_posts_once(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    claim, owner = undone(link), make_user()
    body = event_body(make_checkout(link, account))
    at_once(
        lambda: deliver(account, body),
        lambda: confirm_claim(claim=tell(link), actor=owner),
        lambda: confirm_claim(claim=claim, actor=owner),
        lambda: deliver(account, body),
    )
    assert balance(khata) == 0
