"""Remind many at once: refused ones with their reason, stopped at once, never twice."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine

from core.db import Pace
from parties.services import archive_party
from reminders import runs, sending
from reminders.models import Message, Run
from reminders.runs import RunError, start_run, stop_run, work_open_runs, work_run
from reminders.sending import send_due
from shops.models import Shop
from tests.cast import make_shop, post
from tests.reminders.people import NOON, make_debtor, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_a_run_queues_who_may_be_asked_and_says_why_not_the_others(shop: Shop) -> None:
    good, paid, silent, archived, phoneless = (
        make_debtor(shop),
        make_debtor(shop),
        make_debtor(shop, consent_source=""),
        make_debtor(shop),
        make_debtor(shop, phone=""),
    )
    post(paid, 500_00, "got")
    archive_party(party=archived.party, actor=None)
    ids = [khata.party_id for khata in (good, paid, silent, archived, phoneless)]
    run = start_run(shop=shop, actor=None, party_ids=ids, channel="sms", key="k")
    assert work_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.position, run.queued, run.refused) == ("done", 5, 1, 4)
    reasons = dict(Message.everything.filter(run=run, state="cancelled").values_list("party_id", "rule"))
    assert reasons[paid.party_id] == "Not sent: nothing is owed any more."
    assert reasons[silent.party_id] == "Not sent: there is no consent for SMS."
    assert (
        reasons[archived.party_id] == "Not sent: there is no consent for SMS."
        or "archived" in reasons[archived.party_id]
    )
    assert phoneless.party_id in reasons
    send_due()
    assert Message.everything.get(party=good.party_id).state == "sent"


def test_the_same_form_twice_is_one_run(shop: Shop) -> None:
    khata = make_debtor(shop)
    first = start_run(shop=shop, actor=None, party_ids=[khata.party_id], channel="sms", key="k")
    again = start_run(shop=shop, actor=None, party_ids=[khata.party_id], channel="sms", key="k")
    assert first == again
    work_run(first.pk)
    work_run(first.pk)
    assert len(states()) == 1


def test_parties_of_another_shop_are_left_out(shop: Shop) -> None:
    mine, theirs = make_debtor(shop), make_debtor(make_shop(name="Other"))
    run = start_run(shop=shop, actor=None, party_ids=[theirs.party_id, mine.party_id], channel="sms", key="k")
    assert run.party_ids == [mine.party_id]
    with pytest.raises(RunError, match="Nobody was chosen"):
        start_run(shop=shop, actor=None, party_ids=[theirs.party_id], channel="sms", key="k2")
    with pytest.raises(RunError):
        start_run(shop=shop, actor=None, party_ids=[mine.party_id], channel="pigeon", key="k3")
    with pytest.raises(RunError):
        start_run(shop=shop, actor=None, party_ids=[mine.party_id], channel="sms", key="")


def test_a_second_run_on_the_same_day_asks_nobody_again(shop: Shop) -> None:
    khata = make_debtor(shop)
    for key in ("one", "two"):
        work_run(start_run(shop=shop, actor=None, party_ids=[khata.party_id], channel="sms", key=key).pk)
        send_due()
    assert states() == ["sent", "cancelled"]


def test_a_stopped_run_sends_no_more(shop: Shop) -> None:
    ids = [make_debtor(shop).party_id for _ in range(5)]
    run = start_run(shop=shop, actor=None, party_ids=ids, channel="sms", key="k")
    runs._work_batch(run.pk, Pace(2))
    stopped = stop_run(run=run, actor=None)
    assert stopped.state == "stopped"
    assert work_run(run.pk)
    assert send_due() == 0
    assert states() == ["cancelled", "cancelled"]
    run.refresh_from_db()
    assert run.position == 2


def test_what_a_worker_had_claimed_when_the_run_was_stopped_is_not_sent(shop: Shop) -> None:
    khata = make_debtor(shop)
    run = start_run(shop=shop, actor=None, party_ids=[khata.party_id], channel="sms", key="k")
    work_run(run.pk)
    batch = sending._claim(10)
    stop_run(run=run, actor=None)
    sending._send_batch(batch, stop_at=float("inf"), pace=Pace())
    message = Message.everything.get(run=run)
    assert (message.state, message.rule) == ("cancelled", "Not sent: the run was stopped.")


def test_in_the_evening_a_run_waits_for_the_morning(shop: Shop, _noon: time_machine.Traveller) -> None:
    _noon.move_to(NOON.replace(hour=20))
    khata = make_debtor(shop)
    run = start_run(shop=shop, actor=None, party_ids=[khata.party_id], channel="sms", key="k")
    work_run(run.pk)
    message = Message.everything.get(run=run)
    assert (message.state, message.due_at) == ("queued", NOON.replace(hour=8) + dt.timedelta(days=1))


def test_a_broken_run_never_stops_the_others(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (
        start_run(shop=shop, actor=None, party_ids=[make_debtor(shop).party_id], channel="sms", key=key)
        for key in ("one", "two")
    )
    plain = runs._rows

    def rows(run: Run, ids: list[int]) -> list[Message]:
        if run.pk == first.pk:
            raise ValueError("poison")
        return plain(run, ids)

    monkeypatch.setattr(runs, "_rows", rows)
    assert work_open_runs() == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("waiting", "done")


def test_a_row_that_the_database_refuses_never_holds_the_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    khatas = [make_debtor(shop) for _ in range(3)]
    run = start_run(shop=shop, actor=None, party_ids=[k.party_id for k in khatas], channel="sms", key="k")
    plain = runs._rows

    def rows(run: Run, ids: list[int]) -> list[Message]:
        made = plain(run, ids)
        made[1].recipient = ""
        return made

    monkeypatch.setattr(runs, "_rows", rows)
    assert work_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.queued, run.refused) == ("done", 2, 1)
    assert set(states(run=run)) == {"queued"}
    assert Message.everything.filter(run=run).count() == 2
