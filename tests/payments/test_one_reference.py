"""One bank reference is one money, in whatever order and however many at once they tell of it."""

import threading
from typing import Any

import pytest
from django.db import connection

from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from payments import services
from payments.models import Checkout, Claim, PayLink, Payment, ProviderAccount, ProviderEvent
from payments.services import confirm_claim, make_claim, process_left_events, release_event
from tests.cast import make_user
from tests.payments.making import at_once, balance, deliver, event_body, got, make_checkout

pytestmark = pytest.mark.django_db
UTR = "412355678812"
only_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="on SQLite one transaction writes at a time"
)


@pytest.fixture
def checkout(link: PayLink, account: ProviderAccount) -> Checkout:
    return make_checkout(link, account)


def states() -> list[str]:
    return sorted(ProviderEvent.everything.values_list("state", flat=True))


def delete(entry: Entry | None) -> None:
    assert entry is not None
    reverse_entry(shop=entry.shop, entry=entry, actor=None)


# --- at once ----------------------------------------------------------------------------------


def _pause_after_posting(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Hold the first posting's transaction open: ``posted`` is set inside it, ``go_on`` ends it."""
    posted, go_on = threading.Event(), threading.Event()
    plain = services.post_entry

    def slow(**kwargs: Any) -> Any:
        posting = plain(**kwargs)
        if not posted.is_set():
            posted.set()
            go_on.wait(timeout=20)
        return posting

    monkeypatch.setattr(services, "post_entry", slow)
    return posted, go_on


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_claim_made_and_confirmed_inside_the_webhooks_transaction_posts_nothing_more(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make_user("Asha")
    posted, go_on = _pause_after_posting(monkeypatch)
    told: list[Claim] = []

    def by_hand() -> int | None:
        assert posted.wait(timeout=20)
        claim = make_claim(link=link, amount_paise=500_00, utr=UTR).claim
        assert claim is not None
        told.append(claim)
        threading.Timer(0.5, go_on.set).start()  # confirm_claim waits for the webhook by then
        return confirm_claim(claim=claim, actor=owner).entry_id

    answer, entry_id = at_once(lambda: deliver(account, event_body(checkout)).status_code, by_hand)
    assert answer == 200
    assert got(khata) == [500_00]
    assert entry_id == Payment.everything.get().entry_id
    assert len(told) == 1


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_one_reference_under_two_payment_ids_inside_one_anothers_transaction_posts_once(
    checkout: Checkout, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted, go_on = _pause_after_posting(monkeypatch)

    def second() -> int:
        assert posted.wait(timeout=20)
        threading.Timer(0.5, go_on.set).start()
        return int(deliver(account, event_body(checkout, id="pay_2")).status_code)

    answers = at_once(lambda: deliver(account, event_body(checkout, id="pay_1")).status_code, second)
    assert answers == [200, 200]
    assert got(khata) == [500_00]
    assert states() == ["done", "stuck"]


@pytest.mark.django_db(transaction=True)
def test_a_claim_made_and_confirmed_beside_two_payment_ids_at_once_posts_once(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    owner = make_user("Asha")

    def by_hand() -> None:
        claim = make_claim(link=link, amount_paise=500_00, utr=UTR).claim
        if claim is not None:
            confirm_claim(claim=claim, actor=owner)

    at_once(
        lambda: deliver(account, event_body(checkout, id="pay_1")),
        by_hand,
        lambda: deliver(account, event_body(checkout, id="pay_2")),
    )
    process_left_events()
    assert got(khata) == [500_00]


# --- a reference that comes late --------------------------------------------------------------


def _standing_twice(link: PayLink, checkout: Checkout, account: ProviderAccount) -> tuple[Claim, ProviderEvent]:
    deliver(account, event_body(checkout, rrn=""))
    claim = make_claim(link=link, amount_paise=500_00, utr=UTR).claim
    assert claim is not None
    claim = confirm_claim(claim=claim, actor=make_user())
    deliver(account, event_body(checkout), event_id="late")
    return claim, ProviderEvent.everything.get(event_id="late", state="stuck")


@pytest.mark.parametrize("which", ["the one by hand", "the gateway's"])
def test_after_one_of_two_entries_is_deleted_the_event_can_be_tried_again(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata, which: str
) -> None:
    claim, event = _standing_twice(link, checkout, account)
    operator = make_user("Operator")
    release_event(event=event, actor=operator)
    process_left_events()
    assert states() == ["done", "stuck"]  # nothing was deleted yet
    delete(claim.entry if which == "the one by hand" else Payment.everything.get().entry)
    assert release_event(event=event, actor=operator)
    process_left_events()
    assert states() == ["done", "done"]
    assert balance(khata) == 0
    assert Payment.everything.get().reference == UTR


def test_a_late_reference_that_another_payment_has_waits_for_a_person(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, id="pay_1", rrn=""))
    deliver(account, event_body(checkout, id="pay_2"))
    deliver(account, event_body(checkout, id="pay_1"), event_id="late")
    event = ProviderEvent.everything.get(event_id="late")
    assert event.state == "stuck"
    delete(Payment.everything.get(provider_payment_id="pay_2").entry)
    release_event(event=event, actor=make_user("Operator"))
    process_left_events()
    assert states() == ["done"] * 3
    assert balance(khata) == 0


# --- however it is written --------------------------------------------------------------------


@pytest.mark.parametrize("written", ["0000412355678812", "4123 5567 8812", "4123-5567-8812"])
def test_a_padded_reference_is_the_one_that_the_customer_told(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata, written: str
) -> None:
    claim = make_claim(link=link, amount_paise=500_00, utr=UTR).claim
    assert claim is not None
    confirm_claim(claim=claim, actor=make_user("Asha"))
    deliver(account, event_body(checkout, rrn=written))
    assert got(khata) == [500_00]
    assert Payment.everything.get().reference == UTR


def test_a_reference_that_is_no_utr_is_kept_as_it_came(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, rrn="N123456789012345"))
    assert Payment.everything.get().reference == "N123456789012345"
    assert got(khata) == [500_00]


@pytest.mark.parametrize("placeholder", ["NA", "0", "-", "000000000000", "N/A"])
def test_a_placeholder_holds_no_payment_up_and_is_not_shown(
    link: PayLink, account: ProviderAccount, khata: Khata, placeholder: str
) -> None:
    for number, amount_paise in enumerate([100_00, 200_00]):
        body = event_body(make_checkout(link, account, amount_paise), id=f"pay_{number}", rrn=placeholder)
        deliver(account, body)
    assert states() == ["done", "done"]
    assert got(khata) == [100_00, 200_00]
    assert set(Entry.objects.for_shop(khata.shop_id).filter(direction="got").values_list("note", flat=True)) == {
        "UPI"
    }


def test_a_bank_transfers_own_reference_is_no_utr_and_holds_no_second_payment_up(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    """A gateway may name the batch that it was settled with: many payments, one reference."""
    for number, amount_paise in enumerate([100_00, 200_00]):
        checkout = make_checkout(link, account, amount_paise)
        deliver(account, event_body(checkout, id=f"pay_{number}", rrn="N123456789012345"))
    assert got(khata) == [100_00, 200_00]


@pytest.mark.parametrize("first", ["", "NA", "N123456789012345"])
def test_a_utr_named_after_another_reference_takes_its_place(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata, first: str
) -> None:
    deliver(account, event_body(checkout, rrn=first))
    deliver(account, event_body(checkout))
    deliver(account, event_body(checkout, rrn="N123456789012345"))
    assert Payment.everything.get().reference == UTR
    assert make_claim(link=link, amount_paise=500_00, utr=UTR).claim is None
    assert got(khata) == [500_00]


def test_a_payment_whose_line_was_deleted_holds_no_other_up(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, id="pay_1"))
    delete(Payment.everything.get().entry)
    deliver(account, event_body(checkout, id="pay_2"))
    assert states() == ["done", "done"]
    assert balance(khata) == 0
