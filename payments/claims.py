"""Claims: “I have paid, UTR …”, said by the customer. Not money until the shop confirms it.

``payments.services`` is the door to these.
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from core.db import lock_in_transaction
from ledger.models import Direction, Entry, Kind, Source
from ledger.services import post_entry
from payments import selectors
from payments.models import Claim, PayLink
from payments.upi import utr_lock
from payments.words import note_of, paid_already
from shops.models import User
from shops.services import audit

MAX_OPEN_CLAIMS = 20  # per khata


class ClaimError(ValueError):
    """The claim was not taken or decided; the message is for people."""


@dataclass(frozen=True)
class ClaimAnswer:
    """``claim`` is new, or the one that stands; None where the money is in the book without one."""

    claim: Claim | None
    is_new: bool


def make_claim(*, link: PayLink, amount_paise: int, utr: str) -> ClaimAnswer:
    """Keep what the customer says: ``amount_paise`` was paid under ``utr`` (12 digits, cleaned).

    One UTR counts once per shop; telling it again changes nothing, unless the line that confirmed it
    was deleted: then it waits anew, as it is told now. Raises ClaimError when the UTR stands on
    another khata, the link is paid, or too many claims of this khata wait already.
    """
    if (arrived := selectors.standing_payments(link.shop_id, utr).first()) is not None:
        _same_khata_or_refuse(link, arrived.khata_id)
        return ClaimAnswer(None, False)
    standing = Claim.objects.for_shop(link.shop_id).filter(utr=utr).exclude(state=Claim.State.REJECTED)
    known = standing.first()
    if known is not None and not selectors.is_undone(known):
        _same_khata_or_refuse(link, known.khata_id)
        return ClaimAnswer(known, False)
    if selectors.is_paid(link):
        raise ClaimError(paid_already())
    waiting = Claim.objects.for_shop(link.shop_id).filter(khata_id=link.khata_id, state=Claim.State.NEW)
    if waiting.count() >= MAX_OPEN_CLAIMS:
        raise ClaimError(_("The shop has many payments of yours to look at. Please ask there directly."))
    if known is not None:
        return _tell_again(known, link, amount_paise)
    try:
        with transaction.atomic():
            claim = Claim.everything.create(
                shop_id=link.shop_id, khata_id=link.khata_id, link=link, amount_paise=amount_paise, utr=utr
            )
    except IntegrityError:  # told twice at once
        known = standing.get()
        _same_khata_or_refuse(link, known.khata_id)
        return ClaimAnswer(known, False)
    return ClaimAnswer(claim, True)


@transaction.atomic
def _tell_again(claim: Claim, link: PayLink, amount_paise: int) -> ClaimAnswer:
    lock_in_transaction(utr_lock(claim.shop_id, claim.utr))
    claim = _locked_claim(claim.pk)
    is_new = selectors.is_undone(claim)  # else another hand was first
    if is_new:
        claim.khata, claim.link, claim.amount_paise = link.khata, link, amount_paise
        _reopen(claim)
    _same_khata_or_refuse(link, claim.khata_id)
    return ClaimAnswer(claim, is_new)


def _reopen(claim: Claim) -> None:
    """To the list of those to confirm. It keeps its deleted entry, which names the next one's key."""
    claim.state, claim.decided_by, claim.decided_at = Claim.State.NEW, None, None
    claim.save(update_fields=["khata", "link", "amount_paise", "state", "decided_by", "decided_at"])


def _same_khata_or_refuse(link: PayLink, khata_id: int | None) -> None:
    """Who paid must not hear “nothing more to do” because somebody else told the same reference."""
    if khata_id != link.khata_id:
        raise ClaimError(_("This reference was told for another khata. Please ask the shop directly."))


@transaction.atomic
def confirm_claim(*, claim: Claim, actor: User) -> Claim:
    """The money is there: post one ``got``. Two hands at once, or a second tap, post it once.

    A request that is repeated after a person deleted the line writes nothing: the claim is ``new``
    again then, and waits for a second word. Raises ClaimError when the claim was turned down, or its
    UTR came by another way meanwhile for another khata or amount.
    """
    lock_in_transaction(utr_lock(claim.shop_id, claim.utr))
    claim = _locked_claim(claim.pk)
    if selectors.is_undone(claim):
        _reopen(claim)
        return claim
    if claim.state == Claim.State.CONFIRMED:
        return claim
    if claim.state == Claim.State.REJECTED:
        raise ClaimError(_("This payment was marked as not found before. Nothing was written."))
    shop = claim.shop
    entry = _arrived_already(claim)
    if entry is None:
        with translation.override(shop.language):
            note = note_of("upi", claim.utr)
        entry = post_entry(
            shop=shop,
            khata=claim.khata,
            actor=actor,
            direction=Direction.GOT,
            amount_paise=claim.amount_paise,
            kind=Kind.PAYMENT,
            key=f"claim:{claim.pk}:{claim.entry_id}" if claim.entry_id else f"claim:{claim.pk}",
            source=Source.SCREEN,
            occurred_on=claim.created_at.astimezone(shop.zoneinfo).date(),
            note=note,
        ).entry
    claim.state, claim.entry, claim.decided_by, claim.decided_at = Claim.State.CONFIRMED, entry, actor, clock.now()
    claim.save(update_fields=["state", "entry", "decided_by", "decided_at"])
    _audit_claim(claim, actor, "claim.confirmed")
    return claim


@transaction.atomic
def reject_claim(*, claim: Claim, actor: User) -> Claim:
    """The money is not there. The UTR is free again, for a correct claim. Raises ClaimError if confirmed."""
    claim = _locked_claim(claim.pk)
    if claim.state == Claim.State.REJECTED:
        return claim
    if claim.state == Claim.State.CONFIRMED:
        raise ClaimError(_("This payment was confirmed before and stands in the khata."))
    claim.state, claim.decided_by, claim.decided_at = Claim.State.REJECTED, actor, clock.now()
    claim.save(update_fields=["state", "decided_by", "decided_at"])
    _audit_claim(claim, actor, "claim.rejected")
    return claim


def _locked_claim(pk: int) -> Claim:
    rows = Claim.everything.select_for_update(of=("self",)).select_related("shop", "khata__party")
    return rows.get(pk=pk)


def _arrived_already(claim: Claim) -> Entry | None:
    payment = selectors.standing_payments(claim.shop_id, claim.utr).select_related("entry").first()
    if payment is None:
        return None
    if (payment.khata_id, payment.amount_paise) != (claim.khata_id, claim.amount_paise):
        raise ClaimError(_("This reference is in the book already, for another khata or amount."))
    return payment.entry


def _audit_claim(claim: Claim, actor: User, action: str) -> None:
    audit(
        shop=claim.shop,
        actor=actor,
        action=action,
        target=f"party:{claim.khata.party.code}",
        after={"amount_paise": claim.amount_paise, "utr": claim.utr},
    )
