"""Writing credit: the quick line, the keypad, the keyboard."""

import re

from playwright.sync_api import expect

from ledger.models import Entry, Khata
from tests.browser.people import Person, Visit
from tests.cast import Cast, make_khata, post


def balance(khata: Khata) -> int:
    khata.refresh_from_db()
    return khata.balance_paise


def write(person: Person, line: str) -> None:
    """Into the line on the home page, and Enter."""
    box = person.shown("[data-quick]")
    box.fill(line)
    box.press("Enter")


def go_home(person: Person, cast: Cast) -> None:
    person.page.goto(f"/s/{cast.shop.code}/")
    expect(person.shown("[data-quick]")).to_be_visible()


def test_the_quick_line_posts_and_undo_takes_it_back(visit: Visit, cast: Cast) -> None:
    khata = make_khata(cast.shop, "Ramesh Kumar")
    asha = visit(cast.asha)
    go_home(asha, cast)
    write(asha, "ramesh 500 chawal")

    expect(asha.page.get_by_role("heading", level=1)).to_have_text("Ramesh Kumar")
    expect(asha.page.locator("#main .balance b")).to_have_text("₹500.00")
    expect(asha.page.locator(".entry .what")).to_have_text("chawal")
    asha.page.get_by_role("button", name="Undo").click()

    expect(asha.page.locator("#main .balance b")).to_have_text("₹0.00")
    assert balance(khata) == 0
    assert [entry.reverses_id is not None for entry in Entry.everything.order_by("position")] == [False, True]


def test_two_who_are_called_alike_are_asked_about_never_guessed(visit: Visit, cast: Cast) -> None:
    kumar, singh = make_khata(cast.shop, "Ramesh Kumar"), make_khata(cast.shop, "Ramesh Singh")
    asha = visit(cast.asha)
    go_home(asha, cast)
    write(asha, "ramesh 500")

    expect(asha.page.get_by_role("heading", name="Which ramesh?")).to_be_visible()
    assert Entry.everything.count() == 0
    asha.page.get_by_role("button", name="Gave ₹500 to Ramesh Singh").click()

    expect(asha.page.get_by_role("heading", level=1)).to_have_text("Ramesh Singh")
    assert (balance(kumar), balance(singh)) == (0, 500_00)


def test_typing_rames_finds_the_name_in_its_own_script(visit: Visit, cast: Cast) -> None:
    for name in ("रमेश", "Suresh", "Farida"):
        make_khata(cast.shop, name)
    asha = visit(cast.asha)
    go_home(asha, cast)
    expect(asha.shown("a.row[href*='/k/']")).to_have_count(3)

    asha.shown("[data-quick]").press_sequentially("rames")
    expect(asha.shown("a.row[href*='/k/']")).to_have_count(1)
    expect(asha.shown("a.row[href*='/k/'] .line b:first-child")).to_have_text("रमेश")
    assert asha.page.url.endswith(f"/s/{cast.shop.code}/"), "filtering is no other page"


def test_from_home_it_is_three_taps_and_the_digits(visit: Visit, cast: Cast) -> None:
    khata = make_khata(cast.shop, "Ramesh Kumar")
    asha = visit(cast.asha)
    go_home(asha, cast)

    asha.shown("a.row[href*='/k/']").click()
    asha.page.get_by_role("link", name="You gave").click()
    for digit in "250":
        asha.page.locator(f"[data-type='{digit}']").click()
    asha.page.get_by_role("button", name="Save ₹250").click()

    expect(asha.page.locator("#main .balance b")).to_have_text("₹250.00")
    assert (asha.count("taps"), asha.count("digits")) == (3, 3)
    assert balance(khata) == 250_00


def test_the_keypad_reckons_shows_the_total_and_saves_by_enter(visit: Visit, cast: Cast) -> None:
    khata = make_khata(cast.shop, "Ramesh Kumar")
    post(khata, 100_00)
    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.shop.code}/k/{khata.party.code}/gave/")

    amount = asha.page.get_by_label("Amount")
    expect(amount).to_be_focused()
    expect(asha.page.locator("[data-save]")).to_be_in_viewport(ratio=1)
    amount.press_sequentially("12*40+65.50")
    expect(asha.page.locator("[data-sum]")).to_have_text("= ₹545.50")
    expect(asha.page.locator("[data-after]")).to_have_text("→ ₹645.50")
    expect(asha.page.locator("[data-save]")).to_have_text("Save ₹545.50")
    amount.press("Enter")

    expect(asha.page.locator("#main .balance b")).to_have_text("₹645.50")
    assert balance(khata) == 645_50


def test_a_refused_amount_keeps_what_was_typed(visit: Visit, cast: Cast) -> None:
    khata = make_khata(cast.shop, "Ramesh Kumar")
    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.shop.code}/k/{khata.party.code}/gave/")
    asha.page.get_by_label("Note").fill("chawal")
    asha.page.get_by_label("Amount").fill("12**4")
    asha.page.get_by_label("Amount").press("Enter")

    expect(asha.page.get_by_role("alert")).to_be_visible()
    expect(asha.page.get_by_label("Amount")).to_have_value("12**4")
    expect(asha.page.get_by_label("Note")).to_have_value("chawal")
    assert Entry.everything.count() == 0


def test_by_keyboard_alone(visit: Visit, cast: Cast) -> None:
    """/ and a name, an arrow, Enter; minus, the amount, Enter; u for undo. No hand leaves the keys."""
    khata = make_khata(cast.shop, "Ramesh Kumar")
    make_khata(cast.shop, "Suresh")
    asha = visit(cast.asha)
    go_home(asha, cast)
    keys = asha.page.keyboard

    keys.press("/")
    expect(asha.shown("[data-quick]")).to_be_focused()
    keys.type("rames")
    expect(asha.shown("a.row[href*='/k/']")).to_have_count(1)
    keys.press("ArrowDown")
    expect(asha.shown("a.row[href*='/k/']")).to_be_focused()
    keys.press("Enter")

    expect(asha.page.get_by_role("heading", level=1)).to_have_text("Ramesh Kumar")
    keys.press("-")
    expect(asha.page.get_by_label("Amount")).to_be_focused()
    keys.type("75")
    keys.press("Enter")

    expect(asha.page.locator("#main .balance b")).to_have_text("₹75.00")
    keys.press("u")
    expect(asha.page.locator("#main .balance b")).to_have_text("₹0.00")
    assert asha.count("taps") == 0
    assert balance(khata) == 0


def test_enter_pressed_twice_saves_once(visit: Visit, cast: Cast) -> None:
    khata = make_khata(cast.shop, "Ramesh Kumar")
    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.shop.code}/k/{khata.party.code}/gave/")
    amount = asha.page.get_by_label("Amount")
    amount.fill("40")
    amount.evaluate("(input) => { input.form.requestSubmit(); input.form.requestSubmit(); }")

    asha.page.wait_for_url(re.compile(r"saved="))
    expect(asha.page.locator("#main .balance b")).to_have_text("₹40.00")
    assert Entry.everything.count() == 1
