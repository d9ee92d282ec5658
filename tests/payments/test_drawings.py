"""The worker draws; what moves the balance makes it draw again."""

import re

import pytest
import time_machine

from ledger.models import Khata
from payments import selectors
from payments.models import PayLink
from payments.services import ask_for_drawing, draw_stale_qrs, make_link, revoke_link
from payments.upi import upi_link
from reminders import services as reminders
from reminders import tick
from shops.models import Shop
from tests.cast import make_khata, post
from tests.reminders.people import NOON, make_debtor


def drawn(link: PayLink) -> PayLink:
    draw_stale_qrs()
    return PayLink.everything.select_related("shop", "khata__party").get(pk=link.pk)


def payload(link: PayLink, amount_paise: int | None) -> str:
    link = PayLink.everything.select_related("shop", "khata__party").get(pk=link.pk)
    shop, party = link.shop, link.khata.party
    ref = selectors.reference_of(link, amount_paise) if amount_paise else None
    return upi_link(pa=shop.upi_id, pn=shop.name, amount_paise=amount_paise, note=f"Khata {party.code}", ref=ref)


def test_a_new_link_is_drawn_with_what_is_owed(link: PayLink) -> None:
    fresh = drawn(link)
    assert fresh.qr_payload == payload(link, 500_00)
    assert fresh.qr_svg.startswith("<svg")
    assert selectors.has_fresh_qr(fresh, selectors.upi_payload(fresh))
    assert draw_stale_qrs() == 0


def test_an_entry_makes_the_drawing_old_and_the_worker_draws_again(link: PayLink, khata: Khata) -> None:
    first = drawn(link)
    post(khata, 200_00, "got")
    old = PayLink.everything.select_related("shop", "khata__party").get(pk=link.pk)
    assert not selectors.has_fresh_qr(old, selectors.upi_payload(old))
    fresh = drawn(link)
    assert fresh.qr_payload == payload(link, 300_00)
    assert fresh.qr_svg != first.qr_svg
    assert draw_stale_qrs() == 0


def test_a_settled_khata_is_drawn_without_an_amount(link: PayLink, khata: Khata) -> None:
    post(khata, 900_00, "got")
    assert drawn(link).qr_payload == payload(link, None)
    assert "am=" not in drawn(link).qr_payload


def test_a_qr_without_an_amount_is_not_drawn_again(
    link: PayLink, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(khata, 900_00, "got")
    first = drawn(link)
    post(khata, 50_00, "got")
    monkeypatch.setattr("payments.qr.matrix", lambda text: pytest.fail("drawn again"))
    again = drawn(link)
    assert (again.qr_svg, bytes(again.qr_png or b"")) == (first.qr_svg, bytes(first.qr_png or b""))
    assert draw_stale_qrs() == 0


def test_a_fixed_amount_stays_when_the_balance_moves(shop: Shop, khata: Khata) -> None:
    link = make_link(shop=shop, khata=khata, actor=None, amount_paise=70_00)
    assert drawn(link).qr_payload == payload(link, 70_00)
    post(khata, 200_00)
    assert drawn(link).qr_payload == payload(link, 70_00)


def test_the_same_amount_owed_again_after_a_payment_has_another_reference(link: PayLink, khata: Khata) -> None:
    """Payment apps refuse a reference that they have seen paid."""
    first = drawn(link).qr_payload
    post(khata, 500_00, "got")
    post(khata, 500_00)
    again = drawn(link).qr_payload
    assert "am=500.00" in first
    assert "am=500.00" in again
    assert first != again
    assert draw_stale_qrs() == 0


def test_each_of_two_links_for_one_amount_has_a_reference_of_its_own(shop: Shop, khata: Khata) -> None:
    links = [PayLink.everything.create(shop=shop, khata=khata, amount_paise=70_00) for _ in range(2)]
    assert len({payload(link, 70_00) for link in links}) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9]{4,35}", selectors.reference_of(link, 70_00)) for link in links)


def test_whoever_is_looked_at_is_drawn_before_those_that_wait(shop: Shop) -> None:
    links = [make_link(shop=shop, khata=make_khata(shop, opening_paise=100_00), actor=None) for _ in range(5)]
    ask_for_drawing(link=links[-1])
    draw_stale_qrs(limit=1)
    assert PayLink.everything.get(pk=links[-1].pk).qr_svg


def test_a_shop_without_a_upi_id_has_nothing_to_draw_and_asks_once(link: PayLink, shop: Shop) -> None:
    shop.upi_id = ""
    shop.save(update_fields=["upi_id"])
    assert drawn(link).qr_svg == ""
    assert draw_stale_qrs() == 0


def test_a_revoked_link_is_not_drawn(link: PayLink) -> None:
    revoke_link(link=link, actor=None)
    assert draw_stale_qrs() == 0


def test_a_page_asks_once_however_often_it_is_opened(link: PayLink) -> None:
    drawn(link)
    assert [ask_for_drawing(link=link) for _ in range(3)] == [True, False, False]


def test_a_round_draws_no_more_than_its_limit(shop: Shop) -> None:
    for _ in range(5):
        make_link(shop=shop, khata=make_khata(shop), actor=None)
    assert [draw_stale_qrs(limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_an_entry_between_reading_and_keeping_is_drawn_in_the_next_round(
    link: PayLink, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    from payments import qr

    plain = qr.svg

    def slow(rows: list[list[bool]]) -> str:
        monkeypatch.setattr("payments.qr.svg", plain)
        post(khata, 100_00)
        return plain(rows)

    monkeypatch.setattr("payments.qr.svg", slow)
    assert "am=500.00" in drawn(link).qr_payload
    assert drawn(link).qr_payload == payload(link, 600_00)


def test_no_address_is_sent_before_its_qr_is_drawn(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run makes links in the very round in which it writes to their people."""
    undrawn: list[int] = []
    monkeypatch.setitem(tick.PARTS, "send", lambda: undrawn.append(PayLink.everything.filter(qr_svg="").count()))
    with time_machine.travel(NOON, tick=False):
        parties = [make_debtor(shop, name=f"Ramesh {number}").party_id for number in range(3)]
        reminders.start_run(shop=shop, actor=None, party_ids=parties, channel="sms", key="run")
        assert not PayLink.everything.exists()
        tick.run_tick()
    assert PayLink.everything.count() == 3
    assert undrawn == [0]


def test_who_looks_does_not_wait_for_what_a_run_has_to_do(link: PayLink, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_by_then: list[bool] = []
    monkeypatch.setitem(
        tick.PARTS, "runs", lambda: drawn_by_then.append(PayLink.everything.exclude(qr_svg="").exists())
    )
    ask_for_drawing(link=link)
    tick.run_tick()
    assert drawn_by_then == [True]
