"""Every screen there is: nothing for axe, nothing sticks out, no word in the console, every language."""

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from ledger.models import Khata
from payments.links import token_of
from payments.services import ensure_sandbox, make_link
from tests.browser.looking import faults, sticking_out, wait_until_whole
from tests.browser.people import Person, Visit
from tests.cast import Cast, make_khata, make_shop, make_user, post
from tests.contracts.test_routes import FOUND, PUBLIC, ROUTES
from tests.contracts.world import World, make_world

# Addresses that answer with a part, a picture or a word, not with a screen.
NO_SCREEN = {"healthz", "ledger:ageing", "ledger:pulse", "pay:qr_svg", "pay:qr_png"}
# Screens that need something to have been done before; ``steps_of_sign_in`` does it.
AFTER_A_STEP = {
    "account_confirm_login_code",
    "account_verify_phone",
    "account_inactive",
    "account_set_password",
}
SCREENS = [
    name
    for name, line in ROUTES.items()
    if "GET" in line.methods.split() and name not in NO_SCREEN and name not in AFTER_A_STEP
]
EVIL = "<script>alert(1)</script>"
EVIL_NOTE = "\"><img src=x onerror=alert(2)> =cmd()|' /C calc'!A0"


@pytest.fixture
def world(cast: Cast) -> World:
    """A row of everything, and enough beside it to fill the lists."""
    world = make_world(cast.shop, cast.asha, cast.bilal)
    for name in ("रमेश कुमार", "Suresh General Provision Stores and Sons", "Farida"):
        post(make_khata(cast.shop, name, phone="+919812300001", consent_source="counter"), 12_345_678_00)
    khata = Khata.everything.get(party__code=world.common["party_code"])
    post(khata, 99_99_999_99, note="chawal, tel, aur mahine bhar ka saara saamaan jo likha nahi gaya")
    post(khata, 1_00, "got")
    return world


def is_for_strangers(name: str) -> bool:
    return ROUTES[name].who == PUBLIC and name != "account_logout"


def screens(names: list[str], world: World, asha: Person, stranger: Person) -> Iterator[tuple[str, Person]]:
    """Open one screen after the other; yields its name and who looks at it."""
    for name in names:
        person = stranger if is_for_strangers(name) else asha
        address = reverse(name, kwargs=world.fill(name, FOUND[name][1]))
        answer = person.page.goto(address)
        assert answer is not None
        assert answer.status == 200, name
        assert person.page.url.endswith(address), f"{name} sent us to {person.page.url}"
        yield name, person


def steps_of_sign_in(cast: Cast, stranger: Person) -> Iterator[str]:
    """The screens that follow one from the other."""
    page = stranger.page
    page.goto("/accounts/signup/")
    page.get_by_label("Phone").fill("9812345670")
    page.locator("main form .btn").first.click()
    page.wait_for_url("**/phone/verify/")
    yield "account_verify_phone"
    page.get_by_label("Code").fill("000000")
    page.locator("main form .btn").first.click()
    expect(page.locator(".errors")).to_be_visible()
    yield "a code that is wrong"
    page.goto("/accounts/login/code/")
    page.get_by_label("Phone").fill(str(cast.asha.phone))
    page.locator("main form .btn").first.click()
    page.wait_for_url("**/code/confirm/")
    yield "account_confirm_login_code"
    page.goto("/accounts/inactive/")
    yield "account_inactive"


def test_who_signs_in_by_codes_may_set_a_password(visit: Visit, house: str) -> None:
    person = make_user("Newcomer")
    person.set_unusable_password()
    person.save(update_fields=["password"])
    newcomer = visit(person)
    newcomer.page.goto("/accounts/password/set/")
    assert newcomer.page.url.endswith("/accounts/password/set/")
    found = faults(newcomer.page)
    assert not found, "\n".join(found)


def more_states(cast: Cast, world: World, asha: Person) -> Iterator[str]:
    """What a screen also looks like: asked back, refused, empty, deleted lines, another's role."""
    page, shop = asha.page, cast.shop
    khata = f"/s/{shop.code}/k/{world.common['party_code']}/"
    page.goto(f"/s/{shop.code}/")
    for line, state in (
        ("ramesh 500", "which of them"),
        ("nobody 500", "not in the book"),
        ("farida 500 600", "two amounts"),
    ):
        page.goto(f"/s/{shop.code}/")
        asha.shown("[data-quick]").fill(line)
        asha.shown("[data-quick]").press("Enter")
        page.wait_for_url(re.compile("/quick/$"))
        yield f"quick line: {state}"
    page.goto(f"{khata}gave/")
    page.locator("#id_amount").fill("12**4")
    page.locator("#id_amount").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "an amount that is refused"
    page.goto(f"{khata}gave/")
    page.locator("#id_amount").fill("40")
    page.locator("#id_amount").press("Enter")
    expect(page.locator(".note.ok")).to_be_visible()
    yield "an entry just saved"
    page.locator("[data-key=u]").click()
    expect(page.locator("[data-key=u]")).to_have_count(0)
    yield "an entry just undone"
    page.goto(f"{khata}?reversed=1")
    yield "deleted entries shown"
    page.goto(f"/s/{shop.code}/?show=overdue")
    yield "an empty filter"
    page.goto(f"/s/{shop.code}/parties/new/")
    page.locator("#id_name").fill("Ramesh")
    page.locator("#id_name").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "a name that is there already"
    empty = make_shop(cast.asha, "Naya")
    for path in ("", "collect/", "payments/", "outbox/", "messages/", "rules/", "activity/"):
        page.goto(f"/s/{empty.code}/{path}")
        yield f"{path or 'home'} of an empty shop"


@pytest.mark.parametrize("half", [0, 1])
def test_axe_finds_nothing_on_any_screen(visit: Visit, cast: Cast, world: World, half: int) -> None:
    """In two halves, so that two processes share the longest of all tests."""
    asha, stranger = visit(cast.asha), visit()
    walk = screens(SCREENS[half::2], world, asha, stranger)
    found = [f"{name}: {fault}" for name, who in walk for fault in faults(who.page)]
    assert not found, "\n".join(found)


def test_axe_finds_nothing_on_the_way_in(visit: Visit, cast: Cast) -> None:
    stranger = visit()
    found = [f"{name}: {fault}" for name in steps_of_sign_in(cast, stranger) for fault in faults(stranger.page)]
    assert not found, "\n".join(found)


def test_axe_finds_nothing_when_a_screen_asks_refuses_or_is_empty(visit: Visit, cast: Cast, world: World) -> None:
    asha = visit(cast.asha)
    found = [f"{name}: {fault}" for name in more_states(cast, world, asha) for fault in faults(asha.page)]
    assert not found, "\n".join(found)


def test_every_screen_speaks_hindi_offers_the_switch_and_keeps_to_the_width(
    visit: Visit, cast: Cast, world: World, house: str
) -> None:
    asha, stranger = visit(cast.asha), visit()
    for person in (asha, stranger):
        person.context.add_cookies([{"name": "khata_language", "value": "hi", "url": house}])
    found = []
    for name, person in screens(SCREENS, world, asha, stranger):
        wait_until_whole(person.page)
        found += [f"{name}: {fault}" for fault in sticking_out(person.page)]
        if person.page.locator("html").get_attribute("lang") != "hi":
            found.append(f"{name}: not in Hindi")
        if person.page.locator("form.lang button[lang=en]").count() != 1:
            found.append(f"{name}: no language switch")
    assert not found, "\n".join(found)


def test_an_address_that_leads_nowhere_says_so_handsomely(visit: Visit, cast: Cast) -> None:
    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.other_shop.code}/")
    found = faults(asha.page)
    assert [line for line in asha.complaints if "status of 404" in line], "the browser saw it too"
    asha.complaints.clear()
    assert not found, "\n".join(found)


def test_a_party_called_script_runs_nowhere(visit: Visit, cast: Cast) -> None:
    """The check is at the end of ``visit``: no dialog, no refused script, no console error."""
    shop = cast.shop
    shop.upi_id = "asha@okaxis"
    shop.save(update_fields=["upi_id"])
    ensure_sandbox(shop)
    khata = make_khata(shop, EVIL, phone="+919812300001", consent_source="counter", note=EVIL_NOTE)
    make_khata(shop, f"{EVIL} two")
    post(khata, 500_00, note=EVIL_NOTE, due_on=shop.today())
    link = make_link(shop=shop, khata=khata, actor=cast.asha)
    asha, ramesh = visit(cast.asha), visit()
    home, here = f"/s/{shop.code}/", f"/s/{shop.code}/k/{khata.party.code}/"

    asha.page.goto(home)
    asha.shown("[data-quick]").press_sequentially("script")
    expect(asha.shown("a.row[href*='/k/']").first).to_contain_text(EVIL)
    asha.shown("[data-quick]").fill("script 500")
    asha.shown("[data-quick]").press("Enter")
    expect(asha.page.get_by_role("heading", level=1)).to_contain_text("Which script")
    for path in (here, f"{here}gave/", f"{here}edit/", f"{here}link/", f"{here}remind/", f"{here}e/1/"):
        asha.page.goto(path)
        wait_until_whole(asha.page)
        expect(asha.page.get_by_text(EVIL).first).to_have_count(1)
    for path in ("collect/", "payments/", "activity/", "messages/"):
        asha.page.goto(home + path)
        wait_until_whole(asha.page)
    ramesh.page.goto(f"/p/{token_of(link)}/")
    expect(ramesh.page.get_by_text(EVIL_NOTE)).to_be_visible()
