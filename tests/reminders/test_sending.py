"""Claim, send, record: one poisoned row never stops the rest, and nothing is asked twice."""

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection

from core.db import Pace
from ledger.services import reverse_entry
from reminders import channels, compose, courtesy, sending
from reminders.asking import reminder_row
from reminders.channels import ChannelError, ChannelUnsure
from reminders.models import BLANKED, Message, Purpose
from reminders.outbox import (
    MessageError,
    blank_codes,
    cancel_message,
    confirm_sent,
    queue_code,
    queue_many,
    queue_message,
    retry_message,
)
from reminders.sending import release_stuck, send_due
from shops.models import AuditEvent, Shop
from tests.cast import post, unique
from tests.reminders.people import NOON, make_debtor, make_reminder, states

pytestmark = pytest.mark.django_db


class FakeChannel:
    """Carries everything and does to each text what the test says."""

    kind = "fake"
    is_local = False

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.faults: dict[str, Exception] = {}

    def carries(self, via: str) -> bool:
        return True

    def send(self, message: Message) -> str:
        assert not _inside_a_transaction()
        if fault := self.faults.get(message.text):
            raise fault
        self.sent.append(message.text)
        return f"id-{message.pk}"


def _inside_a_transaction() -> bool:
    # The test's own transaction counts one; a service's would be another savepoint.
    return len(connection.savepoint_ids) > 0


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> FakeChannel:
    fake = FakeChannel()
    monkeypatch.setattr(channels, "REGISTRY", [fake])
    return fake


@pytest.fixture(autouse=True)
def _noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def receipt(shop: Shop, text: str, **fields: Any) -> Message:
    """A queued message that no cap and no hour holds back."""
    return make_reminder(make_debtor(shop), text=text, purpose=Purpose.RECEIPT, **fields)


def test_the_same_key_is_the_same_message(shop: Shop) -> None:
    first = receipt(shop, "one", dedupe_key="receipt:1")
    again = receipt(shop, "other", dedupe_key="receipt:1")
    assert first == again
    assert again.text == "one"


def test_a_sent_message_says_who_carried_it_and_when(shop: Shop, channel: FakeChannel) -> None:
    message = receipt(shop, "hello")
    assert send_due() == 1
    message.refresh_from_db()
    assert (message.state, message.backend, message.provider_id) == ("sent", "fake", f"id-{message.pk}")
    assert message.sent_at == NOON
    assert message.attempts == 1
    assert send_due() == 0
    assert channel.sent == ["hello"]


def test_what_is_not_due_yet_waits(shop: Shop, channel: FakeChannel) -> None:
    receipt(shop, "later", due_at=NOON + dt.timedelta(seconds=1))
    assert send_due() == 0


def test_a_row_that_the_database_refuses_leaves_the_others_queued(shop: Shop) -> None:
    khata = make_debtor(shop)
    facts = courtesy.gather([khata.party_id])[khata.party_id]
    rows = [reminder_row(facts, channel="sms", url="", dedupe_key=unique("row")) for _ in range(3)]
    rows[1].recipient = ""
    queue_many(rows)
    assert Message.everything.count() == 2


def test_one_poisoned_row_never_stops_the_rest(shop: Shop, channel: FakeChannel) -> None:
    channel.faults = {"bad": RuntimeError("poison")}
    for text in ("a", "bad", "b"):
        receipt(shop, text)
    send_due()
    assert channel.sent == ["a", "b"]
    assert states() == ["sent", "unknown", "sent"]


def test_a_row_that_cannot_be_prepared_never_stops_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a whole batch goes at once, as in the demo outbox."""
    bad = make_debtor(shop, "Bad")
    reminders = [make_reminder(khata) for khata in (make_debtor(shop), bad, make_debtor(shop))]
    Message.everything.filter(pk=reminders[1].pk).update(balance_paise=1)  # has to be written anew
    plain = compose.reminder

    def reminder(*, party: Any, **words: Any) -> str:
        if party.pk == bad.party_id:
            raise ValueError("poison")
        return plain(party=party, **words)

    monkeypatch.setattr(compose, "reminder", reminder)
    send_due()
    assert states() == ["sent", "failed", "sent"]


def test_a_temporary_fault_is_tried_for_most_of_a_day_with_growing_pauses(
    shop: Shop, channel: FakeChannel, _noon: time_machine.Traveller
) -> None:
    channel.faults = {"try": ChannelError("The server is busy.", permanent=False)}
    message = receipt(shop, "try")
    seen = []
    for minutes in (0, 0.9, 1.1, 5, 11.2, 60, 71.3, 312, 1032, 2000):
        _noon.move_to(NOON + dt.timedelta(minutes=minutes))
        send_due()
        message.refresh_from_db()
        seen.append((message.state, message.attempts))
    queued = [("queued", attempts) for attempts in (1, 1, 2, 2, 3, 3, 4, 5)]
    assert seen == [*queued, ("failed", 6), ("failed", 6)]
    assert message.error == "The server is busy."


def test_a_retry_that_succeeds_keeps_its_slot_of_the_day(
    shop: Shop, channel: FakeChannel, _noon: time_machine.Traveller
) -> None:
    khata = make_debtor(shop)
    channel.faults = {"ask": ChannelError("busy", permanent=False)}
    message = make_reminder(khata, text="ask")
    send_due()
    channel.faults = {}
    _noon.move_to(NOON + dt.timedelta(minutes=2))
    send_due()
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.slot == f"{khata.party_id}:sms:2026-11-18"


def test_a_permanent_fault_fails_at_once_in_plain_words(shop: Shop, channel: FakeChannel) -> None:
    channel.faults = {"x": ChannelError("This number does not exist.", permanent=True)}
    message = receipt(shop, "x")
    send_due()
    message.refresh_from_db()
    assert (message.state, message.error) == ("failed", "This number does not exist.")


def test_a_line_that_broke_in_the_middle_waits_for_a_person(shop: Shop, channel: FakeChannel) -> None:
    channel.faults = {"x": ChannelUnsure("The line broke.")}
    message = receipt(shop, "x")
    send_due()
    message.refresh_from_db()
    assert message.state == "unknown"
    assert send_due() == 0


def test_where_no_channel_is_set_up_the_reason_says_so(shop: Shop, settings: Any) -> None:
    settings.DEMO_OUTBOX = False
    message = make_reminder(make_debtor(shop))
    send_due()
    message.refresh_from_db()
    assert (message.state, message.rule) == ("cancelled", "Not sent: no way to send SMS is set up.")


def test_a_message_about_a_reversed_entry_is_not_sent(shop: Shop) -> None:
    khata = make_debtor(shop)
    posting = post(khata, 100_00, "got")
    message = make_reminder(khata, purpose=Purpose.RECEIPT, entry=posting.entry)
    reverse_entry(shop=shop, entry=posting.entry, actor=None)
    send_due()
    message.refresh_from_db()
    assert (message.state, message.rule) == ("cancelled", "Not sent: the entry was reversed.")


# --- cut off --------------------------------------------------------------------------------


def claimed(message: Message, **fields: Any) -> None:
    Message.everything.filter(pk=message.pk).update(
        state="sending", claim="dead", claimed_at=NOON - dt.timedelta(minutes=6), **fields
    )


def test_what_was_claimed_and_not_begun_goes_back(shop: Shop, channel: FakeChannel) -> None:
    message = receipt(shop, "x")
    claimed(message)
    assert release_stuck() == (1, 0)
    send_due()
    assert channel.sent == ["x"]


def test_what_had_begun_becomes_unknown_and_is_never_sent_again(shop: Shop, channel: FakeChannel) -> None:
    message = receipt(shop, "x")
    claimed(message, begun_at=NOON - dt.timedelta(minutes=6))
    assert release_stuck() == (0, 1)
    assert send_due() == 0
    assert states() == ["unknown"]


def test_what_is_still_being_sent_is_left_alone(shop: Shop) -> None:
    message = receipt(shop, "x")
    claimed(message, begun_at=NOON - dt.timedelta(minutes=1))  # the last one of a long batch
    assert release_stuck() == (0, 0)


def test_a_worker_that_wakes_up_late_finds_its_rows_gone(shop: Shop, channel: FakeChannel) -> None:
    receipt(shop, "x")
    batch = sending._claim(10)
    Message.everything.update(claimed_at=NOON - dt.timedelta(minutes=6))
    release_stuck()
    send_due()
    sending._send_batch(batch, stop_at=float("inf"), pace=Pace())
    assert channel.sent == ["x"]


def test_a_slow_answer_is_better_than_not_knowing(shop: Shop, channel: FakeChannel) -> None:
    message = receipt(shop, "x")
    [mine] = sending._claim(10)
    Message.everything.update(state="unknown", begun_at=NOON)
    assert sending._finish(mine, "sent")
    message.refresh_from_db()
    assert message.state == "sent"


# --- people decide ----------------------------------------------------------------------------


def unknown(shop: Shop, **fields: Any) -> Message:
    message = receipt(shop, "x", **fields)
    Message.everything.filter(pk=message.pk).update(state="unknown", begun_at=NOON)
    message.refresh_from_db()
    return message


def test_a_person_may_send_it_again(shop: Shop, channel: FakeChannel) -> None:
    message = retry_message(message=unknown(shop), actor=None)
    assert message.state == "queued"
    send_due()
    assert channel.sent == ["x"]
    assert AuditEvent.everything.filter(action="message.retried", target=f"message:{message.pk}").count() == 1


def test_a_person_may_say_that_it_arrived_or_drop_it(shop: Shop) -> None:
    assert confirm_sent(message=unknown(shop), actor=None).state == "sent"
    assert cancel_message(message=unknown(shop), actor=None).state == "cancelled"


def test_of_two_decisions_one_counts(shop: Shop) -> None:
    message = unknown(shop)
    confirm_sent(message=message, actor=None)
    for decide in (retry_message, confirm_sent, cancel_message):
        with pytest.raises(MessageError, match="moved on"):
            decide(message=message, actor=None)
    assert states() == ["sent"]


# --- codes ------------------------------------------------------------------------------------


def test_a_code_is_in_the_demo_outbox_at_once_at_any_hour(_noon: time_machine.Traveller) -> None:
    _noon.move_to(NOON.replace(hour=2))
    message = queue_code(phone="+919812345678", text="123456 is your code", lifetime_s=300)
    assert (message.state, message.shop, message.channel) == ("sent", None, "sms")


def test_two_codes_are_two_messages() -> None:
    for _ in range(2):
        queue_code(phone="+919812345678", text="123456 is your code", lifetime_s=300)
    assert len(states(purpose="code")) == 2


def test_a_code_by_email_goes_to_the_gateway_before_everything_else(
    shop: Shop, settings: Any, channel: FakeChannel
) -> None:
    settings.CODE_CHANNEL, settings.CODE_ADDRESS = "email", "{phone}@sms-gateway.example"
    receipt(shop, "receipt", due_at=NOON - dt.timedelta(hours=1))
    message = queue_code(phone="+919812345678", text="123456 is your code", lifetime_s=300)
    assert (message.state, message.recipient) == ("queued", "919812345678@sms-gateway.example")
    send_due()
    assert channel.sent == ["123456 is your code", "receipt"]


def test_a_code_that_expired_is_not_sent(
    settings: Any, channel: FakeChannel, _noon: time_machine.Traveller
) -> None:
    settings.CODE_CHANNEL, settings.CODE_ADDRESS = "email", "{phone}@sms-gateway.example"
    message = queue_code(phone="+919812345678", text="123456", lifetime_s=300)
    _noon.move_to(NOON + dt.timedelta(seconds=300))
    send_due()
    message.refresh_from_db()
    assert (message.state, channel.sent) == ("cancelled", [])


def test_a_code_is_blanked_a_quarter_of_an_hour_after_it_expired(_noon: time_machine.Traveller) -> None:
    message = queue_code(phone="+919812345678", text="123456", lifetime_s=300)
    _noon.move_to(NOON + dt.timedelta(minutes=20))
    assert blank_codes() == 0
    _noon.move_to(NOON + dt.timedelta(minutes=20, seconds=1))
    assert blank_codes() == 1
    assert blank_codes() == 0
    message.refresh_from_db()
    assert message.text == BLANKED


# --- races ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_same_key_raced_by_threads_is_one_message(shop: Shop) -> None:
    ids: list[int] = []

    def insert() -> None:
        row = queue_message(
            shop=shop, purpose="receipt", channel="sms", recipient="+919812345678", text="x", dedupe_key="one"
        )
        ids.append(row.pk)
        connection.close()

    threads = [threading.Thread(target=insert) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_payment_saved_while_we_look_stops_the_reminder(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL looks inside its transaction, after its locks")
    khata = make_debtor(shop)
    make_reminder(khata)
    plain, looks = courtesy.gather, []

    def pay() -> None:
        post(khata, 500_00, "got")
        connection.close()

    def gather(*args: Any) -> Any:
        looks.append(plain(*args))
        if len(looks) == 1:
            other = threading.Thread(target=pay)
            other.start()
            other.join()
        return looks[-1]

    monkeypatch.setattr(courtesy, "gather", gather)
    send_due()
    assert len(looks) == 2
    assert states() == [Message.State.CANCELLED]
