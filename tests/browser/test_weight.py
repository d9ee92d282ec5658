"""What a page costs on a slow network, as it is really served: compressed, with its first visit's files."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from ledger.models import Khata
from payments.links import token_of
from payments.services import draw_stale_qrs, make_link
from tests.browser.looking import wait_until_whole
from tests.browser.people import Person, Visit
from tests.cast import Cast, make_khata, post

FIRST_VISIT_BYTES = 60_000
KHATA_HTML_BYTES = 12_000
LAYOUT_SHIFT = 0.02
NAMES = ("Ramesh", "सुरेश", "Farida Begum", "Anil Kumar Gupta", "మధు", "Gurpreet Singh", "Lakshmi", "Iqbal")

_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
}).observe({ type: "layout-shift", buffered: true });
"""


class Scales:
    """Weighs what comes over the wire: every response with its headers, by its address."""

    def __init__(self, person: Person) -> None:
        self.kinds: dict[str, str] = {}
        self.urls: dict[str, str] = {}
        self.bytes: dict[str, int] = {}
        self.wire = person.context.new_cdp_session(person.page)
        self.wire.send("Network.enable")
        self.wire.on("Network.responseReceived", self._on_response)
        self.wire.on("Network.loadingFinished", self._on_finished)

    def _on_response(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event["type"]
        self.urls[event["requestId"]] = event["response"]["url"]

    def _on_finished(self, event: dict[str, Any]) -> None:
        self.bytes[event["requestId"]] = int(event["encodedDataLength"])

    def total(self) -> int:
        return sum(self.bytes.values())

    def document(self) -> int:
        return sum(size for key, size in self.bytes.items() if self.kinds.get(key) == "Document")

    def bill(self) -> str:
        """For the reader of a failure: what weighs how much."""
        return json.dumps({self.urls.get(key, key): size for key, size in self.bytes.items()}, indent=1)


@pytest.fixture
def khata(cast: Cast) -> Khata:
    """A khata of 50 entries in a book of 60."""
    cast.shop.upi_id = "ashakirana@okhdfcbank"
    cast.shop.save(update_fields=["upi_id"])
    for number in range(60):
        post(make_khata(cast.shop, f"{NAMES[number % len(NAMES)]} {number}"), (number + 1) * 137_00)
    khata = make_khata(cast.shop, "Ramesh Kumar", phone="+919876543210")
    for number in range(50):
        note = ("chawal 5 kg", "tel", "cheeni, patti", "")[number % 4]
        post(khata, (number * 7919) % 5_000_00 + 100, "got" if number % 5 == 4 else "gave", note=note)
    khata.refresh_from_db()
    return khata


def open_whole(person: Person, address: str) -> Scales:
    scales = Scales(person)
    person.context.add_init_script(_SHIFTS)
    person.page.goto(address, wait_until="networkidle")
    wait_until_whole(person.page)
    return scales


def test_the_first_visit_of_the_shop_is_light_and_stands_still(visit: Visit, cast: Cast, khata: Khata) -> None:
    asha = visit(cast.asha)
    scales = open_whole(asha, f"/s/{cast.shop.code}/")
    assert scales.total() <= FIRST_VISIT_BYTES, scales.bill()
    assert asha.page.evaluate("window.shift") <= LAYOUT_SHIFT


def test_a_khata_of_fifty_entries_is_light_and_stands_still(visit: Visit, cast: Cast, khata: Khata) -> None:
    asha = visit(cast.asha)
    scales = open_whole(asha, f"/s/{cast.shop.code}/k/{khata.party.code}/")
    expect(asha.page.locator("#main a.entry")).to_have_count(50)
    assert scales.document() <= KHATA_HTML_BYTES, scales.bill()
    assert asha.page.evaluate("window.shift") <= LAYOUT_SHIFT


def test_the_first_visit_of_a_customer_is_light_and_stands_still(visit: Visit, cast: Cast, khata: Khata) -> None:
    link = make_link(shop=cast.shop, khata=khata, actor=cast.asha)
    draw_stale_qrs()
    ramesh = visit()
    scales = open_whole(ramesh, f"/p/{token_of(link)}/")
    expect(ramesh.page.locator(".qr svg")).to_be_visible()
    assert scales.total() <= FIRST_VISIT_BYTES, scales.bill()
    assert ramesh.page.evaluate("window.shift") <= LAYOUT_SHIFT
