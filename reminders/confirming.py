"""Messages that confirm: receipts, entries, and alarms to owners. The row is the event: what has
no message under its key yet gets one. Any number of workers may look at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils import translation

from core import clock
from core.db import batches
from ledger.models import Direction, Entry, Kind, Source
from reminders import channels, compose, courtesy
from reminders.asking import address_of
from reminders.models import Message, Purpose, Via
from reminders.outbox import code_address, queue_many, queue_message
from reminders.reasons import because
from shops.models import AuditEvent, Member, Role

# Old payments get no receipt: a worker that was off for a week must not wake up a whole village.
RECEIPTS_OF = dt.timedelta(days=2)
ENTRIES_OF = dt.timedelta(hours=2)
ALARMS_OF = dt.timedelta(days=2)
# What a person wrote can be undone for ten seconds; its message waits for that.
UNDO_WAIT = dt.timedelta(seconds=12)
_PREFERRED = (Via.WHATSAPP, Via.SMS, Via.EMAIL)
State = Message.State


def queue_receipts(*, limit: int = 500) -> int:
    """A receipt for every recent payment that has none, however it came. Returns how many."""
    since = clock.now() - RECEIPTS_OF
    entries = _unspoken(Purpose.RECEIPT).filter(
        direction=Direction.GOT, kind=Kind.PAYMENT, created_at__gte=since, shop__sends_receipts=True
    )
    # A claim is dated by the day it was made; it is news on the day somebody confirms it.
    is_fresh = Q(occurred_on__gte=(since - dt.timedelta(days=1)).date()) | Q(claim__isnull=False)
    entries = entries.filter(is_fresh)
    return _queue(entries.order_by("created_at")[:limit], Purpose.RECEIPT)


def queue_entry_messages(*, limit: int = 500) -> int:
    """A message for every fresh entry in shops that want that; payments have their receipt."""
    since = clock.now() - ENTRIES_OF
    is_receipt = Q(direction=Direction.GOT, kind=Kind.PAYMENT, shop__sends_receipts=True)
    entries = (
        _unspoken(Purpose.ENTRY)
        .filter(shop__sends_entries=True, khata__last_entry_at__gte=since, created_at__gte=since)
        .exclude(is_receipt)
        .exclude(kind=Kind.OPENING)
    )
    return _queue(entries.order_by("created_at")[:limit], Purpose.ENTRY)


def queue_reversals(*, limit: int = 500) -> int:
    """Who was told of an entry is told that it was taken back. Returns how many messages.

    A message that is still waiting is cancelled when it would leave, and needs no second one.
    """
    told = Message.everything.filter(
        entry=OuterRef("reverses"),
        purpose__in=[Purpose.RECEIPT, Purpose.ENTRY],
        state__in=[State.SENT, State.DELIVERED, State.READ],
    )
    key = Concat(Value("reversal:"), Cast("reverses_id", CharField()), output_field=CharField())
    entries = (
        Entry.objects.unscoped("the tick: every shop's reversals")
        .filter(reverses__isnull=False, created_at__gte=clock.now() - RECEIPTS_OF)
        .annotate(reversal_key=key)
        .filter(Exists(told), ~Exists(Message.everything.filter(dedupe_key=OuterRef("reversal_key"))))
        .select_related("shop", "khata__party")
    )
    return _queue(entries.order_by("created_at")[:limit], Purpose.ENTRY)


def _unspoken(purpose: str) -> QuerySet[Entry]:
    """Entries without a message of this purpose, of parties that can be reached at all."""
    told = Message.everything.filter(entry=OuterRef("pk"), purpose=purpose)
    return (
        Entry.objects.unscoped("the tick: every shop's entries")
        .filter(~Exists(told), reverses=None, reversed_by=None)
        .exclude(source=Source.IMPORT)
        .exclude(khata__party__phone="", khata__party__email="")
        .select_related("shop", "khata__party")
    )


def _queue(entries: Iterable[Entry], purpose: str) -> int:
    done = 0
    for batch in batches(entries):
        facts = courtesy.gather([entry.khata.party_id for entry in batch])
        with transaction.atomic():
            urls = compose.links_of([entry.khata for entry in batch])
        queue_many([_row(entry, facts[entry.khata.party_id], purpose, urls[entry.khata_id]) for entry in batch])
        done += len(batch)
    return done


def _row(entry: Entry, facts: courtesy.Facts, purpose: str, url: str) -> Message:
    """An unsaved receipt or entry message; one without consent is kept as not sent, with the reason."""
    channel = best_channel(facts)
    with translation.override(facts.shop.language):
        refusal = "" if channel else because("Not sent: this party has not agreed to messages.")
    by_hand = entry.source != Source.PROVIDER
    balance_paise = entry.khata.balance_paise
    return Message(
        shop=facts.shop,
        party=facts.party,
        entry=entry,
        purpose=purpose,
        channel=channel or Via.SMS,
        recipient=address_of(facts.party, channel) if channel else (facts.party.phone or facts.party.email),
        language=facts.party.language,
        text=compose.of_entry(
            purpose=purpose,
            shop_name=facts.shop.name,
            party=facts.party,
            line=entry,
            balance_paise=balance_paise,
            url=url,
        ),
        balance_paise=balance_paise,
        dedupe_key=f"reversal:{entry.reverses_id}" if entry.reverses_id else f"{purpose}:{entry.pk}",
        state=State.QUEUED if channel else State.CANCELLED,
        rule=refusal,
        due_at=entry.created_at + UNDO_WAIT if by_hand else entry.created_at,
    )


def best_channel(facts: courtesy.Facts) -> str:
    """Agreed to, with an address, and carried: WhatsApp before SMS before email. "" where none is.

    Where several are agreed to and none is carried, the first: it is refused in plain words.
    """
    open_ones = [via for via in _PREFERRED if via in facts.consents and address_of(facts.party, via)]
    carried = [via for via in open_ones if channels.carrier(via) is not None]
    return next(iter(carried or open_ones), "")


def queue_alarms(*, limit: int = 200) -> int:
    """Every recent alarm in the audit trail becomes a message to every owner of its shop.

    Also to who was an owner when it happened: a thief with an owner's password takes the others'
    seats first, and would be the only one to be told.
    """
    owners = Member.everything.filter(role=Role.OWNER, revoked_at=None)
    first_owner = owners.filter(shop=OuterRef("shop")).order_by("id").values("user_id")[:1]
    key = Concat(
        Value("alarm:"),
        Cast("pk", CharField()),
        Value(":"),
        Cast(F("owner_id"), CharField()),
        output_field=CharField(),
    )
    # The first owner's message stands for all: they are written in one transaction.
    events = (
        AuditEvent.objects.unscoped("the tick: every shop's alarms")
        .filter(is_alarm=True, created_at__gte=clock.now() - ALARMS_OF, shop__isnull=False)
        .annotate(owner_id=Subquery(first_owner))
        .filter(owner_id__isnull=False)
        .annotate(alarm_key=key)
        .filter(~Exists(Message.everything.filter(dedupe_key=OuterRef("alarm_key"))))
        .select_related("shop", "actor")
    )
    found = list(events.order_by("created_at")[:limit])
    seats: dict[int, list[Member]] = defaultdict(list)
    for member in owners.filter(shop__in={event.shop_id for event in found}).select_related("user"):
        seats[member.shop_id].append(member)
    lost = _lost_owners(found)
    for event in found:
        were = [member for at, member in lost[event.shop_id or 0] if at >= event.created_at]
        with transaction.atomic():
            for member in {member.pk: member for member in seats[event.shop_id or 0] + were}.values():
                _alarm(event, member)
    return len(found)


def _lost_owners(events: list[AuditEvent]) -> dict[int, list[tuple[dt.datetime, Member]]]:
    """By shop: who ceased to be an owner since the first of ``events``, and when."""
    lost: dict[int, list[tuple[dt.datetime, Member]]] = defaultdict(list)
    if not events:
        return lost
    rows = AuditEvent.objects.unscoped("the tick: every shop's alarms").filter(
        is_alarm=True,
        shop__in={event.shop_id for event in events},
        action__in=("member.revoked", "member.role_changed"),
        created_at__gte=min(event.created_at for event in events),
    )
    ended = [
        (row, int(row.target.removeprefix("member:"))) for row in rows if row.before.get("role") == Role.OWNER
    ]
    members = Member.everything.select_related("user").in_bulk([pk for _row, pk in ended])
    for row, pk in ended:
        if pk in members:
            lost[row.shop_id or 0].append((row.created_at, members[pk]))
    return lost


def _alarm(event: AuditEvent, member: Member) -> Message:
    user, shop = member.user, event.shop
    via, recipient = code_address(user.phone)
    return queue_message(
        shop=shop,
        purpose=Purpose.ALERT,
        channel=via,
        recipient=recipient,
        language=user.language,
        text=compose.alert(event=event, shop_name=shop.name if shop else "", language=user.language),
        dedupe_key=f"alarm:{event.pk}:{user.pk}",
        rule=because("Sign-in codes and alerts go at any hour."),
    )
