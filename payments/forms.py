"""What people type on the pages of payments, as final types."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.clock import start_of_day
from core.money import MoneyError, evaluate_paise
from payments.upi import UtrError, clean_utr
from shops.models import Shop

MAX_LINK_DAYS = 366


def _paise(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return evaluate_paise(text)
    except MoneyError as error:
        raise forms.ValidationError(_("Type an amount in rupees, like 1,250 or 1250.50.")) from error


def _amount_field(**options: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.CharField(max_length=40, widget=widget, **options)


class LinkForm(forms.Form):
    """A link of its own: ``amount`` → paise or None, ``last_day`` → the first instant after it, or None."""

    amount = _amount_field(label=_("Fixed amount"), required=False, help_text=_("Empty: what is owed that day."))
    last_day = forms.DateField(
        label=_("Works until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, shop: Shop, **options: Any) -> None:
        super().__init__(*args, **options)
        self.shop = shop
        today = shop.today()
        limits = {"min": today.isoformat(), "max": (today + dt.timedelta(days=MAX_LINK_DAYS)).isoformat()}
        self.fields["last_day"].widget.attrs.update(limits)

    def clean_amount(self) -> int | None:
        return _paise(self.cleaned_data["amount"])

    def clean_last_day(self) -> dt.datetime | None:
        day = self.cleaned_data["last_day"]
        if day is None:
            return None
        today = self.shop.today()
        if not today <= day <= today + dt.timedelta(days=MAX_LINK_DAYS):
            raise forms.ValidationError(_("Choose a day from today to a year from now."))
        return start_of_day(day + dt.timedelta(days=1), self.shop.zoneinfo)


class ClaimForm(forms.Form):
    """“I have paid”: ``amount`` → paise, ``utr`` → 12 digits."""

    amount = _amount_field(label=_("Amount you paid"))
    utr = forms.CharField(
        label=_("12-digit UPI reference"),
        max_length=40,
        help_text=_("In your payment app: open the payment, look for “UTR” or “UPI transaction ID”."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_amount(self) -> int | None:
        return _paise(self.cleaned_data["amount"])

    def clean_utr(self) -> str:
        try:
            return clean_utr(self.cleaned_data["utr"])
        except UtrError as error:
            raise forms.ValidationError(_("The reference has 12 digits. Please check it once more.")) from error


class CheckoutForm(forms.Form):
    """How much to pay by card or net banking: ``amount`` → paise."""

    amount = _amount_field(label=_("Amount"))

    def clean_amount(self) -> int | None:
        return _paise(self.cleaned_data["amount"])
