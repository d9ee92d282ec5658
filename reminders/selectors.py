"""Reads for the screens of asking: whom, what was said, how a run stands."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import clock, crypto
from core.limits import PAGE_ROWS
from ledger.models import Khata
from ledger.selectors import Page, initials
from parties.models import PartyKind
from reminders.models import Message, Purpose, Rule, Run
from reminders.runs import MAX_PARTIES, OPEN
from shops.models import Member, Shop

State = Message.State

WHICH: dict[str, Promise] = {
    "due": _("All due"),
    "today": _("Due today"),
    "d1_30": _("1–30 days late"),
    "d31_60": _("31–60 days late"),
    "d61_90": _("61–90 days late"),
    "d90_plus": _("Over 90 days late"),
    "over_limit": _("Over limit"),
    "collect_today": _("To collect today"),
}
OF_DUE = frozenset(WHICH) - {"over_limit", "collect_today"}  # lists of khatas with something due
_DAYS_LATE = {"d1_30": (1, 30), "d31_60": (31, 60), "d61_90": (61, 90)}


@dataclass(frozen=True)
class Chip:
    """One list of the Collect page: how many khatas are in it, and their balances in paise."""

    which: str
    label: Promise
    count: int
    paise: int


@dataclass(frozen=True)
class Debtor:
    """One line of the Collect page."""

    party_id: int
    code: str
    name: str
    has_phone: bool
    balance_paise: int
    days_late: int
    is_over_limit: bool
    asked_at: dt.datetime | None
    is_paused: bool

    @property
    def initials(self) -> str:
        return initials(self.name)


def _condition(which: str, today: dt.date) -> Q:
    """What puts a khata into a list. ``today`` is the shop's."""
    if which == "today":
        return Q(oldest_due_on=today)
    if which in _DAYS_LATE:
        first, last = _DAYS_LATE[which]
        return Q(
            oldest_due_on__lte=today - dt.timedelta(days=first), oldest_due_on__gte=today - dt.timedelta(days=last)
        )
    if which == "d90_plus":
        return Q(oldest_due_on__lt=today - dt.timedelta(days=90))
    if which == "over_limit":
        return Q(balance_paise__gt=F("credit_limit_paise"))
    if which == "collect_today":
        return Q(collect_on__lte=today)
    return Q(oldest_due_on__lte=today)


def _debtors(shop: Shop) -> QuerySet[Khata]:
    rows: QuerySet[Khata] = Khata.objects.for_shop(shop).filter(
        balance_paise__gt=0, party__archived_at=None, party__kind=PartyKind.CUSTOMER
    )
    return rows


def collect_chips(shop: Shop, today: dt.date) -> list[Chip]:
    """Every list with its count and sum, in one query."""
    wanted: dict[str, Any] = {}
    for which in WHICH:
        condition = _condition(which, today)
        wanted[f"{which}_count"] = Count("pk", filter=condition)
        wanted[f"{which}_paise"] = Sum("balance_paise", filter=condition, default=0)
    sums = _debtors(shop).aggregate(**wanted)
    return [Chip(which, label, sums[f"{which}_count"], sums[f"{which}_paise"]) for which, label in WHICH.items()]


def collect_page(
    shop: Shop, today: dt.date, *, which: str = "due", cursor: str = "", size: int = PAGE_ROWS
) -> Page:
    """The debtors of one list, longest overdue first. One query at any size and any page.

    Raises SealBroken for a cursor that is not ours.
    """
    asked = (
        Message.everything.filter(party=OuterRef("party"), purpose=Purpose.REMINDER)
        .order_by()
        .values("party")
        .annotate(at=Max("begun_at"))
        .values("at")
    )
    rows = _debtors(shop).filter(_condition(which, today)).order_by("oldest_due_on", "pk")
    if cursor:
        day_text, pk = crypto.open_cursor(f"collect:{shop.pk}:{which}", cursor)
        day = dt.date.fromisoformat(day_text)
        rows = rows.filter(Q(oldest_due_on__gt=day) | Q(oldest_due_on=day, pk__gt=pk))
    found = list(rows.select_related("party").annotate(asked_at=Subquery(asked)).defer("head_digest")[: size + 1])
    debtors = [_debtor(khata, today) for khata in found[:size]]
    if len(found) <= size:
        return Page(debtors)
    last = found[size - 1]
    at = (last.oldest_due_on or today).isoformat()
    return Page(debtors, crypto.seal_cursor(f"collect:{shop.pk}:{which}", [at, last.pk]))


def _debtor(khata: Khata, today: dt.date) -> Debtor:
    party, limit = khata.party, khata.credit_limit_paise
    paused = party.reminders_paused_until is not None and party.reminders_paused_until > today
    return Debtor(
        party_id=party.pk,
        code=party.code,
        name=party.name,
        has_phone=bool(party.phone),
        balance_paise=khata.balance_paise,
        days_late=max((today - khata.oldest_due_on).days, 0) if khata.oldest_due_on else 0,
        is_over_limit=limit is not None and khata.balance_paise > limit,
        asked_at=khata.asked_at,  # type: ignore[attr-defined]
        is_paused=paused or (khata.collect_on is not None and khata.collect_on > today),
    )


def collect_ids(shop: Shop, today: dt.date, which: str) -> list[int]:
    """The parties of a whole list, longest overdue first, at most MAX_PARTIES."""
    rows = _debtors(shop).filter(_condition(which, today)).order_by("oldest_due_on", "pk")
    return list(rows.values_list("party_id", flat=True)[:MAX_PARTIES])


@dataclass(frozen=True)
class RunFacts:
    """How a run stands: ``looked_at`` of ``people``, and what became of their messages."""

    run: Run
    people: int
    looked_at: int
    sent: int
    waiting: int  # in the queue now
    later: int  # moved to the morning
    unknown: int
    refused: list[tuple[str, int]]  # reason, how many

    @property
    def done_count(self) -> int:
        """What the progress bar shows, of ``people``."""
        return max(self.looked_at - self.waiting, 0)

    @property
    def refused_count(self) -> int:
        return sum(count for _reason, count in self.refused)

    @property
    def is_over(self) -> bool:
        """Nothing of it moves any more before the morning."""
        return self.run.state not in OPEN and not self.waiting


def run_facts(run: Run) -> RunFacts:
    """Two queries, however many people the run has."""
    rows = Message.everything.filter(run=run)
    now = clock.now()
    sums = rows.aggregate(
        sent=Count("pk", filter=Q(state__in=[State.SENT, State.DELIVERED, State.READ])),
        later=Count("pk", filter=Q(state=State.QUEUED, due_at__gt=now)),
        waiting=Count("pk", filter=Q(state=State.SENDING) | Q(state=State.QUEUED, due_at__lte=now)),
        unknown=Count("pk", filter=Q(state=State.UNKNOWN)),
    )
    reasons = rows.filter(state__in=[State.CANCELLED, State.FAILED]).values("state", "rule", "error")
    refused: dict[str, int] = {}
    for row in reasons.annotate(count=Count("pk")).order_by("-count")[:50]:
        words = row["error"] if row["state"] == State.FAILED else row["rule"]
        refused[words] = refused.get(words, 0) + row["count"]
    return RunFacts(
        run=run, people=len(run.party_ids), looked_at=run.position, refused=list(refused.items()), **sums
    )


def run_refusals(run: Run, limit: int = 100) -> list[Message]:
    """The first refused messages of a run with their parties, by name."""
    rows = Message.everything.filter(run=run, state__in=[State.CANCELLED, State.FAILED])
    return list(rows.select_related("party").order_by("party__name", "pk")[:limit])


MESSAGE_FILTERS: dict[str, tuple[Promise, list[str]]] = {
    "all": (_("All"), []),
    "unknown": (_("Not sure"), [State.UNKNOWN]),
    "waiting": (_("Waiting"), [State.QUEUED, State.SENDING]),
    "sent": (_("Sent"), [State.SENT, State.DELIVERED, State.READ]),
    "refused": (_("Not sent"), [State.CANCELLED]),
    "failed": (_("Failed"), [State.FAILED]),
}


def message_page(shop: Shop, *, which: str = "all", cursor: str = "", size: int = PAGE_ROWS) -> Page:
    """Messages of a shop, newest first, with their parties and names. Raises SealBroken."""
    rows = Message.objects.for_shop(shop).select_related("party").order_by("-id")
    if states := MESSAGE_FILTERS[which][1]:
        rows = rows.filter(state__in=states)
    if cursor:
        [pk] = crypto.open_cursor(f"messages:{shop.pk}:{which}", cursor)
        rows = rows.filter(pk__lt=pk)
    found = name_people(shop, list(rows[: size + 1]))
    if len(found) <= size:
        return Page(found)
    return Page(found[:size], crypto.seal_cursor(f"messages:{shop.pk}:{which}", [found[size - 1].pk]))


def name_people(shop: Shop, messages: list[Message]) -> list[Message]:
    """The same messages, each knowing its ``shown_name``: the party's, or that of the shop's own person."""
    names: dict[str, str] = {}
    if any(message.party_id is None for message in messages):
        members = Member.objects.for_shop(shop).select_related("user")
        names = {member.user.phone: member.shown_name for member in members}
    for message in messages:
        message.shown_name = message.party.name if message.party else names.get(message.recipient, "")
    return messages


@dataclass(frozen=True)
class Troubles:
    """How many messages wait for a person, and how many of the last seven days could not be sent."""

    unknown: int
    failed: int


def troubles(shop: Shop) -> Troubles:
    """What stands above the list of messages, in one query."""
    since = clock.now() - dt.timedelta(days=7)
    rows = Message.objects.for_shop(shop).filter(
        Q(state=State.UNKNOWN) | Q(created_at__gte=since), state__in=[State.UNKNOWN, State.FAILED]
    )
    counts = dict(rows.values_list("state").annotate(Count("pk")))
    return Troubles(counts.get(State.UNKNOWN, 0), counts.get(State.FAILED, 0))


def rules_of(shop: Shop) -> list[Rule]:
    """The shop's rules, the switched on ones first."""
    return list(Rule.objects.for_shop(shop).order_by("-enabled", "days_after_due", "pk"))


def latest_run(shop: Shop) -> Run | None:
    """The newest run that still has something to do, for the note on Collect."""
    return Run.objects.for_shop(shop).filter(state__in=OPEN).order_by("-pk").first()
