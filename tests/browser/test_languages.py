"""The switch of languages, and the customer's own."""

import pytest
from playwright.sync_api import expect

from ledger.models import Khata
from payments.links import token_of
from payments.services import make_link
from tests.browser.people import Person, Visit
from tests.cast import Cast, make_khata, post


def language(person: Person) -> str | None:
    return person.page.locator("html").get_attribute("lang")


@pytest.fixture
def khata(cast: Cast) -> Khata:
    khata = make_khata(cast.shop, "Ramesh Kumar", language="hi")
    post(khata, 640_00)
    return khata


def switch_to(person: Person, code: str) -> None:
    with person.page.expect_navigation():
        person.page.locator(f"form.lang button[lang={code}]").click()


@pytest.mark.parametrize("where", ["", "k/{party}/", "k/{party}/gave/", "collect/", "payments/"])
def test_the_switch_turns_the_page_and_stays_where_one_was(
    visit: Visit, cast: Cast, khata: Khata, where: str
) -> None:
    asha = visit(cast.asha)
    address = f"/s/{cast.shop.code}/" + where.format(party=khata.party.code)
    asha.page.goto(address)
    for code in ("hi", "en"):
        switch_to(asha, code)
        assert asha.page.url.endswith(address)
        assert language(asha) == code


def test_the_switch_on_a_question_of_the_quick_line_leads_on(visit: Visit, cast: Cast, khata: Khata) -> None:
    make_khata(cast.shop, "Ramesh Singh")
    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.shop.code}/")
    asha.shown("[data-quick]").fill("ramesh 500")
    asha.shown("[data-quick]").press("Enter")
    asha.page.wait_for_url("**/quick/")
    switch_to(asha, "hi")
    assert language(asha) == "hi"
    expect(asha.page.locator("h1")).to_be_visible()


def test_the_customers_page_speaks_the_customers_language_until_told_otherwise(
    visit: Visit, cast: Cast, khata: Khata
) -> None:
    link = make_link(shop=cast.shop, khata=khata, actor=cast.asha)
    ramesh = visit()
    address = f"/p/{token_of(link)}/"
    ramesh.page.goto(address)
    assert language(ramesh) == "hi"
    switch_to(ramesh, "en")
    assert ramesh.page.url.endswith(address)
    assert language(ramesh) == "en"


def test_the_switch_after_a_claim_that_was_refused_leads_back_to_the_page(
    visit: Visit, cast: Cast, khata: Khata
) -> None:
    link = make_link(shop=cast.shop, khata=khata, actor=cast.asha)
    ramesh = visit()
    ramesh.page.goto(f"/p/{token_of(link)}/")
    ramesh.page.locator("#id_utr").evaluate("(input) => { input.closest('details').open = true }")
    ramesh.page.locator("#id_utr").fill("123")
    ramesh.page.locator("#id_utr").press("Enter")
    expect(ramesh.page.locator(".errors").first).to_be_visible()
    switch_to(ramesh, "en")
    assert ramesh.page.url.endswith(f"/p/{token_of(link)}/")
    assert language(ramesh) == "en"
