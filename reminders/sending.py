"""Claim, commit, send, record. The row is the queue, and compare-and-swap decides who sends it.

A batch is claimed in one short transaction. Right before a message leaves, a second one asks
courtesy again (the balance may have been paid a second ago), takes the party's slot of the day and
writes ``begun_at``; then the channel is called outside any transaction; then the result is written.
Killed before ``begun_at``: surely not sent, back to the queue. Killed after it: nobody can know, so
the row becomes *unknown* and waits for a person. It is never sent again by itself.
"""

import datetime as dt
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from core.crypto import SealBroken
from core.db import Pace
from ledger.models import Entry
from parties.models import Party
from reminders import channels, compose, courtesy
from reminders.channels import Channel, ChannelError, ChannelUnsure
from reminders.models import Message, Purpose, Run, Via
from reminders.outbox import MAX_ERROR_CHARS
from reminders.reasons import because
from shops.models import User
from shops.services import audit

logger = logging.getLogger(__name__)

BATCH_ROWS = 100
# Only what was surely not sent is tried again: a mail server that is down for a night must not cost
# receipts. Every try asks courtesy anew and writes the text anew.
BACK_OFF = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 10, 60, 240, 720))
MAX_ATTEMPTS = len(BACK_OFF) + 1
STUCK_AFTER = dt.timedelta(minutes=5)
State = Message.State


@dataclass(frozen=True)
class Decision:
    """What to do with one claimed message, and the sentence that says why."""

    state: str  # SENDING: it may leave; QUEUED: later; CANCELLED: not at all
    rule: str
    due_at: dt.datetime | None = None
    slot_day: str = ""  # a reminder's day, in the shop's zone
    letter: "Letter | None" = None


@dataclass(frozen=True)
class Letter:
    """A message as it must read at this moment: what was queued may be hours or days old."""

    recipient: str
    language: str
    text: str
    balance_paise: int | None


def send_due(*, limit: int = 1000, budget_s: float = 40.0) -> int:
    """Send what is due, in batches, until there is nothing left, ``limit`` or the time is reached.

    Returns how many rows were dealt with. Safe to run in several processes at once.
    """
    stop_at = time.monotonic() + budget_s
    done, pace = 0, Pace(BATCH_ROWS)
    while done < limit and time.monotonic() < stop_at:
        pace.rest()
        batch = _claim(min(pace.rows, limit - done))
        if not batch:
            break
        _send_batch(batch, stop_at, pace)
        done += len(batch)
    return done


def _claim(limit: int) -> list[Message]:
    """Take up to ``limit`` due rows for this worker alone; committed before anything is sent."""
    now = clock.now()
    due = Message.everything.filter(state=State.QUEUED, due_at__lte=now).order_by("due_at", "id")
    if not due.exists():  # the idle tick takes no write lock
        return []
    token = secrets.token_hex(16)
    with transaction.atomic():
        ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Message.everything.filter(pk__in=ids, state=State.QUEUED).update(
            state=State.SENDING, claim=token, claimed_at=now, begun_at=None
        )
    rows = Message.everything.filter(pk__in=ids, claim=token, state=State.SENDING)
    return list(rows.select_related("shop").order_by("due_at", "id"))


def _send_batch(batch: list[Message], stop_at: float, pace: Pace) -> None:
    here: dict[Channel, list[Message]] = defaultdict(list)
    outside: list[tuple[Message, Channel]] = []
    for message in batch:
        carrier = channels.carrier(message.channel)
        if carrier is None:
            _finish(message, State.CANCELLED, rule=_no_way(message))
        elif carrier.is_local:
            here[carrier].append(message)
        else:
            outside.append((message, carrier))
    for carrier, messages in here.items():
        _begin_safely(messages, carrier, pace)
    for index, (message, carrier) in enumerate(outside):
        if time.monotonic() > stop_at:
            _give_back([late for late, _carrier in outside[index:]])
            return
        if _begin_safely([message], carrier, pace):
            _send_one(message, carrier)


def _send_one(message: Message, carrier: Channel) -> None:
    """Call the channel, outside any transaction, and record what came of it."""
    try:
        provider_id = carrier.send(message)
    except ChannelError as error:
        _record_error(message, str(error), error.permanent)
    except ChannelUnsure as error:
        _finish(message, State.UNKNOWN, error=str(error))
    except Exception:
        logger.exception("message %s: channel %s broke", message.pk, carrier.kind)
        with _shop_language(message):
            words = _("The channel broke while sending. It may have arrived.")
        _finish(message, State.UNKNOWN, error=words)
    else:
        _finish(message, State.SENT, sent_at=clock.now(), provider_id=provider_id[:120])


def _record_error(message: Message, words: str, permanent: bool) -> None:
    """Surely not sent: back into the queue with a pause, or failed for good."""
    attempts = message.attempts + 1
    if permanent or attempts >= MAX_ATTEMPTS:
        _finish(message, State.FAILED, error=words, slot=None, begun_at=None)
        return
    later = clock.now() + BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    _finish(message, State.QUEUED, error=words, slot=None, due_at=later, claim="", begun_at=None)


def _finish(message: Message, state: str, **changes: object) -> bool:
    """Record the end of a claimed message, unless it is no longer this worker's."""
    if "error" in changes:
        changes["error"] = str(changes["error"])[:MAX_ERROR_CHARS]
    # A slow channel may come back after the row was put among the unknown: its word is better.
    mine = Message.everything.filter(pk=message.pk, claim=message.claim, state__in=[State.SENDING, State.UNKNOWN])
    return bool(mine.update(state=state, **changes))


def _begin_safely(messages: list[Message], carrier: Channel, pace: Pace) -> list[Message]:
    """``_begin``, and when the batch breaks, one by one: a poisoned row never stops the rest."""
    try:
        return _begin(messages, carrier, pace)
    except (OperationalError, InterfaceError):
        raise  # the database, not the row: unbegun rows are queued again by release_stuck
    except Exception:
        if len(messages) == 1:
            logger.exception("message %s could not be prepared", messages[0].pk)
            with _shop_language(messages[0]):
                words = _("This message could not be prepared. The others went on.")
            _finish(messages[0], State.FAILED, error=words)
            return []
    return [begun for message in messages for begun in _begin_safely([message], carrier, pace)]


def _begin(messages: list[Message], carrier: Channel, pace: Pace) -> list[Message]:
    """Ask courtesy for all, at this moment, and write down what may leave. One short transaction.

    A local channel's messages are sent by this very write. Returns those that may leave.
    """
    now = clock.now()
    return pace.look_then_write(partial(_look, messages, now), partial(_write, carrier=carrier, now=now))


def _look(messages: list[Message], now: dt.datetime) -> list[tuple[Message, Decision]]:
    """What is to become of each message that is still this worker's.

    Reads, and locks what it reads; a khata without a pay link gets one, which harms nobody if the
    look was in vain.
    """
    parties = sorted({message.party_id for message in messages if message.party_id})
    if connection.features.has_select_for_update:
        # Two workers must not both find room under the same party's cap: one waits here.
        rows = Party.everything.select_for_update(no_key=True).filter(pk__in=parties)
        list(rows.order_by("pk").values_list("pk"))
    live = set(
        Message.everything.select_for_update()
        .filter(pk__in=[message.pk for message in messages], claim=messages[0].claim, state=State.SENDING)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    mine = [message for message in messages if message.pk in live]
    facts = courtesy.gather(parties, now)
    entries, runs = _entries(mine), _runs(mine)
    urls = compose.links_of([known.khata for known in facts.values() if known.khata is not None])
    decided = []
    for message in mine:
        known = facts.get(message.party_id or 0)
        entry, run = entries.get(message.entry_id or 0), runs.get(message.run_id or 0)
        decision = _decide(message, known, now, entry, run)
        if known and decision.state == State.SENDING:
            decision = _readdressed(message, known, decision, entry, urls)
        decided.append((message, decision))
    return decided


def _decide(
    message: Message, facts: courtesy.Facts | None, now: dt.datetime, entry: Entry | None, run: Run | None
) -> Decision:
    if not message.text:
        raise SealBroken("the text of a message cannot be opened")  # it fails, the others go on
    with _shop_language(message):
        if message.expires_at and message.expires_at <= now:
            return Decision(State.CANCELLED, because("Not sent: it expired before it could leave."))
        if entry is not None and entry.is_taken_back:  # type: ignore[attr-defined]
            return Decision(State.CANCELLED, because("Not sent: the entry was reversed."))
        if run is not None and run.state == Run.State.STOPPED:
            return Decision(State.CANCELLED, because("Not sent: the run was stopped."))
        if facts is None:
            return Decision(State.SENDING, message.rule or because("Sign-in codes and alerts go at any hour."))
        is_reminder = message.purpose == Purpose.REMINDER
        if is_reminder and message.created_at <= now - courtesy.REMINDER_KEEPS:
            return Decision(
                State.CANCELLED, because("Not sent: it had waited too long. The next one is written anew.")
            )
        verdict = courtesy.judge(
            message.purpose,
            message.channel,
            facts,
            queued_at=message.created_at,
            overdue_only=is_reminder and _asks_for_what_is_late(message, run),
        )
    if verdict.not_before:
        return Decision(State.QUEUED, verdict.reason, due_at=verdict.not_before)
    if not verdict.allowed:
        return Decision(State.CANCELLED, verdict.reason)
    if not is_reminder:
        return Decision(State.SENDING, verdict.reason)
    facts.asked(message.channel)
    return Decision(State.SENDING, verdict.reason, slot_day=facts.today.isoformat())


def _asks_for_what_is_late(message: Message, run: Run | None) -> bool:
    """Whether a rule, or a run over people with something past its day, asked; a person may ask earlier."""
    return message.dedupe_key.startswith("rule:") or (run is not None and run.of_due)


def _readdressed(
    message: Message, facts: courtesy.Facts, decision: Decision, entry: Entry | None, urls: dict[int, str]
) -> Decision:
    """The decision with the letter of this moment, where the queued one no longer holds.

    A number may have been corrected, a link revoked, a balance moved since; what was right in the
    evening must not go to a stranger in the morning.
    """
    recipient = facts.party.email if message.channel == Via.EMAIL else facts.party.phone
    if not recipient:
        with _shop_language(message):
            return Decision(
                State.CANCELLED, because("Not sent: the number or address was taken out of the khata.")
            )
    khata = facts.khata
    has_moved = message.balance_paise not in (None, facts.balance_paise)
    page = compose.page_in(message.text)
    text = message.text
    if khata is not None and (has_moved or (page and page != urls[khata.pk])):
        text = _written_anew(message, facts, entry, urls[khata.pk])
    if (recipient, text) == (message.recipient, message.text):
        return decision
    language = facts.party.language if text != message.text else message.language
    balance_paise = facts.balance_paise if message.balance_paise is not None else None
    return replace(decision, letter=Letter(recipient, language, text, balance_paise))


def _written_anew(message: Message, facts: courtesy.Facts, entry: Entry | None, url: str) -> str:
    shop_name, party, balance_paise = facts.shop.name, facts.party, facts.balance_paise
    if message.purpose == Purpose.REMINDER:
        return compose.reminder(shop_name=shop_name, party=party, balance_paise=balance_paise, url=url)
    if entry is not None:
        return compose.of_entry(
            purpose=message.purpose,
            shop_name=shop_name,
            party=party,
            line=entry,
            balance_paise=balance_paise,
            url=url,
        )
    return compose.link(shop_name=shop_name, party=party, url=url)


def _write(decided: list[tuple[Message, Decision]], carrier: Channel, now: dt.datetime) -> list[Message]:
    """Few UPDATEs for many rows: messages that share a decision share the statement.

    Returns those that may leave.
    """
    groups: dict[Decision, list[int]] = defaultdict(list)
    for message, decision in decided:
        if decision.letter:
            fields = vars(decision.letter)
            Message.everything.filter(pk=message.pk).update(**fields)
            for name, value in fields.items():  # the channel reads the object in hand
                setattr(message, name, value)
        groups[replace(decision, letter=None)].append(message.pk)
    begun: set[int] = set()
    for decision, ids in groups.items():
        rule = decision.rule
        rows = Message.everything.filter(pk__in=ids)
        if decision.state == State.CANCELLED:
            rows.update(state=State.CANCELLED, rule=rule)
        elif decision.state == State.QUEUED:
            rows.update(state=State.QUEUED, rule=rule, due_at=decision.due_at, claim="", claimed_at=None)
        elif _write_begun(ids, rule, decision.slot_day, carrier, now):
            begun.update(ids)
    return [message for message, _decision in decided if message.pk in begun]


def _write_begun(ids: list[int], rule: str, slot_day: str, carrier: Channel, now: dt.datetime) -> bool:
    """Mark the rows as leaving and take their slots of the day; False for one whose slot is taken."""
    changes: dict[str, Any] = {
        "rule": rule,
        "begun_at": now,
        "backend": carrier.kind,
        "attempts": F("attempts") + 1,
    }
    if slot_day:
        changes["slot"] = Concat(
            Cast("party_id", CharField()), Value(":"), "channel", Value(f":{slot_day}"), output_field=CharField()
        )
    if carrier.is_local:
        changes |= {"state": State.SENT, "sent_at": now}
    rows = Message.everything.filter(pk__in=ids)
    try:
        with transaction.atomic():
            rows.update(**changes)
    except IntegrityError:
        if len(ids) > 1:
            raise  # the caller goes on one by one and finds which
        # A row that the caps do not count holds the slot, a tap that failed for instance.
        rows.update(state=State.CANCELLED, rule=because("Not sent: this party was already reminded today."))
        return False
    return True


def _entries(messages: Iterable[Message]) -> dict[int, Entry]:
    """The entries that messages speak of, by id; ``is_taken_back``: reversed by now."""
    ids = [message.entry_id for message in messages if message.entry_id]
    if not ids:
        return {}
    cancelled = Entry.everything.filter(reverses=OuterRef("pk"))
    return {
        entry.pk: entry for entry in Entry.everything.filter(pk__in=ids).annotate(is_taken_back=Exists(cancelled))
    }


def _runs(messages: Iterable[Message]) -> dict[int, Run]:
    """Stopping a run cancels what waits; what a worker had claimed by then is caught here."""
    ids = {message.run_id for message in messages if message.run_id}
    return Run.everything.defer("party_ids").in_bulk(ids) if ids else {}


def _give_back(messages: list[Message]) -> None:
    """Out of time: rows that were never begun go back for the next pass."""
    Message.everything.filter(
        pk__in=[message.pk for message in messages], claim=messages[0].claim, state=State.SENDING, begun_at=None
    ).update(state=State.QUEUED, claim="", claimed_at=None)


def release_stuck(*, limit: int = 500) -> tuple[int, int]:
    """After a crash: what was surely not begun is queued again, the rest becomes unknown.

    Returns (queued again, unknown).
    """
    before = clock.now() - STUCK_AFTER
    stuck = Message.everything.filter(state=State.SENDING, claimed_at__lt=before)
    ids = list(stuck.order_by("claimed_at").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0, 0
    rows = Message.everything.filter(pk__in=ids, state=State.SENDING)
    queued = rows.filter(begun_at=None).update(state=State.QUEUED, claim="", claimed_at=None)
    unknown = rows.filter(begun_at__lt=before).update(
        state=State.UNKNOWN, error=_("The worker was cut off while sending. It may have arrived.")
    )
    return queued, unknown


@transaction.atomic
def release_by_hand(*, actor: User | None) -> tuple[int, int]:
    """``release_stuck``, asked for by an operator and audited."""
    queued, unknown = release_stuck()
    audit(shop=None, actor=actor, action="messages.released", after={"queued": queued, "unknown": unknown})
    return queued, unknown


def _no_way(message: Message) -> str:
    with _shop_language(message):
        return because("Not sent: no way to send %(channel)s is set up.", channel=message.channel)


def _shop_language(message: Message) -> translation.override:
    return translation.override(message.shop.language if message.shop else "en")
