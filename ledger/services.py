"""Every write of the book: open a khata, post an entry, reverse one, change terms.

Nothing else in the house writes khatas or entries. Each function opens its own transaction, takes
``actor`` (None for the unattended) and ``key`` (idempotency: the same key is the same entry).
"""

import datetime as dt
import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import clock
from core.limits import MAX_AMOUNT_PAISE, MAX_KEY_CHARS, MAX_NOTE_CHARS
from core.money import format_paise
from ledger import allocation, chain, post
from ledger.models import Direction, Entry, Khata, Kind, Source
from parties.models import Party, PartyKind
from parties.services import PartyKeyReused, add_party
from shops.models import Shop, User
from shops.services import audit

# Kinds that can only go one way; the others may go either (an opening, a supplier's payment).
ONE_WAY = {
    Kind.SALE: Direction.GAVE,
    Kind.ORDER: Direction.GAVE,
    Kind.FEE: Direction.GAVE,
    Kind.PURCHASE: Direction.GOT,
}
OPPOSITE = {Direction.GAVE: Direction.GOT, Direction.GOT: Direction.GAVE}
FIRST_DAY = dt.date(1990, 1, 1)
LONGEST_CREDIT = dt.timedelta(days=3660)  # no due day lies further behind its entry


class LedgerError(ValueError):
    """The book refused, and nothing was written. The message is for people."""


class KeyReused(LedgerError):
    """The idempotency key stands on another entry already."""


class Undone(KeyReused):
    """The key stands on this very entry, which was reversed since: whoever sends it again is asked."""


class AlreadyReversed(LedgerError):
    """Someone reversed this entry before; once is enough."""


class OverLimit(LedgerError):
    """The entry would pass the credit limit and the shop refuses that."""

    def __init__(self, message: str, *, limit_paise: int, would_be_paise: int) -> None:
        super().__init__(message)
        self.limit_paise = limit_paise
        self.would_be_paise = would_be_paise


@dataclass(frozen=True)
class Posting:
    """An entry and the khata right after it. ``is_replay``: the key was known, nothing was written."""

    entry: Entry
    balance_paise: int
    is_over_limit: bool = False
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry of a bulk posting: what ``post_entry`` takes, by the same names and units."""

    khata_id: int
    direction: str
    amount_paise: int
    kind: str
    key: str
    occurred_on: dt.date | None = None
    due_on: dt.date | None = None
    note: str = ""


def open_khata(*, party: Party, credit_limit_paise: int | None = None, credit_days: int | None = None) -> Khata:
    """The khata of a party, made empty. Raises IntegrityError where it has one."""
    khata = Khata(
        shop_id=party.shop_id, party=party, credit_limit_paise=credit_limit_paise, credit_days=credit_days
    )
    khata.head_digest = chain.genesis(khata.uid)
    khata.save(force_insert=True)
    return khata


@transaction.atomic
def new_khata(
    *,
    shop: Shop,
    actor: User | None,
    name: str,
    key: str | None = None,
    opening_paise: int = 0,
    opening_on: dt.date | None = None,
    credit_limit_paise: int | None = None,
    credit_days: int | None = None,
    source: Source = Source.SCREEN,
    **party_fields: Any,
) -> Khata:
    """A party, its khata and its opening balance, all or nothing.

    ``opening_paise`` positive: the party owes the shop. The same ``key`` with the same party and
    opening gives the first khata (terms may have changed since, and do not count); else KeyReused.
    """
    try:
        party, is_new = add_party(shop=shop, actor=actor, name=name, key=key, **party_fields)
    except PartyKeyReused as error:
        raise KeyReused(str(error)) from error
    if not is_new:
        return _known_khata(shop, party, opening_paise, opening_on)
    khata = open_khata(party=party, credit_limit_paise=credit_limit_paise, credit_days=credit_days)
    if opening_paise:
        posting = post_entry(
            shop=shop,
            khata=khata,
            actor=actor,
            direction=Direction.GAVE if opening_paise > 0 else Direction.GOT,
            amount_paise=abs(opening_paise),
            kind=Kind.OPENING,
            occurred_on=opening_on,
            source=source,
            key=f"opening:{khata.uid}",
            enforce_limit=False,
        )
        khata.balance_paise = posting.balance_paise
    return khata


def _known_khata(shop: Shop, party: Party, opening_paise: int, opening_on: dt.date | None) -> Khata:
    khata: Khata = Khata.objects.for_shop(shop).get(party=party)
    opening = Entry.objects.for_shop(shop).filter(key=f"opening:{khata.uid}").first()
    is_same = (opening.signed_paise if opening else 0) == opening_paise
    if not is_same or (opening is not None and opening_on not in (None, opening.occurred_on)):
        raise KeyReused(_("This form was already saved with other content. Nothing more was written."))
    return khata


def default_kind(direction: str, party_kind: str) -> Kind:
    """What an entry most likely is: a sale or a payment; for a supplier a purchase or a payment."""
    if party_kind == PartyKind.SUPPLIER:
        return Kind.PURCHASE if direction == Direction.GOT else Kind.PAYMENT
    return Kind.SALE if direction == Direction.GAVE else Kind.PAYMENT


def post_entry(
    *,
    shop: Shop,
    khata: Khata,
    actor: User | None,
    direction: str,
    amount_paise: int,
    kind: str,
    key: str,
    source: str = Source.SCREEN,
    occurred_on: dt.date | None = None,
    due_on: dt.date | None = None,
    note: str = "",
    items: list[Any] | None = None,
    enforce_limit: bool = True,
    override_reason: str = "",
    recorded_at: dt.datetime | None = None,
) -> Posting:
    """Append one entry; the balance, the chain and ``oldest_due_on`` move in the same transaction.

    ``amount_paise`` > 0. ``occurred_on`` defaults to the shop's today, ``due_on`` of a gave to
    the khata's or shop's days of credit; named, it lies from the entry's day to LONGEST_CREDIT
    behind it (of an opening also before it). ``override_reason`` lets an owner pass a blocking limit
    (the caller has checked that it is one) and is audited. ``recorded_at`` is for restores.

    Raises LedgerError: KeyReused when the key stands on other content, OverLimit, or a value that
    the book does not take. The same key with the same content returns the first posting; dates count
    as content only where this call names them. Undone, when that posting was reversed meanwhile.
    """
    note = note.strip()
    today = shop.today()
    day = occurred_on or today
    due_asked = due_on if direction == Direction.GAVE else None
    _check(direction, amount_paise, kind, day, today, due_asked, note, key)
    if due_on is None and direction == Direction.GAVE:
        days = khata.credit_days if khata.credit_days is not None else shop.credit_days
        due_on = day + dt.timedelta(days=days)
    line, body = _line(
        shop_id=shop.pk,
        khata_id=khata.pk,
        direction=direction,
        amount_paise=amount_paise,
        kind=kind,
        occurred_on=day,
        due_on=due_on if direction == Direction.GAVE else None,
        source=source,
        note=note,
        items=items or [],
        actor=actor,
        key=key,
        created_at=recorded_at or clock.now(),
    )
    try:
        with transaction.atomic():
            posted = _append(line, body)
            is_over = _over_limit(line, posted)
            if is_over and enforce_limit and shop.blocks_over_limit:
                _pass_limit(shop, khata, actor, posted, override_reason)
    except IntegrityError:
        return _replay(line, _named(occurred_on=occurred_on, due_on=due_asked))
    return Posting(_as_entry(line, posted), posted.balance_paise, is_over)


@transaction.atomic
def post_many(*, shop: Shop, drafts: list[Draft], actor: User | None, source: str = Source.IMPORT) -> int:
    """Append many entries to one or more khatas of ``shop``, all or nothing; how many were new.

    For writers that have the whole batch in hand (imports): the khatas are locked once, in one
    order, the chain is computed here and the lines go in together. Checks, chain, replays and
    KeyReused are those of ``post_entry``; credit limits are not enforced, and a line that was
    reversed since is known all the same: a file brought in again does not undo a correction.
    Some 100 drafts a call.
    """
    return write_batch(chain_batch(shop=shop, drafts=drafts, actor=actor, source=source))


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that are checked and chained but not written, and where their khatas must stand then."""

    entries: list[Entry]
    heads: list[post.Head]


def chain_batch(*, shop: Shop, drafts: list[Draft], actor: User | None, source: str = Source.IMPORT) -> Batch:
    """The reading half of ``post_many``: everything but the writing. Locks the khatas where it can."""
    ids = sorted({draft.khata_id for draft in drafts})
    locked = Khata.objects.for_shop(shop).filter(pk__in=ids).order_by("pk").select_for_update()
    khatas = {khata.pk: khata for khata in locked}
    if len(khatas) != len(ids):
        raise LedgerError(_("This khata is not in this shop."))
    before = {pk: (khata.entry_count, bytes(khata.head_digest)) for pk, khata in khatas.items()}
    known = {entry.key: entry for entry in Entry.objects.for_shop(shop).filter(key__in=[d.key for d in drafts])}
    now, today = clock.now(), shop.today()
    coming: dict[int, list[Entry]] = defaultdict(list)
    for draft in drafts:
        if first := known.get(draft.key):
            _same_or_refuse(first, _asked(draft))
            continue
        entry = _chained(shop, khatas[draft.khata_id], draft, actor, source, now, today)
        known[draft.key] = entry
        coming[draft.khata_id].append(entry)
    return Batch(
        entries=[entry for pk in sorted(coming) for entry in coming[pk]],
        heads=[_head(khatas[pk], *before[pk], coming[pk], now) for pk in sorted(coming)],
    )


@transaction.atomic
def write_batch(batch: Batch) -> int:
    """The writing half: all or nothing. Raises LedgerError where a khata has moved since the reading."""
    if not post.move_heads(batch.heads):
        raise LedgerError(_("This khata was moved by someone else. Nothing was written; try again."))
    Entry.everything.bulk_create(batch.entries)
    return len(batch.entries)


@transaction.atomic
def reverse_entry(*, shop: Shop, entry: Entry, actor: User | None, key: str = "", reason: str = "") -> Posting:
    """Cancel ``entry`` by an opposite one on the same business date; both stay in the book.

    On the same date, so that every statement reads as if the mistake had not been made, while
    the chain shows when it was put right. The same ``key`` (one form sent twice) gives the first
    reversal again. Raises AlreadyReversed when another hand was quicker (the unique ``reverses``
    lets one win), KeyReused, or LedgerError for a reversal of a reversal.
    """
    entry = Entry.objects.for_shop(shop).select_related("khata__party").get(pk=entry.pk)
    if entry.reverses_id is not None:
        raise LedgerError(_("This line is itself a correction. Write a new entry instead."))
    line, body = _line(
        shop_id=shop.pk,
        khata_id=entry.khata_id,
        direction=OPPOSITE[Direction(entry.direction)],
        amount_paise=entry.amount_paise,
        kind=entry.kind,
        occurred_on=entry.occurred_on,
        due_on=None,
        source=Source.SCREEN,
        note=reason.strip()[:MAX_NOTE_CHARS],
        items=[],
        actor=actor,
        key=key or f"reverse:{entry.pk}",
        created_at=clock.now(),
        reverses=entry,
    )
    try:
        with transaction.atomic():
            posted = _append(line, body)
    except IntegrityError as error:
        first = Entry.objects.for_shop(shop).filter(key=line.key).select_related("khata").first()
        if first is not None and first.reverses_id != entry.pk:
            raise KeyReused(
                _("This form was already saved with other content. Nothing more was written.")
            ) from error
        if first is not None and key:
            return Posting(first, first.khata.balance_paise, is_replay=True)
        raise AlreadyReversed(_("This entry was already reversed. Nothing was changed.")) from error
    audit(
        shop=shop,
        actor=actor,
        action="entry.reversed",
        target=f"party:{entry.khata.party.code}",
        before={"position": entry.position, "amount_paise": entry.amount_paise, "direction": entry.direction},
        after={"balance_paise": posted.balance_paise},
    )
    return Posting(_as_entry(line, posted), posted.balance_paise)


TERMS = ("credit_limit_paise", "credit_days", "collect_on")


@transaction.atomic
def set_terms(*, khata: Khata, actor: User | None, changes: dict[str, Any]) -> Khata:
    """Change the limit (paise), the days of credit or the collect-on date; audited."""
    if unknown := set(changes) - set(TERMS):
        raise LedgerError(f"not terms: {sorted(unknown)}")
    current = Khata.everything.select_for_update().select_related("party").get(pk=khata.pk)
    changed = {field: value for field, value in changes.items() if getattr(current, field) != value}
    if not changed:
        return current
    before = {field: _plain(getattr(current, field)) for field in changed}
    for field, value in changed.items():
        setattr(current, field, value)
    current.save(update_fields=list(changed))
    audit(
        shop=current.shop,
        actor=actor,
        action="khata.terms_changed",
        target=f"party:{current.party.code}",
        before=before,
        after={field: _plain(value) for field, value in changed.items()},
    )
    return current


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _check(
    direction: str,
    amount_paise: int,
    kind: str,
    day: dt.date,
    today: dt.date,
    due_on: dt.date | None,
    note: str,
    key: str,
) -> None:
    """Refuse what the book does not take. ``due_on``: as the caller named it, of a gave."""
    if type(amount_paise) is not int or not 0 < amount_paise <= MAX_AMOUNT_PAISE:
        raise LedgerError(_("The amount must be more than zero and not larger than a khata may hold."))
    if direction not in Direction.values or kind not in Kind.values:
        raise LedgerError(_("This kind of entry is not known."))
    if ONE_WAY.get(Kind(kind), direction) != direction:
        raise LedgerError(_("An entry of this kind goes the other way."))
    if day > today:
        raise LedgerError(_("The date must not lie in the future."))
    if day < FIRST_DAY:
        raise LedgerError(_("The date lies too far back."))
    if due_on is not None:
        _check_due(due_on, kind, day)
    if "\0" in note:  # PostgreSQL keeps none
        raise LedgerError(_("The note holds a character that cannot be kept."))
    if len(note) > MAX_NOTE_CHARS:
        raise LedgerError(_("The note is too long."))
    if not key or len(key) > MAX_KEY_CHARS:
        raise LedgerError(_("This form is incomplete. Open it again and save once more."))


def _check_due(due_on: dt.date, kind: str, day: dt.date) -> None:
    # What was due before the book began is an opening of today.
    first = FIRST_DAY if kind == Kind.OPENING else day
    if due_on < first:
        raise LedgerError(_("The due date must not lie before the date of the entry."))
    if due_on > day + LONGEST_CREDIT:
        raise LedgerError(_("The due date lies too far ahead."))


def _line(
    *,
    reverses: Entry | None = None,
    actor: User | None,
    note: str,
    items: list[Any],
    created_at: dt.datetime,
    **fields: Any,
) -> tuple[post.Line, bytes]:
    """The line and its canonical bytes, before the book is touched."""
    if fields["source"] not in Source.values:
        raise LedgerError(_("This kind of entry is not known."))
    salt = os.urandom(16)
    digest = chain.text_digest(salt, note, items, [])
    line = post.Line(
        **fields,
        reverses_id=reverses.pk if reverses else None,
        note=note,
        items=items,
        attachments=[],
        text_salt=salt,
        text_digest=digest,
        created_by_id=actor.pk if actor else None,
        created_at=created_at,
    )
    body = chain.body(
        direction=line.direction,
        amount_paise=line.amount_paise,
        kind=line.kind,
        occurred_on=line.occurred_on,
        due_on=line.due_on,
        created_at=line.created_at,
        source=line.source,
        reverses_position=reverses.position if reverses else None,
        text_digest=digest,
    )
    return line, body


def _append(line: post.Line, body: bytes) -> post.Posted:
    """Write the line, then refresh ``oldest_due_on`` where the UPDATE alone could not know it."""
    posted = post.append(line, body)
    if posted is None:
        raise LedgerError(_("This khata is not in this shop."))
    is_newest_gave = (
        line.direction == Direction.GAVE and line.reverses_id is None and line.occurred_on == posted.latest_on
    )
    if posted.balance_paise > 0 and not is_newest_gave:
        oldest = allocation.oldest_due_on(line.khata_id, posted.balance_paise)
        if oldest != posted.oldest_due_on:
            Khata.everything.filter(pk=line.khata_id).update(oldest_due_on=oldest)
    return posted


def _asked(draft: Draft) -> dict[str, Any]:
    """What a replay of ``draft`` must repeat; dates only where the caller named them."""
    asked = {name: getattr(draft, name) for name in ("khata_id", "direction", "amount_paise", "kind")}
    asked["note"] = draft.note.strip()
    due_on = draft.due_on if draft.direction == Direction.GAVE else None
    return asked | _named(occurred_on=draft.occurred_on, due_on=due_on)


def _named(**dates: dt.date | None) -> dict[str, dt.date]:
    """Dates that we chose ourselves may differ on a replay after midnight or new terms."""
    return {field: day for field, day in dates.items() if day is not None}


def _chained(
    shop: Shop, khata: Khata, draft: Draft, actor: User | None, source: str, now: dt.datetime, today: dt.date
) -> Entry:
    """The next entry of ``khata``, not saved; the khata in hand moves on, its row does not yet."""
    note, day = draft.note.strip(), draft.occurred_on or today
    due_on = draft.due_on if draft.direction == Direction.GAVE else None
    _check(draft.direction, draft.amount_paise, draft.kind, day, today, due_on, note, draft.key)
    if draft.direction == Direction.GAVE and due_on is None:
        days = khata.credit_days if khata.credit_days is not None else shop.credit_days
        due_on = day + dt.timedelta(days=days)
    line, body = _line(
        shop_id=shop.pk,
        khata_id=khata.pk,
        direction=draft.direction,
        amount_paise=draft.amount_paise,
        kind=draft.kind,
        occurred_on=day,
        due_on=due_on,
        source=source,
        note=note,
        items=[],
        actor=actor,
        key=draft.key,
        created_at=now,
    )
    khata.entry_count += 1
    khata.head_digest = chain.link(bytes(khata.head_digest), khata.entry_count, body)
    khata.latest_on = max(khata.latest_on or day, day)
    entry = Entry(position=khata.entry_count, digest=khata.head_digest, **vars(line))
    khata.balance_paise += entry.signed_paise
    return entry


def _head(khata: Khata, old_count: int, old_head: bytes, entries: list[Entry], now: dt.datetime) -> post.Head:
    """Where ``_chained`` has moved ``khata``, and from where."""
    coming = [
        (entry.occurred_on, entry.position, entry.due_on, entry.amount_paise, 0)
        for entry in entries
        if entry.direction == Direction.GAVE
    ]
    return post.Head(
        khata_id=khata.pk,
        old_count=old_count,
        old_head=old_head,
        balance_paise=khata.balance_paise,
        entry_count=khata.entry_count,
        head_digest=bytes(khata.head_digest),
        latest_on=khata.latest_on,
        last_entry_at=now,
        oldest_due_on=allocation.oldest_due_on(khata.pk, khata.balance_paise, coming),
    )


def _over_limit(line: post.Line, posted: post.Posted) -> bool:
    return (
        line.direction == Direction.GAVE
        and posted.credit_limit_paise is not None
        and posted.balance_paise > posted.credit_limit_paise
    )


def _pass_limit(shop: Shop, khata: Khata, actor: User | None, posted: post.Posted, reason: str) -> None:
    """Audit the owner's override, or refuse (which rolls the entry back)."""
    limit = posted.credit_limit_paise or 0
    if not reason.strip():
        raise OverLimit(
            _("Not saved: with this entry the khata would stand at %(balance)s, over its limit of %(limit)s.")
            % {"balance": format_paise(posted.balance_paise), "limit": format_paise(limit)},
            limit_paise=limit,
            would_be_paise=posted.balance_paise,
        )
    audit(
        shop=shop,
        actor=actor,
        action="khata.limit_overridden",
        target=f"khata:{khata.pk}:{posted.position}",
        before={"credit_limit_paise": limit},
        after={"balance_paise": posted.balance_paise, "reason": reason.strip()[:200]},
    )


def _replay(line: post.Line, explicit: dict[str, Any]) -> Posting:
    """The first posting of this key when it says the same; KeyReused when it does not."""
    first = Entry.objects.for_shop(line.shop_id).filter(key=line.key).select_related("khata").first()
    if first is None:
        raise LedgerError(_("The book refused this entry. Nothing was written."))
    asked = {
        "khata_id": line.khata_id,
        "direction": line.direction,
        "amount_paise": line.amount_paise,
        "kind": line.kind,
        "note": line.note,
        "items": line.items,
    } | explicit
    _same_or_refuse(first, asked)
    if Entry.everything.filter(reverses=first.pk).exists():
        raise Undone(_("This was saved and then undone. Press Save once more to write it again."))
    return Posting(first, first.khata.balance_paise, is_replay=True)


def _same_or_refuse(first: Entry, asked: dict[str, Any]) -> None:
    if any(getattr(first, field) != value for field, value in asked.items()):
        raise KeyReused(_("This form was already saved with other content. Nothing more was written."))


def _as_entry(line: post.Line, posted: post.Posted) -> Entry:
    return Entry(pk=posted.entry_id, position=posted.position, digest=posted.digest, **vars(line))
