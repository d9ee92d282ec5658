"""Onboarding and the UPI ID, converted. Nothing here writes."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.names import NameField
from payments.upi import MAX_VPA_CHARS, clean_vpa, handle_is_known, is_vpa
from shops.forms import MAX_TRADE_CHARS, ProvenForm
from shops.models import Language

TRADES = (
    gettext_lazy("Kirana"),
    gettext_lazy("Chemist"),
    gettext_lazy("Wholesale"),
    gettext_lazy("Hardware"),
    gettext_lazy("Clothes"),
    gettext_lazy("Dairy"),
)


class UpiField(forms.CharField):
    """A UPI ID, form checked. Whether its handle is known is for ``handle_warning``: new ones appear."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("UPI ID"))
        kwargs.setdefault("max_length", MAX_VPA_CHARS)
        attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}
        super().__init__(widget=forms.TextInput(attrs=attrs | {"placeholder": "name@okaxis"}), **kwargs)

    def clean(self, value: Any) -> str:
        text = clean_vpa(super().clean(value) or "")
        if text and not is_vpa(text):
            raise forms.ValidationError(_("A UPI ID looks like name@okaxis. Your payment app shows yours."))
        return text


def handle_warning(upi_id: str) -> str:
    """What to say about a handle we have never seen; "" for a known one, or none."""
    if not upi_id or handle_is_known(upi_id):
        return ""
    return _("Saved. We do not know “@%(handle)s”: compare %(upi_id)s with your payment app once more.") % {
        "handle": upi_id.rpartition("@")[2],
        "upi_id": upi_id,
    }


class StartForm(forms.Form):
    """One screen from nothing to a shop."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=40)
    name = NameField(
        label=gettext_lazy("Shop name"),
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )
    trade = forms.CharField(
        label=gettext_lazy("Trade"),
        max_length=MAX_TRADE_CHARS,
        required=False,
        widget=forms.TextInput(attrs={"list": "trades", "autocomplete": "off"}),
    )
    owner_name = NameField(
        label=gettext_lazy("Your name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=Language.choices, widget=forms.RadioSelect
    )
    upi_id = UpiField(
        required=False, help_text=gettext_lazy("Customers pay straight to it. You can add it later.")
    )


def start_key() -> str:
    """One per form shown: a double tap opens one shop."""
    return secrets.token_urlsafe(15)


class UpiForm(ProvenForm):
    """Another UPI ID, or none: the password is asked, because money goes there."""

    upi_id = UpiField(required=False, help_text=gettext_lazy("Leave it empty to stop payments by QR."))
