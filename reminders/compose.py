"""What messages say: whole sentences, polite, in the language of who reads them, under 300 characters."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from core.money import format_paise
from ledger.models import Direction, Entry, Khata
from parties.models import Party
from payments.links import link_url
from payments.standing import standing_links
from reminders.models import Purpose
from shops.models import AuditEvent
from shops.words import sentence

MAX_CHARS = 300
_NAME_CHARS = (40, 24, 12)


def links_of(khatas: Iterable[Khata]) -> dict[int, str]:
    """The address of each khata's standing pay link, by khata id; one is made where none is."""
    wanted = list(khatas)
    if not wanted:
        return {}
    return {pk: link_url(link) for pk, link in standing_links(khatas=wanted).items()}


def page_in(text: str) -> str:
    """The address of the customer's own page that ``text`` holds; "" where it holds none."""
    prefix = f"{settings.BASE_URL}/p/"
    return next((word for word in text.split() if word.startswith(prefix)), "")


def of_entry(*, purpose: str, shop_name: str, party: Party, line: Entry, balance_paise: int, url: str) -> str:
    """What is said about ``line``: its receipt, a word that it was written, or that it was taken back."""
    said: dict[str, Any] = {"shop_name": shop_name, "party": party, "balance_paise": balance_paise, "url": url}
    if line.reverses_id is not None:
        return reversal(amount_paise=line.amount_paise, **said)
    if purpose == Purpose.RECEIPT:
        return receipt(amount_paise=line.amount_paise, **said)
    return entry(line=line, **said)


def reminder(*, shop_name: str, party: Party, balance_paise: int, url: str) -> str:
    """Asks for what is owed, and says how to see and pay it."""
    return _fit(
        party,
        shop_name,
        lambda name, shop: (
            _(
                "Hello %(name)s, your balance at %(shop)s is %(balance)s. If you have paid already, thank you. "
                "See it and pay here: %(link)s"
            )
            % {"name": name, "shop": shop, "balance": _rupees(balance_paise), "link": url}
        ),
    )


def receipt(*, shop_name: str, party: Party, amount_paise: int, balance_paise: int, url: str) -> str:
    """Confirms a payment and says what is left."""
    return _fit(
        party,
        shop_name,
        lambda name, shop: (
            _receipt_words(balance_paise)
            % {
                "name": name,
                "shop": shop,
                "amount": _rupees(amount_paise),
                "balance": _rupees(abs(balance_paise)),
                "link": url,
            }
        ),
    )


def _receipt_words(balance_paise: int) -> str:
    if balance_paise > 0:
        return _(
            "Thank you %(name)s. %(shop)s received %(amount)s. Your balance is now %(balance)s. "
            "Your khata: %(link)s"
        )
    if balance_paise < 0:
        return _(
            "Thank you %(name)s. %(shop)s received %(amount)s. You have %(balance)s in advance. "
            "Your khata: %(link)s"
        )
    return _("Thank you %(name)s. %(shop)s received %(amount)s. Nothing is owed now. Your khata: %(link)s")


def entry(*, shop_name: str, party: Party, line: Entry, balance_paise: int, url: str) -> str:
    """Tells of one line in the khata, so that both sides see the same book."""
    return _fit(
        party,
        shop_name,
        lambda name, shop: (
            _entry_words(line.direction, balance_paise)
            % {
                "name": name,
                "shop": shop,
                "amount": _rupees(line.amount_paise),
                "balance": _rupees(abs(balance_paise)),
                "link": url,
            }
        ),
    )


def _entry_words(direction: str, balance_paise: int) -> str:
    if direction == Direction.GAVE and balance_paise >= 0:
        return _(
            "Hello %(name)s, %(shop)s wrote %(amount)s on credit in your khata. Balance: %(balance)s. "
            "See it: %(link)s"
        )
    if direction == Direction.GAVE:
        return _(
            "Hello %(name)s, %(shop)s wrote %(amount)s in your khata. You have %(balance)s in advance. "
            "See it: %(link)s"
        )
    if balance_paise < 0:
        return _(
            "Hello %(name)s, %(shop)s took %(amount)s off your khata. You have %(balance)s in advance. "
            "See it: %(link)s"
        )
    return _("Hello %(name)s, %(shop)s took %(amount)s off your khata. Balance: %(balance)s. See it: %(link)s")


def reversal(*, shop_name: str, party: Party, amount_paise: int, balance_paise: int, url: str) -> str:
    """Tells that a line which was told before was taken back, and what the balance is without it."""
    return _fit(
        party,
        shop_name,
        lambda name, shop: (
            _reversal_words(balance_paise)
            % {
                "name": name,
                "shop": shop,
                "amount": _rupees(amount_paise),
                "balance": _rupees(abs(balance_paise)),
                "link": url,
            }
        ),
    )


def _reversal_words(balance_paise: int) -> str:
    if balance_paise < 0:
        return _(
            "Hello %(name)s, %(shop)s took back the line of %(amount)s that you were told of. "
            "You have %(balance)s in advance. See it: %(link)s"
        )
    return _(
        "Hello %(name)s, %(shop)s took back the line of %(amount)s that you were told of. "
        "Your balance is now %(balance)s. See it: %(link)s"
    )


def link(*, shop_name: str, party: Party, url: str) -> str:
    """Hands over the customer's own page."""
    return _fit(
        party,
        shop_name,
        lambda name, shop: (
            _("Hello %(name)s, here you can see your khata at %(shop)s at any time: %(link)s")
            % {"name": name, "shop": shop, "link": url}
        ),
    )


def alert(*, event: AuditEvent, shop_name: str, language: str) -> str:
    """Tells an owner what was changed in the shop, and by whom."""
    with translation.override(language):
        words = {
            "shop": _short(shop_name, 40),
            "what": _short(sentence(event), 150),
            "who": _short(str(event.actor), 30) if event.actor else "Khata",
        }
        return (
            _("Khata, %(shop)s: %(what)s Done by %(who)s. Was it not meant? Open Activity in your shop.") % words
        )


def _rupees(paise: int) -> str:
    return format_paise(paise, decimals=False)


def _short(text: str, chars: int) -> str:
    """One line of at most ``chars``: a name with line breaks must not look like two messages."""
    text = " ".join(text.split())
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def _fit(party: Party, shop_name: str, words: Callable[[str, str], str]) -> str:
    """The text in the party's language; names give way first when it would be too long."""
    text = ""
    with translation.override(party.language):
        for chars in _NAME_CHARS:
            text = words(_short(party.name, chars), _short(shop_name, chars))
            if len(text) <= MAX_CHARS:
                break
    return text
