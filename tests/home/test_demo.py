"""The demo shop: what it promises to show, the same on every day's first look and at every hour."""

import datetime as dt
import hashlib
import json
import re
import unicodedata
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from core.clock import INDIA
from home.demo import LOGINS, PASSWORD, make_demo
from ledger.models import Entry, Khata, Source
from ledger.selectors import shop_ageing
from payments.models import Claim, PayLink, Payment, ProviderEvent
from reminders import services as reminders
from reminders.models import Message, Purpose, Via
from reminders.selectors import WHICH, collect_chips
from shops.models import AuditEvent, Member, Role, Shop, User
from tests.cast import client_of, make_shop

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 7, 21, 12, tzinfo=INDIA)


def digest(shop: Shop) -> str:
    """Who, how much and on which day of the whole book, in the order in which it was written."""
    entries = Entry.objects.for_shop(shop).order_by("id").select_related("khata__party")
    book: list[list[Any]] = [
        [line.khata.party.name, line.direction, line.kind, line.amount_paise, line.note]
        + [(shop.today() - line.occurred_on).days, line.created_at.isoformat()]
        for line in entries
    ]
    said = Message.objects.for_shop(shop).order_by("id").select_related("party")
    book += [
        [line.party and line.party.name, line.purpose, line.channel, line.recipient, line.state]
        + [line.balance_paise, line.sent_at and line.sent_at.isoformat()]
        for line in said
    ]
    return hashlib.sha256(json.dumps(book).encode()).hexdigest()


def scripts_of(names: list[str]) -> set[str]:
    """The scripts that the letters of ``names`` are written in: LATIN, DEVANAGARI …"""
    return {unicodedata.name(letter).split()[0] for name in names for letter in name if letter.isalpha()}


def test_the_demo_keeps_what_it_promises() -> None:
    """One build for many sights: making the year of a whole shop takes seconds."""
    with time_machine.travel(NOON, tick=False):
        shop = make_demo()
        khatas = list(Khata.objects.for_shop(shop).select_related("party"))
        assert len(khatas) == 60
        assert {khata.party.kind for khata in khatas} == {"customer", "supplier"}
        scripts = scripts_of([khata.party.name for khata in khatas])
        assert {"LATIN", "DEVANAGARI", "TAMIL", "BENGALI", "GUJARATI", "KANNADA", "TELUGU"} <= scripts
        assert_a_year_of_entries(shop)
        assert all(shop_ageing(shop, shop.today()).values()), "every bucket of the bar has its dues"
        empty = {chip.which for chip in collect_chips(shop, shop.today()) if not chip.count}
        assert empty <= set(WHICH) & {"collect_today"}
        assert PayLink.objects.for_shop(shop).count() >= 20
        assert not PayLink.objects.for_shop(shop).filter(qr_stale_since__isnull=False).exists(), "drawn"
        assert Claim.objects.for_shop(shop).count() == 3
        assert_money_arrived_by_itself(shop)
        assert AuditEvent.objects.for_shop(shop).exists(), "made through the services, which write it down"
        assert_everybody_may_sign_in(shop)
        sent = Message.objects.for_shop(shop).filter(state=Message.State.SENT, backend="demo")
        assert set(sent.values_list("channel", flat=True)) == set(Via.values)
        assert {Purpose.REMINDER, Purpose.RECEIPT} <= set(sent.values_list("purpose", flat=True))
        call_command("check_ledger")
        page = client_of(User.objects.get(phone=LOGINS[0].phone)).get(f"/s/{shop.code}/outbox/").content.decode()
        for via in Via:
            assert str(via.label) in page
        assert re.search(r"customer\d+@example\.com", page)


def assert_a_year_of_entries(shop: Shop) -> None:
    entries = Entry.objects.for_shop(shop)
    assert entries.count() > 3000
    days = sorted(set(entries.values_list("occurred_on", flat=True)))
    assert (shop.today() - days[0]).days >= 350
    assert days[-1] == shop.today()
    assert len({(day.year, day.month) for day in days}) >= 12
    assert entries.filter(reverses__isnull=False).exists(), "a slip, put right by a reversal"


def assert_money_arrived_by_itself(shop: Shop) -> None:
    """Through the inbox, as the gateway tells it: the Payments page has something to show."""
    payments = Payment.objects.for_shop(shop).select_related("entry", "checkout")
    assert 4 <= len(payments) <= 6
    assert {payment.method for payment in payments} == {"upi", "card"}
    for payment in payments:
        assert payment.state == Payment.State.PAID
        assert payment.entry is not None
        assert (payment.entry.source, payment.entry.amount_paise) == (Source.PROVIDER, payment.amount_paise)
        assert payment.entry.occurred_on == payment.arrived_at.astimezone(INDIA).date()
        assert payment.checkout is not None
        assert payment.checkout.state == "paid"
    assert len({payment.arrived_at.date() for payment in payments}) > 1
    events = ProviderEvent.objects.for_shop(shop)
    assert set(events.values_list("state", "signature_ok")) == {("done", True)}
    page = client_of(User.objects.get(phone=LOGINS[0].phone)).get(f"/s/{shop.code}/payments/").content.decode()
    assert all(payment.reference in page for payment in payments)


def assert_everybody_may_sign_in(shop: Shop) -> None:
    seats = dict(Member.everything.filter(shop=shop, revoked_at=None).values_list("user__phone", "role"))
    assert seats == {login.phone: login.role for login in LOGINS if login.role}
    assert set(seats.values()) == set(Role)
    for login in LOGINS:
        user = User.objects.get(phone=login.phone)
        assert user.check_password(PASSWORD)
        assert user.is_superuser == (login.role is None)


def build_and_forget() -> str:
    """The digest of a fresh demo, of which nothing stays."""
    with transaction.atomic():
        found = digest(make_demo())
        transaction.set_rollback(True)
    return found


def test_the_same_day_makes_the_same_demo() -> None:
    with time_machine.travel(NOON, tick=False):
        assert build_and_forget() == build_and_forget()


def test_a_second_call_makes_nothing() -> None:
    shop = Shop.objects.create(name="Known", is_demo=True)
    assert make_demo() == shop
    assert not User.objects.exists()


@pytest.mark.parametrize("hour", [3, 9, 12, 23])
def test_a_demo_made_at_any_hour_shows_reminders_that_left_by_day(hour: int) -> None:
    now = NOON.replace(hour=hour)
    with time_machine.travel(now, tick=False):
        shop = Shop.objects.get(pk=make_demo().pk)
        asked = Message.objects.for_shop(shop).filter(purpose=Purpose.REMINDER, backend="demo")
        assert set(asked.values_list("channel", flat=True)) == set(Via.values)
        for message in asked.select_related("party__khata"):
            assert message.state == Message.State.SENT
            assert message.sent_at is not None
            assert message.created_at <= message.due_at <= message.begun_at <= message.sent_at <= now  # type: ignore[operator]
            local = message.sent_at.astimezone(INDIA)
            assert shop.quiet_until <= local.time() < shop.quiet_from
            assert local.date() >= now.date() - dt.timedelta(days=1)
            assert message.slot == f"{message.party_id}:{message.channel}:{local.date().isoformat()}"
            assert message.party is not None
            assert message.balance_paise == message.party.khata.balance_paise
            assert message.party.khata.last_entry_at < message.sent_at, "it names no balance of later"
        assert not Message.objects.for_shop(shop).filter(state=Message.State.QUEUED).exists()


def test_the_worker_of_the_next_morning_asks_nobody_twice() -> None:
    """The reminders of the story count for the rules and the weekly caps like all others."""
    with time_machine.travel(NOON.replace(hour=23), tick=False):
        shop = make_demo()
        known = set(
            Message.objects.for_shop(shop).filter(purpose=Purpose.REMINDER).values_list("party", "channel")
        )
    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        first_new = Message.objects.for_shop(shop).order_by("-id").values_list("id", flat=True)[0]
        reminders.ask_by_rules()
        reminders.send_due()
        later = Message.objects.for_shop(shop).filter(
            id__gt=first_new, purpose=Purpose.REMINDER, state=Message.State.SENT
        )
        assert not known & set(later.values_list("party", "channel"))


def test_the_night_of_a_real_shop_stays_quiet_while_the_demo_is_made() -> None:
    with time_machine.travel(NOON.replace(hour=23), tick=False):
        other = make_shop()
        make_demo()
        assert not Message.objects.for_shop(other).exists()
