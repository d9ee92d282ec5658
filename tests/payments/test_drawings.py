"""The worker draws; what moves the balance makes it draw again."""

import pytest

from ledger.models import Khata
from payments import selectors
from payments.models import PayLink
from payments.services import ask_for_drawing, draw_stale_qrs, make_link, revoke_link
from payments.upi import upi_link
from shops.models import Shop
from tests.cast import make_khata, post


def drawn(link: PayLink) -> PayLink:
    draw_stale_qrs()
    return PayLink.everything.select_related("shop", "khata__party").get(pk=link.pk)


def payload(link: PayLink, amount_paise: int | None) -> str:
    shop, party = link.shop, link.khata.party
    return upi_link(pa=shop.upi_id, pn=shop.name, amount_paise=amount_paise, note=f"Khata {party.code}")


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


def test_a_fixed_amount_stays_when_the_balance_moves(shop: Shop, khata: Khata) -> None:
    link = make_link(shop=shop, khata=khata, actor=None, amount_paise=70_00)
    assert drawn(link).qr_payload == payload(link, 70_00)
    post(khata, 200_00)
    assert drawn(link).qr_payload == payload(link, 70_00)


def test_two_entries_that_cancel_out_cost_no_new_drawing(
    link: PayLink, khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(link)
    post(khata, 200_00, "got")
    post(khata, 200_00)
    monkeypatch.setattr("payments.qr.svg", lambda text: pytest.fail("drawn again"))
    assert draw_stale_qrs() == 1
    assert draw_stale_qrs() == 0


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

    def slow(text: str) -> str:
        monkeypatch.setattr("payments.qr.svg", plain)
        post(khata, 100_00)
        return plain(text)

    monkeypatch.setattr("payments.qr.svg", slow)
    assert drawn(link).qr_payload == payload(link, 500_00)
    assert drawn(link).qr_payload == payload(link, 600_00)
