"""The book: one khata per party, an append-only chain of entries in each.

Only ``ledger.services`` writes here. The database refuses the rest: constraints below, and the
trigger of migration 0003 that refuses UPDATE and DELETE of entries.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.limits import MAX_AMOUNT_PAISE, MAX_KEY_CHARS, MAX_NOTE_CHARS
from parties.models import Party
from shops.models import Shop, User
from shops.scope import ShopOwned


class Direction(models.TextChoices):
    GAVE = "gave", _("You gave")  # the party now owes more
    GOT = "got", _("You got")  # the party now owes less


class Kind(models.TextChoices):
    SALE = "sale", _("Sale")
    PURCHASE = "purchase", _("Purchase")
    PAYMENT = "payment", _("Payment")
    OPENING = "opening", _("Opening balance")
    DISCOUNT = "discount", _("Discount")
    RETURN = "return", _("Return")
    WRITE_OFF = "write_off", _("Written off")
    FEE = "fee", _("Fee")
    ORDER = "order", _("Order")
    REFUND = "refund", _("Refund")


class Source(models.TextChoices):
    SCREEN = "screen", _("on screen")
    QUICK = "quick", _("quick line")
    VOICE = "voice", _("voice")
    OFFLINE = "offline", _("offline")
    IMPORT = "import", _("import")
    PROVIDER = "provider", _("came by itself")
    ORDER = "order", _("order")


class Khata(ShopOwned):
    """A party's account with the shop. Changed only in the transaction that adds an entry."""

    # No index of its own, here and below: others begin with the same column, and an entry is written
    # more often than anything else.
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)
    party = models.OneToOneField(Party, on_delete=models.CASCADE, related_name="khata")
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # seeds the hash chain
    balance_paise = models.BigIntegerField(default=0, editable=False)
    entry_count = models.PositiveBigIntegerField(default=0, editable=False)
    head_digest = models.BinaryField(max_length=32, editable=False)
    latest_on = models.DateField(null=True, editable=False)  # newest business date in the chain
    last_entry_at = models.DateTimeField(default=clock.now, editable=False)
    oldest_due_on = models.DateField(null=True, editable=False)  # due date of the oldest unpaid gave
    credit_limit_paise = models.BigIntegerField(null=True, blank=True)  # none: no limit
    credit_days = models.PositiveSmallIntegerField(null=True, blank=True)  # none: the shop's
    collect_on = models.DateField(null=True, blank=True)

    class Meta(ShopOwned.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(credit_limit_paise=None) | Q(credit_limit_paise__gte=0), name="khata_limit_sane"
            ),
        )
        indexes = (
            models.Index(fields=["shop", "-last_entry_at", "-id"], name="khata_recent"),  # home, recent first
            models.Index(fields=["shop", "balance_paise"], name="khata_balances"),  # totals, covering
            models.Index(
                fields=["shop", "oldest_due_on"], name="khata_dues", condition=Q(balance_paise__gt=0)
            ),  # due today, overdue, the reminder tick
        )

    def __str__(self) -> str:
        return f"khata of {self.party_id}"


class Entry(ShopOwned):
    """One append-only line. ``digest`` chains it to the line before (see ledger/chain.py)."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)
    khata = models.ForeignKey(Khata, on_delete=models.CASCADE, related_name="entries", db_index=False)
    position = models.PositiveBigIntegerField()  # 1, 2, 3 … per khata
    direction = models.CharField(max_length=4, choices=Direction.choices)
    amount_paise = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    occurred_on = models.DateField()  # business date
    due_on = models.DateField(null=True)  # of a gave: when its time comes
    source = models.CharField(max_length=8, choices=Source.choices)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    # Erasable on request; the chain holds only text_digest, and the salt goes with the text.
    note = models.CharField(max_length=MAX_NOTE_CHARS, blank=True)
    items = models.JSONField(default=list, blank=True)
    attachments = models.JSONField(default=list, blank=True)
    text_salt = models.BinaryField(max_length=16)
    text_digest = models.BinaryField(max_length=32)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    key = models.CharField(max_length=MAX_KEY_CHARS)  # idempotency: the same key is the same entry
    digest = models.BinaryField(max_length=32)

    class Meta(ShopOwned.Meta):
        verbose_name_plural = "entries"
        constraints = (
            models.UniqueConstraint(fields=["khata", "position"], name="entry_position_once"),
            models.UniqueConstraint(fields=["shop", "key"], name="entry_key_once_per_shop"),
            models.CheckConstraint(
                condition=Q(amount_paise__gt=0) & Q(amount_paise__lte=MAX_AMOUNT_PAISE), name="entry_amount_sane"
            ),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="entry_direction_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="entry_kind_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="entry_source_known"),
            models.CheckConstraint(condition=Q(position__gte=1), name="entry_position_from_one"),
        )
        indexes = (
            # The khata page, newest first by business date, keyset: any page costs the same.
            models.Index(fields=["khata", "-occurred_on", "-position"], name="entry_by_date"),
            # Allocation walks back over the gave entries only, and reads no table row for it.
            models.Index(
                fields=["khata", "-occurred_on", "-position", "amount_paise", "due_on"],
                name="entry_gave_walk",
                condition=Q(direction="gave", reverses=None),
            ),
            # The tick finds payments that have no receipt yet, newest first.
            models.Index(
                fields=["created_at"], name="entry_payments", condition=Q(direction="got", kind="payment")
            ),
            # The tick tells of lines that were taken back.
            models.Index(fields=["created_at"], name="entry_reversals", condition=Q(reverses__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.direction} {self.amount_paise} paise at {self.position}"

    @property
    def signed_paise(self) -> int:
        """What this line adds to the balance, in paise."""
        return self.amount_paise if self.direction == Direction.GAVE else -self.amount_paise


class LedgerCheck(models.Model):
    """The result of one ``check_ledger``: operators look here."""

    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    khatas = models.PositiveBigIntegerField(default=0)
    entries = models.PositiveBigIntegerField(default=0)
    finding = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d}: {self.finding or 'clean'}"

    @property
    def is_clean(self) -> bool:
        return self.finished_at is not None and not self.finding
