"""Money arriving: links that ask for it, events that tell of it, payments that move the book."""

import os

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.limits import MAX_AMOUNT_PAISE
from ledger.models import Entry, Khata
from shops.models import User
from shops.scope import ShopOwned, ShopQuerySet


def new_uid() -> bytes:
    """16 random bytes."""
    return os.urandom(16)


def new_nonce() -> bytes:
    """8 random bytes; another nonce is another token."""
    return os.urandom(8)


class PayLink(ShopOwned):
    """A customer's own page. The token is derived (payments/links.py): no column opens the page."""

    khata = models.ForeignKey(Khata, on_delete=models.CASCADE, related_name="pay_links")
    uid = models.BinaryField(max_length=16, unique=True, default=new_uid, editable=False)
    nonce = models.BinaryField(max_length=8, default=new_nonce, editable=False)
    amount_paise = models.BigIntegerField(null=True, blank=True)  # none: what is owed when opened
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    # The worker draws these; pages never wait. `qr_payload` says what the drawing encodes.
    qr_payload = models.CharField(max_length=400, blank=True, editable=False)
    qr_svg = models.TextField(blank=True, editable=False)
    qr_png = models.BinaryField(null=True, editable=False)
    qr_stale_since = models.DateTimeField(null=True, default=clock.now, editable=False)
    # How long the khata was when it was drawn: a count cannot miss what a clock can.
    qr_entry_count = models.PositiveBigIntegerField(null=True, editable=False)

    class Meta(ShopOwned.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(amount_paise=None) | Q(amount_paise__gt=0, amount_paise__lte=MAX_AMOUNT_PAISE),
                name="link_amount_sane",
            ),
            models.UniqueConstraint(
                fields=["khata"],
                condition=Q(revoked_at=None, amount_paise=None, expires_at=None),
                name="link_one_standing_per_khata",
            ),
        )
        indexes = (
            models.Index(
                fields=["qr_stale_since"], name="link_qr_to_draw", condition=Q(qr_stale_since__isnull=False)
            ),  # the worker's list of QRs to draw
        )

    def __str__(self) -> str:
        return f"link {self.pk}"

    @property
    def is_standing(self) -> bool:
        """The one link of its khata that asks for whatever is owed, for as long as nobody ends it."""
        return self.revoked_at is None and self.amount_paise is None and self.expires_at is None

    def is_open(self) -> bool:
        """Whether it opens the page now."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > clock.now())


class ProviderKind(models.TextChoices):
    SANDBOX = "sandbox", _("Sandbox")


class ProviderAccount(ShopOwned):
    """A shop's credentials at one provider, sealed (core/crypto.py)."""

    kind = models.CharField(max_length=12, choices=ProviderKind.choices)
    # Names the account in the webhook's address; 128 bits.
    hook = models.CharField(max_length=32, unique=True, editable=False)
    sealed = models.BinaryField(editable=False)  # {"webhook_secrets": [newest, older …], …}
    is_live = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ShopOwned.Meta):
        constraints = (models.UniqueConstraint(fields=["shop", "kind"], name="provider_once_per_shop"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.shop_id}"


class Checkout(ShopOwned):
    """One attempt to pay through a provider, from a pay link. Forward only: open → paid | failed | expired."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="checkouts")
    khata = models.ForeignKey(Khata, on_delete=models.CASCADE, related_name="+")
    link = models.ForeignKey(PayLink, null=True, on_delete=models.SET_NULL, related_name="+")
    link_nonce = models.BinaryField(max_length=8, default=bytes, editable=False)  # the link's, when it was opened
    reference = models.CharField(max_length=40, unique=True)  # ours, sent to the provider; not guessable
    provider_id = models.CharField(max_length=80, blank=True)  # theirs
    amount_paise = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ShopOwned.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(amount_paise__gt=0, amount_paise__lte=MAX_AMOUNT_PAISE), name="checkout_amount_sane"
            ),
        )
        indexes = (
            models.Index(
                fields=["created_at"], name="checkout_open", condition=Q(state="open")
            ),  # the tick ends those that wait too long
        )

    def __str__(self) -> str:
        return f"checkout {self.pk}"


class ProviderEvent(models.Model):
    """A webhook as it came: stored before it is acted upon, unique by provider account and event id."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        DONE = "done", _("Done")
        IGNORED = "ignored", _("Ignored")
        STUCK = "stuck", _("Stuck")  # waits for a person: retry or ignore

    shop = models.ForeignKey("shops.Shop", on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="events")
    event_id = models.CharField(max_length=120)
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    signature_ok = models.BooleanField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(default=clock.now, editable=False)
    done_at = models.DateTimeField(null=True)

    everything = models.Manager()
    objects = ShopQuerySet.as_manager()

    class Meta:
        base_manager_name = "everything"
        constraints = (models.UniqueConstraint(fields=["account", "event_id"], name="event_once_per_account"),)
        indexes = (
            models.Index(fields=["received_at"], name="event_to_do", condition=Q(state="new")),  # the tick
            models.Index(
                fields=["shop", "-received_at"], name="event_stuck", condition=Q(state="stuck")
            ),  # the Payments page says in words what waits for a person
        )

    def __str__(self) -> str:
        return f"event {self.pk}"


class Payment(ShopOwned):
    """Money that the outside world says has moved. Unique by provider account and its payment id."""

    class State(models.TextChoices):
        """In rising order: a payment only moves up (`rank`)."""

        FAILED = "failed", _("Failed")
        AUTHORISED = "authorised", _("Authorised")
        PAID = "paid", _("Paid")
        REFUNDED = "refunded", _("Refunded")

        @property
        def rank(self) -> int:
            return list(Payment.State).index(self)

    account = models.ForeignKey(ProviderAccount, null=True, on_delete=models.PROTECT, related_name="payments")
    provider_payment_id = models.CharField(max_length=80)
    khata = models.ForeignKey(Khata, null=True, on_delete=models.PROTECT, related_name="payments")
    checkout = models.ForeignKey(Checkout, null=True, on_delete=models.SET_NULL, related_name="payments")
    amount_paise = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    method = models.CharField(max_length=20, blank=True)  # upi, card, netbanking …
    reference = models.CharField(max_length=40, blank=True)  # UTR/RRN where known
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="payment")
    arrived_at = models.DateTimeField(default=clock.now)

    class Meta(ShopOwned.Meta):
        constraints = (
            models.UniqueConstraint(fields=["account", "provider_payment_id"], name="payment_once_per_account"),
            models.CheckConstraint(
                condition=Q(amount_paise__gt=0, amount_paise__lte=MAX_AMOUNT_PAISE), name="payment_amount_sane"
            ),
        )
        indexes = (
            models.Index(fields=["shop", "-arrived_at"], name="payment_arrived"),  # Payments page
            models.Index(
                fields=["shop", "reference"], name="payment_by_utr", condition=~Q(reference="")
            ),  # one UTR counts once, whichever way it comes
        )

    def __str__(self) -> str:
        return f"payment {self.pk}"


class Claim(ShopOwned):
    """“I have paid, UTR …”, said by the customer. Not money until the shop confirms it."""

    class State(models.TextChoices):
        NEW = "new", _("To confirm")
        CONFIRMED = "confirmed", _("Confirmed")
        REJECTED = "rejected", _("Not found")

    khata = models.ForeignKey(Khata, on_delete=models.CASCADE, related_name="claims")
    link = models.ForeignKey(PayLink, null=True, on_delete=models.SET_NULL, related_name="+")
    amount_paise = models.BigIntegerField()
    utr = models.CharField(max_length=12)
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="claim")
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ShopOwned.Meta):
        constraints = (
            # One UTR counts once per shop; a claim that was turned down frees it for a correct one.
            models.UniqueConstraint(
                fields=["shop", "utr"], condition=~Q(state="rejected"), name="claim_utr_once_per_shop"
            ),
            models.CheckConstraint(
                condition=Q(amount_paise__gt=0, amount_paise__lte=MAX_AMOUNT_PAISE), name="claim_amount_sane"
            ),
        )
        indexes = (models.Index(fields=["shop", "created_at"], name="claim_to_confirm", condition=Q(state="new")),)

    def __str__(self) -> str:
        return f"claim {self.pk}"


class SandboxDelivery(models.Model):
    """The sandbox gateway's own outbox of webhooks: it retries, doubles and reorders like a real one."""

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    event_id = models.CharField(max_length=40)
    body = models.BinaryField()
    send_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    last_status = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name_plural = "sandbox deliveries"
        indexes = (models.Index(fields=["send_at"], name="sandbox_to_send", condition=Q(delivered_at=None)),)

    def __str__(self) -> str:
        return self.event_id
