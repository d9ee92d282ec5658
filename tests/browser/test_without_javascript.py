"""Everything a shop does in a day, in a browser that runs no script."""

import re

import pytest
from playwright.sync_api import expect

from ledger.models import Entry, Khata
from payments.links import token_of
from payments.models import Claim
from payments.services import make_link
from tests.browser.people import Person, Visit
from tests.cast import PASSWORD, Cast, make_khata, post


@pytest.fixture
def asha(visit: Visit, cast: Cast) -> Person:
    """Signed in by hand."""
    person = visit(java_script_enabled=False)
    person.page.goto("/accounts/login/")
    person.page.get_by_label("Phone").fill(str(cast.asha.phone))
    person.page.get_by_label("Password").fill(PASSWORD)
    person.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("Asha Kirana")
    return person


def test_a_new_khata_an_entry_and_its_reversal(asha: Person) -> None:
    page = asha.page
    page.get_by_role("link", name="New khata").locator("visible=true").first.click()
    page.get_by_label("Name").fill("Ramesh Kumar")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ramesh Kumar")

    page.get_by_role("link", name="You gave").click()
    page.get_by_label("Amount").fill("12*40+65")
    page.get_by_label("Note").fill("chawal")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#main .balance b")).to_have_text("₹545.00")

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#main .balance b")).to_have_text("₹0.00")
    assert Entry.everything.count() == 2


def test_the_list_the_search_and_the_quick_line(asha: Person, cast: Cast) -> None:
    make_khata(cast.shop, "Ramesh Kumar")
    make_khata(cast.shop, "Suresh")
    page = asha.page
    page.goto(f"/s/{cast.shop.code}/")
    expect(asha.shown("a.row[href*='/k/']")).to_have_count(2)

    asha.shown("[data-quick]").fill("rames")
    asha.shown("[data-quick]").press("Enter")
    expect(asha.shown("a.row[href*='/k/']")).to_have_count(1)

    asha.shown("[data-quick]").fill("ramesh 500 chawal")
    asha.shown("[data-quick]").press("Enter")
    expect(page.locator("#main .balance b")).to_have_text("₹500.00")


def test_an_old_entry_is_reversed_from_its_own_page(asha: Person, cast: Cast) -> None:
    khata = make_khata(cast.shop, "Ramesh Kumar")
    post(khata, 500_00)
    asha.page.goto(f"/s/{cast.shop.code}/k/{khata.party.code}/")
    asha.page.locator("a.entry").click()
    asha.page.get_by_label("Why delete it?").fill("typed twice")
    asha.page.get_by_role("button", name="Delete this entry").click()
    expect(asha.page.locator("#main .balance b")).to_have_text("₹0.00")


def test_a_customer_claims_and_turns_the_language(visit: Visit, cast: Cast) -> None:
    khata: Khata = make_khata(cast.shop, "Ramesh Kumar")
    post(khata, 500_00)
    link = make_link(shop=cast.shop, khata=khata, actor=cast.asha)
    ramesh = visit(java_script_enabled=False)
    page = ramesh.page
    page.goto(f"/p/{token_of(link)}/")
    page.locator("summary", has_text="I have paid").click()
    page.locator("#id_utr").fill("412355678812")
    page.get_by_role("button", name="Tell the shop").click()
    expect(page.get_by_text("the shop is looking for it")).to_be_visible()
    assert Claim.everything.count() == 1

    page.locator("form.lang button[lang=hi]").click()
    expect(page.locator("html")).to_have_attribute("lang", "hi")
    expect(page).to_have_url(re.compile(r"/p/[^/]+/$"))
