"""The audit trail in plain words: an AuditEvent becomes one sentence in the reader's language.

Every app writes its own actions; the words for all of them are here, because people read them on
one page. An action without words is shown by its name rather than hidden.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.money import format_paise
from shops.models import AuditEvent, Language, Role

# What fields are called where they changed. Those that hold contacts never show their values.
FIELDS = {
    "name": gettext_lazy("name"),
    "trade": gettext_lazy("trade"),
    "language": gettext_lazy("language"),
    "upi_id": gettext_lazy("UPI ID"),
    "credit_days": gettext_lazy("days of credit"),
    "credit_limit_paise": gettext_lazy("credit limit"),
    "collect_on": gettext_lazy("day to collect"),
    "blocks_over_limit": gettext_lazy("refuse credit over the limit"),
    "sends_receipts": gettext_lazy("receipts for payments"),
    "sends_entries": gettext_lazy("messages for entries"),
    "weekly_cap": gettext_lazy("reminders in a week"),
    "quiet_until": gettext_lazy("first hour of reminders"),
    "quiet_from": gettext_lazy("last hour of reminders"),
    "reminders_paused": gettext_lazy("all reminders paused"),
    "kind": gettext_lazy("customer or supplier"),
    "phone": gettext_lazy("phone"),
    "email": gettext_lazy("email"),
    "note": gettext_lazy("note"),
    "reminders_paused_until": gettext_lazy("pause of reminders"),
}


@dataclass(frozen=True)
class Line:
    """One row of the activity page."""

    text: str
    who: str
    at: dt.datetime  # naive, in the shop's zone: templates would turn an aware one back
    party_code: str  # of the khata it is about, or ""
    is_alarm: bool


def line(event: AuditEvent, zone: ZoneInfo) -> Line:
    """What the activity page shows of ``event``."""
    kind, _sep, code = event.target.partition(":")
    return Line(
        text=sentence(event),
        who=str(event.actor) if event.actor else _("Khata itself"),
        at=event.created_at.astimezone(zone).replace(tzinfo=None),
        party_code=code if kind == "party" else "",
        is_alarm=event.is_alarm,
    )


def sentence(event: AuditEvent) -> str:
    """The event in words. Rows written by an older or newer version fall back, and never fail."""
    words = _SENTENCES.get(event.action)
    before = event.before if isinstance(event.before, dict) else {}
    after = event.after if isinstance(event.after, dict) else {}
    try:
        if callable(words):
            return str(words(before, after))
        if words:
            return str(words)
    except (KeyError, TypeError, ValueError):
        pass
    return _("Something was changed: %(action)s") % {"action": event.action.replace(".", " ").replace("_", " ")}


def _value(field: str, value: Any) -> str:
    if value in (None, ""):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.endswith("_paise") and isinstance(value, int):
        return format_paise(value)
    if field == "language":
        return dict(Language.choices).get(value, str(value))
    return str(value)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> str:
    parts = []
    for field, value in after.items():
        words = {
            "field": FIELDS.get(field, field.replace("_", " ")),
            "old": _value(field, before.get(field)),
            "new": _value(field, value),
        }
        parts.append(_("%(field)s from %(old)s to %(new)s") % words)
    return "; ".join(parts)


def _role(value: Any) -> str:
    return str(Role(value).label)


def _opened(before: dict[str, Any], after: dict[str, Any]) -> str:
    return _("The shop was opened as “%(name)s”.") % {"name": after["name"]}


def _settings(before: dict[str, Any], after: dict[str, Any]) -> str:
    return _("Settings changed: %(changes)s.") % {"changes": _changes(before, after)}


def _upi(before: dict[str, Any], after: dict[str, Any]) -> str:
    words = {"old": _value("upi_id", before["upi_id"]), "new": _value("upi_id", after["upi_id"])}
    return _("The UPI ID changed from %(old)s to %(new)s: new payments go there.") % words


def _member_added(before: dict[str, Any], after: dict[str, Any]) -> str:
    words = {"name": after["name"], "role": _role(after["role"])}
    if after.get("by") == "operator":
        return _("An operator added %(name)s as %(role)s.") % words
    return _("%(name)s was added as %(role)s.") % words


def _role_changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    words = {"name": after["name"], "old": _role(before["role"]), "new": _role(after["role"])}
    return _("%(name)s is now %(new)s, and was %(old)s.") % words


def _member_revoked(before: dict[str, Any], after: dict[str, Any]) -> str:
    return _("%(name)s (%(role)s) was taken out.") % {"name": before["name"], "role": _role(before["role"])}


def _phone_changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    return _("An operator changed the phone number with which %(name)s signs in.") % {"name": after["name"]}


def _party_edited(before: dict[str, Any], after: dict[str, Any]) -> str:
    names = ", ".join(str(FIELDS.get(field, field)) for field in after["fields"])
    return _("A customer's details were changed: %(fields)s.") % {"fields": names}


def _terms(before: dict[str, Any], after: dict[str, Any]) -> str:
    return _("Terms of a khata changed: %(changes)s.") % {"changes": _changes(before, after)}


def _overridden(before: dict[str, Any], after: dict[str, Any]) -> str:
    words = {
        "limit": format_paise(before["credit_limit_paise"]),
        "balance": format_paise(after["balance_paise"]),
        "reason": after["reason"],
    }
    return _("A khata went over its limit of %(limit)s, to %(balance)s. Reason: %(reason)s") % words


def _reversed(before: dict[str, Any], after: dict[str, Any]) -> str:
    words = {"amount": format_paise(before["amount_paise"]), "balance": format_paise(after["balance_paise"])}
    return _("Deleted: %(amount)s. The balance is %(balance)s.") % words


def _link_made(before: dict[str, Any], after: dict[str, Any]) -> str:
    if amount := after.get("amount_paise"):
        return _("A pay link over %(amount)s was made.") % {"amount": format_paise(amount)}
    return _("A pay link was made.")


def _claim(text: Any) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    def words(before: dict[str, Any], after: dict[str, Any]) -> str:
        return str(text) % {"amount": format_paise(after["amount_paise"]), "utr": after["utr"]}

    return words


def _run_started(before: dict[str, Any], after: dict[str, Any]) -> str:
    people = int(after["people"])
    text = ngettext(
        "Reminders to %(people)d person were started.", "Reminders to %(people)d people were started.", people
    )
    return text % {"people": people}


def _stuck(before: dict[str, Any], after: dict[str, Any]) -> str:
    return _("A payment notice could not be read and waits for a person: %(reason)s") % {"reason": after["reason"]}


_SENTENCES: dict[str, Any] = {
    "shop.opened": _opened,
    "shop.demo_ended": gettext_lazy("The demo was closed: its logins open nothing any more."),
    "shop.settings_changed": _settings,
    "shop.upi_changed": _upi,
    "member.added": _member_added,
    "member.role_changed": _role_changed,
    "member.revoked": _member_revoked,
    "operator.person_changed": gettext_lazy("An operator changed a person's account."),
    "operator.phone_changed": _phone_changed,
    "messages.released": gettext_lazy("An operator released messages that were stuck."),
    "party.edited": _party_edited,
    "party.archived": gettext_lazy("A customer was put aside."),
    "party.unarchived": gettext_lazy("A customer was taken up again."),
    "khata.terms_changed": _terms,
    "khata.limit_overridden": _overridden,
    "entry.reversed": _reversed,
    "book.imported": gettext_lazy("A book was brought in from a file."),
    "link.made": _link_made,
    "link.revoked": gettext_lazy("A pay link was ended."),
    "link.rotated": gettext_lazy("A pay link got a new address; the old one is dead."),
    "claim.confirmed": _claim(gettext_lazy("A payment of %(amount)s, reference %(utr)s, was confirmed.")),
    "claim.rejected": _claim(gettext_lazy("A payment of %(amount)s, reference %(utr)s, was not found.")),
    "provider.changed": gettext_lazy("How payments arrive was changed."),
    "provider.secret_changed": gettext_lazy("The secret of a payment provider was changed."),
    "event.stuck": _stuck,
    "event.retried": gettext_lazy("A payment notice that was stuck is tried again."),
    "event.ignored": gettext_lazy("A payment notice that was stuck was left aside."),
    "reminder.queued": gettext_lazy("A reminder was sent by hand."),
    "run.started": _run_started,
    "run.stopped": gettext_lazy("Sending reminders was stopped."),
    "rule.added": gettext_lazy("A rule for reminders was added."),
    "rule.changed": gettext_lazy("A rule for reminders was changed."),
    "rule.switched_on": gettext_lazy("A rule for reminders was switched on."),
    "rule.switched_off": gettext_lazy("A rule for reminders was switched off."),
    "message.retried": gettext_lazy("A message that was stuck is sent again."),
    "message.confirmed": gettext_lazy("A message that was stuck was marked as sent."),
    "message.cancelled": gettext_lazy("A message was cancelled."),
    "installation.production": gettext_lazy("Khata was started in production for the first time."),
}
