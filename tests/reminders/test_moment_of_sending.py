"""What was queued in the evening is read once more in the morning: number, link, balance, reason."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine

from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from parties.models import Party
from parties.services import edit_party
from payments.models import PayLink
from payments.services import revoke_link, rotate_link
from reminders import compose
from reminders.asking import queue_link, remind
from reminders.confirming import queue_entry_messages, queue_receipts
from reminders.models import Message, Via
from reminders.outbox import retry_message
from reminders.runs import start_run, work_run
from reminders.sending import send_due
from shops.models import Shop
from tests.cast import post
from tests.reminders.people import NOON, make_debtor, states

pytestmark = pytest.mark.django_db
EVENING = NOON.replace(hour=20)
MORNING = NOON + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(EVENING, tick=False) as traveller:
        yield traveller


def next_day(clock: time_machine.Traveller, message: Message) -> Message:
    """The worker of the next noon has been; what became of the message."""
    clock.move_to(MORNING)
    send_due()
    message.refresh_from_db()
    return message


def link_of(khata: Khata) -> PayLink:
    return PayLink.objects.for_shop(khata.shop_id).get(khata=khata)


def test_a_reminder_goes_to_the_number_that_was_corrected_overnight(
    shop: Shop, clock: time_machine.Traveller
) -> None:
    khata = make_debtor(shop)
    message = remind(khata=khata, actor=None, channel=Via.SMS, key="k")
    party = Party.everything.get(pk=khata.party_id)
    changes = {"phone": "+919812399999"}
    edit_party(party=party, actor=None, changes=changes, consent=True, consent_anew=True)
    sent = next_day(clock, message)
    assert (sent.state, sent.recipient) == ("sent", "+919812399999")


def test_nothing_goes_to_a_number_that_was_taken_out(shop: Shop, clock: time_machine.Traveller) -> None:
    khata = make_debtor(shop)
    message = remind(khata=khata, actor=None, channel=Via.SMS, key="k")
    Party.everything.filter(pk=khata.party_id).update(phone="")
    sent = next_day(clock, message)
    assert sent.state == "cancelled"
    assert "taken out" in sent.rule


@pytest.mark.parametrize("end", [rotate_link, revoke_link])
@pytest.mark.parametrize("ask", [remind, queue_link])
def test_no_message_leaves_with_a_link_that_opens_nothing(
    shop: Shop, clock: time_machine.Traveller, ask: Callable[..., Message], end: Callable[..., PayLink]
) -> None:
    khata = make_debtor(shop)
    message = ask(khata=khata, actor=None, channel=Via.SMS, key="k")
    dead = compose.page_in(message.text)
    end(link=link_of(khata), actor=None)
    sent = next_day(clock, message)
    assert sent.state == "sent"
    assert dead not in sent.text
    assert compose.page_in(sent.text) == compose.links_of([khata])[khata.pk]


def test_a_receipt_says_the_balance_of_the_moment_it_leaves(shop: Shop, clock: time_machine.Traveller) -> None:
    khata = make_debtor(shop, opening_paise=500_00)
    mistake = post(khata, 1_000_00)
    post(khata, 100_00, "got")
    queue_receipts()
    reverse_entry(shop=shop, entry=Entry.everything.get(pk=mistake.entry.pk), actor=None)
    message = next_day(clock, Message.everything.get())
    assert message.state == "sent"
    assert "₹400" in message.text
    assert "1,400" not in message.text


def test_a_receipt_sent_again_by_a_person_says_the_balance_of_that_day(
    shop: Shop, clock: time_machine.Traveller
) -> None:
    khata = make_debtor(shop, opening_paise=500_00)
    post(khata, 100_00, "got")
    queue_receipts()
    Message.everything.update(state="unknown")
    clock.move_to(MORNING)
    post(khata, 50_00)
    retry_message(message=Message.everything.get(), actor=None)
    send_due()
    assert "₹450" in Message.everything.get().text


def test_an_entry_message_speaks_of_an_advance_as_an_advance(shop: Shop, clock: time_machine.Traveller) -> None:
    shop.sends_entries = True
    shop.save(update_fields=["sends_entries"])
    khata = make_debtor(shop, opening_paise=-500_00)
    post(khata, 50_00)
    queue_entry_messages()
    text = Message.everything.get().text
    assert "You have ₹450 in advance" in text
    assert "−" not in text


def test_who_owes_nothing_due_any_more_is_left_out_of_a_run_over_the_due(
    shop: Shop, clock: time_machine.Traveller
) -> None:
    due_day = (EVENING - dt.timedelta(days=40)).date()
    late, later = make_debtor(shop, "Late", opening_paise=0), make_debtor(shop, "Later", opening_paise=0)
    entries = [post(khata, 500_00, occurred_on=due_day).entry for khata in (late, later)]
    for khata in (late, later):
        post(khata, 70_00, due_on=(MORNING + dt.timedelta(days=20)).date())
    for key, of_due in (("due", True), ("picked", False)):
        wanted = [late.party_id] if of_due else [later.party_id]
        run = start_run(shop=shop, actor=None, party_ids=wanted, channel=Via.SMS, key=key, of_due=of_due)
        work_run(run.pk)
    for entry in entries:
        reverse_entry(shop=shop, entry=entry, actor=None)
    clock.move_to(MORNING)
    send_due()
    assert states(party=late.party_id) == ["cancelled"]
    assert states(party=later.party_id) == ["sent"], "whom a person picks is asked, due or not"


def test_a_reminder_that_waited_for_days_is_not_sent(shop: Shop, clock: time_machine.Traveller) -> None:
    khata = make_debtor(shop)
    message = remind(khata=khata, actor=None, channel=Via.SMS, key="k")
    clock.move_to(MORNING + dt.timedelta(days=3))
    send_due()
    message.refresh_from_db()
    assert message.state == "cancelled"
    assert "waited too long" in message.rule
