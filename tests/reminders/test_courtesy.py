"""Whom one may ask, when, and how often: checked at the moment of sending."""

import datetime as dt

import pytest
import time_machine

from ledger.models import Khata
from ledger.services import set_terms
from parties.services import archive_party, edit_party, record_consent
from reminders import courtesy
from reminders.models import Message, Purpose, Via
from reminders.outbox import cancel_message
from reminders.sending import send_due
from shops.models import Shop
from tests.cast import make_shop, post
from tests.reminders.people import INDIA, NOON, make_debtor, make_reminder, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def debtor(shop: Shop) -> Khata:
    with time_machine.travel(NOON, tick=False):
        return make_debtor(shop)


def sent_at(moment: dt.datetime, khata: Khata, **fields: object) -> Message:
    """Queue a reminder and send what is due, at ``moment``."""
    with time_machine.travel(moment, tick=False):
        message = make_reminder(khata, **fields)
        send_due()
    message.refresh_from_db()
    return message


def test_a_due_balance_is_asked_for_and_the_reason_is_kept(debtor: Khata) -> None:
    message = sent_at(NOON, debtor)
    assert message.state == Message.State.SENT
    assert message.backend == "demo"
    assert message.rule == (
        "Asked: a balance is due, SMS is agreed to, inside the hours, reminder 1 of 2 this week."
    )


@pytest.mark.parametrize(
    ("hour", "minute", "second", "state"),
    [
        (7, 59, 59, "queued"),
        (8, 0, 0, "sent"),
        (18, 59, 59, "sent"),
        (19, 0, 0, "queued"),
        (23, 30, 0, "queued"),
        (0, 0, 0, "queued"),
    ],
)
def test_nobody_is_asked_in_quiet_hours(debtor: Khata, hour: int, minute: int, second: int, state: str) -> None:
    message = sent_at(NOON.replace(hour=hour, minute=minute, second=second), debtor)
    assert message.state == state
    if state == "queued":
        morning = NOON.date() + dt.timedelta(days=1 if hour >= 19 else 0)
        assert message.due_at == dt.datetime.combine(morning, dt.time(8), tzinfo=INDIA)
        assert message.rule == "Waits until 08:00: nobody is asked from 19:00 to 08:00."
        assert message.attempts == 0


def test_what_waited_for_the_morning_leaves_in_the_morning(debtor: Khata) -> None:
    message = sent_at(NOON.replace(hour=21), debtor)
    with time_machine.travel(NOON.replace(hour=7, minute=59) + dt.timedelta(days=1), tick=False):
        assert send_due() == 0
    with time_machine.travel(NOON.replace(hour=8, minute=0) + dt.timedelta(days=1), tick=False):
        assert send_due() == 1
    message.refresh_from_db()
    assert message.state == "sent"


def test_quiet_hours_are_those_of_the_shops_own_zone(debtor: Khata) -> None:
    Shop.objects.filter(pk=debtor.shop_id).update(zone="Asia/Tokyo")
    message = sent_at(dt.datetime(2026, 11, 18, 10, 30, tzinfo=dt.UTC), debtor)  # 16:00 in India, 19:30 in Tokyo
    assert message.state == "queued"


@pytest.mark.parametrize(("hour", "is_quiet"), [(12, False), (13, True), (14, True), (15, False)])
def test_quiet_hours_may_lie_inside_the_day(shop: Shop, hour: int, is_quiet: bool) -> None:
    shop.quiet_from, shop.quiet_until = dt.time(13), dt.time(15)
    opens_at = courtesy.opens(shop, NOON.replace(hour=hour))
    assert opens_at == (NOON.replace(hour=15) if is_quiet else None)


def test_no_quiet_hours_where_both_ends_are_the_same(shop: Shop) -> None:
    shop.quiet_from = shop.quiet_until = dt.time(8)
    assert courtesy.opens(shop, NOON.replace(hour=3)) is None


@pytest.mark.parametrize("purpose", [Purpose.RECEIPT, Purpose.ENTRY])
def test_receipts_go_at_any_hour(debtor: Khata, purpose: str) -> None:
    assert sent_at(NOON.replace(hour=23), debtor, purpose=purpose).state == "sent"


def test_a_link_waits_for_the_morning_too(debtor: Khata) -> None:
    assert sent_at(NOON.replace(hour=23), debtor, purpose=Purpose.LINK).state == "queued"


def test_a_payment_between_queueing_and_sending_silences(debtor: Khata) -> None:
    with time_machine.travel(NOON, tick=False):
        message = make_reminder(debtor)
    with time_machine.travel(NOON + dt.timedelta(seconds=1), tick=False):
        post(debtor, 500_00, "got")
        send_due()
    message.refresh_from_db()
    assert (message.state, message.rule) == ("cancelled", "Not sent: nothing is owed any more.")


def test_a_part_payment_since_then_silences_too(debtor: Khata) -> None:
    with time_machine.travel(NOON, tick=False):
        message = make_reminder(debtor)
    with time_machine.travel(NOON + dt.timedelta(seconds=1), tick=False):
        post(debtor, 100_00, "got")
        send_due()
    message.refresh_from_db()
    assert (message.state, message.rule) == ("cancelled", "Not sent: a payment arrived in the meantime.")


def test_a_balance_that_moved_is_written_anew(debtor: Khata) -> None:
    with time_machine.travel(NOON, tick=False):
        message = make_reminder(debtor, text="old words")
        post(debtor, 250_00, "gave")
        send_due()
    message.refresh_from_db()
    assert message.state == "sent"
    assert "₹750" in message.text
    assert message.balance_paise == 750_00


def test_consent_is_asked_for_each_channel_and_may_be_withdrawn(debtor: Khata) -> None:
    with time_machine.travel(NOON, tick=False):
        sms = make_reminder(debtor, Via.SMS)
        record_consent(party=debtor.party, channel="sms", given=False, source="customer-page", actor=None)
        send_due()
    sms.refresh_from_db()
    assert (sms.state, sms.rule) == ("cancelled", "Not sent: there is no consent for SMS.")
    assert sent_at(NOON, debtor, channel=Via.WHATSAPP).state == "sent"


@pytest.mark.parametrize("purpose", [Purpose.RECEIPT, Purpose.ENTRY, Purpose.LINK])
def test_without_consent_nothing_leaves_at_all(shop: Shop, purpose: str) -> None:
    khata = make_debtor(shop, consent_source="")
    assert sent_at(NOON, khata, purpose=purpose).state == "cancelled"


def test_one_reminder_per_party_channel_and_day(debtor: Khata) -> None:
    Shop.objects.filter(pk=debtor.shop_id).update(weekly_cap=9)
    assert sent_at(NOON, debtor).state == "sent"
    again = sent_at(NOON.replace(hour=17), debtor)
    assert (again.state, again.rule) == ("cancelled", "Not sent: this party was already reminded by SMS today.")
    assert sent_at(NOON.replace(hour=17), debtor, channel=Via.WHATSAPP).state == "sent"
    assert sent_at(NOON + dt.timedelta(days=1), debtor).state == "sent"


def test_two_in_one_batch_are_one(debtor: Khata) -> None:
    with time_machine.travel(NOON, tick=False):
        make_reminder(debtor)
        make_reminder(debtor)
        send_due()
    assert sorted(states()) == ["cancelled", "sent"]


def test_the_weekly_cap_holds_over_seven_days(debtor: Khata) -> None:
    days = [sent_at(NOON + dt.timedelta(days=day), debtor).state for day in (0, 1, 2, 6, 7, 8, 9)]
    assert days == ["sent", "sent", "cancelled", "cancelled", "sent", "sent", "cancelled"]


def test_the_cap_counts_all_channels_of_one_batch(debtor: Khata) -> None:
    Shop.objects.filter(pk=debtor.shop_id).update(weekly_cap=1)
    with time_machine.travel(NOON, tick=False):
        make_reminder(debtor, Via.SMS)
        make_reminder(debtor, Via.WHATSAPP)
        send_due()
    assert states() == ["sent", "cancelled"]


def test_a_doubtful_reminder_counts_even_when_a_person_drops_it(debtor: Khata) -> None:
    """It may have arrived: better once too few."""
    message = sent_at(NOON, debtor)
    Message.everything.update(state="unknown")
    message.refresh_from_db()
    cancel_message(message=message, actor=None)
    assert sent_at(NOON.replace(hour=15), debtor).state == "cancelled"


def test_a_paused_shop_asks_nobody_and_still_sends_receipts(debtor: Khata) -> None:
    Shop.objects.filter(pk=debtor.shop_id).update(reminders_paused=True)
    assert sent_at(NOON, debtor).rule == "Not sent: the shop has paused all reminders."
    assert sent_at(NOON, debtor, purpose=Purpose.RECEIPT).state == "sent"


def test_a_paused_party_is_left_alone_until_its_day(debtor: Khata) -> None:
    edit_party(party=debtor.party, actor=None, changes={"reminders_paused_until": dt.date(2026, 11, 19)})
    assert sent_at(NOON, debtor).rule == "Not sent: reminders to this party are paused until 2026-11-19."
    assert sent_at(NOON + dt.timedelta(days=1), debtor).state == "sent"


def test_an_archived_party_is_left_alone(debtor: Khata) -> None:
    archive_party(party=debtor.party, actor=None)
    assert sent_at(NOON, debtor).rule == "Not sent: this party is archived."


def test_a_day_that_was_agreed_is_waited_for(debtor: Khata) -> None:
    set_terms(khata=debtor, actor=None, changes={"collect_on": dt.date(2026, 11, 19)})
    assert sent_at(NOON, debtor).rule == "Not sent: it was agreed to collect on 2026-11-19."
    assert sent_at(NOON + dt.timedelta(days=1), debtor).state == "sent"


def test_courtesy_of_one_shop_knows_nothing_of_another(debtor: Khata) -> None:
    """The same person owes in two shops: each has its own caps."""
    other = make_debtor(make_shop(name="Other"), phone=debtor.party.phone)
    assert sent_at(NOON, debtor).state == "sent"
    assert sent_at(NOON, other).state == "sent"


def test_the_facts_of_many_cost_as_much_as_of_few(shop: Shop, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    ids = [make_debtor(shop).party_id for _ in range(12)]
    with django_assert_num_queries(4):
        courtesy.gather(ids[:2])
    with django_assert_num_queries(4):
        assert len(courtesy.gather(ids)) == 12
