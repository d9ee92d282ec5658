"""Parties that may be asked, and messages to them."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from ledger.models import Khata
from reminders.models import Message, Purpose, Via
from reminders.outbox import queue_message
from shops.models import Shop
from tests.cast import make_khata, unique

INDIA = ZoneInfo("Asia/Kolkata")
NOON = dt.datetime(2026, 11, 18, 12, 0, tzinfo=INDIA)  # a Wednesday
_FIRST = 7000000000


def make_debtor(shop: Shop, name: str = "Ramesh", opening_paise: int = 500_00, **fields: Any) -> Khata:
    """A khata that owes, of a party with a phone who agreed to messages at the counter."""
    number = int(unique("n").split("-")[1])
    fields.setdefault("phone", f"+91{_FIRST + number}")
    fields.setdefault("consent_source", "counter")
    return make_khata(shop, name, opening_paise=opening_paise, **fields)


def make_reminder(khata: Khata, channel: str = Via.SMS, **fields: Any) -> Message:
    """A queued reminder, as a rule or a hand would queue it."""
    fields.setdefault("dedupe_key", unique("reminder"))
    fields.setdefault("text", f"balance {khata.balance_paise}")
    fields.setdefault("balance_paise", khata.balance_paise)
    fields.setdefault("purpose", Purpose.REMINDER)
    fields.setdefault("recipient", khata.party.phone or khata.party.email)
    return queue_message(shop=khata.shop, party=khata.party, channel=channel, **fields)


def states(**filters: Any) -> list[str]:
    """The states of messages, oldest first."""
    return list(Message.everything.filter(**filters).order_by("id").values_list("state", flat=True))
