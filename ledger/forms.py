"""What people type, converted to paise, dates and E.164. Nothing here writes."""

import secrets
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.limits import (
    MAX_CREDIT_DAYS,
    MAX_EMAIL_CHARS,
    MAX_EXPRESSION_CHARS,
    MAX_KEY_CHARS,
    MAX_NOTE_CHARS,
)
from core.money import MoneyError, evaluate_paise, fold_digits, parse_paise, plain_rupees
from core.names import NameField
from parties.models import PartyKind
from parties.selectors import e164
from shops.models import Language

_KEYS = "form:"


def new_key() -> str:
    """One per form shown: a double tap or a retry is the same entry."""
    return f"{_KEYS}{secrets.token_urlsafe(15)}"


def ask_once_more(form: forms.Form, error: Exception, *, hint: bool = True) -> None:
    """Show a form again whose key was used: what was typed stands, under a key of its own.

    Under the key it came with, no Save of what stands in it now could ever succeed.
    """
    form.add_error(None, str(error))
    if hint:
        form.add_error(None, _("To write this as well, press Save once more."))
    data: Any = form.data
    data = data.copy()
    data["key"] = new_key()
    form.data = data


class KeyField(forms.CharField):
    """A form's idempotency key. It always lives under ``form:``, so that nobody can squat on the
    key of a payment or a reversal that is still to come."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_KEY_CHARS - len(_KEYS), **kwargs)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        return text if not text or text.startswith(_KEYS) else _KEYS + text


_REASONS = {
    "decimals": gettext_lazy("An amount has at most two digits after the point."),
    "positive": gettext_lazy("The amount must be more than zero."),
    "large": gettext_lazy("This amount is too large for one entry."),
    "long": gettext_lazy("This sum is too long."),
    "zero": gettext_lazy("A sum cannot divide by zero."),
}


def money_reason(error: MoneyError) -> str:
    """The error in the reader's language."""
    return str(_REASONS.get(error.code, _("Write an amount, like 500 or 12*40+65.")))


class PaiseField(forms.CharField):
    """An amount as people write it → paise. ``sums`` also takes arithmetic, ``zero`` a plain 0."""

    def __init__(self, *, sums: bool = False, zero: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_EXPRESSION_CHARS)
        super().__init__(**kwargs)
        self.sums, self.zero = sums, zero
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "class": "num"}

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text in self.empty_values:
            return None
        if self.zero and fold_digits(text).strip(" ₹.") == "0":
            return 0
        try:
            return evaluate_paise(text) if self.sums else parse_paise(text)
        except MoneyError as error:
            raise ValidationError(money_reason(error)) from error


class DateField(forms.DateField):
    """A browser's own date picker."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class EntryForm(forms.Form):
    """One entry: only the amount is needed."""

    amount = PaiseField(sums=True, label=gettext_lazy("Amount"))
    note = forms.CharField(max_length=MAX_NOTE_CHARS, required=False, label=gettext_lazy("Note"))
    occurred_on = DateField(required=False, label=gettext_lazy("Date"))
    due_on = DateField(required=False, label=gettext_lazy("Due on"))
    override_reason = forms.CharField(max_length=200, required=False, label=gettext_lazy("Reason"))
    key = KeyField()


class KhataForm(forms.Form):
    """A new party with its khata: name, phone and opening due in one form; only the name is needed."""

    name = NameField(label=gettext_lazy("Name"))
    phone = forms.CharField(max_length=32, required=False, label=gettext_lazy("Phone number"))
    opening = PaiseField(required=False, label=gettext_lazy("Opening balance"))
    opening_way = forms.ChoiceField(
        choices=[("get", gettext_lazy("they owe you")), ("give", gettext_lazy("you owe them"))],
        widget=forms.RadioSelect,
        initial="get",
        required=False,
        label=gettext_lazy("Which way"),
    )
    kind = forms.ChoiceField(
        choices=PartyKind.choices, widget=forms.RadioSelect, initial=PartyKind.CUSTOMER, label=gettext_lazy("Who")
    )
    consent = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("They agreed to get receipts and reminders from this shop"),
        help_text=gettext_lazy("Untick if they said no. They can stop messages at any time themselves."),
    )
    key = KeyField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "off"}
        self.fields["phone"].widget.attrs |= {"type": "tel", "inputmode": "tel", "autocomplete": "off"}

    def clean_phone(self) -> str:
        return _phone(self.cleaned_data.get("phone", ""))

    @property
    def opening_paise(self) -> int:
        """Signed: positive, they owe you."""
        amount = self.cleaned_data.get("opening") or 0
        return -amount if self.cleaned_data.get("opening_way") == "give" else amount


def _phone(text: str) -> str:
    if not text.strip():
        return ""
    number = e164(text)
    if number is None:
        raise ValidationError(_("This is not a phone number we can reach. Ten digits are enough."))
    return number


class PartyForm(forms.Form):
    """Change a party and its terms."""

    name = NameField(label=gettext_lazy("Name"))
    phone = forms.CharField(max_length=32, required=False, label=gettext_lazy("Phone number"))
    email = forms.EmailField(max_length=MAX_EMAIL_CHARS, required=False, label=gettext_lazy("Email"))
    language = forms.ChoiceField(choices=Language.choices, label=gettext_lazy("Their language"))
    kind = forms.ChoiceField(choices=PartyKind.choices, widget=forms.RadioSelect, label=gettext_lazy("Who"))
    note = forms.CharField(max_length=MAX_NOTE_CHARS, required=False, label=gettext_lazy("Note"))
    consent = forms.BooleanField(
        required=False, label=gettext_lazy("They agreed to get receipts and reminders from this shop")
    )
    consent_anew = forms.BooleanField(
        required=False,
        label=gettext_lazy("They agreed for the new phone number or email too"),
        help_text=gettext_lazy("Only if you change one: messages to the new one stop without this tick."),
    )
    # What the tick box showed when the form was opened.
    had_consent = forms.NullBooleanField(required=False, widget=forms.HiddenInput)
    reminders_paused_until = DateField(required=False, label=gettext_lazy("No reminders until"))

    def clean_phone(self) -> str:
        return _phone(self.cleaned_data.get("phone", ""))


class TermsForm(forms.Form):
    """The terms of a khata; an empty field means the shop's own, or none."""

    credit_limit = PaiseField(required=False, zero=True, label=gettext_lazy("Credit limit, ₹"))
    credit_days = forms.IntegerField(
        required=False, min_value=0, max_value=MAX_CREDIT_DAYS, label=gettext_lazy("Days of credit")
    )
    collect_on = DateField(required=False, label=gettext_lazy("Collect on"))

    @classmethod
    def of(cls, khata: Any) -> "TermsForm":
        """The form as the khata stands."""
        limit = khata.credit_limit_paise
        return cls(
            initial={
                "credit_limit": "" if limit is None else plain_rupees(limit),
                "credit_days": khata.credit_days,
                "collect_on": khata.collect_on,
            }
        )

    @property
    def changes(self) -> dict[str, Any]:
        """For ``ledger.services.set_terms``."""
        data = self.cleaned_data
        return {
            "credit_limit_paise": data["credit_limit"],
            "credit_days": data["credit_days"],
            "collect_on": data["collect_on"],
        }


class QuickForm(forms.Form):
    """The quick line, and the answers to what it asked."""

    line = forms.CharField(max_length=300, required=False)
    key = KeyField(required=False)
    party = forms.CharField(max_length=10, required=False)
    direction = forms.ChoiceField(choices=[("", ""), ("gave", "gave"), ("got", "got")], required=False)
    amount = PaiseField(required=False, sums=True)
    note = forms.CharField(max_length=MAX_NOTE_CHARS, required=False)
