"""Money whose line a person has deleted: what really comes is posted, what stands is not posted again."""

import pytest

from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from payments.models import Claim, PayLink, Payment, ProviderAccount, ProviderEvent
from payments.services import ClaimError, confirm_claim, make_claim, make_link
from shops.models import Shop
from tests.cast import make_khata, make_user
from tests.payments.making import balance, deliver, event_body, make_checkout

UTR = "412355678812"


def confirmed(link: PayLink) -> Claim:
    claim = make_claim(link=link, amount_paise=500_00, utr=UTR).claim
    assert claim is not None
    return confirm_claim(claim=claim, actor=make_user("Asha"))


def delete(entry: Entry | None) -> None:
    assert entry is not None
    reverse_entry(shop=entry.shop, entry=entry, actor=None)


def test_money_confirmed_and_deleted_by_hand_is_posted_when_it_really_comes(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    delete(confirmed(link).entry)
    assert balance(khata) == 500_00
    body = event_body(make_checkout(link, account))
    for _again in range(2):
        deliver(account, body)
    assert balance(khata) == 0
    assert Payment.everything.get().entry == Claim.everything.get().entry
    assert Payment.everything.get().entry.reverses is None


def test_a_claim_of_money_whose_line_was_deleted_can_be_confirmed(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(make_checkout(link, account)))
    delete(Payment.everything.get().entry)
    assert balance(khata) == 500_00
    confirmed(link)
    assert balance(khata) == 0


def test_a_refund_of_money_whose_line_was_deleted_waits_for_a_person(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    checkout = make_checkout(link, account)
    deliver(account, event_body(checkout))
    delete(Payment.everything.get().entry)
    deliver(account, event_body(checkout, "refunded"))
    assert balance(khata) == 500_00
    assert list(ProviderEvent.everything.order_by("pk").values_list("state", flat=True)) == ["done", "stuck"]


@pytest.mark.parametrize("came", ["claimed", "arrived"])
def test_a_reference_of_another_khata_is_not_called_done(
    shop: Shop, link: PayLink, account: ProviderAccount, came: str
) -> None:
    if came == "claimed":
        make_claim(link=link, amount_paise=500_00, utr=UTR)
    else:
        deliver(account, event_body(make_checkout(link, account)))
    neighbour = make_link(shop=shop, khata=make_khata(shop, "Sunita"), actor=None)
    with pytest.raises(ClaimError, match="another khata"):
        make_claim(link=neighbour, amount_paise=500_00, utr=UTR)
    assert not Claim.everything.filter(khata=neighbour.khata).exists()
