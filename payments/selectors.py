"""Reads of payments for screens, the worker and the customer's page."""

import datetime as dt
import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from core import clock
from core.limits import PAGE_ROWS
from ledger.allocation import BUCKETS, ageing
from ledger.models import Entry, Khata
from parties.models import Channel, Consent, Party
from payments import providers
from payments.models import Checkout, Claim, PayLink, Payment, ProviderAccount, ProviderEvent
from payments.upi import is_vpa, upi_link
from shops.models import Shop

# How far back the worker looks for khatas that moved. What an import moves beyond it is drawn
# when its page is opened: the cost of a tick stays the same however many links there are.
_NEWEST_ENTRIES = 1000
_NOT_FOUND_FOR = dt.timedelta(days=14)  # a customer is told so long that a claim was not found


def asked_paise(link: PayLink) -> int | None:
    """What the link asks for, in paise: what its own amount lacks, else what is owed; None for nothing."""
    if link.amount_paise is not None:
        left = link.amount_paise - paid_through([link])[link.pk]
        return left if left > 0 else None
    return link.khata.balance_paise if link.khata.balance_paise > 0 else None


def is_paid(link: PayLink) -> bool:
    """Whether a link for one amount has done its work: what came through it stands in the khata."""
    return link.pk in paid_among([link])


def paid_among(links: Collection[PayLink]) -> set[int]:
    """Of the links of one khata, those (by id) for one amount that is paid. One query.

    A link that asks for whatever is owed is never done.
    """
    asked = {link.pk: link.amount_paise for link in links if link.amount_paise is not None}
    paid = paid_through(link for link in links if link.pk in asked)
    return {pk for pk, amount_paise in asked.items() if paid[pk] >= amount_paise}


def paid_through(links: Iterable[PayLink]) -> dict[int, int]:
    """What stands in the khata through each of some links of one khata, in paise by link id. One query.

    Money that was given back, and entries that a person deleted, do not count.
    """
    wanted = {link.pk: link for link in links}
    paid: dict[int, int] = defaultdict(int)
    if not wanted:
        return paid
    came = Q(payment__checkout__link__in=wanted, payment__state=Payment.State.PAID)
    told = Q(claim__link__in=wanted, claim__state=Claim.State.CONFIRMED)
    told &= Q(payment=None) | Q(payment__state=Payment.State.PAID)
    one = next(iter(wanted.values()))
    entries = Entry.objects.for_shop(one.shop_id).filter(khata_id=one.khata_id, reversed_by=None)
    rows = entries.filter(came | told).values_list("amount_paise", "payment__checkout__link", "claim__link")
    for amount_paise, came_by, told_by in rows:
        for pk in {came_by, told_by} & wanted.keys():  # told and come: once
            paid[pk] += amount_paise
    return paid


def upi_payload(link: PayLink) -> str:
    """The ``upi://`` link of this moment, which the QR draws.

    Empty where the shop has no UPI ID, and for a link whose one amount is paid.
    """
    shop = link.shop
    if not is_vpa(shop.upi_id):
        return ""
    asked = asked_paise(link)
    if asked is None and link.amount_paise is not None:
        return ""
    note, ref = f"Khata {link.khata.party.code}", reference_of(link, asked) if asked else None
    return upi_link(pa=shop.upi_id, pn=shop.name, amount_paise=asked, note=note, ref=ref)


def reference_of(link: PayLink, asked_paise: int) -> str:
    """``tr`` of a QR with an amount: another one for each amount and each state of the khata.

    Payment apps refuse a reference that they have seen paid, so one that is drawn again after a
    payment must be new; and one that is only looked at again must stay, or the drawing would not.
    """
    told = f"{link.pk}:{asked_paise}:{link.khata.entry_count}".encode()
    return f"K{link.khata.party.code}{hashlib.sha256(bytes(link.uid) + told).hexdigest()[:12]}"


def has_fresh_qr(link: PayLink, payload: str) -> bool:
    """Whether the stored drawing says what the page says."""
    return bool(payload) and link.qr_payload == payload and bool(link.qr_svg and link.qr_png)


def stale_links(limit: int) -> list[PayLink]:
    """Open links to draw: those asked for, oldest first, then those whose khata has moved since."""
    links = (
        PayLink.objects.unscoped("the worker draws for every shop")
        .filter(revoked_at=None)
        .select_related("shop", "khata__party")
    )
    asked = list(links.filter(qr_stale_since__isnull=False).order_by("qr_stale_since", "pk")[:limit])
    if len(asked) >= limit:
        return asked
    newest = Entry.objects.unscoped("the worker draws for every shop").order_by("-pk")
    moved = set(newest.values_list("khata_id", flat=True)[:_NEWEST_ENTRIES])
    behind = links.filter(khata_id__in=moved, qr_stale_since=None)
    behind = behind.filter(~Q(qr_entry_count=F("khata__entry_count")) | Q(qr_entry_count=None))
    return asked + list(behind.order_by("pk")[: limit - len(asked)])


def open_links(khata: Khata) -> list[PayLink]:
    """The khata's links that are not ended, the standing one first."""
    links = PayLink.objects.for_shop(khata.shop_id).filter(khata=khata, revoked_at=None)
    standing_first = F("amount_paise").asc(nulls_first=True), F("expires_at").asc(nulls_first=True)
    return list(links.select_related("shop", "khata__party").order_by(*standing_first, "-pk")[:PAGE_ROWS])


def account_for_checkout(shop: Shop) -> ProviderAccount | None:
    """The provider account that customers of this shop may pay through now, if any."""
    accounts = ProviderAccount.objects.for_shop(shop).filter(enabled=True).order_by("-is_live", "pk")
    return next((account for account in accounts if providers.is_on(account.kind)), None)


def account_of_hook(kind: str, hook: str) -> ProviderAccount | None:
    """The account that a webhook's address names. A disabled one still hears of money under way."""
    if not providers.is_on(kind):
        return None
    accounts = ProviderAccount.objects.unscoped("a webhook is found by its address").select_related("shop")
    return accounts.filter(kind=kind, hook=hook).first()


def checkout_by_reference(reference: str) -> Checkout | None:
    """A checkout with its shop, party and link, by the reference that only its customer has."""
    rows = Checkout.objects.unscoped("a checkout is found by its reference")
    return rows.select_related("shop", "account", "khata__party", "link").filter(reference=reference).first()


def being_confirmed(link: PayLink) -> QuerySet[Checkout]:
    """Open checkouts of a link whose customer has paid, as far as we know; the provider has not told us."""
    waiting: QuerySet[Checkout] = Checkout.objects.for_shop(link.shop_id).filter(
        link=link, state=Checkout.State.OPEN
    )
    authorised = Payment.objects.for_shop(link.shop_id).filter(
        checkout=OuterRef("pk"), state=Payment.State.AUTHORISED
    )
    return waiting.filter(~Q(provider_id="") | Exists(authorised))


def is_being_confirmed(checkout: Checkout) -> bool:
    """Whether the customer has done their part of this checkout, and only the provider's is missing."""
    return checkout.link is not None and being_confirmed(checkout.link).filter(pk=checkout.pk).exists()


def payment_of(checkout: Checkout) -> Payment | None:
    """The payment that tells how this checkout stands: a paid one, else the one that went furthest.

    Of two payments for one checkout the shop may give one back; the other is paid.
    """
    payments = Payment.objects.for_shop(checkout.shop_id).filter(checkout=checkout).select_related("entry")
    paid = Payment.State.PAID
    return max(payments, key=lambda one: (one.state == paid, Payment.State(one.state).rank), default=None)


def standing_payments(shop_id: int, utr: str | OuterRef) -> QuerySet[Payment]:
    """Payments under ``utr`` whose entry stands: one that a person deleted is no money in the book."""
    rows: QuerySet[Payment] = Payment.objects.for_shop(shop_id)
    return rows.filter(reference=utr, entry__isnull=False, entry__reversed_by=None)


def is_deleted(entry: Entry) -> bool:
    """Whether a person has reversed the entry since it was posted."""
    return Entry.objects.for_shop(entry.shop_id).filter(reverses=entry).exists()


def is_undone(claim: Claim) -> bool:
    """Whether a claim was confirmed and its line deleted since: its money is not in the book."""
    return claim.state == Claim.State.CONFIRMED and claim.entry is not None and is_deleted(claim.entry)


@dataclass(frozen=True)
class PaymentsHome:
    """The Payments page: what arrived, what waits for a person."""

    claims: list[Claim]
    claim_count: int
    payments: list[Payment]
    stuck: list[ProviderEvent]
    link_count: int


def payments_home(shop: Shop) -> PaymentsHome:
    """Everything of the Payments page; the same number of queries at any size."""
    claims = Claim.objects.for_shop(shop).filter(state=Claim.State.NEW)
    found = list(claims.select_related("khata__party").order_by("created_at")[:PAGE_ROWS])
    payments = Payment.objects.for_shop(shop).filter(entry__isnull=False).select_related("khata__party")
    stuck = ProviderEvent.objects.for_shop(shop).filter(state=ProviderEvent.State.STUCK)
    return PaymentsHome(
        claims=found,
        claim_count=claims.count() if len(found) == PAGE_ROWS else len(found),
        payments=list(payments.order_by("-arrived_at")[:PAGE_ROWS]),
        stuck=list(stuck.order_by("-received_at")[:10]),
        link_count=_standing(shop).count(),
    )


def _standing(shop: Shop) -> QuerySet[PayLink]:
    return PayLink.objects.for_shop(shop).filter(revoked_at=None)


def claims_of(khata: Khata) -> list[Claim]:
    """The customer's own claims that wait, or were not found of late: shown on their page.

    One that was not found is left out where its UTR is told again or stands in the book.
    """
    same = Claim.objects.for_shop(khata.shop_id).filter(utr=OuterRef("utr"))
    again = same.filter(Q(state=Claim.State.NEW) | Q(state=Claim.State.CONFIRMED, entry__reversed_by=None))
    arrived = standing_payments(khata.shop_id, OuterRef("utr"))
    lost = Q(state=Claim.State.REJECTED, decided_at__gt=clock.now() - _NOT_FOUND_FOR)
    lost &= ~Exists(again) & ~Exists(arrived)
    claims = Claim.objects.for_shop(khata.shop_id).filter(Q(state=Claim.State.NEW) | lost, khata=khata)
    return list(claims.order_by("-pk")[:3])


def overdue_paise(khata: Khata) -> int:
    """The part of what is owed whose day has passed. No query where nothing is late."""
    today = khata.shop.today()
    if khata.oldest_due_on is None or khata.oldest_due_on >= today or khata.balance_paise <= 0:
        return 0
    parts = ageing(khata.pk, khata.balance_paise, today, upto=khata.entry_count)
    return khata.balance_paise - parts[BUCKETS[0]]


def newest_consents(party: Party) -> dict[str, bool]:
    """Per channel what the party said last; a channel that is not there was never spoken of."""
    rows = Consent.objects.for_shop(party.shop_id).filter(party=party).order_by("-pk")
    newest: dict[str, bool] = {}
    for channel, given in rows.values_list("channel", "given")[: PAGE_ROWS * len(Channel.values)]:
        newest.setdefault(channel, given)
    return newest


def gets_messages(party: Party) -> bool:
    """Whether any channel's newest consent is a yes."""
    return any(newest_consents(party).values())


def short_name(name: str) -> str:
    """``Ramesh Kumar`` → ``Ramesh K.``: a forwarded link tells strangers as little as it can."""
    words = name.split()
    if len(words) < 2:
        return name.strip()
    last, end = words[-1], 1
    while end < len(last) and unicodedata.category(last[end]).startswith("M"):
        end += 1  # an Indian letter without its vowel sign is another letter
    return f"{words[0]} {last[:end]}."
