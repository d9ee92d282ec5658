"""Customers and suppliers of a shop, and what each agreed to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock, crypto
from core.limits import MAX_KEY_CHARS, MAX_NAME_CHARS, MAX_NOTE_CHARS
from shops.models import Language, User
from shops.scope import ShopOwned


class PartyKind(models.TextChoices):
    CUSTOMER = "customer", _("Customer")
    SUPPLIER = "supplier", _("Supplier")


class Channel(models.TextChoices):
    """Ways a party may agree to be spoken to."""

    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    EMAIL = "email", _("Email")


PARTY_CODE_CHARS = 5
MAX_WORD_CHARS = 64
MAX_ROMAN_CHARS = MAX_NAME_CHARS * 2  # one letter may be many in Latin: ﷽ is 29


def new_party_code() -> str:
    """Per shop; short enough for the note of a UPI payment (24 million of them)."""
    return crypto.short_code(PARTY_CODE_CHARS)


class Party(ShopOwned):
    """A customer or a supplier of one shop. Only the name is needed."""

    code = models.CharField(max_length=10, default=new_party_code, editable=False)
    name = models.CharField(_("Name"), max_length=MAX_NAME_CHARS)
    kind = models.CharField(max_length=8, choices=PartyKind.choices, default=PartyKind.CUSTOMER)
    phone = models.CharField(_("Phone number"), max_length=16, blank=True)  # E.164
    email = models.EmailField(_("Email"), blank=True)
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.ENGLISH)
    note = models.CharField(_("Note"), max_length=MAX_NOTE_CHARS, blank=True)
    # What search reads: the name romanised, and its consonants folded (see parties/search.py).
    roman = models.CharField(max_length=MAX_ROMAN_CHARS, editable=False)
    reminders_paused_until = models.DateField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    # NULL, not "": many parties come without a key, and NULLs do not collide in a unique constraint.
    key = models.CharField(max_length=MAX_KEY_CHARS, null=True, blank=True, editable=False)  # noqa: DJ001
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ShopOwned.Meta):
        verbose_name_plural = "parties"
        constraints = (
            models.UniqueConstraint(fields=["shop", "code"], name="party_code_once_per_shop"),
            models.UniqueConstraint(fields=["shop", "key"], name="party_key_once_per_shop"),
            models.CheckConstraint(condition=~models.Q(name=""), name="party_has_a_name"),
            models.CheckConstraint(condition=models.Q(kind__in=PartyKind.values), name="party_kind_known"),
        )
        indexes = (
            models.Index(fields=["shop", "phone"], name="party_by_phone"),  # duplicates, replies
            models.Index(fields=["shop", "roman"], name="party_by_name"),  # duplicate names
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_supplier(self) -> bool:
        return self.kind == PartyKind.SUPPLIER


class NameWord(ShopOwned):
    """One word of one party's name: what an index can search.

    Each word stands here twice: as its consonant skeleton, and behind a ``z``, which no skeleton
    holds, as Latin letters usually spell it (see parties/search.py). One index finds both.
    """

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="words")
    skeleton = models.CharField(max_length=MAX_WORD_CHARS)

    class Meta(ShopOwned.Meta):
        constraints = (models.UniqueConstraint(fields=["party", "skeleton"], name="name_word_once"),)
        indexes = (
            # Prefix search as one types; covering, so that candidates need no table read.
            models.Index(fields=["shop", "skeleton", "party"], name="name_word_prefix"),
        )

    def __str__(self) -> str:
        return self.skeleton


class Consent(ShopOwned):
    """What a party agreed to or withdrew, per channel. The newest row of a channel decides."""

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="consents")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    given = models.BooleanField()
    source = models.CharField(max_length=40)  # counter, customer-page, import, demo
    notice_version = models.CharField(max_length=12, default="2026-11")
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ShopOwned.Meta):
        indexes = (
            models.Index(fields=["party", "channel", "-id"], name="consent_newest"),  # read per send
        )

    def __str__(self) -> str:
        return f"{self.channel} {'yes' if self.given else 'no'}"
