"""From nothing to the first entry, as somebody does who has just heard of Khata."""

import re

from playwright.sync_api import expect

from ledger.models import Entry
from tests.browser.people import Visit

# What stands between landing and the first entry. A minute holds some twenty small acts; each
# screen more that somebody puts in between is one that must be argued for here.
MOST_TAPS = 9
MOST_FIELDS = 5


def test_a_stranger_has_a_shop_a_party_and_an_entry_within_a_minute(visit: Visit) -> None:
    person = visit()
    page, fields = person.page, 0

    def fill(label: str, text: str) -> None:
        nonlocal fields
        fields += 1
        page.locator("#main").get_by_label(label).first.fill(text)

    page.goto("/")
    page.get_by_role("link", name="Open your khata").click()
    fill("Phone", "98123 45678")
    page.get_by_role("button", name="Send me a code").click()

    expect(page.get_by_role("heading", name="Type the code")).to_be_visible()
    with person.context.expect_page() as opened:
        page.get_by_role("link", name="demo outbox").click()
    found = re.search(r"\b\d{6}\b", opened.value.locator(".bubble").first.inner_text())
    assert found, "no code on the demo outbox page"
    opened.value.close()

    fill("Code", found[0])
    page.get_by_role("button", name="Go on").click()

    fill("Shop name", "Gupta General Store")
    page.get_by_role("button", name="Open the shop").click()

    fill("Name", "Ramesh Kumar")
    page.get_by_role("button", name="Save", exact=True).click()

    page.get_by_role("link", name="You gave").click()
    fill("Amount", "500")
    page.get_by_role("button", name="Save ₹500").click()

    expect(page.locator("#main .balance b")).to_have_text("₹500.00")
    entry = Entry.everything.get()
    assert (entry.amount_paise, entry.shop.name) == (500_00, "Gupta General Store")
    assert person.count("taps") <= MOST_TAPS
    assert fields <= MOST_FIELDS


def test_who_has_an_account_comes_back_by_a_code(visit: Visit) -> None:
    from tests.cast import make_cast

    cast = make_cast()
    person = visit()
    page = person.page
    page.goto("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Phone").fill(str(cast.asha.phone))
    page.get_by_role("button", name="Send me a code instead").click()
    expect(page.get_by_role("heading", name="Type the code")).to_be_visible()

    outbox = person.context.new_page()
    outbox.goto("/outbox/")
    found = re.search(r"\b\d{6}\b", outbox.locator(".bubble").first.inner_text())
    assert found
    page.get_by_label("Code").fill(found[0])
    page.get_by_label("Code").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Asha Kirana")
