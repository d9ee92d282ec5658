"""The few template tags of the house, available in every template."""

import datetime as dt

import phonenumbers
from django import template
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core import clock
from core.money import format_paise, in_lakh_or_crore, plain_rupees

register = template.Library()


@register.filter
def rupees(paise: int) -> str:
    """``1245000`` → ``₹12,450.00``."""
    return format_paise(int(paise))


@register.filter
def rupees_short(paise: int) -> str:
    """``1245000`` → ``₹12,450``; real paise are kept."""
    return format_paise(int(paise), decimals=False)


@register.filter
def rupees_big(paise: int) -> str:
    """A total: ``₹2,45,300``, and from ten lakh on in words: ``₹12.45 lakh``, ``₹3.2 crore``."""
    large = in_lakh_or_crore(int(paise))
    if large is None:
        return rupees_short(paise)
    number, word = large
    form = pgettext("amount", "%(number)s lakh") if word == "lakh" else pgettext("amount", "%(number)s crore")
    return form % {"number": number}


@register.filter
def rupees_plain(paise: int) -> str:
    """``1245000`` → ``12,450.00``: for a running balance beside amounts that carry the sign."""
    return format_paise(int(paise), symbol=False)


@register.filter
def rupees_input(paise: int) -> str:
    """``1245000`` → ``12450.00``: for form fields."""
    return plain_rupees(int(paise))


@register.filter
def phone(e164: str) -> str:
    """``+919876543210`` → ``98765 43210``; other countries keep their code."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    form = phonenumbers.PhoneNumberFormat
    if number.country_code == 91:
        return phonenumbers.format_number(number, form.NATIONAL).lstrip("0")
    return phonenumbers.format_number(number, form.INTERNATIONAL)


@register.filter
def ago(instant: dt.datetime) -> str:
    """How long ago, as one says it: minutes, today, yesterday, days, then the date."""
    passed = clock.now() - instant
    minutes = int(passed.total_seconds()) // 60
    if minutes < 1:
        return _("now")
    if minutes < 60:
        return ngettext("%(n)d min ago", "%(n)d min ago", minutes) % {"n": minutes}
    day = localtime(instant).date()
    days = (localtime(clock.now()).date() - day).days
    if days == 0:
        return _("today")
    if days == 1:
        return _("yesterday")
    if days < 7:
        return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
    return date_format(day, "j M" if days < 300 else "j M Y")


_ENTRY_WORDS = {
    "sale": lambda: pgettext("entry", "Sale"),
    "purchase": lambda: pgettext("entry", "Purchase"),
    "payment": lambda: pgettext("entry", "Payment"),
    "opening": lambda: pgettext("entry", "Opening balance"),
    "discount": lambda: pgettext("entry", "Discount"),
    "return": lambda: pgettext("entry", "Return"),
    "write_off": lambda: pgettext("entry", "Written off"),
    "fee": lambda: pgettext("entry", "Fee"),
    "order": lambda: pgettext("entry", "Order"),
    "refund": lambda: pgettext("entry", "Refund"),
}
_SOURCE_WORDS = {
    "screen": lambda: pgettext("source", "on screen"),
    "quick": lambda: pgettext("source", "quick line"),
    "voice": lambda: pgettext("source", "voice"),
    "offline": lambda: pgettext("source", "offline"),
    "import": lambda: pgettext("source", "import"),
    "provider": lambda: pgettext("source", "came by itself"),
    "order": lambda: pgettext("source", "order"),
}


@register.filter
def entry_word(text: str) -> str:
    """A kind of entry in words; a note stays as it was written."""
    word = _ENTRY_WORDS.get(text)
    return word() if word else text


@register.filter
def source_word(source: str) -> str:
    """Where an entry came from, in words."""
    word = _SOURCE_WORDS.get(source)
    return word() if word else source


@register.filter
def owes(paise: int, kind: str) -> str:
    """Which way a balance goes, in words beside its colour."""
    if paise > 0:
        return _("will give")
    if paise < 0:
        return _("you will give") if kind == "supplier" else _("advance")
    return _("settled")


@register.filter
def late(days: int) -> str:
    """How many days past due, in words."""
    return ngettext("%(days)s day late", "%(days)s days late", days) % {"days": days}


@register.filter
def magnitude(number: int) -> int:
    """The absolute value."""
    return abs(number)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon from the one sprite; decorative, so hidden from screen readers."""
    return format_html('<svg aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)
