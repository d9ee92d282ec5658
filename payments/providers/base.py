"""The shape that every provider takes: a module with these functions, and the facts it hands over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core import crypto
from payments.models import Checkout, Payment, ProviderAccount


class EventUnreadable(ValueError):
    """A signed event that makes no sense to us. It is kept and waits for a person."""


@dataclass(frozen=True)
class ProviderEventFacts:
    """What an event says, in our words. ``state`` None: nothing about a payment, nothing to do."""

    kind: str  # the provider's own name of the event
    payment_id: str = ""
    checkout_reference: str = ""
    amount_paise: int = 0
    state: Payment.State | None = None
    method: str = ""  # upi, card, netbanking …
    utr: str = ""  # the bank's 12 digits, where known


class Provider(Protocol):
    """Functions of a provider's module; none of them touches the book."""

    def create_checkout(self, account: ProviderAccount, checkout: Checkout, return_url: str) -> str:
        """The address where the customer pays. May call the network: never inside a transaction."""

    def verify(self, account: ProviderAccount, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Whether the bytes, as they came, are signed by this account. Takes the same time either way."""

    def event_id(self, headers: Mapping[str, str], raw_body: bytes) -> str:
        """The provider's own id of the event, the same at every delivery; empty when it has none."""

    def parse(self, raw_body: bytes) -> ProviderEventFacts:
        """The facts of a verified event. Raises EventUnreadable."""


def webhook_secrets(account: ProviderAccount) -> list[str]:
    """The account's secrets, newest first; the older ones sign what was under way when it changed.

    Raises core.crypto.SealBroken when the key that sealed them is gone.
    """
    return [str(secret) for secret in _opened(account).get("webhook_secrets", [])]


def _opened(account: ProviderAccount) -> dict[str, Any]:
    return crypto.decrypt(bytes(account.sealed))
