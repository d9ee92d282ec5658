"""The demo outbox: every message can be seen, a page at a time."""

import html
import re
from typing import Any

import pytest
from django.urls import reverse

from core import clock
from home import outbox
from reminders.models import Message, Purpose, Via
from tests.cast import Cast, client_of, make_khata

pytestmark = pytest.mark.django_db


def make_sent(cast: Cast, count: int) -> None:
    """``count`` messages to one number, as the demo channel leaves them."""
    party = make_khata(cast.shop, "Ramesh", phone="+919812345678").party
    for number in range(count):
        Message.everything.create(
            shop=cast.shop,
            party=party,
            purpose=Purpose.RECEIPT,
            channel=Via.SMS,
            backend="demo",
            recipient=party.phone,
            text=f"message {number}.",
            state=Message.State.SENT,
            dedupe_key=f"m{number}",
            sent_at=clock.now(),
        )


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"message (\d+)\.", page)]


def next_step(page: str) -> str:
    found = re.search(r'href="(\?after=[^"]+)"', page)
    return html.unescape(found[1]) if found else ""


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_every_message_can_be_reached_step_by_step(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, headers: dict[str, Any]
) -> None:
    monkeypatch.setattr(outbox, "PAGE_MESSAGES", 3)
    make_sent(cast, 7)
    url, client = reverse("home:outbox", args=[cast.shop.code]), client_of(cast.meena)
    seen, step, steps = [], "", 0
    while True:
        page = client.get(url + step, headers=headers if step else {}).content.decode()
        assert ("<html" in page) == (not step or not headers)
        seen += shown(page)
        steps += 1
        step = next_step(page)
        if not step:
            break
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert steps == 3


def test_a_full_last_page_offers_no_step_into_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PAGE_MESSAGES", 3)
    make_sent(cast, 3)
    page = client_of(cast.meena).get(reverse("home:outbox", args=[cast.shop.code])).content.decode()
    assert len(shown(page)) == 3
    assert not next_step(page)


def test_a_step_that_we_did_not_seal_leads_to_the_first_page(cast: Cast) -> None:
    make_sent(cast, 1)
    url = reverse("home:outbox", args=[cast.shop.code])
    answer: Any = client_of(cast.meena).get(f"{url}?after=forged")
    assert (answer.status_code, answer.url) == (302, url)


def test_an_alert_to_an_owner_stands_under_her_name(cast: Cast) -> None:
    Message.everything.create(
        shop=cast.shop,
        purpose=Purpose.ALERT,
        channel=Via.SMS,
        backend="demo",
        recipient=cast.asha.phone,
        text="Bilal was added.",
        state=Message.State.SENT,
        dedupe_key="alert",
        sent_at=clock.now(),
    )
    for name in ("home:outbox", "reminders:messages"):
        page = client_of(cast.asha).get(reverse(name, args=[cast.shop.code])).content.decode()
        assert "<b>Asha</b>" in page, name
        assert cast.asha.phone not in page, f"{name}: phones are written as people write them"


def test_links_of_a_demo_that_moved_to_another_port_still_open(cast: Cast, settings: Any) -> None:
    make_sent(cast, 1)
    Message.everything.update(text="See it: http://127.0.0.1:8311/p/abc.def/")
    settings.BASE_URL = "http://127.0.0.1:8317"
    page = client_of(cast.asha).get(reverse("home:outbox", args=[cast.shop.code])).content.decode()
    assert 'href="http://127.0.0.1:8317/p/abc.def/"' in page
