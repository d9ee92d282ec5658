"""Every write of payments: links and their drawings, checkouts, the webhook inbox, claims.

The book moves in two places only: ``settle_payment`` (a verified event says so) and
``confirm_claim`` (a person says so). A click on a link, a scan of a QR, proves nothing.
"""

import datetime as dt
import logging
import secrets
import time
from collections.abc import Mapping

from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock, crypto
from core.db import PAUSE_S, is_sqlite, lock_in_transaction, paced
from core.limits import MAX_AMOUNT_PAISE
from core.money import format_paise
from ledger.models import Direction, Entry, Khata, Kind, Source
from ledger.services import LedgerError, post_entry
from parties.models import Channel
from parties.services import record_consent
from payments import providers, qr, selectors
from payments.claims import MAX_OPEN_CLAIMS as MAX_OPEN_CLAIMS  # the same door for claims
from payments.claims import ClaimAnswer as ClaimAnswer
from payments.claims import ClaimError as ClaimError
from payments.claims import confirm_claim as confirm_claim
from payments.claims import make_claim as make_claim
from payments.claims import reject_claim as reject_claim
from payments.models import (
    Checkout,
    Claim,
    PayLink,
    Payment,
    ProviderAccount,
    ProviderEvent,
    ProviderKind,
    new_nonce,
)
from payments.providers.base import EventUnreadable, ProviderEventFacts
from payments.standing import standing_links
from payments.upi import shown_reference, utr_in, utr_lock
from payments.words import note_of, paid_already
from shops.models import Shop, User
from shops.services import audit

log = logging.getLogger(__name__)

MAX_OPEN_LINKS = 20  # per khata, beside the standing one
MAX_EVENT_ID_CHARS = 120
MAX_ATTEMPTS = 5
PASSES_WITHIN = dt.timedelta(hours=1)  # trouble of the database; what lasts longer needs a person
CHECKOUT_FOR = dt.timedelta(minutes=30)  # so long a checkout waits for its customer
CONFIRMING_FOR = dt.timedelta(hours=2)  # and so long, once they have paid, for the provider
RECEIPT_ASKS_FOR = CHECKOUT_FOR  # how long an open receipt asks by itself
_KEPT_HEADERS = ("content-type", "user-agent", "x-")


class LinkError(ValueError):
    """The link was not made or changed; the message is for people."""


class EventProblem(ValueError):
    """A signed event that must not move the book before a person has looked. Says why."""


# --- links ------------------------------------------------------------------------------------


def make_link(
    *,
    shop: Shop,
    khata: Khata,
    actor: User | None,
    amount_paise: int | None = None,
    expires_at: dt.datetime | None = None,
) -> PayLink:
    """The khata's standing link, or one for a fixed amount (paise) or until a moment. Atomic.

    The same call twice gives the same link, until its amount is paid. Raises LinkError for an
    amount or moment that cannot be, and past MAX_OPEN_LINKS.
    """
    if amount_paise is not None and not 0 < amount_paise <= MAX_AMOUNT_PAISE:
        raise LinkError(_("The amount must be more than zero and not larger than a khata may hold."))
    if expires_at is not None and expires_at <= clock.now():
        raise LinkError(_("The last day of a link must not lie in the past."))
    if amount_paise is None and expires_at is None:
        return standing_links(khatas=[khata], actor=actor)[khata.pk]
    with transaction.atomic():
        lock_in_transaction(f"links:{khata.pk}")  # two hands at once: the second finds the first one's link
        links: list[PayLink] = list(
            PayLink.objects.for_shop(shop).filter(khata=khata, revoked_at=None).defer("qr_svg", "qr_png")
        )
        # One whose amount is paid has done its work: who asks for it again means another.
        paid = selectors.paid_among(links)
        unpaid = [link for link in links if link.pk not in paid]
        for known in unpaid:
            if (known.amount_paise, known.expires_at) == (amount_paise, expires_at):
                return known
        if sum(known.is_open() for known in unpaid) > MAX_OPEN_LINKS:
            raise LinkError(_("This khata has too many links. End some that are no longer needed."))
        link = PayLink(shop=shop, khata=khata, amount_paise=amount_paise, expires_at=expires_at, created_by=actor)
        link.save(force_insert=True)
        _audit_link(link, actor, "link.made")
    return link


@transaction.atomic
def revoke_link(*, link: PayLink, actor: User | None) -> PayLink:
    """End a link now: its address answers as if it had never been."""
    if PayLink.everything.filter(pk=link.pk, revoked_at=None).update(revoked_at=clock.now(), qr_stale_since=None):
        _audit_link(link, actor, "link.revoked")
    link.refresh_from_db()
    return link


@transaction.atomic
def rotate_link(*, link: PayLink, actor: User | None) -> PayLink:
    """Give an open link another address; the old one is dead, the drawing (which has none) stays."""
    rotated = PayLink.everything.filter(pk=link.pk, revoked_at=None, nonce=bytes(link.nonce))
    if rotated.update(nonce=new_nonce()):
        _audit_link(link, actor, "link.rotated")
    link.refresh_from_db()
    return link


def _audit_link(link: PayLink, actor: User | None, action: str) -> None:
    after = {"amount_paise": link.amount_paise} if link.amount_paise else {}
    audit(shop=link.shop, actor=actor, action=action, target=f"party:{link.khata.party.code}", after=after)


@transaction.atomic
def stop_messages(*, link: PayLink) -> int:
    """The customer wants no more messages, by any channel; returns how many channels that changed."""
    party = link.khata.party
    newest = selectors.newest_consents(party)
    channels = [channel for channel in Channel.values if newest.get(channel, True)]
    for channel in channels:
        record_consent(party=party, channel=channel, given=False, source="customer-page", actor=None)
    return len(channels)


# --- drawings: the worker draws, pages show ---------------------------------------------------


FIRST_IN_LINE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def ask_for_drawing(*, link: PayLink) -> bool:
    """Somebody looks at the page: the link goes to the front of the worker's list.

    True when it was not there yet (then nudge the worker).
    """
    behind = PayLink.everything.filter(pk=link.pk).exclude(qr_stale_since=FIRST_IN_LINE)
    return bool(behind.update(qr_stale_since=FIRST_IN_LINE))


def draw_stale_qrs(limit: int = 200) -> int:
    """Draw the QRs that are asked for or behind their khata, at most ``limit``; returns how many.

    Drawing happens between the short transactions, never inside one. A balance that moves while
    we draw leaves the count of entries behind, so the next round draws again.
    """
    drawings = ((link, *_draw(link)) for link in selectors.stale_links(limit))
    return max(paced(drawings, _keep_drawings), default=0)


def _draw(link: PayLink) -> tuple[str, str, bytes]:
    payload = selectors.upi_payload(link)
    if not payload:
        return "", "", b""
    if selectors.has_fresh_qr(link, payload):
        return payload, link.qr_svg, bytes(link.qr_png or b"")
    rows = qr.matrix(payload)
    return payload, qr.svg(rows), qr.png_bytes(rows)


def _keep_drawings(rows: list[tuple[PayLink, str, str, bytes]]) -> None:
    for link, payload, svg, picture in rows:
        PayLink.everything.filter(pk=link.pk).update(
            qr_payload=payload,
            qr_svg=svg,
            qr_png=picture,
            qr_entry_count=link.khata.entry_count,
            qr_stale_since=None,
        )


# --- provider accounts and checkouts ----------------------------------------------------------


def ensure_sandbox(shop: Shop) -> ProviderAccount | None:
    """The shop's sandbox account, made on the first call; None where the sandbox is switched off."""
    if not settings.SANDBOX_GATEWAY:
        return None
    account, _is_new = ProviderAccount.everything.get_or_create(
        shop=shop,
        kind=ProviderKind.SANDBOX,
        defaults={
            "hook": secrets.token_hex(16),
            "sealed": crypto.encrypt({"webhook_secrets": [secrets.token_hex(32)]}),
        },
    )
    return account


@transaction.atomic
def rotate_webhook_secret(*, account: ProviderAccount, actor: User, secret: str) -> ProviderAccount:
    """A new secret first; the one before it still verifies what was signed before the change."""
    current = ProviderAccount.everything.select_for_update().get(pk=account.pk)
    opened = crypto.decrypt(bytes(current.sealed))
    older = [known for known in opened.get("webhook_secrets", []) if known != secret]
    current.sealed = crypto.encrypt(opened | {"webhook_secrets": [secret, *older][:2]})
    current.save(update_fields=["sealed"])
    audit(
        shop=current.shop,
        actor=actor,
        action="provider.changed",
        target=f"provider:{current.kind}",
        is_alarm=True,
    )
    return current


@transaction.atomic
def open_checkout(*, link: PayLink, account: ProviderAccount, amount_paise: int) -> Checkout:
    """An attempt to pay ``amount_paise`` from a link; a second tap within 30 minutes gives the first.

    Of a link for one amount, the one that is being confirmed (selectors.is_being_confirmed) comes
    again, so that nobody pays twice while the provider takes its time. Raises LinkError for an amount
    that the link does not ask for or a khata cannot hold, and for a link whose one amount is paid.
    """
    lock_in_transaction(f"checkouts:{link.pk}")  # two taps at once: the second finds the first one's
    if link.amount_paise is not None:
        asked = selectors.asked_paise(link)
        if asked is None:
            raise LinkError(paid_already())
        if (pending := selectors.being_confirmed(link).order_by("-pk").first()) is not None:
            return pending
        if amount_paise != asked:
            raise LinkError(_("This link is for one amount only."))
    if not 0 < amount_paise <= MAX_AMOUNT_PAISE:
        raise LinkError(_("The amount must be more than zero and not larger than a khata may hold."))
    same = Checkout.everything.filter(
        link=link,
        account=account,
        link_nonce=bytes(link.nonce),
        amount_paise=amount_paise,
        state=Checkout.State.OPEN,
        provider_id="",
        created_at__gt=clock.now() - CHECKOUT_FOR,
    )
    return same.order_by("-pk").first() or Checkout.everything.create(
        shop_id=link.shop_id,
        account=account,
        khata_id=link.khata_id,
        link=link,
        link_nonce=bytes(link.nonce),
        reference=secrets.token_hex(16),
        amount_paise=amount_paise,
    )


def expire_checkouts(limit: int = 1000) -> int:
    """End the checkouts that nobody paid, or of which the provider never told, at most ``limit``.

    It only says so: money that comes later is written all the same. Returns how many.
    """
    now = clock.now()
    over = Q(provider_id="", created_at__lt=now - CHECKOUT_FOR) | Q(created_at__lt=now - CONFIRMING_FOR)
    waiting = Checkout.everything.filter(state=Checkout.State.OPEN)
    pks = list(waiting.filter(over).order_by("created_at").values_list("pk", flat=True)[:limit])
    return waiting.filter(over, pk__in=pks).update(state=Checkout.State.EXPIRED) if pks else 0


# --- the inbox: stored first, acted upon after ------------------------------------------------


def store_event(
    *, account: ProviderAccount, event_id: str, headers: Mapping[str, str], raw_body: bytes
) -> tuple[ProviderEvent | None, bool]:
    """Keep a verified webhook as it came, in its own transaction; ``(event, is_new)``.

    A delivery of an event that we hold changes nothing: ``(None, False)``.
    """
    kept = {name[:60]: value[:300] for name, value in headers.items() if name.lower().startswith(_KEPT_HEADERS)}
    try:
        with transaction.atomic():
            event = ProviderEvent.everything.create(
                shop_id=account.shop_id,
                account=account,
                event_id=event_id,
                body=raw_body,
                headers=kept,
                signature_ok=True,
            )
    except IntegrityError:
        return None, False
    return event, True


def process_event(*, event_pk: int) -> str:
    """Act on a stored event once and return its state; never raises for what the event holds.

    A problem that waiting cannot cure makes it ``stuck`` at once, with the reason; any other
    error leaves it ``new`` for the tick, and ``stuck`` after MAX_ATTEMPTS. One of the database uses
    up no attempt while the event is young, for it says nothing about the event and passes.
    """
    event = ProviderEvent.everything.select_related("shop").get(pk=event_pk)
    with translation.override(event.shop.language):
        try:
            with transaction.atomic():
                return _act_on(event_pk)
        except (EventProblem, LedgerError) as problem:
            return _put_aside(event_pk, str(problem), for_good=True)
        except EventUnreadable as problem:
            return _put_aside(event_pk, _("The gateway sent what we cannot read: %s.") % problem, for_good=True)
        except Exception as error:  # one poisoned row must never stop the rest
            log.exception("event %s failed", event_pk)
            passes = isinstance(error, (OperationalError, InterfaceError))
            if passes and event.received_at > clock.now() - PASSES_WITHIN:
                return str(ProviderEvent.State.NEW)
            name = type(error).__name__
            return _put_aside(event_pk, _("Khata could not finish this (%s).") % name, for_good=False)


def process_left_events(limit: int = 200) -> int:
    """Take up events that were stored and not acted upon (a crash in between), oldest first."""
    left = ProviderEvent.everything.filter(state=ProviderEvent.State.NEW).order_by("received_at")
    pks = list(left.values_list("pk", flat=True)[:limit])
    for number, pk in enumerate(pks):
        # A transaction per event, because one that fails must not take others with it.
        if number and number % 10 == 0 and is_sqlite():
            time.sleep(PAUSE_S)
        try:
            process_event(event_pk=pk)
        except DatabaseError:
            log.exception("event %s could not be put aside", pk)
    return len(pks)


def deliver_sandbox_due(limit: int = 20) -> int:
    """Let the sandbox gateway post its webhooks that are due; 0 where it is switched off."""
    if not providers.is_on(ProviderKind.SANDBOX):
        return 0
    return int(providers.get(ProviderKind.SANDBOX).deliver_due(limit=limit))  # type: ignore[attr-defined]


@transaction.atomic
def release_event(*, event: ProviderEvent, actor: User, ignore: bool = False) -> bool:
    """A person decides on a stuck event: try again, or (``ignore``) leave it. False if it was not stuck."""
    stuck = ProviderEvent.everything.filter(pk=event.pk, state=ProviderEvent.State.STUCK)
    if ignore:
        changed = stuck.update(state=ProviderEvent.State.IGNORED, done_at=clock.now())
    else:
        changed = stuck.update(state=ProviderEvent.State.NEW, attempts=0)
    if changed:
        action = "event.ignored" if ignore else "event.retried"
        audit(shop=event.shop, actor=actor, action=action, target=f"event:{event.pk}")
    return bool(changed)


def _act_on(event_pk: int) -> str:
    event = (
        ProviderEvent.everything.select_for_update(of=("self",)).select_related("shop", "account").get(pk=event_pk)
    )
    if event.state != ProviderEvent.State.NEW:
        return event.state
    facts = providers.get(event.account.kind).parse(bytes(event.body))
    state = ProviderEvent.State.IGNORED
    if facts.state is not None:
        settle_payment(shop=event.shop, account=event.account, facts=facts, arrived_at=event.received_at)
        state = ProviderEvent.State.DONE
    ProviderEvent.everything.filter(pk=event_pk).update(
        state=state, attempts=F("attempts") + 1, error="", done_at=clock.now()
    )
    return state


def _put_aside(event_pk: int, reason: str, *, for_good: bool) -> str:
    with transaction.atomic():
        mine = ProviderEvent.everything.filter(pk=event_pk, state=ProviderEvent.State.NEW)
        mine.update(attempts=F("attempts") + 1, error=reason[:300])
        if not for_good:
            mine = mine.filter(attempts__gte=MAX_ATTEMPTS)
        if mine.update(state=ProviderEvent.State.STUCK):
            event = ProviderEvent.everything.select_related("shop").get(pk=event_pk)
            audit(
                shop=event.shop,
                actor=None,
                action="event.stuck",
                target=f"event:{event_pk}",
                after={"reason": reason[:300]},
                is_alarm=True,
            )
        return str(ProviderEvent.everything.values_list("state", flat=True).get(pk=event_pk))


# --- money arriving ---------------------------------------------------------------------------


def settle_payment(
    *, shop: Shop, account: ProviderAccount, facts: ProviderEventFacts, arrived_at: dt.datetime
) -> Payment:
    """Bring a payment to where ``facts`` say it is, forward only; captured, it posts one ``got``.

    Called inside the transaction of its event. Events in any order, any number of times, leave
    the same book. Raises EventProblem where a person must look; then nothing is kept.
    """
    checkout = (
        Checkout.objects.for_shop(shop)
        .filter(account=account, reference=facts.checkout_reference)
        .select_related("khata")
        .first()
    )
    state = facts.state
    if checkout is None or state is None:
        raise EventProblem(_("This payment does not belong to any pay link of the shop."))
    if facts.amount_paise != checkout.amount_paise:
        raise EventProblem(
            _("The gateway speaks of %(arrived)s, but the customer was asked for %(asked)s.")
            % {"arrived": format_paise(facts.amount_paise), "asked": format_paise(checkout.amount_paise)}
        )
    payment, is_new = _locked_payment(checkout, facts, state, arrived_at)
    if payment.checkout_id != checkout.pk:
        raise EventProblem(_("The gateway names another due for this payment than before."))
    is_forward = is_new or state.rank > Payment.State(payment.state).rank
    if is_forward:
        payment.state = state
    payment.method = facts.method or payment.method
    known, told = utr_in(payment.reference), utr_in(facts.utr)
    payment.reference = known or told or payment.reference or shown_reference(facts.utr)
    if utr := known or told:
        # A claim that is made and confirmed meanwhile, or the same UTR under another payment's id,
        # has no row that we could hold.
        lock_in_transaction(utr_lock(shop.pk, utr))
    if told and not known and payment.entry is not None:
        _refuse_if_it_stands_twice(shop, payment.entry, payment)
    if payment.entry_id is None and Payment.State(payment.state).rank >= Payment.State.PAID.rank:
        payment.entry = _post_arrived(shop, checkout.khata, payment)
    if is_forward and state == Payment.State.REFUNDED:
        _post_refund(shop, checkout.khata, payment, arrived_at)
    payment.save(update_fields=["state", "method", "reference", "entry"])
    _move_checkout(checkout, state)
    return payment


def _refuse_if_it_stands_twice(shop: Shop, entry: Entry, payment: Payment) -> None:
    """A gateway that names the UTR only after the capture: the same money may be in the book already.

    Once a person has deleted one of the two entries, the event may be tried again.
    """
    if selectors.is_deleted(entry):
        return
    _refuse_twins(shop, payment)
    told = Claim.objects.for_shop(shop).filter(utr=payment.reference, entry__isnull=False, entry__reversed_by=None)
    if told.exclude(entry_id=entry.pk).exists():
        raise EventProblem(_("This money stands twice: it was also confirmed by hand. Delete one of the entries."))


def _refuse_twins(shop: Shop, payment: Payment) -> None:
    if selectors.standing_payments(shop.pk, payment.reference).exclude(pk=payment.pk).exists():
        raise EventProblem(_("A payment with this bank reference is in the book already."))


def _locked_payment(
    checkout: Checkout, facts: ProviderEventFacts, state: Payment.State, arrived_at: dt.datetime
) -> tuple[Payment, bool]:
    """The payment's row, made or found, and held until the end of this transaction."""
    payment, is_new = Payment.everything.get_or_create(
        account_id=checkout.account_id,
        provider_payment_id=facts.payment_id,
        defaults={
            "shop_id": checkout.shop_id,
            "khata": checkout.khata,
            "checkout": checkout,
            "amount_paise": facts.amount_paise,
            "state": state,
            "arrived_at": arrived_at,
        },
    )
    return Payment.everything.select_for_update().get(pk=payment.pk), is_new


def _post_arrived(shop: Shop, khata: Khata, payment: Payment) -> Entry:
    """The entry of a captured payment; the one that is there already if its UTR was claimed before."""
    claim = None
    if utr := utr_in(payment.reference):
        _refuse_twins(shop, payment)
        claim = Claim.everything.select_for_update().filter(shop=shop, utr=utr).exclude(state="rejected").first()
    is_same = claim is not None and (claim.khata_id, claim.amount_paise) == (khata.pk, payment.amount_paise)
    # Confirmed and then deleted by hand, it counts for nothing: what really came is posted.
    if claim is not None and claim.state == Claim.State.CONFIRMED and not selectors.is_undone(claim):
        if not is_same or claim.entry is None:
            raise EventProblem(_("This bank reference was confirmed by hand for another khata or amount."))
        return claim.entry
    posting = post_entry(
        shop=shop,
        khata=khata,
        actor=None,
        direction=Direction.GOT,
        amount_paise=payment.amount_paise,
        kind=Kind.PAYMENT,
        key=f"payment:{payment.pk}",
        source=Source.PROVIDER,
        occurred_on=payment.arrived_at.astimezone(shop.zoneinfo).date(),
        note=note_of(payment.method, payment.reference),
    )
    if claim is not None and is_same:
        Claim.everything.filter(pk=claim.pk).update(
            state=Claim.State.CONFIRMED, entry=posting.entry, decided_at=clock.now()
        )
    return posting.entry


def _post_refund(shop: Shop, khata: Khata, payment: Payment, arrived_at: dt.datetime) -> None:
    if payment.entry is not None and selectors.is_deleted(payment.entry):
        # The reversal may be this very refund, written by hand: giving back twice is not ours to guess.
        raise EventProblem(_("This payment was given back, but its line in the khata was deleted by hand before."))
    post_entry(
        shop=shop,
        khata=khata,
        actor=None,
        direction=Direction.GAVE,
        amount_paise=payment.amount_paise,
        kind=Kind.REFUND,
        key=f"refund:{payment.pk}",
        source=Source.PROVIDER,
        occurred_on=arrived_at.astimezone(shop.zoneinfo).date(),
        note=note_of(payment.method, payment.reference),
        enforce_limit=False,
    )


def _move_checkout(checkout: Checkout, state: Payment.State) -> None:
    rows = Checkout.everything.filter(pk=checkout.pk)
    if state.rank >= Payment.State.PAID.rank:
        rows.exclude(state=Checkout.State.PAID).update(state=Checkout.State.PAID)
    elif state == Payment.State.FAILED:
        rows.filter(state=Checkout.State.OPEN).update(state=Checkout.State.FAILED)
