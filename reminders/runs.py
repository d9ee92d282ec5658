"""Remind many at once: a row that knows how far it got, worked off by the worker in batches."""

import logging
import time
from collections.abc import Sequence

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from core.db import Pace
from core.limits import MAX_KEY_CHARS
from ledger.models import Khata
from reminders import compose, courtesy
from reminders.asking import reminder_row
from reminders.models import Message, Purpose, Run, Via
from reminders.outbox import insert_new
from reminders.reasons import because
from shops.models import Shop, User
from shops.services import audit

logger = logging.getLogger(__name__)

MAX_PARTIES = 20_000
OPEN = (Run.State.WAITING, Run.State.WORKING)


class RunError(ValueError):
    """The run is refused; the text is for people. Nothing was queued."""


@transaction.atomic
def start_run(
    *,
    shop: Shop,
    actor: User | None,
    party_ids: Sequence[int],
    channel: str,
    key: str,
    of_due: bool = False,
) -> Run:
    """Remember whom to remind; the worker does it. The same ``key`` gives the first run.

    ``party_ids`` of other shops are left out. ``of_due``: they were picked because something is due,
    and whoever owes nothing due any more is not asked. Raises RunError when nobody is left.
    """
    if channel not in Via.values:
        raise RunError(_("This channel is not known."))
    if not key or len(key) > MAX_KEY_CHARS:
        raise RunError(_("This form is incomplete. Open it again and save once more."))
    if first := Run.objects.for_shop(shop).filter(key=key).first():
        return first
    wanted = list(dict.fromkeys(party_ids))[:MAX_PARTIES]
    ours = set(Khata.objects.for_shop(shop).filter(party_id__in=wanted).values_list("party_id", flat=True))
    chosen = [pk for pk in wanted if pk in ours]
    if not chosen:
        raise RunError(_("Nobody was chosen. Tick at least one name."))
    try:
        with transaction.atomic():
            run = Run.everything.create(
                shop=shop, party_ids=chosen, channel=channel, key=key, of_due=of_due, created_by=actor
            )
    except IntegrityError:
        return Run.everything.get(shop=shop, key=key)
    audit(shop=shop, actor=actor, action="run.started", target=f"run:{run.pk}", after={"people": len(chosen)})
    return run


def work_run(run_id: int, *, budget_s: float = 40.0) -> bool:
    """Go on with a run in batches until it is done, stopped or out of time. True when it is over.

    Killed anywhere, it goes on where its position stands: a batch's messages and its position are
    one transaction, and every message has a key of its own.
    """
    stop_at, pace = time.monotonic() + budget_s, Pace()
    while time.monotonic() < stop_at:
        pace.rest()
        if not _work_batch(run_id, pace):
            return True
    return False


def _work_batch(run_id: int, pace: Pace) -> bool:
    """One batch in one transaction; False when there is nothing left to do."""
    with pace.transaction():
        runs = Run.everything.filter(pk=run_id).select_related("shop", "created_by")
        run = runs.select_for_update(of=("self",)).first()
        if run is None or run.state not in OPEN:
            return False
        ids = run.party_ids[run.position : run.position + pace.rows]
        rows = _rows(run, ids) if ids else []
        refused = sum(row.state == Message.State.CANCELLED for row in rows)
        is_done = run.position + len(ids) >= len(run.party_ids)
        moved = Run.everything.filter(pk=run.pk, position=run.position, state__in=OPEN).update(
            position=F("position") + len(ids),
            queued=F("queued") + len(rows) - refused,
            refused=F("refused") + refused,
            state=Run.State.DONE if is_done else Run.State.WORKING,
            touched_at=clock.now(),
        )
        if moved:  # else another worker did this very batch
            insert_new(rows)
            if lost := _lost(rows):  # what the database would not keep is no reason to stand still
                Run.everything.filter(pk=run.pk).update(queued=F("queued") - lost, refused=F("refused") + lost)
    return not is_done


def _lost(rows: list[Message]) -> int:
    """How many that should wait to be sent are not there. (SQLite leaves them out without a word.)"""
    queued = [row.dedupe_key for row in rows if row.state == Message.State.QUEUED]
    return len(queued) - Message.everything.filter(dedupe_key__in=queued).count() if queued else 0


def _rows(run: Run, party_ids: list[int]) -> list[Message]:
    facts = courtesy.gather(party_ids)
    khatas = {known.party.pk: known.khata for known in facts.values() if known.khata is not None}
    may = [
        khatas[pk]
        for pk in party_ids
        if pk in khatas and not courtesy.judge(Purpose.REMINDER, run.channel, facts[pk]).is_refused
    ]
    urls = compose.links_of(may)
    with translation.override(run.shop.language):
        return [
            reminder_row(
                facts[pk],
                channel=run.channel,
                url=urls.get(khatas[pk].pk, ""),
                dedupe_key=f"run:{run.pk}:{pk}",
                run=run,
                created_by=run.created_by,
            )
            for pk in party_ids
            if pk in khatas
        ]


@transaction.atomic
def stop_run(*, run: Run, actor: User | None) -> Run:
    """Stop asking: the rest of the run is not queued, and what waits is not sent."""
    on_their_way = Message.everything.filter(run=run, state__in=[Message.State.QUEUED, Message.State.SENDING])
    stoppable = [*OPEN, Run.State.DONE] if on_their_way.exists() else OPEN  # done is: all of it queued
    if Run.everything.filter(pk=run.pk, state__in=stoppable).update(
        state=Run.State.STOPPED, touched_at=clock.now()
    ):
        audit(shop=run.shop, actor=actor, action="run.stopped", target=f"run:{run.pk}")
    Message.everything.filter(run=run, state=Message.State.QUEUED).update(
        state=Message.State.CANCELLED, rule=because("Not sent: the run was stopped.")
    )
    return Run.everything.get(pk=run.pk)


def work_open_runs(*, limit: int = 10, budget_s: float = 40.0) -> int:
    """Take up runs that wait or were cut off. Returns how many were worked on."""
    stop_at = time.monotonic() + budget_s
    runs = Run.objects.unscoped("the tick: every shop's runs").filter(state__in=OPEN).order_by("touched_at")
    worked = 0
    for run_id in runs.values_list("pk", flat=True)[:limit]:
        left = stop_at - time.monotonic()
        if left <= 0:
            break
        try:
            work_run(run_id, budget_s=left)
        except (OperationalError, InterfaceError):
            raise  # the database, not the run
        except Exception:
            # A run that breaks goes to the end of the line and never stops the others.
            logger.exception("run %s broke", run_id)
            Run.everything.filter(pk=run_id).update(touched_at=clock.now())
        worked += 1
    return worked
