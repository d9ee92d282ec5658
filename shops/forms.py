"""What owners type about the shop and its people, converted. Nothing here writes."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.limits import MAX_CREDIT_DAYS
from core.names import NameField
from core.phones import e164
from shops import proof
from shops.models import Language, Member, Role, Shop, User
from shops.services import ShopError, check_hours

MAX_TRADE_CHARS = 60
MAX_PHONE_CHARS = 40
MAX_PASSWORD_CHARS = 128
MAX_WEEKLY_CAP = 7


class SettingsForm(forms.Form):
    """What an owner may change without the password. Field names are those of services.SETTINGS."""

    name = NameField(label=gettext_lazy("Shop name"))
    trade = forms.CharField(
        label=gettext_lazy("Trade"),
        max_length=MAX_TRADE_CHARS,
        required=False,
        help_text=gettext_lazy("Kirana, chemist, hardware …"),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of messages"),
        choices=Language.choices,
        help_text=gettext_lazy("New customers are written to in it; each may have their own."),
    )
    credit_days = forms.IntegerField(
        label=gettext_lazy("Days of credit"),
        min_value=0,
        max_value=MAX_CREDIT_DAYS,
        help_text=gettext_lazy("New khatas start with it."),
    )
    blocks_over_limit = forms.BooleanField(
        label=gettext_lazy("Refuse credit over the limit"),
        required=False,
        help_text=gettext_lazy("Otherwise Khata only warns. An owner may always go over it, with a reason."),
    )
    sends_receipts = forms.BooleanField(label=gettext_lazy("Send a receipt for every payment"), required=False)
    sends_entries = forms.BooleanField(label=gettext_lazy("Send a message for every entry"), required=False)
    weekly_cap = forms.IntegerField(
        label=gettext_lazy("Reminders to one customer in a week, at most"), min_value=0, max_value=MAX_WEEKLY_CAP
    )
    quiet_until = forms.TimeField(
        label=gettext_lazy("Reminders go out from"),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    quiet_from = forms.TimeField(
        label=gettext_lazy("Reminders go out until"),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        help_text=gettext_lazy(
            "From 08:00 to 19:00 at the most: nobody should be asked for money early or late. "
            "You may choose fewer hours, not more. Receipts go at any time."
        ),
    )
    reminders_paused = forms.BooleanField(
        label=gettext_lazy("Pause all reminders"),
        required=False,
        help_text=gettext_lazy("Nobody is asked for money until you switch this off."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "quiet_until" in data and "quiet_from" in data:
            try:
                check_hours(data["quiet_until"], data["quiet_from"])
            except ShopError as refusal:
                self.add_error("quiet_from", str(refusal))
        return data


class PhoneField(forms.CharField):
    """A phone as people write it, cleaned to E.164."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_PHONE_CHARS)
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"})
        )
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        number = e164(text)
        if number is None:
            raise forms.ValidationError(_("This is not a phone number we can reach. Ten digits are enough."))
        return number


class ProvenForm(forms.Form):
    """A form that takes effect only with the person's password. ``user`` is who submits it."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        required=False,
        max_length=MAX_PASSWORD_CHARS,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].required = self.always_proven
        self.order_fields([*(name for name in self.fields if name != "password"), "password"])

    always_proven = True

    def needs_proof(self) -> bool:
        """Whether what was filled in needs the password."""
        return True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and self.needs_proof():
            try:
                proof.prove(self.user, data.get("password", ""))
            except proof.NoProof as problem:
                self.add_error("password", str(problem))
        return data


def moves_money(role: str) -> bool:
    """Whether a seat of this role can change money or people: it is given and taken with the password."""
    return Role(role).rank >= Role.MANAGER.rank


class MemberForm(ProvenForm):
    """A new member, or one who comes back.

    The password is asked where the seat could change money or people, and where who comes back gets
    another role: to take a seat away and give a lower one would be a change of role without it.
    """

    always_proven = False
    phone = PhoneField(label=gettext_lazy("Phone number"))
    name = NameField(label=gettext_lazy("Name"), required=False)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.CASHIER)

    def __init__(self, *args: Any, shop: Shop, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shop = shop
        self.fields["password"].help_text = _(
            "Only asked to add a manager or an owner, or to bring somebody back in another role."
        )

    def needs_proof(self) -> bool:
        role = self.cleaned_data["role"]
        left = Member.objects.for_shop(self.shop).filter(
            user__phone=self.cleaned_data["phone"], revoked_at__isnull=False
        )
        return moves_money(role) or left.exclude(role=role).exists()


class RoleForm(ProvenForm):
    """Another role for a member."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, widget=forms.RadioSelect)


class RevokeForm(ProvenForm):
    """The end of a seat: at once, but of a manager or an owner only with the password."""

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        self.always_proven = moves_money(role)
        super().__init__(*args, **kwargs)

    def needs_proof(self) -> bool:
        return self.always_proven
