"""Asking one party by hand, tap-to-send, handing over a link, and the rules that ask by themselves."""

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from core import clock
from core.db import batches
from ledger.models import Khata
from parties.models import Channel, Consent, Party, PartyKind
from reminders import channels, compose, courtesy
from reminders.channels import tap
from reminders.models import Message, Purpose, Rule, Via
from reminders.outbox import insert_once, queue_many, queue_message
from reminders.reasons import because
from shops.models import Shop, User
from shops.services import audit

logger = logging.getLogger(__name__)

MAX_PER_RULE = 500  # of one rule in one tick; the next tick goes on
State = Message.State


class ReminderRefused(ValueError):
    """Courtesy says no. The text is for people; nothing was queued."""


@dataclass(frozen=True)
class Preview:
    """What would be sent to one party on one channel, and whether it may."""

    channel: str
    recipient: str
    text: str
    verdict: courtesy.Verdict
    has_way: bool  # something is set up that carries this channel

    @property
    def may_send(self) -> bool:
        return bool(self.recipient) and self.has_way and not self.verdict.is_refused

    @property
    def reason(self) -> str:
        """The sentence to show beside the button."""
        name = Via(self.channel).label
        if not self.recipient:
            return _no_address(self.channel)
        if not self.has_way:
            return _("No way to send %(channel)s is set up. Send it from your own phone instead.") % {
                "channel": name
            }
        return self.verdict.reason


def _no_address(channel: str) -> str:
    if channel == Via.EMAIL:
        return because("There is no email address of this party.")
    return because("There is no phone number of this party.")


def address_of(party: Party, channel: str) -> str:
    """Where ``channel`` reaches the party; "" where it does not."""
    return party.email if channel == Via.EMAIL else party.phone


def previews(*, khata: Khata) -> list[Preview]:
    """The reminder of this moment on every channel. Makes the pay link where there is none."""
    facts = courtesy.gather([khata.party_id])[khata.party_id]
    text = reminder_text(facts, compose.links_of([khata])[khata.pk])
    return [
        Preview(
            channel=via,
            recipient=address_of(facts.party, via),
            text=text,
            verdict=courtesy.judge(Purpose.REMINDER, via, facts),
            has_way=channels.carrier(via) is not None,
        )
        for via in (Via.WHATSAPP, Via.SMS, Via.EMAIL)
    ]


def reminder_text(facts: courtesy.Facts, url: str) -> str:
    """A reminder while something is owed, else the link alone."""
    if facts.balance_paise <= 0:
        return compose.link(shop_name=facts.shop.name, party=facts.party, url=url)
    return compose.reminder(
        shop_name=facts.shop.name, party=facts.party, balance_paise=facts.balance_paise, url=url
    )


@transaction.atomic
def remind(*, khata: Khata, actor: User | None, channel: str, key: str) -> Message:
    """Queue a reminder to one party, by hand. The same ``key`` gives the first message.

    In quiet hours it waits for the morning. Raises ReminderRefused where courtesy, a missing
    address or a missing channel says no; courtesy is asked once more when it leaves.
    """
    dedupe_key = f"hand:{khata.pk}:{channel}:{key}"
    if first := Message.everything.filter(dedupe_key=dedupe_key).first():
        return first
    preview = next(row for row in previews(khata=khata) if row.channel == channel)
    if not preview.may_send:
        raise ReminderRefused(preview.reason)
    party = khata.party
    message = queue_message(
        shop=khata.shop,
        party=party,
        purpose=Purpose.REMINDER,
        channel=channel,
        recipient=preview.recipient,
        language=party.language,
        text=preview.text,
        balance_paise=khata.balance_paise,
        dedupe_key=dedupe_key,
        due_at=preview.verdict.not_before,
        rule=preview.verdict.reason,
        actor=actor,
    )
    if message.is_inserted:  # of two taps at once, one asked
        audit(shop=khata.shop, actor=actor, action="reminder.queued", target=f"party:{party.code}")
    return message


@transaction.atomic
def log_tap(*, khata: Khata, actor: User | None, channel: str) -> Message:
    """The shopkeeper sent the text from the own phone: kept as a sent message, once per day.

    It counts for the caps like any other reminder, and takes the day's slot where that is free.
    """
    facts = courtesy.gather([khata.party_id])[khata.party_id]
    day = facts.today.isoformat()
    slot = f"{khata.party_id}:{channel}:{day}"
    is_ask = facts.balance_paise > 0
    message = Message(
        shop_id=khata.shop_id,
        party_id=khata.party_id,
        purpose=Purpose.REMINDER if is_ask else Purpose.LINK,
        channel=channel,
        backend=tap.KIND,
        recipient=facts.party.phone or "-",
        language=facts.party.language,
        text=reminder_text(facts, compose.links_of([khata])[khata.pk]),
        balance_paise=facts.balance_paise if is_ask else None,
        state=State.SENT,
        dedupe_key=f"tap:{slot}",
        slot=slot if is_ask and not Message.everything.filter(slot=slot).exists() else None,
        rule=because("Sent by hand from the shop's own phone."),
        begun_at=facts.now,
        sent_at=facts.now,
        created_by=actor,
    )
    try:
        return insert_once(message)
    except IntegrityError:
        message.slot = None  # the worker took it since we looked
        return insert_once(message)


@transaction.atomic
def queue_link(*, khata: Khata, actor: User | None, channel: str, key: str) -> Message:
    """Send the party its own page. Raises ReminderRefused without address, channel or consent."""
    facts = courtesy.gather([khata.party_id])[khata.party_id]
    verdict = courtesy.judge(Purpose.LINK, channel, facts)
    recipient = address_of(facts.party, channel)
    if not recipient or verdict.is_refused:
        raise ReminderRefused(verdict.reason if recipient else _no_address(channel))
    return queue_message(
        shop=khata.shop,
        party=facts.party,
        purpose=Purpose.LINK,
        channel=channel,
        recipient=recipient,
        language=facts.party.language,
        text=compose.link(shop_name=facts.shop.name, party=facts.party, url=compose.links_of([khata])[khata.pk]),
        dedupe_key=f"link:{khata.pk}:{channel}:{key}",
        due_at=verdict.not_before,
        actor=actor,
    )


def reminder_row(facts: courtesy.Facts, *, channel: str, url: str, dedupe_key: str, **fields: Any) -> Message:
    """An unsaved reminder: queued, moved to the morning, or cancelled with its reason."""
    verdict = courtesy.judge(Purpose.REMINDER, channel, facts)
    recipient = address_of(facts.party, channel)
    reason = verdict.reason if recipient else _no_address(channel)
    is_refused = verdict.is_refused or not recipient
    return Message(
        shop=facts.shop,
        party=facts.party,
        purpose=Purpose.REMINDER,
        channel=channel,
        recipient=recipient or "-",
        language=facts.party.language,
        text=reminder_text(facts, url) if url else "",
        balance_paise=facts.balance_paise,
        dedupe_key=dedupe_key,
        state=State.CANCELLED if is_refused else State.QUEUED,
        rule=reason,
        due_at=verdict.not_before or facts.now,
        **fields,
    )


# --- rules -----------------------------------------------------------------------------------


@transaction.atomic
def save_rule(*, shop: Shop, actor: User | None, values: dict[str, Any], rule: Rule | None = None) -> Rule:
    """Add a rule, or change one: name, days_after_due, every_days, min_amount_paise, channel, enabled."""
    row = rule or Rule(shop=shop, created_by=actor)
    for field_name in ("name", "days_after_due", "every_days", "min_amount_paise", "channel", "enabled"):
        if field_name in values:
            setattr(row, field_name, values[field_name])
    row.save()
    audit(
        shop=shop,
        actor=actor,
        action="rule.changed" if rule else "rule.added",
        target=f"rule:{row.pk}",
        after={"name": row.name, "enabled": row.enabled, "channel": row.channel},
    )
    return row


@transaction.atomic
def switch_rule(*, rule: Rule, actor: User | None, enabled: bool) -> Rule:
    """Switch a rule on or off."""
    if Rule.everything.filter(pk=rule.pk).exclude(enabled=enabled).update(enabled=enabled):
        action = "rule.switched_on" if enabled else "rule.switched_off"
        audit(shop=rule.shop, actor=actor, action=action, target=f"rule:{rule.pk}", after={"name": rule.name})
    rule.enabled = enabled
    return rule


def ask_by_rules(*, limit: int = 2000) -> int:
    """Queue what the rules ask for now; returns how many messages. Nothing is asked in quiet hours."""
    now = clock.now()
    rules = Rule.objects.unscoped("the tick: every shop's rules").select_related("shop")
    done = 0
    for rule in rules.filter(enabled=True, shop__reminders_paused=False).order_by("id"):
        if done >= limit:
            break
        try:
            if courtesy.opens(rule.shop, now) is None:
                done += _ask_by_rule(rule, now, min(MAX_PER_RULE, limit - done))
        except (OperationalError, InterfaceError):
            raise  # the database, not the rule
        except Exception:
            logger.exception("rule %s broke, the others go on", rule.pk)
    return done


def _ask_by_rule(rule: Rule, now: dt.datetime, limit: int) -> int:
    today = now.astimezone(rule.shop.zoneinfo).date()
    khatas = list(_asked_for(rule, today).order_by("id")[:limit])
    queued = 0
    for batch in batches(khatas):
        facts = courtesy.gather([khata.party_id for khata in batch], now)
        with transaction.atomic():
            urls = compose.links_of(batch)
        rows = [
            reminder_row(
                facts[khata.party_id],
                channel=rule.channel,
                url=urls[khata.pk],
                dedupe_key=f"rule:{rule.pk}:{khata.party_id}:{today.isoformat()}",
            )
            for khata in batch
        ]
        queue_many(rows)
        queued += len(rows)
    return queued


def _asked_for(rule: Rule, today: dt.date) -> QuerySet[Khata]:
    """Khatas that the rule asks for today and has not yet asked: once per day and every N days.

    Refused ones keep today's key, so the tick does not try them every minute; tomorrow it may.
    """
    newest_consent = Consent.everything.filter(party=OuterRef("party"), channel=rule.channel).order_by("-id")
    recent = Message.everything.filter(
        party=OuterRef("party"),
        purpose=Purpose.REMINDER,
        dedupe_key__startswith=f"rule:{rule.pk}:",
        created_at__gte=clock.start_of_day(today - dt.timedelta(days=rule.every_days - 1), rule.shop.zoneinfo),
    ).exclude(state__in=[State.CANCELLED, State.FAILED])
    key = Concat(
        Value(f"rule:{rule.pk}:"),
        Cast("party_id", CharField()),
        Value(f":{today.isoformat()}"),
        output_field=CharField(),
    )
    rows = Khata.objects.for_shop(rule.shop).filter(
        Q(collect_on=None) | Q(collect_on__lte=today),
        Q(party__reminders_paused_until=None) | Q(party__reminders_paused_until__lte=today),
        balance_paise__gt=0,
        balance_paise__gte=rule.min_amount_paise,
        oldest_due_on__lte=today - dt.timedelta(days=rule.days_after_due),
        party__archived_at=None,
        party__kind=PartyKind.CUSTOMER,
    )
    rows = rows.exclude(party__email="") if rule.channel == Channel.EMAIL else rows.exclude(party__phone="")
    return (
        rows.select_related("party")
        .annotate(agreed=Subquery(newest_consent.values("given")[:1]), rule_key=key)
        .filter(agreed=True)
        .filter(~Exists(Message.everything.filter(dedupe_key=OuterRef("rule_key"))), ~Exists(recent))
    )
