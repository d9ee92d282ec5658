"""The worker's minute: what has no message yet gets one, and one failure never stops the rest."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django_q.models import Schedule

from core import worker
from ledger.services import reverse_entry
from parties.services import edit_party
from payments.services import confirm_claim, make_claim, make_link
from reminders import asking, confirming, tick
from reminders.asking import ReminderRefused, ask_by_rules, log_tap, remind, save_rule, switch_rule
from reminders.confirming import queue_alarms, queue_entry_messages, queue_receipts, queue_reversals
from reminders.models import Beat, Message
from reminders.sending import send_due
from shops.models import AuditEvent, Role, Shop
from shops.services import add_member, change_role, change_settings, enter_seat, revoke_member
from tests.cast import Cast, make_member, make_shop, make_user, post
from tests.reminders.people import NOON, make_debtor, make_reminder, states

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def _noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


# --- receipts and entries ---------------------------------------------------------------------


def test_a_payment_gets_one_receipt_however_often_one_looks(shop: Shop, _noon: time_machine.Traveller) -> None:
    khata = make_debtor(shop)
    entry = post(khata, 200_00, "got").entry
    for _ in range(3):
        queue_receipts()
    message = Message.everything.get()
    assert message.dedupe_key == f"receipt:{entry.pk}"
    assert message.channel == "whatsapp"
    assert "₹200" in message.text
    assert "₹300" in message.text
    assert send_due() == 0  # it can still be undone
    _noon.move_to(NOON + confirming.UNDO_WAIT)
    send_due()
    assert states() == ["sent"]


def test_an_undone_payment_gets_no_receipt(shop: Shop, _noon: time_machine.Traveller) -> None:
    entry = post(make_debtor(shop), 200_00, "got").entry
    queue_receipts()
    reverse_entry(shop=shop, entry=entry, actor=None)
    _noon.move_to(NOON + confirming.UNDO_WAIT)
    send_due()
    assert states() == ["cancelled"]
    other = post(make_debtor(shop), 200_00, "got").entry
    reverse_entry(shop=shop, entry=other, actor=None)
    assert queue_receipts() == 0


def test_a_claim_confirmed_days_later_gets_its_receipt(cast: Cast, _noon: time_machine.Traveller) -> None:
    khata = make_debtor(cast.shop)
    link = make_link(shop=cast.shop, khata=khata, actor=None)
    claim = make_claim(link=link, amount_paise=200_00, utr="412355678812").claim
    assert claim is not None
    _noon.move_to(NOON + dt.timedelta(days=5))
    entry = confirm_claim(claim=claim, actor=cast.asha).entry
    assert entry is not None
    assert entry.occurred_on == TODAY
    assert queue_receipts() == 1
    assert queue_receipts() == 0
    assert Message.everything.get().dedupe_key == f"receipt:{entry.pk}"


# --- what was told and then taken back ---------------------------------------------------------


def told_and_reversed(shop: Shop, traveller: time_machine.Traveller, **party: Any) -> Any:
    """A payment of ₹200 whose receipt left, then its deletion: (khata, entry)."""
    khata = make_debtor(shop, **party)
    entry = post(khata, 200_00, "got").entry
    queue_receipts()
    traveller.move_to(NOON + confirming.UNDO_WAIT)
    send_due()
    traveller.move_to(NOON + dt.timedelta(hours=1))
    reverse_entry(shop=shop, entry=entry, actor=None)
    return khata, entry


def test_who_got_a_receipt_is_told_once_that_it_was_taken_back(shop: Shop, _noon: time_machine.Traveller) -> None:
    khata, entry = told_and_reversed(shop, _noon)
    assert queue_reversals() == 1
    for _ in range(3):
        assert queue_reversals() == 0
    _noon.move_to(NOON + dt.timedelta(hours=2))
    send_due()
    message = Message.everything.get(dedupe_key=f"reversal:{entry.pk}")
    assert (message.state, message.party_id) == ("sent", khata.party_id)
    assert "took back the line of ₹200" in message.text
    assert "Your balance is now ₹500" in message.text
    assert queue_receipts() == queue_entry_messages() == queue_reversals() == 0


def test_a_receipt_that_never_left_is_not_taken_back(shop: Shop) -> None:
    entry = post(make_debtor(shop), 200_00, "got").entry
    queue_receipts()
    reverse_entry(shop=shop, entry=entry, actor=None)
    assert queue_reversals() == 0


def test_who_stopped_messages_is_not_told_of_a_deletion(shop: Shop, _noon: time_machine.Traveller) -> None:
    khata, entry = told_and_reversed(shop, _noon)
    edit_party(party=khata.party, actor=None, changes={}, consent=False)
    queue_reversals()
    assert Message.everything.get(dedupe_key=f"reversal:{entry.pk}").state == "cancelled"


def test_an_entry_that_was_told_is_taken_back_in_words_too(shop: Shop, _noon: time_machine.Traveller) -> None:
    change_settings(shop=shop, actor=make_user(), changes={"sends_entries": True})
    entry = post(make_debtor(shop, language="hi"), 100_00).entry
    queue_entry_messages()
    _noon.move_to(NOON + confirming.UNDO_WAIT)
    send_due()
    reverse_entry(shop=shop, entry=entry, actor=None)
    assert queue_reversals() == 1
    text = Message.everything.get(dedupe_key=f"reversal:{entry.pk}").text
    assert "₹100" in text
    assert "Hello" not in text


def test_money_that_came_by_itself_is_confirmed_at_once(shop: Shop) -> None:
    post(make_debtor(shop), 200_00, "got", source="provider")
    queue_receipts()
    send_due()
    assert states() == ["sent"]


@pytest.mark.parametrize(
    "fields", [{"source": "import"}, {"occurred_on": TODAY - dt.timedelta(days=20)}, {"kind": "discount"}]
)
def test_imports_old_days_and_discounts_get_no_receipt(shop: Shop, fields: dict[str, Any]) -> None:
    post(make_debtor(shop), 200_00, "got", **fields)
    assert queue_receipts() == 0


def test_a_worker_that_was_off_for_days_wakes_nobody_up(shop: Shop, _noon: time_machine.Traveller) -> None:
    post(make_debtor(shop), 200_00, "got")
    _noon.move_to(NOON + dt.timedelta(days=3))
    assert queue_receipts() == 0


def test_a_shop_may_want_no_receipts(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(sends_receipts=False)
    post(make_debtor(shop), 200_00, "got")
    assert queue_receipts() == 0


def test_a_receipt_without_consent_is_kept_as_not_sent(shop: Shop) -> None:
    post(make_debtor(shop, consent_source=""), 200_00, "got")
    queue_receipts()
    queue_receipts()
    message = Message.everything.get()
    assert (message.state, message.rule) == ("cancelled", "Not sent: this party has not agreed to messages.")


def test_nobody_without_phone_and_email_is_looked_at(shop: Shop) -> None:
    post(make_debtor(shop, phone=""), 200_00, "got")
    assert queue_receipts() == 0


def test_entries_are_told_only_where_the_shop_wants_it(shop: Shop) -> None:
    khata = make_debtor(shop)
    post(khata, 200_00, "gave")
    assert queue_entry_messages() == 0
    Shop.objects.filter(pk=shop.pk).update(sends_entries=True)
    assert queue_entry_messages() == 1
    assert queue_entry_messages() == 0
    text = Message.everything.get().text
    assert "₹200 on credit" in text
    assert "₹700" in text


def test_a_payment_has_a_receipt_and_no_second_message(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(sends_entries=True)
    post(make_debtor(shop), 200_00, "got")
    assert (queue_receipts(), queue_entry_messages()) == (1, 0)


# --- alarms -----------------------------------------------------------------------------------


def test_an_alarm_reaches_every_owner_once(cast: Cast) -> None:
    second = make_member(cast.shop, Role.OWNER, name="Anil")
    add_member(shop=cast.shop, actor=cast.asha, phone="+919812300001", role=Role.CASHIER)
    for _ in range(3):
        queue_alarms()
    assert set(Message.everything.values_list("recipient", flat=True)) == {cast.asha.phone, second.phone}
    assert Message.everything.count() == 2
    message = Message.everything.filter(recipient=second.phone).get()
    assert message.shop == cast.shop
    assert "was added as Cashier. Done by Asha." in message.text


def test_an_owner_who_is_put_out_before_the_tick_is_told_all_the_same(
    cast: Cast, _noon: time_machine.Traveller
) -> None:
    seat = add_member(shop=cast.shop, actor=cast.asha, phone="+919812300002", role=Role.OWNER)
    enter_seat(seat)
    thief = seat.user
    _noon.shift(1)
    change_role(member=cast.asha.seats.get(), actor=thief, role=Role.VIEWER)
    _noon.shift(1)
    change_settings(shop=cast.shop, actor=thief, changes={"upi_id": "thief@okaxis"})
    queue_alarms()
    told = Message.everything.filter(recipient=cast.asha.phone)
    assert [text for message in told for text in ("added", "is now Viewer", "UPI") if text in message.text] == [
        "added",
        "is now Viewer",
    ]
    assert Message.everything.filter(recipient=thief.phone).count() == 3


def test_an_owner_put_out_and_taken_in_again_as_less_is_told(cast: Cast) -> None:
    thief = make_member(cast.shop, Role.OWNER, name="Thief")
    revoke_member(member=cast.asha.seats.get(), actor=thief)
    add_member(shop=cast.shop, actor=thief, phone=cast.asha.phone, role=Role.VIEWER)
    queue_alarms()
    told = Message.everything.filter(recipient=cast.asha.phone)
    assert sum("taken out" in message.text for message in told) == 1


# --- rules ------------------------------------------------------------------------------------


def overdue(shop: Shop, days: int = 10, **fields: Any) -> Any:
    khata = make_debtor(shop, opening_paise=0, **fields)
    post(khata, 500_00, due_on=TODAY - dt.timedelta(days=days), occurred_on=TODAY - dt.timedelta(days=days + 30))
    return khata


def rule(shop: Shop, **values: Any) -> Any:
    values = {"name": "Weekly", "channel": "sms", "days_after_due": 3, "every_days": 7} | values
    return save_rule(shop=shop, actor=None, values=values)


def test_a_rule_asks_once_a_day_and_then_every_seven(shop: Shop, _noon: time_machine.Traveller) -> None:
    overdue(shop)
    rule(shop)
    asked = []
    for day in range(15):
        _noon.move_to(NOON + dt.timedelta(days=day))
        for _ in range(2):
            ask_by_rules()
            send_due()
        asked.append(Message.everything.filter(state="sent").count())
    assert asked == [1] * 7 + [2] * 7 + [3]


def test_a_rule_waits_for_its_day_and_its_amount(shop: Shop) -> None:
    rule(shop, days_after_due=10, min_amount_paise=500_00)
    early, due = overdue(shop, days=9), overdue(shop, days=10)
    small = make_debtor(shop, opening_paise=0)
    post(small, 499_99, due_on=TODAY - dt.timedelta(days=50), occurred_on=TODAY - dt.timedelta(days=60))
    assert ask_by_rules() == 1
    assert Message.everything.get().party_id == due.party_id
    assert early.party_id != due.party_id


def test_a_rule_asks_nobody_at_night_who_paused_or_did_not_agree(
    shop: Shop, _noon: time_machine.Traveller
) -> None:
    rule(shop)
    overdue(shop, consent_source="")
    paused = overdue(shop)
    edit_party(party=paused.party, actor=None, changes={"reminders_paused_until": TODAY + dt.timedelta(days=3)})
    overdue(shop, kind="supplier")
    assert ask_by_rules() == 0
    overdue(shop)
    _noon.move_to(NOON.replace(hour=20))
    assert ask_by_rules() == 0


def test_a_rule_that_is_off_or_of_a_paused_shop_asks_nobody(shop: Shop) -> None:
    overdue(shop)
    row = rule(shop)
    switch_rule(rule=row, actor=None, enabled=False)
    assert ask_by_rules() == 0
    switch_rule(rule=row, actor=None, enabled=True)
    Shop.objects.filter(pk=shop.pk).update(reminders_paused=True)
    assert ask_by_rules() == 0


def test_a_rule_that_breaks_never_stops_other_shops(shop: Shop) -> None:
    broken = make_shop(name="Elsewhere", zone="No/Where")
    rule(broken)
    overdue(shop)
    rule(shop)
    assert ask_by_rules() == 1


def test_two_rules_and_a_hand_ask_once_on_one_day(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(weekly_cap=9)
    khata = overdue(shop)
    rule(shop)
    rule(shop, name="Another")
    remind(khata=khata, actor=None, channel="sms", key="hand")
    ask_by_rules()
    send_due()
    assert states().count("sent") == 1


def test_a_rules_reminder_is_dropped_once_nothing_is_past_its_day(shop: Shop) -> None:
    khata = overdue(shop)
    rule(shop)
    ask_by_rules()
    post(khata, 100_00, "gave")  # newer goods on credit stay owed
    post(khata, 500_00, "got", kind="discount")  # the overdue part is settled
    send_due()
    assert Message.everything.get().rule == "Not sent: nothing is past its day any more."


def test_a_rule_without_a_channel_is_cancelled_in_plain_words(shop: Shop, settings: Any) -> None:
    settings.DEMO_OUTBOX = False
    overdue(shop)
    rule(shop)
    ask_by_rules()
    send_due()
    assert Message.everything.get().rule == "Not sent: no way to send SMS is set up."


# --- by hand ----------------------------------------------------------------------------------


def test_a_double_tap_on_send_is_one_message(shop: Shop) -> None:
    khata = make_debtor(shop)
    first = remind(khata=khata, actor=None, channel="sms", key="k")
    assert remind(khata=khata, actor=None, channel="sms", key="k") == first
    send_due()
    with pytest.raises(ReminderRefused, match="already reminded"):
        remind(khata=khata, actor=None, channel="sms", key="k2")


def test_two_taps_that_race_are_one_line_in_the_trail(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second tap looks before the first has written, and finds its row only when it inserts."""
    khata, raced = make_debtor(shop), []
    plain = asking.queue_message

    def second(**fields: Any) -> Message:
        if not raced:
            raced.append(True)
            remind(khata=khata, actor=None, channel="sms", key="k")
        return plain(**fields)

    monkeypatch.setattr(asking, "queue_message", second)
    remind(khata=khata, actor=None, channel="sms", key="k")
    assert Message.everything.count() == 1
    assert AuditEvent.objects.for_shop(shop).filter(action="reminder.queued").count() == 1


def test_a_tap_that_loses_the_slot_to_the_worker_is_written_down(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    khata = make_debtor(shop)
    plain, raced = asking.insert_once, []

    def late(message: Message) -> Message:
        if not raced:  # the worker sends in the moment between looking and writing
            raced.append(make_reminder(khata))
            send_due()
        return plain(message)

    monkeypatch.setattr(asking, "insert_once", late)
    tapped = log_tap(khata=khata, actor=None, channel="sms")
    assert (tapped.state, tapped.slot) == ("sent", None)
    raced[0].refresh_from_db()
    assert raced[0].slot == f"{khata.party_id}:sms:{TODAY.isoformat()}"


def test_a_tap_counts_once_a_day_and_for_the_caps(shop: Shop) -> None:
    khata = make_debtor(shop)
    for _ in range(3):
        log_tap(khata=khata, actor=None, channel="sms")
    message = Message.everything.get()
    assert (message.state, message.backend) == ("sent", "tap")
    with pytest.raises(ReminderRefused, match="already reminded"):
        remind(khata=khata, actor=None, channel="sms", key="k")


def test_a_tap_after_a_reminder_is_still_written_down(shop: Shop) -> None:
    khata = make_debtor(shop)
    remind(khata=khata, actor=None, channel="sms", key="k")
    send_due()
    assert log_tap(khata=khata, actor=None, channel="sms").slot is None


# --- the tick itself --------------------------------------------------------------------------


def test_one_part_that_breaks_never_stops_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("no")

    monkeypatch.setitem(tick.PARTS, "receipts", broken)
    post(make_debtor(shop), 200_00, "got", source="provider")
    said = tick.run_tick()
    assert said["receipts"] == "broken"
    assert [name for name, answer in said.items() if answer == "broken"] == ["receipts"]
    assert Beat.objects.get(name="tick").note == "broken: receipts"
    monkeypatch.undo()
    tick.run_tick()
    assert states() == ["sent"]
    assert Beat.objects.get(name="tick").note == ""


def test_a_night_is_claimed_once(_noon: time_machine.Traveller) -> None:
    assert [tick.claim_night() for _ in range(3)] == [True, False, False]
    midnight = NOON.replace(hour=0) + dt.timedelta(days=1)
    _noon.move_to(midnight + dt.timedelta(hours=1, minutes=59))
    assert not tick.claim_night()
    _noon.move_to(midnight + dt.timedelta(hours=2))
    assert [tick.claim_night() for _ in range(2)] == [True, False]


def test_the_schedule_is_one_however_often_it_is_ensured() -> None:
    for _ in range(2):
        call_command("ensure_schedules", verbosity=0)
    schedule = Schedule.objects.get()
    assert (schedule.func, schedule.minutes) == ("reminders.tasks.tick", 1)


def test_a_nudge_never_breaks_a_view(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WORKER_NUDGE = "reminders.tasks.tick_soon"
    knocks = []
    monkeypatch.setattr(worker.connection, "close", lambda: None)

    def knock_now() -> None:
        knocks.append(1)
        raise OSError("the broker is gone")

    monkeypatch.setattr(worker, "knock_now", knock_now)
    worker._knock(0, 0)
    assert knocks == [1]
    with transaction.atomic():
        worker.nudge()


def test_two_shops_rules_never_mix(shop: Shop) -> None:
    other = make_shop(name="Other")
    rule(shop)
    overdue(other)
    assert ask_by_rules() == 0
