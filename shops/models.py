"""Who: people, their shops, their seats in them, and what was changed by whom."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from core import clock, crypto
from core.limits import MAX_KEY_CHARS, MAX_NAME_CHARS
from core.phones import e164
from shops.scope import ShopOwned, ShopQuerySet


class Role(models.TextChoices):
    """In rising order of what they may do; ``rank`` compares."""

    VIEWER = "viewer", _("Viewer")
    CASHIER = "cashier", _("Cashier")
    MANAGER = "manager", _("Manager")
    OWNER = "owner", _("Owner")

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Language(models.TextChoices):
    """Languages a shop or a party may be spoken to in. Names are each language's own."""

    ENGLISH = "en", "English"
    HINDI = "hi", "हिन्दी"


class UserManager(BaseUserManager["User"]):
    """Creates users by phone, however it is written: who signs in is looked up by E.164."""

    def create_user(self, phone: str, password: str | None = None, **fields: Any) -> "User":
        """A user signing in with ``phone``; without a password only codes work.

        Raises ValidationError where it is no phone number.
        """
        number = e164(phone)
        if number is None:
            raise ValidationError(_("This is not a phone number we can reach. Ten digits are enough."))
        user = self.model(phone=number, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, phone: str, password: str, **fields: Any) -> "User":
        """An operator who may open Django admin."""
        return self.create_user(phone, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Also by a phone as people write it: createsuperuser asks here whether it is taken."""
        return super().get_by_natural_key(e164(username or "") or username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. Belongs to no shop; seats are Members."""

    phone = models.CharField(_("Phone number"), max_length=16, unique=True)  # E.164
    phone_verified = models.BooleanField(default=False)
    name = models.CharField(_("Name"), max_length=MAX_NAME_CHARS, blank=True)
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.ENGLISH)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=clock.now)

    objects = UserManager()
    USERNAME_FIELD = "phone"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or f"…{self.phone[-4:]}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """A session is of one phone and one password: it ends when either changes, whoever changes it."""
        salt = "shops.models.User.session"
        return salted_hmac(salt, f"{self.phone} {self.password}", secret=secret, algorithm="sha256").hexdigest()


def new_shop_code() -> str:
    """Names the shop in addresses; it opens nothing without a seat."""
    return crypto.short_code(8)


class Shop(models.Model):
    """The tenant: one book of one business."""

    code = models.CharField(max_length=12, unique=True, default=new_shop_code, editable=False)
    name = models.CharField(_("Shop name"), max_length=MAX_NAME_CHARS)
    trade = models.CharField(_("Trade"), max_length=60, blank=True)
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.ENGLISH)
    upi_id = models.CharField(_("UPI ID"), max_length=50, blank=True)
    zone = models.CharField(max_length=40, default="Asia/Kolkata")
    # Terms that new khatas start with, and what happens over the limit.
    credit_days = models.PositiveSmallIntegerField(_("Days of credit"), default=30)
    blocks_over_limit = models.BooleanField(_("Refuse credit over the limit"), default=False)
    # How the shop speaks.
    sends_receipts = models.BooleanField(_("Send a receipt for every payment"), default=True)
    sends_entries = models.BooleanField(_("Send a message for every entry"), default=False)
    quiet_from = models.TimeField(default="19:00")  # no asking from this local time …
    quiet_until = models.TimeField(default="08:00")  # … until this one
    weekly_cap = models.PositiveSmallIntegerField(_("Reminders to one party in a week"), default=2)
    reminders_paused = models.BooleanField(_("Pause all reminders"), default=False)
    is_demo = models.BooleanField(default=False, editable=False)
    # Of the form that opened it, with its person's id in front: a second tap opens no second shop.
    # NULL, not "": shops that no form opened do not collide.
    key = models.CharField(max_length=MAX_KEY_CHARS, null=True, unique=True, editable=False)  # noqa: DJ001
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def zoneinfo(self) -> ZoneInfo:
        """The zone of its business dates and quiet hours."""
        return ZoneInfo(self.zone)

    def today(self) -> Any:
        """The shop's business date now."""
        return clock.today(self.zoneinfo)


class Member(ShopOwned):
    """A person's seat in a shop. Revoked seats stay, for the audit trail."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="seats")
    role = models.CharField(max_length=8, choices=Role.choices)
    # What the shop calls a person who has not come yet. Their own name is theirs to bring along.
    name = models.CharField(_("Name"), max_length=MAX_NAME_CHARS, blank=True)
    entered_at = models.DateTimeField(null=True, blank=True, editable=False)  # first page of this shop
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(ShopOwned.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "user"], name="member_once_per_shop"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.shown_name} · {self.role}"

    @property
    def shown_name(self) -> str:
        """What the shop sees: the typed name, or the end of the phone; from the first visit on the
        person's own. Anybody can open a shop and type a phone: it must not tell whose it is.
        """
        own = self.user.name if self.entered_at else ""
        return own or self.name or f"…{self.user.phone[-4:]}"

    def may(self, role: Role) -> bool:
        """Whether this seat has at least the rights of ``role``."""
        return self.revoked_at is None and Role(self.role).rank >= role.rank


class AuditEvent(models.Model):
    """Who changed what, in words an owner can read. ``shop`` is empty for operators' own acts."""

    shop = models.ForeignKey(Shop, null=True, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=60, blank=True)  # "party:K7Q2": rows by code, never by phone
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    # An alarm is an audit row that the tick turns into a message to every owner.
    is_alarm = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    everything = models.Manager()
    objects = ShopQuerySet.as_manager()

    class Meta:
        base_manager_name = "everything"
        indexes = (
            models.Index(fields=["shop", "-created_at"], name="audit_activity"),  # the activity page
            models.Index(
                fields=["created_at"], name="audit_alarms", condition=models.Q(is_alarm=True)
            ),  # the tick looks for alarms not yet told
        )

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
