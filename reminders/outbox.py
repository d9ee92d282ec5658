"""Putting messages in, and what a person may decide about one. Sending is in reminders/sending.py."""

import datetime as dt
import logging
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import clock
from core.db import paced
from ledger.models import Entry
from parties.models import Party
from reminders import channels
from reminders.models import BLANKED, Message, Purpose, Run, Via
from reminders.reasons import because
from shops.models import Shop, User
from shops.services import audit

logger = logging.getLogger(__name__)

MAX_ERROR_CHARS = 300
# A code leaves before everything that waits: the queue is read by due time.
_AHEAD = dt.timedelta(days=1)
_BLANK_AFTER = dt.timedelta(minutes=15)
State = Message.State


class MessageError(ValueError):
    """The decision about a message is refused; the text is for people. Nothing was changed."""


def queue_message(
    *,
    shop: Shop | None,
    purpose: str,
    channel: str,
    recipient: str,
    text: str,
    dedupe_key: str,
    party: Party | None = None,
    entry: Entry | None = None,
    run: Run | None = None,
    language: str = "en",
    subject: str = "",
    balance_paise: int | None = None,
    due_at: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,
    rule: str = "",
    actor: User | None = None,
) -> Message:
    """One message in the outbox; the worker sends it. The same ``dedupe_key`` gives the first row.

    ``recipient`` is E.164 or an email address. ``balance_paise`` is what a reminder's text says;
    another balance at the moment of sending has it written anew. Touches no network.
    """
    message = Message(
        shop=shop,
        party=party,
        entry=entry,
        run=run,
        purpose=purpose,
        channel=channel,
        recipient=recipient,
        language=language,
        subject=subject,
        text=text,
        balance_paise=balance_paise,
        dedupe_key=dedupe_key,
        rule=rule,
        due_at=due_at or clock.now(),
        expires_at=expires_at,
        created_by=actor,
    )
    return insert_once(message)


def insert_once(message: Message) -> Message:
    """Insert the row, or give the row that holds its ``dedupe_key`` already.

    Raises IntegrityError when it was refused for another reason, a slot that is taken for instance.
    """
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        first = Message.everything.filter(dedupe_key=message.dedupe_key).first()
        if first is None:
            raise
        return first
    message.is_inserted = True
    return message


def queue_many(rows: Iterable[Message]) -> int:
    """Insert many rows in paced batches, leaving out those whose ``dedupe_key`` is known."""
    return max(paced(rows, insert_new), default=0)


def insert_new(rows: list[Message]) -> None:
    """All rows in one statement; where the database refuses one of them, the others alone."""
    try:
        with transaction.atomic():
            Message.everything.bulk_create(rows, ignore_conflicts=True)
    except (DataError, IntegrityError):
        if len(rows) == 1:
            logger.exception("a message of shop %s cannot be kept", rows[0].shop_id)
            return
        for row in rows:
            insert_new([row])


def queue_code(*, phone: str, text: str, lifetime_s: int) -> Message:
    """A sign-in code for ``phone`` (E.164), useless after ``lifetime_s`` seconds. Belongs to no shop.

    Sent at once: in the demo the row itself is the delivery; else it goes ahead of the queue, and
    the caller nudges the worker. With codes by email it leaves to an email-to-SMS gateway.
    """
    now = clock.now()
    via, recipient = code_address(phone)
    carrier = channels.carrier(via)
    is_here = carrier is not None and carrier.is_local
    return Message.everything.create(
        shop=None,
        purpose=Purpose.CODE,
        channel=via,
        recipient=recipient,
        text=text,
        dedupe_key=f"code:{uuid.uuid4().hex}",
        due_at=now - _AHEAD,
        expires_at=now + dt.timedelta(seconds=lifetime_s),
        state=State.SENT if is_here else State.QUEUED,
        backend=carrier.kind if is_here and carrier else "",
        attempts=1 if is_here else 0,
        begun_at=now if is_here else None,
        sent_at=now if is_here else None,
        rule=because("Sign-in codes and alerts go at any hour."),
    )


def code_address(phone: str) -> tuple[str, str]:
    """How a person of the house is reached: by SMS, or through the email-to-SMS gateway."""
    if settings.CODE_CHANNEL == "email":
        return Via.EMAIL, settings.CODE_ADDRESS.format(phone=phone.lstrip("+"))
    return Via.SMS, phone


def blank_codes(*, limit: int = 500) -> int:
    """Take the text out of codes that expired a quarter of an hour ago. Returns how many."""
    now = clock.now()
    rows = Message.everything.filter(purpose=Purpose.CODE, expires_at__lt=now - _BLANK_AFTER)
    ids = list(rows.exclude(state=State.SENDING).order_by("expires_at").values_list("pk", flat=True)[:limit])
    return max(paced(ids, _blank), default=0)


def _blank(ids: list[int]) -> None:
    Message.everything.filter(pk__in=ids, state=State.QUEUED).update(
        state=State.CANCELLED, rule=because("Not sent: it expired before it could leave.")
    )
    Message.everything.filter(pk__in=ids).exclude(state=State.SENDING).update(text=BLANKED, expires_at=None)


@transaction.atomic
def retry_message(*, message: Message, actor: User | None) -> Message:
    """Put a failed or doubtful message back into the queue; courtesy is asked again when it leaves."""
    _decide(
        message,
        Q(state__in=[State.UNKNOWN, State.FAILED]) & ~Q(purpose=Purpose.CODE),
        actor,
        "message.retried",
        state=State.QUEUED,
        due_at=clock.now(),
        created_at=clock.now(),  # from here on a payment silences it
        attempts=0,
        claim="",
        claimed_at=None,
        begun_at=None,
        slot=None,
        error="",
    )
    return Message.everything.get(pk=message.pk)


@transaction.atomic
def confirm_sent(*, message: Message, actor: User | None) -> Message:
    """A person says that the doubtful message did arrive."""
    _decide(message, Q(state=State.UNKNOWN), actor, "message.confirmed", state=State.SENT, sent_at=clock.now())
    return Message.everything.get(pk=message.pk)


@transaction.atomic
def cancel_message(*, message: Message, actor: User | None) -> Message:
    """Drop a message that waits, failed or is in doubt. A doubtful one still counts for the caps."""
    _decide(
        message,
        Q(state__in=[State.QUEUED, State.UNKNOWN, State.FAILED]),
        actor,
        "message.cancelled",
        state=State.CANCELLED,
        rule=because("Not sent: cancelled by a person."),
    )
    return Message.everything.get(pk=message.pk)


def _decide(message: Message, allowed: Q, actor: User | None, action: str, **changes: object) -> None:
    """Compare-and-swap: of two people who decide at once, one wins and the other is told."""
    if not Message.everything.filter(allowed, pk=message.pk).update(**changes):
        raise MessageError(_("This message has moved on in the meantime. Nothing was changed; look again."))
    audit(
        shop=message.shop,
        actor=actor,
        action=action,
        target=f"message:{message.pk}",
        before={"state": message.state},
        after={"state": str(changes["state"])},
    )
