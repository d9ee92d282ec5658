"""The webhook inbox: forged, twice, out of order, cut off, at once. The book moves once."""

import itertools
import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from core.limits import MAX_WEBHOOK_BYTES
from ledger.models import Entry, Khata
from payments import services
from payments.models import Checkout, Claim, PayLink, Payment, ProviderAccount, ProviderEvent
from payments.providers.base import webhook_secrets
from payments.providers.sandbox.signature import sign
from payments.services import make_claim, process_event, process_left_events, release_event, store_event
from shops.models import AuditEvent, Shop
from tests.cast import make_khata, make_shop, make_user
from tests.payments.making import at_once, balance, deliver, event_body, got, make_checkout

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkout(link: PayLink, account: ProviderAccount) -> Checkout:
    return make_checkout(link, account)


def states(shop: Shop) -> list[str]:
    rows = ProviderEvent.objects.for_shop(shop).order_by("pk")
    return list(rows.values_list("state", flat=True))


def only_event(shop: Shop) -> ProviderEvent:
    return ProviderEvent.objects.for_shop(shop).get()


# --- what gets in -----------------------------------------------------------------------------


def test_a_captured_payment_writes_itself_into_the_khata(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    answer = deliver(account, event_body(checkout))
    assert (answer.status_code, answer.content) == (200, b"ok")
    entry = Entry.objects.for_shop(khata.shop_id).get(direction="got")
    assert (entry.amount_paise, entry.kind, entry.source) == (500_00, "payment", "provider")
    assert entry.note == "UPI · ref 4123 5567 8812"
    payment = Payment.objects.for_shop(khata.shop_id).get()
    assert (payment.state, payment.entry_id, payment.reference) == ("paid", entry.pk, "412355678812")
    checkout.refresh_from_db()
    assert checkout.state == "paid"
    assert balance(khata) == 0
    event = only_event(khata.shop)
    assert (event.state, event.signature_ok, bytes(event.body)) == ("done", True, event_body(checkout))
    assert "Cookie" not in event.headers


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü" * 5, "x" * 5000])
def test_a_forged_signature_is_refused_and_nothing_is_written(
    checkout: Checkout,
    account: ProviderAccount,
    signature: str,
    django_assert_num_queries: "object",
) -> None:
    with django_assert_num_queries(1) as queries:  # type: ignore[operator]
        assert deliver(account, event_body(checkout), signature=signature).status_code == 400
    assert queries.captured_queries[0]["sql"].startswith("SELECT")
    assert states(checkout.shop) == []


def test_another_shops_secret_signs_nothing_here(checkout: Checkout, account: ProviderAccount) -> None:
    other = services.ensure_sandbox(make_shop(make_user("Dev"), "Dev Medicals"))
    assert other is not None
    secret = webhook_secrets(other)[0]
    assert deliver(account, event_body(checkout), secret=secret).status_code == 400
    assert states(checkout.shop) == []


def test_another_shop_cannot_settle_our_checkout_with_its_own_signature(checkout: Checkout, khata: Khata) -> None:
    other_shop = make_shop(make_user("Dev"), "Dev Medicals")
    other = services.ensure_sandbox(other_shop)
    assert other is not None
    assert deliver(other, event_body(checkout)).status_code == 200
    assert states(other_shop) == ["stuck"]
    assert got(khata) == []
    assert not Payment.objects.unscoped("test").exists()


def test_a_changed_byte_is_refused(checkout: Checkout, account: ProviderAccount) -> None:
    body = event_body(checkout)
    signature = sign(webhook_secrets(account)[0], body)
    assert deliver(account, body + b" ", signature=signature).status_code == 400


def test_the_secret_before_the_change_still_verifies_and_the_one_before_that_does_not(
    checkout: Checkout, account: ProviderAccount
) -> None:
    oldest = webhook_secrets(account)[0]
    owner = make_user()
    account = services.rotate_webhook_secret(account=account, actor=owner, secret="s" * 40)
    assert deliver(account, event_body(checkout), secret=oldest).status_code == 200
    account = services.rotate_webhook_secret(account=account, actor=owner, secret="t" * 40)
    assert deliver(account, event_body(checkout), secret="s" * 40).status_code == 200
    assert deliver(account, event_body(checkout), secret=oldest).status_code == 400
    changes = AuditEvent.objects.for_shop(account.shop_id).filter(action="provider.changed", is_alarm=True)
    assert changes.count() == 2


def test_an_unknown_hook_a_wrong_kind_and_a_get_find_nothing(checkout: Checkout, account: ProviderAccount) -> None:
    assert deliver(account, event_body(checkout), hook="0" * 32).status_code == 404
    assert deliver(account, event_body(checkout), kind="razorpay").status_code == 404
    assert Client().get(reverse("pay:hook", args=[account.kind, account.hook])).status_code == 405


def test_nothing_is_taken_where_the_sandbox_is_off(
    checkout: Checkout, account: ProviderAccount, settings: object
) -> None:
    settings.SANDBOX_GATEWAY = False  # type: ignore[attr-defined]
    assert deliver(account, event_body(checkout)).status_code == 404
    assert services.ensure_sandbox(checkout.shop) is None
    assert services.deliver_sandbox_due() == 0


def test_a_body_over_the_limit_is_turned_away(account: ProviderAccount) -> None:
    assert deliver(account, b"x" * (MAX_WEBHOOK_BYTES + 1)).status_code == 413
    assert deliver(account, b"x" * MAX_WEBHOOK_BYTES, signature="no").status_code == 400


@pytest.mark.parametrize("event_id", [" ", "e" * 121])
def test_an_event_without_a_usable_id_is_refused(
    checkout: Checkout, account: ProviderAccount, event_id: str
) -> None:
    assert deliver(account, event_body(checkout), event_id=event_id).status_code == 400


def test_credentials_under_a_lost_key_make_the_provider_come_again(
    checkout: Checkout, account: ProviderAccount, settings: object
) -> None:
    body = event_body(checkout)
    signature = sign(webhook_secrets(account)[0], body)
    settings.DATA_KEYS = ["another key that is long enough to use"]  # type: ignore[attr-defined]
    assert deliver(account, body, signature=signature).status_code == 503


# --- twice, out of order, at once -------------------------------------------------------------


def test_a_payment_delivered_four_times_posts_once(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    body = event_body(checkout)
    answers = [deliver(account, body, event_id="evt-same").content for _ in range(4)]
    assert answers == [b"ok", b"seen", b"seen", b"seen"]
    assert states(khata.shop) == ["done"]
    assert got(khata) == [500_00]


def test_the_same_capture_under_two_event_ids_posts_once(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    for _ in range(3):
        deliver(account, event_body(checkout))
    assert states(khata.shop) == ["done"] * 3
    assert got(khata) == [500_00]


@pytest.mark.parametrize(
    "order", sorted(set(itertools.permutations(["failed", "authorized", "captured", "captured"])))
)
def test_events_in_any_order_leave_the_same_book(
    checkout: Checkout, account: ProviderAccount, khata: Khata, order: tuple[str, ...]
) -> None:
    for status in order:
        assert deliver(account, event_body(checkout, status)).status_code == 200
    assert states(khata.shop) == ["done"] * 4
    assert got(khata) == [500_00]
    assert balance(khata) == 0
    payment = Payment.objects.for_shop(khata.shop_id).get()
    assert (payment.state, payment.reference) == ("paid", "412355678812")
    checkout.refresh_from_db()
    assert checkout.state == "paid"


@pytest.mark.parametrize("order", list(itertools.permutations(["authorized", "captured", "refunded"])))
def test_a_refund_in_any_order_gives_back_what_came(
    checkout: Checkout, account: ProviderAccount, khata: Khata, order: tuple[str, ...]
) -> None:
    for status in [*order, *order]:
        deliver(account, event_body(checkout, status))
    assert got(khata) == [500_00]
    refunds = Entry.objects.for_shop(khata.shop_id).filter(kind="refund")
    assert [(entry.direction, entry.amount_paise) for entry in refunds] == [("gave", 500_00)]
    assert balance(khata) == 500_00
    assert Payment.objects.for_shop(khata.shop_id).get().state == "refunded"


def test_a_failed_payment_writes_nothing_in_the_book(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, "failed"))
    assert got(khata) == []
    checkout.refresh_from_db()
    assert checkout.state == "failed"


def test_two_payments_of_one_checkout_are_both_in_the_book(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, id="pay_1", rrn="412355678812"))
    deliver(account, event_body(checkout, id="pay_2", rrn="412355678813"))
    assert got(khata) == [500_00, 500_00]


@pytest.mark.django_db(transaction=True)
def test_one_event_in_six_hands_at_once_posts_once(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    body = event_body(checkout)
    answers = at_once(*[lambda: deliver(account, body, event_id="evt-same").content] * 6)
    assert sorted(answers) == [b"ok"] + [b"seen"] * 5
    assert got(khata) == [500_00]


@pytest.mark.django_db(transaction=True)
def test_different_events_of_one_payment_at_once_post_once(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    bodies = [
        event_body(checkout, status) for status in ("captured", "authorized", "captured", "failed", "captured")
    ]
    answers = at_once(*[lambda body=body: deliver(account, body).status_code for body in bodies])
    assert answers == [200] * 5
    process_left_events()
    assert states(khata.shop) == ["done"] * 5
    assert got(khata) == [500_00]
    assert Payment.objects.for_shop(khata.shop_id).get().state == "paid"


@pytest.mark.django_db(transaction=True)
def test_the_hook_and_the_tick_on_one_event_at_once_post_once(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    event, _ = store_event(account=account, event_id="e1", headers={}, raw_body=event_body(checkout))
    assert event is not None
    results = at_once(*[lambda: process_event(event_pk=event.pk)] * 2, process_left_events, process_left_events)
    assert results[:2] == ["done", "done"]
    assert got(khata) == [500_00]


# --- cut off, and put right -------------------------------------------------------------------


def test_an_event_stored_and_not_acted_upon_is_taken_up_by_the_tick(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    store_event(account=account, event_id="e1", headers={}, raw_body=event_body(checkout))
    assert got(khata) == []
    assert process_left_events() == 1
    assert process_left_events() == 0
    assert got(khata) == [500_00]


def test_a_crash_inside_the_posting_leaves_nothing_and_the_tick_repeats_it(
    checkout: Checkout, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*args: object) -> None:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(services, "_move_checkout", power_cut)
        assert deliver(account, event_body(checkout)).status_code == 200
    assert got(khata) == []
    assert not Payment.objects.for_shop(khata.shop_id).exists()
    event = only_event(khata.shop)
    assert (event.state, event.attempts) == ("new", 0), "the database's fault uses up none of the event's tries"
    process_left_events()
    assert states(khata.shop) == ["done"]
    assert got(khata) == [500_00]


def test_trouble_of_the_database_that_does_not_pass_reaches_a_person(
    checkout: Checkout, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**kwargs: object) -> None:
        raise OperationalError("database is locked")

    deliver_later, _ = store_event(account=account, event_id="e1", headers={}, raw_body=event_body(checkout))
    assert deliver_later is not None
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle_payment", locked)
        for _ in range(20):
            process_left_events()
        assert states(khata.shop) == ["new"]
        ProviderEvent.everything.update(received_at=deliver_later.received_at - services.PASSES_WITHIN)
        for _ in range(services.MAX_ATTEMPTS):
            process_left_events()
    assert states(khata.shop) == ["stuck"]
    assert "OperationalError" in only_event(khata.shop).error
    assert AuditEvent.objects.for_shop(khata.shop_id).filter(action="event.stuck", is_alarm=True).count() == 1
    release_event(event=only_event(khata.shop), actor=make_user())
    process_left_events()
    assert got(khata) == [500_00]


def test_even_an_error_while_putting_aside_is_answered_with_200(
    checkout: Checkout, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(services, "process_event", broken)
    assert deliver(account, event_body(checkout)).status_code == 200
    assert states(checkout.shop) == ["new"]
    assert process_left_events() == 1


def test_an_event_that_fails_five_times_is_stuck_and_the_rest_goes_on(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = services.settle_payment

    def poisoned(**kwargs: object) -> object:
        if kwargs["facts"].payment_id == "pay_bad":  # type: ignore[attr-defined]
            raise RuntimeError("poison")
        return plain(**kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(services, "settle_payment", poisoned)
    store_event(account=account, event_id="bad", headers={}, raw_body=event_body(checkout, id="pay_bad"))
    store_event(account=account, event_id="good", headers={}, raw_body=event_body(checkout))
    for _ in range(7):
        process_left_events()
    assert states(khata.shop) == ["stuck", "done"]
    assert ProviderEvent.objects.for_shop(khata.shop_id).get(event_id="bad").attempts == services.MAX_ATTEMPTS
    assert got(khata) == [500_00]
    assert AuditEvent.objects.for_shop(khata.shop_id).filter(action="event.stuck", is_alarm=True).count() == 1


@pytest.mark.parametrize("changes", [{"amount": 499_99}, {"order": "somebody-elses"}])
def test_an_event_that_does_not_fit_its_checkout_waits_for_a_person(
    checkout: Checkout, account: ProviderAccount, khata: Khata, changes: dict[str, object]
) -> None:
    assert deliver(account, event_body(checkout, **changes)).status_code == 200
    event = only_event(khata.shop)
    assert event.state == "stuck"
    assert event.error.endswith(".")
    assert got(khata) == []
    assert not Payment.objects.for_shop(khata.shop_id).exists()


def test_a_payment_that_moves_to_another_checkout_waits_for_a_person(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, "authorized"))
    other = Checkout.everything.create(
        shop=khata.shop, account=account, khata=khata, link=link, reference="r2", amount_paise=500_00
    )
    deliver(account, event_body(other))
    assert states(khata.shop) == ["done", "stuck"]
    assert got(khata) == []


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"event": "payment.captured"}',
        b"\xff\xfe",
        b'{"event": "payment.captured", "payment": {"amount": 1.0, "currency": "INR"}}',
        b'{"event": "payment.captured", "payment": {"amount": true, "currency": "INR"}}',
        b'{"event": "payment.captured", "payment": {"amount": 100, "currency": "USD"}}',
        b'{"event": "payment.captured", "payment": {"amount": 100, "currency": "INR", "status": "weird"}}',
        b'{"event": "payment.captured", "payment": {"amount": 100, "currency": "INR", "status": "captured"}}',
        b'{"event": "payment.captured", "payment": {"amount": 1, "currency": "INR", "status": "failed", "id": 7}}',
    ],
)
def test_a_signed_event_that_makes_no_sense_is_kept_and_stuck(account: ProviderAccount, body: bytes) -> None:
    assert deliver(account, body).status_code == 200
    assert only_event(account.shop).state == "stuck"


def test_an_event_about_something_else_is_kept_and_left_alone(account: ProviderAccount) -> None:
    assert deliver(account, json.dumps({"event": "settlement.processed"}).encode()).status_code == 200
    assert only_event(account.shop).state == "ignored"


def test_a_person_may_retry_or_leave_a_stuck_event(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    operator = make_user("Operator")
    deliver(account, event_body(checkout, order="unknown"))
    event = only_event(khata.shop)
    Checkout.everything.filter(pk=checkout.pk).update(reference="unknown")
    assert release_event(event=event, actor=operator)
    assert not release_event(event=event, actor=operator, ignore=True)
    process_left_events()
    assert got(khata) == [500_00]
    deliver(account, b"[]")
    second = ProviderEvent.objects.for_shop(khata.shop_id).get(state="stuck")
    assert release_event(event=second, actor=operator, ignore=True)
    assert states(khata.shop) == ["done", "ignored"]
    actions = AuditEvent.objects.for_shop(khata.shop_id).filter(actor=operator).values_list("action", flat=True)
    assert sorted(actions) == ["event.ignored", "event.retried"]


def test_the_reason_is_in_the_shops_language_and_the_note_too(
    checkout: Checkout, account: ProviderAccount, khata: Khata, shop: Shop
) -> None:
    shop.language = "hi"
    shop.save(update_fields=["language"])
    deliver(account, event_body(checkout))
    note = Entry.objects.for_shop(shop).get(direction="got").note
    assert "4123 5567 8812" in note


def test_a_payment_of_yesterday_that_is_taken_up_today_keeps_its_day(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    import datetime as dt

    event, _ = store_event(account=account, event_id="e1", headers={}, raw_body=event_body(checkout))
    assert event is not None
    earlier = event.received_at - dt.timedelta(days=1)
    ProviderEvent.everything.filter(pk=event.pk).update(received_at=earlier)
    process_left_events()
    entry = Entry.objects.for_shop(khata.shop_id).get(direction="got")
    assert entry.occurred_on == earlier.astimezone(khata.shop.zoneinfo).date()


def test_many_left_events_are_taken_up_with_pauses(
    link: PayLink, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("payments.services.time.sleep", pauses.append)
    checkout = make_checkout(link, account)
    for number in range(25):
        body = event_body(checkout, id=f"pay_{number}", rrn=f"{number + 1:012d}")
        store_event(account=account, event_id=f"e{number}", headers={}, raw_body=body)
    assert process_left_events(limit=21) == 21
    assert process_left_events() == 4
    assert got(khata) == [500_00] * 25
    assert len(pauses) == (2 if connection.vendor == "sqlite" else 0)


def test_an_event_that_cannot_even_be_put_aside_does_not_stop_the_rest(
    link: PayLink, account: ProviderAccount, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = make_checkout(link, account)
    for number in range(2):
        body = event_body(checkout, id=f"pay_{number}", rrn="")
        store_event(account=account, event_id=f"e{number}", headers={}, raw_body=body)
    plain, broken = services.process_event, []

    def first_is_broken(*, event_pk: int) -> str:
        if not broken:
            broken.append(event_pk)
            raise OperationalError("database is locked")
        return plain(event_pk=event_pk)

    monkeypatch.setattr(services, "process_event", first_is_broken)
    assert process_left_events() == 2
    assert got(khata) == [500_00]
    assert Entry.objects.for_shop(khata.shop_id).get(direction="got").note == "UPI"
    process_left_events()
    assert got(khata) == [500_00] * 2


# --- the same money told twice: by the gateway and by the customer ----------------------------


def test_a_waiting_claim_with_the_same_reference_is_settled_by_the_payment(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    claim = make_claim(link=link, amount_paise=500_00, utr="412355678812").claim
    assert claim is not None
    deliver(account, event_body(checkout))
    claim.refresh_from_db()
    assert claim.state == "confirmed"
    assert claim.entry == Entry.objects.for_shop(khata.shop_id).get(direction="got")
    services.confirm_claim(claim=claim, actor=make_user())
    assert got(khata) == [500_00]


def test_a_confirmed_claim_with_the_same_reference_is_not_posted_again(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    claim = make_claim(link=link, amount_paise=500_00, utr="412355678812").claim
    assert claim is not None
    claim = services.confirm_claim(claim=claim, actor=make_user())
    deliver(account, event_body(checkout))
    assert states(khata.shop) == ["done"]
    assert Payment.objects.for_shop(khata.shop_id).get().entry == claim.entry
    assert got(khata) == [500_00]


def test_a_reference_confirmed_for_another_khata_waits_for_a_person(
    shop: Shop, link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    other = services.make_link(shop=shop, khata=make_khata(shop, "Sunita"), actor=None)
    claim = make_claim(link=other, amount_paise=500_00, utr="412355678812").claim
    assert claim is not None
    services.confirm_claim(claim=claim, actor=make_user())
    deliver(account, event_body(checkout))
    assert states(shop) == ["stuck"]
    assert got(khata) == []


def test_a_reference_named_after_the_capture_never_hides_money_that_stands_twice(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    checkout = make_checkout(link, account)
    deliver(account, event_body(checkout, rrn=""))
    claim = make_claim(link=link, amount_paise=500_00, utr="412355678812").claim
    assert claim is not None
    services.confirm_claim(claim=claim, actor=make_user())
    deliver(account, event_body(checkout), event_id="late")
    event = ProviderEvent.objects.for_shop(khata.shop_id).get(event_id="late")
    assert event.state == "stuck"
    assert "twice" in event.error


def test_a_waiting_claim_of_another_amount_stays_for_a_person_and_cannot_post_again(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    claim = make_claim(link=link, amount_paise=5_00, utr="412355678812").claim
    assert claim is not None
    deliver(account, event_body(checkout))
    with pytest.raises(services.ClaimError):
        services.confirm_claim(claim=claim, actor=make_user())
    assert Claim.objects.for_shop(khata.shop_id).get().state == "new"
    assert got(khata) == [500_00]


def test_one_reference_under_two_payment_ids_waits_for_a_person(
    checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    deliver(account, event_body(checkout, id="pay_1"))
    deliver(account, event_body(checkout, id="pay_2"))
    assert states(khata.shop) == ["done", "stuck"]
    assert got(khata) == [500_00]


@pytest.mark.django_db(transaction=True)
def test_a_confirmation_and_the_webhook_of_the_same_money_at_once_post_once(
    link: PayLink, checkout: Checkout, account: ProviderAccount, khata: Khata
) -> None:
    claim = make_claim(link=link, amount_paise=500_00, utr="412355678812").claim
    assert claim is not None
    owner, body = make_user(), event_body(checkout)
    at_once(
        lambda: deliver(account, body),
        lambda: services.confirm_claim(claim=claim, actor=owner),
        lambda: deliver(account, body),
    )
    process_left_events()
    assert got(khata) == [500_00]
    assert Claim.objects.for_shop(khata.shop_id).get().state == "confirmed"


@pytest.mark.parametrize(
    "body", [b'{"event": "payment.captured", "payment": {"id": "\\ud800"}}', b"[" * 100_000], ids=["half", "deep"]
)
def test_what_nobody_can_read_waits_for_a_person_at_once(account: ProviderAccount, body: bytes) -> None:
    assert deliver(account, body).status_code == 200
    event = only_event(account.shop)
    assert (event.state, event.attempts) == ("stuck", 1)
    assert "cannot read" in event.error
