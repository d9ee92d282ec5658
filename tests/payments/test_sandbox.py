"""The sandbox behaves as a gateway: signs, retries, doubles, reorders, and never loses an event."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import time_machine
from django.urls import reverse

from core import clock
from ledger.models import Khata
from payments import providers
from payments.models import Checkout, PayLink, Payment, ProviderAccount, ProviderEvent, SandboxDelivery
from payments.providers.sandbox import delivery, gateway, provider
from payments.services import deliver_sandbox_due, process_left_events, rotate_webhook_secret
from tests.cast import client_of, make_user
from tests.payments.making import at_once, balance, got, make_checkout

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkout(link: PayLink, account: ProviderAccount) -> Checkout:
    return make_checkout(link, account)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[httpx.Request]]:
    """Put a shop that answers like this at the other end; returns the requests it got."""

    def answer(*statuses: int | BaseException) -> list[httpx.Request]:
        seen: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            status = statuses[min(len(seen), len(statuses)) - 1]
            if isinstance(status, BaseException):
                raise status
            return httpx.Response(status)

        transport = httpx.MockTransport(handle)
        monkeypatch.setattr(delivery, "client", lambda: httpx.Client(transport=transport))
        return seen

    return answer


def rows(payment_id: str, method: str = "upi") -> list[tuple[str, float]]:
    """What one payment sends, as (status, seconds after) in the order of sending."""
    now = clock.now()
    made = gateway.deliveries(Checkout(reference="r", amount_paise=1, account_id=1), payment_id, method, now)
    sent = sorted(made, key=lambda row: row.send_at)
    return [(json.loads(row.body)["payment"]["status"], (row.send_at - now).total_seconds()) for row in sent]


def an_id(wanted: Callable[[list[tuple[str, float]]], bool]) -> str:
    return next(f"pay_{number}" for number in range(500) if wanted(rows(f"pay_{number}")))


def test_troubles_happen_and_are_the_same_every_time() -> None:
    every = [tuple(rows(f"pay_{number}")) for number in range(200)]
    assert every == [tuple(rows(f"pay_{number}")) for number in range(200)]
    plain = (("authorized", 0.0), ("captured", 0.0))
    swapped = [found for found in every if [status for status, _ in found][0] == "captured"]
    doubled = [found for found in every if len(found) > 2]
    assert plain in every
    assert 10 < len(swapped) < 100
    assert 40 < len(doubled) < 180
    assert {"authorized", "captured"} == {status for found in every for status, _ in found}
    assert {status for status, _ in rows("pay_1", "fail")} == {"failed"}


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_are_one_payment(checkout: Checkout) -> None:
    assert sorted(at_once(*[lambda: gateway.press(checkout, "upi")] * 4)) == [False, False, False, True]
    ids = {json.loads(bytes(row.body))["payment"]["id"] for row in SandboxDelivery.objects.all()}
    checkout.refresh_from_db()
    assert ids == {checkout.provider_id}


def test_only_its_three_buttons_work(checkout: Checkout) -> None:
    with pytest.raises(ValueError, match="not a way"):
        gateway.press(checkout, "gold")
    answer = client_of(None).post(reverse("pay:sandbox", args=[checkout.reference]), {"method": "gold"})
    assert answer.status_code == 302
    assert not SandboxDelivery.objects.exists()


def test_it_leads_back_only_where_khata_said(checkout: Checkout, account: ProviderAccount) -> None:
    own = provider.create_checkout(account, checkout, "http://shop.example/p/t/receipt/r/")
    assert 'href="http://shop.example/p/t/receipt/r/"' in client_of(None).get(own).content.decode()
    forged = reverse("pay:sandbox", args=[checkout.reference]) + "?back=https://evil.example/"
    assert "evil.example" not in client_of(None).get(forged).content.decode().replace(
        'name="next" value="' + forged, ""
    )
    assert client_of(None).post(forged, {"method": "upi"})["Location"].startswith("/sandbox/")


def test_an_unknown_reference_finds_nothing(account: ProviderAccount) -> None:
    assert client_of(None).get(reverse("pay:sandbox", args=["nothing"])).status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["none", "swapped", "doubled"])
def test_webhooks_travel_by_http_and_the_khata_moves_once(
    live_server: Any, checkout: Checkout, khata: Khata, settings: Any, trouble: str
) -> None:
    settings.SANDBOX_HOOK_BASE = live_server.url
    wanted = {
        "none": lambda found: len(found) == 2 and found[0][0] == "authorized",
        "swapped": lambda found: found[0][0] == "captured",
        "doubled": lambda found: [status for status, _ in found].count("captured") == 2,
    }[trouble]
    made = gateway.deliveries(checkout, an_id(wanted), "upi", clock.now())
    SandboxDelivery.objects.bulk_create(made)
    with time_machine.travel(clock.now() + dt.timedelta(seconds=8)):
        assert deliver_sandbox_due() == len(made)
        assert deliver_sandbox_due() == 0
    assert set(SandboxDelivery.objects.values_list("last_status", flat=True)) == {"200"}
    assert got(khata) == [500_00]
    assert balance(khata) == 0
    payment = Payment.objects.for_shop(khata.shop_id).get()
    assert (payment.state, payment.method, len(payment.reference)) == ("paid", "upi", 12)
    states = ProviderEvent.objects.for_shop(khata.shop_id).values_list("state", flat=True)
    assert set(states) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_each_webhook_and_the_khata_moves_once(
    live_server: Any, checkout: Checkout, khata: Khata, settings: Any
) -> None:
    settings.SANDBOX_HOOK_BASE = live_server.url
    gateway.press(checkout, "card")
    with time_machine.travel(clock.now() + dt.timedelta(seconds=8)):
        at_once(*[deliver_sandbox_due] * 3)
        deliver_sandbox_due()
        process_left_events()
    assert not SandboxDelivery.objects.filter(delivered_at=None).exists()
    assert got(khata) == [500_00]


def test_a_webhook_that_is_not_taken_comes_again_later_and_later(
    checkout: Checkout, answering: Callable[..., list[httpx.Request]]
) -> None:
    seen = answering(500, httpx.ConnectError("nobody there"), 404, 200)
    gateway.press(checkout, "fail")
    SandboxDelivery.objects.order_by("-pk").exclude(pk=SandboxDelivery.objects.earliest("pk").pk).delete()
    at, waits, taken = clock.now() + dt.timedelta(seconds=1), [], []
    for _ in range(4):
        with time_machine.travel(at, tick=False):
            taken.append(deliver_sandbox_due())
            assert deliver_sandbox_due() == 0
        row = SandboxDelivery.objects.get()
        waits.append((row.send_at - at).total_seconds())
        at = row.send_at
    assert taken == [0, 0, 0, 1]
    assert waits[:3] == [2, 4, 8]
    assert row.last_status == "200"
    assert row.delivered_at is not None
    assert len(seen) == 4
    assert {request.headers[provider.EVENT_ID] for request in seen} == {row.event_id}


def test_a_worker_cut_off_while_sending_leaves_the_webhook_to_the_next(
    checkout: Checkout, answering: Callable[..., list[httpx.Request]]
) -> None:
    answering(KeyboardInterrupt())
    gateway.press(checkout, "fail")
    at = clock.now() + dt.timedelta(seconds=10)
    with time_machine.travel(at, tick=False), pytest.raises(KeyboardInterrupt):
        deliver_sandbox_due()
    answering(200)
    with time_machine.travel(at + dt.timedelta(seconds=20), tick=False):
        assert deliver_sandbox_due() == SandboxDelivery.objects.count()


def test_a_webhook_is_given_up_after_a_day(
    checkout: Checkout, answering: Callable[..., list[httpx.Request]]
) -> None:
    seen = answering(500)
    gateway.press(checkout, "fail")
    SandboxDelivery.objects.update(attempts=delivery.MAX_ATTEMPTS)
    with time_machine.travel(clock.now() + dt.timedelta(days=30)):
        assert deliver_sandbox_due() == 0
    assert seen == []
    assert sum(delivery.wait_s(attempt) for attempt in range(1, delivery.MAX_ATTEMPTS)) > 8 * 3600


def test_the_newest_secret_signs(
    checkout: Checkout, account: ProviderAccount, answering: Callable[..., list[httpx.Request]]
) -> None:
    seen = answering(200)
    rotate_webhook_secret(account=account, actor=make_user(), secret="n" * 40)
    gateway.press(checkout, "fail")
    deliver_sandbox_due()
    request = seen[0]
    assert request.headers[provider.SIGNATURE] == provider.sign("n" * 40, request.content)
    assert request.url.path == reverse("pay:hook", args=["sandbox", account.hook])


def test_a_provider_that_is_off_or_unknown_is_not_handed_out(settings: Any) -> None:
    assert providers.get("sandbox") is provider
    settings.SANDBOX_GATEWAY = False
    for kind in ("sandbox", "nobody"):
        assert not providers.is_on(kind)
        with pytest.raises(KeyError):
            providers.get(kind)
