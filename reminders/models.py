"""What is said to people: messages, the rules that allow them, bulk runs, the worker's pulse."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.fields import SealedTextField
from core.limits import MAX_AMOUNT_PAISE
from ledger.models import Entry
from parties.models import Party
from reminders.reasons import MAX_CHARS, ReasonField
from shops.models import Language, User
from shops.scope import ShopOwned, ShopQuerySet


class Purpose(models.TextChoices):
    REMINDER = "reminder", _("Reminder")
    RECEIPT = "receipt", _("Receipt")
    ENTRY = "entry", _("Entry")
    LINK = "link", _("Pay link")
    CODE = "code", _("Sign-in code")
    ALERT = "alert", _("Alert")


class Via(models.TextChoices):
    """Channels, each a folder in reminders/channels. ``tap`` is sent by the shopkeeper's own hand."""

    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    EMAIL = "email", _("Email")


BLANKED = "••••••"  # what is left of a sign-in code's text


class Message(models.Model):
    """One message: the row is the queue. ``shop`` is empty for sign-in codes, which belong to none."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        READ = "read", _("Read")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Not sure")  # cut off while sending: a person decides
        CANCELLED = "cancelled", _("Not sent")

    shop = models.ForeignKey("shops.Shop", null=True, on_delete=models.CASCADE, related_name="+")
    party = models.ForeignKey(Party, null=True, on_delete=models.CASCADE, related_name="messages")
    entry = models.ForeignKey(Entry, null=True, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey("Run", null=True, on_delete=models.SET_NULL, related_name="messages")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    channel = models.CharField(max_length=10, choices=Via.choices)
    backend = models.CharField(max_length=12, blank=True)  # the channel plug-in that carried it
    recipient = models.CharField(max_length=120)  # E.164 or an email address
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.ENGLISH)
    subject = models.CharField(max_length=160, blank=True)
    # Sealed, because it holds the address of the customer's page, or a code: see payments/links.py.
    text = SealedTextField()
    balance_paise = models.BigIntegerField(null=True)  # what a reminder's text says is owed
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    dedupe_key = models.CharField(max_length=120, unique=True)
    # One ask per party, channel and day of sending, whoever asks: taken when sending begins.
    slot = models.CharField(max_length=60, null=True, blank=True, unique=True)
    rule = ReasonField(max_length=MAX_CHARS, blank=True)  # what allowed it, or why it was refused
    due_at = models.DateTimeField(default=clock.now)  # not before
    expires_at = models.DateTimeField(null=True)  # a code after this is useless and not sent
    claimed_at = models.DateTimeField(null=True)
    claim = models.CharField(max_length=32, blank=True)  # which worker batch holds it
    # Set right before the channel is called: a claimed row without it was surely not sent.
    begun_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    sent_at = models.DateTimeField(null=True)

    is_inserted = False  # no column: true on the object whose call put the row in, see outbox.insert_once
    shown_name = ""  # no column: whom it is for, where a screen asked, see selectors.name_people

    everything = models.Manager()
    objects = ShopQuerySet.as_manager()

    class Meta:
        base_manager_name = "everything"
        constraints = (models.CheckConstraint(condition=~Q(recipient=""), name="message_has_a_recipient"),)
        indexes = (
            models.Index(fields=["due_at", "id"], name="message_to_send", condition=Q(state="queued")),
            models.Index(fields=["claimed_at"], name="message_in_flight", condition=Q(state="sending")),
            models.Index(fields=["shop", "-id"], name="message_newest"),  # the outbox page
            models.Index(fields=["party", "purpose", "-sent_at"], name="message_caps"),  # weekly cap, per day
            models.Index(
                fields=["expires_at"], name="message_to_blank", condition=Q(expires_at__isnull=False)
            ),  # codes whose text has to go
            models.Index(
                fields=["shop", "-id"], name="message_in_trouble", condition=Q(state__in=["unknown", "failed"])
            ),  # what waits for a person, what could not be sent
        )

    def __str__(self) -> str:
        return f"message {self.pk}"


class Rule(ShopOwned):
    """Ask by itself: N days after the due date, then every M days, from an amount on."""

    name = models.CharField(_("Name"), max_length=60)
    days_after_due = models.PositiveSmallIntegerField(_("Days after the due date"), default=1)
    every_days = models.PositiveSmallIntegerField(_("Then every … days"), default=7)
    min_amount_paise = models.BigIntegerField(default=100_00)
    channel = models.CharField(max_length=10, choices=Via.choices, default=Via.WHATSAPP)
    enabled = models.BooleanField(_("Switched on"), default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ShopOwned.Meta):
        constraints = (
            models.CheckConstraint(condition=Q(every_days__gte=1), name="rule_not_more_than_daily"),
            models.CheckConstraint(
                condition=Q(min_amount_paise__gte=0, min_amount_paise__lte=MAX_AMOUNT_PAISE),
                name="rule_amount_sane",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Run(ShopOwned):
    """A bulk “remind all” from Collect: shows progress, survives a closed tab, resumes after a crash."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Working")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    party_ids = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)  # how many of party_ids are dealt with
    queued = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    channel = models.CharField(max_length=10, choices=Via.choices, default=Via.WHATSAPP)
    of_due = models.BooleanField(default=False)  # a list of what is due: who no longer is, is not asked
    key = models.CharField(max_length=80)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    touched_at = models.DateTimeField(default=clock.now)

    class Meta(ShopOwned.Meta):
        constraints = (models.UniqueConstraint(fields=["shop", "key"], name="run_key_once_per_shop"),)
        indexes = (
            models.Index(
                fields=["touched_at"], name="run_open", condition=Q(state__in=["waiting", "working"])
            ),  # the tick takes up what was cut off
        )

    def __str__(self) -> str:
        return f"run {self.pk}"


class Beat(models.Model):
    """The worker's pulse: one row per kind of work, so that a stopped worker can be seen."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name
