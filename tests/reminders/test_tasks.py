"""What django-q2 calls, and what races when two ticks meet."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from core import worker
from ledger.models import LedgerCheck
from reminders import tasks, tick
from reminders.asking import ask_by_rules, save_rule
from reminders.confirming import queue_alarms, queue_receipts
from reminders.models import Beat, Message
from shops.models import Role, Shop
from shops.services import add_member
from tests.cast import make_shop, make_user, post
from tests.reminders.people import make_debtor


@pytest.fixture
def open_shop(db: None) -> Shop:
    return make_shop(make_user("Asha"), quiet_from="08:00", quiet_until="08:00")


@pytest.mark.django_db
def test_the_tick_has_the_book_checked_once_a_night(open_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    nights = iter([True, False])
    monkeypatch.setattr(tasks, "async_task", asked.append)
    monkeypatch.setattr(tasks, "claim_night", lambda: next(nights))
    tasks.tick()
    tasks.tick()
    assert asked == ["reminders.tasks.check_book"]


@pytest.mark.django_db
def test_the_check_of_the_book_leaves_its_result(open_shop: Shop) -> None:
    post(make_debtor(open_shop), 100_00)
    tasks.check_book()
    assert LedgerCheck.objects.get().is_clean
    assert Beat.objects.get(name="check_ledger").note == "clean"


@pytest.mark.django_db
def test_nudges_never_fill_the_queue(settings: Any) -> None:
    settings.WORKER_NUDGE = "reminders.tasks.tick_soon"
    knocks = [worker.knock_now() for _ in range(worker._MAX_WAITING + 3)]
    assert knocks.count(True) == worker._MAX_WAITING == OrmQ.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_nudge_waits_for_the_commit_and_calls_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WORKER_NUDGE = "reminders.tasks.tick_soon"
    knocked = threading.Event()
    knocks: list[int] = []

    def knock_now() -> bool:
        knocks.append(1)
        knocked.set()
        return True

    monkeypatch.setattr(worker, "knock_now", knock_now)
    for _ in range(5):
        worker.nudge()
    assert knocked.wait(timeout=5)
    assert len(knocks) == 1


@pytest.mark.django_db(transaction=True)
def test_nudges_for_about_the_same_time_share_a_knock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WORKER_NUDGE = "reminders.tasks.tick_soon"
    waits: list[float] = []

    class NoThread:
        def __init__(self, *, args: tuple[int, float], **_: Any) -> None:
            waits.append(args[1])

        def start(self) -> None:
            pass

    monkeypatch.setattr(worker.threading, "Thread", NoThread)
    monkeypatch.setattr(worker, "_knocking", set())
    monkeypatch.setattr(worker.time, "monotonic", lambda: 100.0)
    for after_s in (0, 13, 13, 0, 13):
        worker.nudge(after_s=after_s)
    assert waits == [worker._GATHER_S, 15.0]


def in_threads(work: Callable[[], Any], count: int = 4) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_ticks_that_meet_queue_everything_once(open_shop: Shop) -> None:
    khatas = [make_debtor(open_shop) for _ in range(8)]
    for khata in khatas:
        post(khata, 100_00, "got")
    debtor = make_debtor(open_shop, opening_paise=0)
    long_ago = open_shop.today().replace(year=open_shop.today().year - 1)
    post(debtor, 500_00, occurred_on=long_ago, due_on=long_ago)
    save_rule(shop=open_shop, actor=None, values={"name": "x", "channel": "sms"})
    owner = make_user("Anil")
    add_member(shop=open_shop, actor=owner, phone="+919812300009", role=Role.CASHIER)
    for work in (queue_receipts, ask_by_rules, queue_alarms):
        in_threads(work)
    purposes = list(Message.everything.values_list("purpose", flat=True))
    assert sorted(purposes) == ["alert", *["receipt"] * 8, "reminder"]


@pytest.mark.django_db(transaction=True)
def test_ticks_that_meet_send_everything_once(open_shop: Shop) -> None:
    for _ in range(30):
        post(make_debtor(open_shop), 100_00, "got", source="provider")
    in_threads(tick.run_tick, count=3)
    tick.run_tick()
    assert list(Message.everything.values_list("state", "attempts")) == [("sent", 1)] * 30
