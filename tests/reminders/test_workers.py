"""Real worker processes on the real database: two at once, and one that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import F

from reminders.models import Message, Purpose, Run, Via
from reminders.runs import start_run
from reminders.sending import STUCK_AFTER, release_stuck
from shops.models import Shop
from tests.cast import make_shop
from tests.processes import database_url, go
from tests.reminders.people import make_debtor, make_reminder, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def open_shop(db: None) -> Shop:
    """A shop without quiet hours: real processes have the real clock."""
    return make_shop(quiet_from="08:00", quiet_until="08:00", weekly_cap=1)


def start_worker(path: Path, pause_s: float) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reminders.carrier", str(path), str(pause_s)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "khata.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.communicate()[1]
    return process


def lines(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def wait_for_lines(path: Path, count: int) -> None:
    for _ in range(600):
        if len(lines(path)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the worker sent nothing")


def finish(*processes: "subprocess.Popen[str]") -> None:
    for process in processes:
        _out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def long_ago() -> None:
    """As if the crash had happened some minutes ago."""
    Message.everything.filter(state="sending").update(claimed_at=F("claimed_at") - STUCK_AFTER * 2)
    Message.everything.filter(begun_at__isnull=False).update(begun_at=F("begun_at") - STUCK_AFTER * 2)


def test_two_workers_at_once_never_send_one_twice(open_shop: Shop, tmp_path: Path) -> None:
    khata = make_debtor(open_shop)
    for _ in range(230):
        make_reminder(khata, purpose=Purpose.RECEIPT)
    trace = tmp_path / "sent"
    workers = [start_worker(trace, 0.002) for _ in range(2)]
    for worker in workers:
        go(worker)
    finish(*workers)
    assert sorted(lines(trace)) == sorted(Message.everything.values_list("pk", flat=True))
    assert set(states()) == {"sent"}


def test_two_workers_keep_one_cap_together(open_shop: Shop, tmp_path: Path) -> None:
    """Twenty parties with four reminders each, on two channels: one leaves for each party."""
    for khata in [make_debtor(open_shop) for _ in range(20)]:
        for via in (Via.SMS, Via.WHATSAPP, Via.SMS, Via.WHATSAPP):
            make_reminder(khata, via)
    trace = tmp_path / "sent"
    workers = [start_worker(trace, 0) for _ in range(2)]
    for worker in workers:
        go(worker)
    finish(*workers)
    parties = list(Message.everything.filter(pk__in=lines(trace)).values_list("party_id", flat=True))
    assert len(parties) == len(set(parties)) == 20


def test_a_worker_killed_while_sending_leaves_one_doubt_and_no_double(open_shop: Shop, tmp_path: Path) -> None:
    khata = make_debtor(open_shop)
    for _ in range(40):
        make_reminder(khata, purpose=Purpose.RECEIPT)
    trace = tmp_path / "sent"
    first = start_worker(trace, 0.05)
    go(first)
    wait_for_lines(trace, 7)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()

    # At once: nothing of the dead worker's is touched, it might be alive.
    assert release_stuck() == (0, 0)
    long_ago()
    _queued_again, doubtful = release_stuck()
    assert doubtful == 1  # the one that was on its way

    second = start_worker(trace, 0)
    go(second)
    finish(second)
    sent = lines(trace)
    assert len(sent) == len(set(sent)), "a message went out twice"
    in_doubt = list(Message.everything.filter(state="unknown").values_list("pk", flat=True))
    assert len(in_doubt) == 1
    assert sorted(set(sent) | set(in_doubt)) == sorted(Message.everything.values_list("pk", flat=True))
    assert sorted(states()) == ["sent"] * 39 + ["unknown"]


def test_a_run_killed_in_the_middle_goes_on_and_asks_nobody_twice(open_shop: Shop, tmp_path: Path) -> None:
    parties = [make_debtor(open_shop).party_id for _ in range(350)]
    run = start_run(shop=open_shop, actor=None, party_ids=parties, channel="sms", key="all")
    env = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "khata.settings"}
    script = f"import django; django.setup(); from reminders.runs import work_run; work_run({run.pk})"
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=settings.BASE_DIR, env=env)
    for _ in range(600):
        if Run.everything.get(pk=run.pk).position > 0:
            break
        time.sleep(0.02)
    worker.kill()
    worker.wait()
    done = Run.everything.get(pk=run.pk)
    assert done.position == done.queued == Message.everything.count()

    others = [subprocess.Popen([sys.executable, "-c", script], cwd=settings.BASE_DIR, env=env) for _ in range(2)]
    assert [other.wait(timeout=60) for other in others] == [0, 0]
    done.refresh_from_db()
    assert (done.state, done.position, done.queued, done.refused) == ("done", 350, 350, 0)
    asked = list(Message.everything.values_list("party_id", flat=True))
    assert sorted(asked) == sorted(parties)
