"""The customer's page: what is owed, the QR, a claim, and a payment that writes itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ledger.models import Khata
from payments.links import token_of
from payments.models import PayLink, SandboxDelivery
from payments.providers.sandbox import gateway
from payments.services import deliver_sandbox_due, draw_stale_qrs, ensure_sandbox, make_link
from reminders.tick import run_tick
from tests.browser.people import Person, Visit
from tests.cast import Cast, make_khata, post


@pytest.fixture
def khata(cast: Cast) -> Khata:
    """Ramesh owes ₹640; the shop takes UPI and has the sandbox gateway."""
    cast.shop.upi_id = "ashakirana@okhdfcbank"
    cast.shop.save(update_fields=["upi_id"])
    ensure_sandbox(cast.shop)
    khata = make_khata(cast.shop, "Ramesh Kumar", phone="+919876543210", consent_source="counter")
    post(khata, 640_00, note="chawal, tel", due_on=cast.shop.today())
    khata.refresh_from_db()
    return khata


@pytest.fixture
def link(cast: Cast, khata: Khata) -> PayLink:
    return make_link(shop=cast.shop, khata=khata, actor=cast.asha)


def balance_on(person: Person) -> object:
    return person.page.locator("#main .balance b").first


def deliver_everything() -> None:
    """As the worker's ticks do, until the gateway has nothing left to say."""
    while SandboxDelivery.objects.filter(delivered_at=None).exists():
        deliver_sandbox_due()
    run_tick()


def test_the_customer_sees_the_khata_and_a_qr_that_a_phone_can_read(
    visit: Visit, khata: Khata, link: PayLink, tmp_path: Path
) -> None:
    ramesh = visit()
    ramesh.page.goto(f"/p/{token_of(link)}/")
    expect(ramesh.page.get_by_role("heading", level=1)).to_have_text("Asha Kirana")
    expect(ramesh.page.get_by_text("₹640.00").first).to_be_visible()
    expect(ramesh.page.get_by_text("chawal, tel")).to_be_visible()

    draw_stale_qrs()  # the worker's part; the page asks for it by itself
    qr = ramesh.page.locator(".qr")
    expect(ramesh.page.get_by_role("link", name="Save QR")).to_be_visible()
    expect(qr).to_be_in_viewport(ratio=0.9)
    if shutil.which("zbarimg"):
        picture = tmp_path / "qr.png"
        qr.screenshot(path=picture)
        read = subprocess.run(["zbarimg", "-q", "--raw", str(picture)], capture_output=True, text=True, check=True)
        assert read.stdout.startswith("upi://pay?")
        assert "pa=ashakirana@okhdfcbank" in read.stdout
        assert "am=640.00" in read.stdout


def test_i_have_paid_is_confirmed_in_one_tap_and_the_khata_moves(
    visit: Visit, cast: Cast, khata: Khata, link: PayLink
) -> None:
    ramesh = visit()
    ramesh.page.goto(f"/p/{token_of(link)}/")
    ramesh.page.locator("summary", has_text="I have paid").click()
    ramesh.page.get_by_label("reference").fill("4123 5567 8812")
    ramesh.page.get_by_role("button", name="Tell the shop").click()
    expect(ramesh.page.get_by_text("the shop is looking for it")).to_be_visible()
    khata.refresh_from_db()
    assert khata.balance_paise == 640_00, "a claim is not money"

    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.shop.code}/payments/")
    before = asha.count("taps")
    asha.page.get_by_role("button", name="It is there").click()
    expect(asha.page.get_by_role("button", name="It is there")).to_have_count(0)
    assert asha.count("taps") - before == 1

    ramesh.page.goto(f"/p/{token_of(link)}/")
    expect(ramesh.page.get_by_role("heading", level=2).first).to_contain_text("nothing is due")
    khata.refresh_from_db()
    assert khata.balance_paise == 0


def test_a_payment_writes_itself_into_the_open_khata_within_two_seconds(
    visit: Visit, cast: Cast, khata: Khata, link: PayLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway at its worst: every event twice, and the last one first."""
    monkeypatch.setattr(gateway, "_dice", lambda _text: 0)
    monkeypatch.setattr(gateway, "_LATE_S", 0.002)
    monkeypatch.setattr(gateway, "_AGAIN_S", 0.001)
    asha = visit(cast.asha)
    asha.page.clock.install()
    asha.page.goto(f"/s/{cast.shop.code}/k/{khata.party.code}/")
    expect(asha.page.locator("#main .balance b")).to_have_text("₹640.00")
    asha.page.evaluate("() => { document.body.dataset.same = 'page' }")

    ramesh = visit()
    ramesh.page.goto(f"/p/{token_of(link)}/")
    ramesh.page.get_by_role("button", name="Card or net banking").click()
    ramesh.page.get_by_role("button", name="Pay by UPI").click()
    expect(ramesh.page.get_by_role("heading", name="Waiting for the bank")).to_be_visible()

    # Two seconds of the page's own time, however long this machine takes for them.
    asha.page.clock.pause_at(asha.page.evaluate("Date.now()") + 1000)
    deliver_everything()
    asha.page.clock.run_for(2000)
    expect(asha.page.locator("#main .balance b")).to_have_text("₹0.00")
    expect(asha.page.locator("#main .entry").first).to_contain_text("₹640.00")
    assert asha.page.evaluate("document.body.dataset.same") == "page", "without loading the page anew"

    expect(ramesh.page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    expect(ramesh.page.get_by_text("Your khata is settled.")).to_be_visible()
    khata.refresh_from_db()
    assert (khata.balance_paise, khata.entry_count) == (0, 2)


def test_a_payment_that_fails_takes_nothing_and_says_so(
    visit: Visit, khata: Khata, link: PayLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_dice", lambda _text: 1)
    ramesh = visit()
    ramesh.page.goto(f"/p/{token_of(link)}/")
    ramesh.page.get_by_role("button", name="Card or net banking").click()
    ramesh.page.get_by_role("button", name="Let it fail").click()
    expect(ramesh.page.get_by_role("heading", name="Waiting for the bank")).to_be_visible()
    deliver_everything()
    expect(ramesh.page.get_by_role("heading", name="Not paid")).to_be_visible()
    khata.refresh_from_db()
    assert khata.balance_paise == 640_00


def test_a_reminder_sent_from_collect_is_followed_and_paid(
    visit: Visit, cast: Cast, khata: Khata, link: PayLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_dice", lambda _text: 1)
    # No quiet hour: the test also runs at night.
    cast.shop.quiet_from = cast.shop.quiet_until = "00:00"
    cast.shop.save(update_fields=["quiet_from", "quiet_until"])
    asha = visit(cast.asha)
    asha.page.goto(f"/s/{cast.shop.code}/collect/")
    asha.page.get_by_role("checkbox", name="Ramesh Kumar").check()
    asha.page.get_by_role("button", name="Remind the ticked").click()
    expect(asha.page.get_by_role("heading", name="At work")).to_be_visible()

    run_tick()  # the worker; the open page finds out by itself
    expect(asha.page.get_by_role("heading", name="Done")).to_be_visible()
    expect(asha.page.locator(".tag.ok")).to_have_text(re.compile(r"Sent\s+1"))

    asha.page.goto(f"/s/{cast.shop.code}/outbox/")
    message = asha.page.locator(".bubble", has_text="₹640").first
    address = message.locator("a[href*='/p/']").first.get_attribute("href")
    assert address

    ramesh = visit()
    ramesh.page.goto(address)
    ramesh.page.get_by_role("button", name="Card or net banking").click()
    ramesh.page.get_by_role("button", name="Pay by UPI").click()
    expect(ramesh.page.get_by_role("heading", name="Waiting for the bank")).to_be_visible()
    deliver_everything()
    expect(ramesh.page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()

    asha.page.goto(f"/s/{cast.shop.code}/collect/")
    expect(asha.page.get_by_role("checkbox", name="Ramesh Kumar")).to_have_count(0)
    asha.page.goto(f"/s/{cast.shop.code}/outbox/")
    expect(asha.page.locator(".bubble").first).to_contain_text("₹640")
    expect(asha.page.locator(".bubble")).to_have_count(2)  # the reminder, the receipt
