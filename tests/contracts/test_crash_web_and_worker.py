"""kill -9 of web and worker while people write, pay and are reminded: nothing lost, nothing doubled.

A real gunicorn and a real qcluster, both as ``make run`` starts them. The blows are seeded and fall
after a counted number of things have happened, not after a time: a slow machine gets the same test.
"""

import datetime as dt
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F, Q
from django_q.models import OrmQ
from django_q.tasks import async_task

from core import clock
from ledger.checks import check_all
from ledger.models import Entry, Khata
from payments.links import token_of
from payments.models import Payment, ProviderEvent, SandboxDelivery
from payments.services import ensure_sandbox, make_link
from reminders.models import Message, Run
from reminders.runs import start_run
from reminders.sending import STUCK_AFTER
from shops.models import Role, Shop
from tests import oracle
from tests.cast import client_of, make_member, make_shop
from tests.house import House, wait_until
from tests.reminders.people import make_debtor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SEED = 6172
CASHIERS, CUSTOMERS, DEBTORS = 4, 2, 60
# Who is hit, and whether one process of it or all at once.
BLOWS = [("web", "one")] * 4 + [("web", "all")] + [("worker", "one")] * 2 + [("worker", "all")] * 2
State = Message.State


class Hands:
    """The processes of tests/hands.py and what was acknowledged to them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, list[subprocess.Popen[bytes]]()

    def start(self, *words: object) -> None:
        place = len(self.running)
        with (
            (self.folder / f"hand-{place}").open("wb") as out,
            (self.folder / f"errors-{place}").open("wb") as bad,
        ):
            command = [sys.executable, "-m", "tests.hands", *map(str, words)]
            self.running.append(subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=out, stderr=bad))

    def said(self) -> list[dict[str, Any]]:
        """Every whole line of every hand."""
        texts = [(self.folder / f"hand-{place}").read_text() for place in range(len(self.running))]
        return [json.loads(line) for text in texts for line in text.split("\n")[:-1]]

    def finish(self) -> list[dict[str, Any]]:
        """Let everybody end the form in hand; what was acknowledged in all."""
        for hand in self.running:
            hand.send_signal(signal.SIGTERM)
        for place, hand in enumerate(self.running):
            hand.wait(timeout=120)
            self.hear_complaints(place)
        return self.said()

    def hear_complaints(self, *places: int) -> None:
        """A hand gives up at once when it is answered with an error: no killing excuses one."""
        for place in places or range(len(self.running)):
            errors = (self.folder / f"errors-{place}").read_text()
            assert not self.running[place].poll(), f"{errors}\n{(self.folder / 'log').read_text()[-5000:]}"

    def kill(self) -> None:
        for hand in self.running:
            hand.kill()
            hand.wait()


def open_doors(shop: Shop, khatas: list[Khata], house: House, hands: Hands) -> None:
    """Cashiers on few khatas, so that they meet there; customers each on their own links."""
    paths = [f"/s/{shop.code}/k/{khata.party.code}/gave/" for khata in khatas]
    for number in range(CASHIERS):
        person = client_of(make_member(shop, Role.CASHIER, name=f"Cashier {number}"))
        cookie = person.cookies[settings.SESSION_COOKIE_NAME].value
        hands.start("cashier", house.address, cookie, f"{SEED}-{number}", *paths[:3])
    tokens = [token_of(make_link(shop=shop, khata=khata, actor=None)) for khata in khatas]
    for number in range(CUSTOMERS):
        hands.start("customer", house.address, f"{SEED}+{number}", *tokens[number::CUSTOMERS])


def sent(house: House) -> list[int]:
    return [int(line) for line in house.trace.read_text().split()] if house.trace.exists() else []


def strike(house: House, hands: Hands, chance: random.Random) -> None:
    """Every blow once, in an order of chance, each after something was done since the one before."""
    blows = chance.sample(BLOWS, len(BLOWS))
    for whom, how in blows:
        written, out = len(hands.said()) + chance.randrange(2, 12), len(sent(house)) + chance.randrange(1, 6)

        def is_time(whom: str = whom, written: int = written, out: int = out) -> bool:
            hands.hear_complaints()
            house.revive()
            wake()
            return len(sent(house)) >= out if whom == "worker" else len(hands.said()) >= written

        wait_until(is_time, f"something to do for the {whom} before a blow\n{house.said()[-3000:]}")
        time.sleep(chance.random() / 20)
        house.kill(getattr(house, whom), chance if how == "one" else None)


def wake() -> None:
    """A tick, unless some are waiting: the schedule's minute is too long for a test."""
    if OrmQ.objects.filter(lock__lte=clock.now()).count() < 2:
        async_task("reminders.tasks.tick_soon")


def long_ago() -> None:
    """As if the last crash had happened some minutes ago: what it held may be taken up."""
    held = Message.everything.filter(state=State.SENDING)
    held.update(claimed_at=F("claimed_at") - STUCK_AFTER * 2, begun_at=F("begun_at") - STUCK_AFTER * 2)
    SandboxDelivery.objects.filter(delivered_at=None).update(send_at=clock.now(), attempts=1)


def is_settled() -> bool:
    """Every webhook told and acted upon, every run over, everything that is due said."""
    wake()
    # Also what is due in some seconds: an entry's message waits until it can no longer be undone.
    due = Q(state=State.SENDING) | Q(state=State.QUEUED, due_at__lte=clock.now() + dt.timedelta(minutes=1))
    receipts = Message.everything.filter(entry__payment__isnull=False, purpose="receipt")
    told = Message.everything.filter(purpose="entry")
    return not (
        SandboxDelivery.objects.filter(delivered_at=None).exists()
        or ProviderEvent.everything.filter(state="new").exists()
        or Run.everything.exclude(state="done").exists()
        or Message.everything.filter(due).exists()
        or receipts.count() < Payment.everything.filter(entry__isnull=False).count()
        or told.count() < Entry.everything.filter(source="screen", kind="sale").count()
    )


def check_book(said: list[dict[str, Any]], khatas: list[Khata]) -> None:
    """What was acknowledged stands once, with its amount; nothing else stands."""
    typed = {line["key"]: line["paise"] for line in said if "key" in line}
    stored = Entry.everything.filter(source="screen", kind="sale").values_list("key", "amount_paise")
    assert Counter(dict(stored)) == Counter(typed)
    assert len(stored) == len(typed)
    for khata in khatas:
        oracle.check(khata.pk)
    assert check_all().finding == ""


def check_money(said: list[dict[str, Any]]) -> None:
    """Each captured payment is in the book once, and nobody's is missing."""
    paid = {line["reference"]: line["paise"] for line in said if "reference" in line}
    rows = Payment.everything.select_related("checkout", "entry")
    assert {row.checkout.reference: row.amount_paise for row in rows} == paid
    assert len(rows) == len(paid)
    assert {row.state for row in rows} == {"paid"}
    entries = Entry.everything.filter(source="provider")
    assert sorted(row.entry_id for row in rows) == sorted(entries.values_list("pk", flat=True))
    assert all(row.entry.amount_paise == row.amount_paise for row in rows)
    assert set(ProviderEvent.everything.values_list("state", flat=True)) == {"done"}


def check_messages(house: House) -> None:
    """None left twice. What was cut off while leaving is in doubt, and only that."""
    out = sent(house)
    assert len(out) == len(set(out)), "a message went out twice"
    states: dict[str, set[int]] = {}
    for pk, state in Message.everything.values_list("pk", "state"):
        states.setdefault(state, set()).add(pk)
    assert set(states) <= {State.SENT, State.UNKNOWN, State.QUEUED, State.CANCELLED}
    assert states[State.SENT] <= set(out) <= states[State.SENT] | states.get(State.UNKNOWN, set())
    # Each of the two processes of a worker that is hit sends one message at a time.
    hits = [blow for blow in BLOWS if blow[0] == "worker"]
    assert len(states.get(State.UNKNOWN, ())) <= 2 * (len(hits) + 1)


def test_nothing_is_lost_or_doubled_however_web_and_worker_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(quiet_from="08:00", quiet_until="08:00", sends_entries=True, upi_id="asha@okaxis")
    ensure_sandbox(shop)
    khatas = [make_debtor(shop, f"Ramesh {number}") for number in range(8)]
    parties = [make_debtor(shop, f"Sunita {number}").party_id for number in range(DEBTORS)]
    hands, chance = Hands(tmp_path), random.Random(SEED)
    with House(tmp_path, monkeypatch) as house:
        try:
            open_doors(shop, khatas, house, hands)
            start_run(shop=shop, actor=None, party_ids=parties, channel="sms", key="all")
            strike(house, hands, chance)
            said = hands.finish()
        finally:
            hands.kill()
        house.worker.clear()
        long_ago()
        house.worker.start()
        wait_until(is_settled, f"everything to be told and said\n{house.said()[-3000:]}")
    assert any(line["tries"] > 1 for line in said), "nobody noticed the blows"
    check_book(said, khatas)
    check_money(said)
    check_messages(house)
