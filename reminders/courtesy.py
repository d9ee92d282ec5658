"""Whether a message may leave now. One place, asked before (a preview) and at the moment of sending.

The answer is a plain sentence, kept with the message and shown: why it was allowed, why not, or
until when it waits.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db.models import Max

from core import clock
from ledger.models import Direction, Entry, Khata, Kind
from parties.models import Consent, Party
from reminders.models import Message, Purpose
from reminders.reasons import because
from shops.models import Shop

WEEK = dt.timedelta(days=7)
REMINDER_KEEPS = dt.timedelta(days=2)  # one that waited longer is not sent
# A reminder waits less long than this: older payments cannot lie between asking and sending.
_PAYMENTS_SEEN = REMINDER_KEEPS + dt.timedelta(days=1)


@dataclass
class Facts:
    """What courtesy needs to know about one party, as read at one moment."""

    party: Party
    shop: Shop
    khata: Khata | None
    now: dt.datetime
    consents: set[str] = field(default_factory=set)  # channels whose newest consent is a yes
    asked_today: set[str] = field(default_factory=set)  # channels that carried a reminder today
    asked_this_week: int = 0  # in the last seven days, any channel
    paid_at: dt.datetime | None = None  # newest payment of the last days

    @property
    def balance_paise(self) -> int:
        return self.khata.balance_paise if self.khata else 0

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.shop.zoneinfo).date()

    def asked(self, channel: str) -> None:
        """Count a reminder that is leaving in this very batch."""
        self.asked_today.add(channel)
        self.asked_this_week += 1


@dataclass(frozen=True)
class Verdict:
    """``not_before`` set: not refused, only moved to that instant (UTC)."""

    allowed: bool
    reason: str
    not_before: dt.datetime | None = None

    @property
    def is_refused(self) -> bool:
        return not self.allowed and self.not_before is None


def gather(party_ids: Iterable[int], now: dt.datetime | None = None) -> dict[int, Facts]:
    """Facts of many parties in four queries, however many they are."""
    now = now or clock.now()
    ids = list(dict.fromkeys(party_ids))
    parties = Party.everything.filter(pk__in=ids).select_related("shop", "khata")
    facts = {party.pk: Facts(party, party.shop, getattr(party, "khata", None), now) for party in parties}
    newest: dict[tuple[int, str], bool] = {}
    rows = Consent.everything.filter(party_id__in=ids).order_by("id")
    for party_id, channel, given in rows.values_list("party_id", "channel", "given"):
        newest[party_id, channel] = given
    for (party_id, channel), given in newest.items():
        if given:
            facts[party_id].consents.add(channel)
    # What was surely not sent has no begun_at; what is in doubt counts, whatever became of it.
    sent = Message.everything.filter(party_id__in=ids, purpose=Purpose.REMINDER, begun_at__gt=now - WEEK)
    for party_id, channel, begun_at in sent.values_list("party_id", "channel", "begun_at"):
        known = facts[party_id]
        known.asked_this_week += 1
        if begun_at and begun_at.astimezone(known.shop.zoneinfo).date() == known.today:
            known.asked_today.add(channel)
    paid = Entry.everything.filter(
        khata__party_id__in=ids,
        direction=Direction.GOT,
        kind=Kind.PAYMENT,
        created_at__gt=now - _PAYMENTS_SEEN,
        reverses=None,
        reversed_by=None,
    )
    for party_id, paid_at in (
        paid.values("khata__party_id").annotate(at=Max("created_at")).values_list("khata__party_id", "at")
    ):
        facts[party_id].paid_at = paid_at
    return facts


def judge(
    purpose: str,
    channel: str,
    facts: Facts,
    *,
    queued_at: dt.datetime | None = None,
    overdue_only: bool = False,
) -> Verdict:
    """May a message of ``purpose`` leave on ``channel`` to this party at ``facts.now``?

    ``queued_at``: when it was asked for; a payment since then silences it. ``overdue_only``: it was
    a rule that asked, so something must still be past its day.
    """
    if purpose in {Purpose.CODE, Purpose.ALERT}:
        return Verdict(True, because("Sign-in codes and alerts go at any hour."))
    if channel not in facts.consents:
        return Verdict(False, because("Not sent: there is no consent for %(channel)s.", channel=channel))
    if purpose in {Purpose.RECEIPT, Purpose.ENTRY}:
        return Verdict(
            True, because("Sent: %(channel)s is agreed to, and receipts go at any hour.", channel=channel)
        )
    if purpose == Purpose.REMINDER:
        refusal = _standing_refusal(facts, queued_at, overdue_only) or _cap_refusal(channel, facts)
        if refusal:
            return Verdict(False, refusal)
    opens_at = opens(facts.shop, facts.now)
    if opens_at:
        return Verdict(False, _quiet_words(facts.shop), not_before=opens_at)
    if purpose == Purpose.LINK:
        return Verdict(True, because("Sent: %(channel)s is agreed to, inside the hours.", channel=channel))
    return Verdict(
        True,
        because(
            "Asked: a balance is due, %(channel)s is agreed to, inside the hours, "
            "reminder %(number)s of %(cap)s this week.",
            channel=channel,
            number=facts.asked_this_week + 1,
            cap=facts.shop.weekly_cap,
        ),
    )


def _standing_refusal(facts: Facts, queued_at: dt.datetime | None, overdue_only: bool) -> str:
    """Why nobody should be asked at all, whatever the hour; "" when one may."""
    party, khata = facts.party, facts.khata
    if facts.shop.reminders_paused:
        return because("Not sent: the shop has paused all reminders.")
    if party.archived_at is not None:
        return because("Not sent: this party is archived.")
    if khata is None or khata.balance_paise <= 0:
        return because("Not sent: nothing is owed any more.")
    if queued_at and facts.paid_at and facts.paid_at > queued_at:
        return because("Not sent: a payment arrived in the meantime.")
    if overdue_only and (khata.oldest_due_on is None or khata.oldest_due_on > facts.today):
        return because("Not sent: nothing is past its day any more.")
    if party.reminders_paused_until and party.reminders_paused_until > facts.today:
        day = party.reminders_paused_until.isoformat()
        return because("Not sent: reminders to this party are paused until %(day)s.", day=day)
    if khata.collect_on and khata.collect_on > facts.today:
        day = khata.collect_on.isoformat()
        return because("Not sent: it was agreed to collect on %(day)s.", day=day)
    return ""


def _cap_refusal(channel: str, facts: Facts) -> str:
    if channel in facts.asked_today:
        return because("Not sent: this party was already reminded by %(channel)s today.", channel=channel)
    if facts.asked_this_week >= facts.shop.weekly_cap:
        count = facts.asked_this_week
        return because("Not sent: %(count)s reminders in seven days are enough.", count=count)
    return ""


def opens(shop: Shop, now: dt.datetime) -> dt.datetime | None:
    """When the quiet hours that hold at ``now`` end (UTC); None outside them.

    Quiet from ``quiet_from`` on, up to but without ``quiet_until``, by the shop's own clock.
    """
    start, end = shop.quiet_from, shop.quiet_until
    if start == end:
        return None
    zone: ZoneInfo = shop.zoneinfo
    local = now.astimezone(zone)
    time = local.time().replace(tzinfo=None)
    is_quiet = (time >= start or time < end) if start > end else start <= time < end
    if not is_quiet:
        return None
    day = local.date() if time < end else local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, end, tzinfo=zone).astimezone(dt.UTC)


def _quiet_words(shop: Shop) -> str:
    return because(
        "Waits until %(until)s: nobody is asked from %(from)s to %(until)s.",
        **{"from": f"{shop.quiet_from:%H:%M}", "until": f"{shop.quiet_until:%H:%M}"},
    )
