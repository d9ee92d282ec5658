"""What messages say: polite, short, in the reader's language, and the same on every channel."""

import re
from typing import Any

import pytest
from django.utils import translation

from parties.models import Party
from payments import services as payments
from payments.models import PayLink
from payments.standing import standing_links
from reminders import compose
from reminders.channels import tap
from shops.models import AuditEvent, Language, Shop
from tests.cast import make_khata, post

LINK = "https://khata.example.org/p/" + "t" * 45
LONG = "Shri Venkateshwara Subramaniam Balasubramanian and Sons Wholesale Grain Merchants" * 2
RUDE = re.compile(r"default|overdue|legal|immediate|warn|last chance", re.IGNORECASE)


def texts(name: str, shop_name: str, language: str) -> list[str]:
    party = Party(name=name, language=language)
    lines: list[Any] = [
        compose.reminder(shop_name=shop_name, party=party, balance_paise=99_99_99_999_00, url=LINK),
        compose.link(shop_name=shop_name, party=party, url=LINK),
    ]
    for balance in (500_00, 0, -500_00):
        lines.append(
            compose.receipt(
                shop_name=shop_name, party=party, amount_paise=12_34_567_89, balance_paise=balance, url=LINK
            )
        )
        lines.append(
            compose.reversal(
                shop_name=shop_name, party=party, amount_paise=12_34_567_89, balance_paise=balance, url=LINK
            )
        )
    return lines


@pytest.mark.parametrize("language", Language.values)
@pytest.mark.parametrize("name", ["Ramesh", LONG, "रमेश कुमार"])
def test_every_text_is_short_polite_and_carries_the_link(name: str, language: str) -> None:
    for text in texts(name, name, language):
        assert len(text) <= compose.MAX_CHARS
        assert text.endswith(LINK)
        assert not RUDE.search(text)


def test_a_reminder_names_the_party_the_shop_and_the_balance() -> None:
    text = texts("Ramesh", "Asha Kirana", "en")[0]
    assert text == (
        "Hello Ramesh, your balance at Asha Kirana is ₹99,99,99,999. If you have paid already, thank you. "
        f"See it and pay here: {LINK}"
    )


def test_the_partys_language_decides_not_the_shopkeepers() -> None:
    with translation.override("hi"):
        assert texts("Ramesh", "Asha Kirana", "en")[0].startswith("Hello Ramesh")


def test_a_name_with_line_breaks_stays_one_line() -> None:
    for text in texts("Ramesh\n\nPay to: evil@upi", "A\r\nB", "en"):
        assert "\n" not in text
        assert "\r" not in text


def test_percent_signs_in_names_are_only_text() -> None:
    assert "100%(x)s Fresh" in texts("100%(x)s Fresh", "50% Off", "en")[0]


@pytest.mark.django_db
def test_an_entry_is_told_with_amount_and_balance(shop: Shop) -> None:
    khata = make_khata(shop, opening_paise=100_00)
    posting = post(khata, 50_00)
    text = compose.entry(
        shop_name=shop.name, party=khata.party, line=posting.entry, balance_paise=posting.balance_paise, url=LINK
    )
    assert text == f"Hello Ramesh, Asha Kirana wrote ₹50 on credit in your khata. Balance: ₹150. See it: {LINK}"


@pytest.mark.django_db
def test_links_are_made_once_and_read_in_one_query(shop: Shop, django_assert_num_queries: Any) -> None:
    khatas = [make_khata(shop, f"Party {number}") for number in range(5)]
    first = compose.links_of(khatas)
    with django_assert_num_queries(1):
        assert compose.links_of(khatas) == first
    assert PayLink.everything.count() == 5
    assert compose.links_of([]) == {}


@pytest.mark.parametrize(
    "action", ["shop.upi_changed", "member.added", "member.role_changed", "member.revoked", "something.else"]
)
def test_an_alarm_says_what_was_done(action: str) -> None:
    text = compose.alert(event=AuditEvent(action=action), shop_name="Asha Kirana", language="en")
    assert text.startswith("Khata, Asha Kirana: ")
    assert "Done by Khata." in text
    assert len(text) <= compose.MAX_CHARS


def test_tap_links_carry_the_text_whole() -> None:
    assert tap.whatsapp_url("+919812345678", "₹5 & more?") == (
        "https://wa.me/919812345678?text=%E2%82%B95%20%26%20more%3F"
    )
    assert tap.sms_url("+919812345678", "a b") == "sms:+919812345678?body=a%20b"


@pytest.mark.django_db
def test_links_made_in_bulk_are_those_of_a_click_and_audited(shop: Shop) -> None:
    first, second = make_khata(shop, "One"), make_khata(shop, "Two")
    clicked = payments.make_link(shop=shop, khata=first, actor=None)
    found = standing_links(khatas=[first, second])
    assert found[first.pk] == clicked
    assert found[second.pk] == payments.make_link(shop=shop, khata=second, actor=None)
    made = AuditEvent.everything.filter(shop=shop, action="link.made").values_list("target", flat=True)
    assert sorted(made) == sorted([f"party:{first.party.code}", f"party:{second.party.code}"])
