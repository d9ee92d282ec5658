"""Draw ``docs/screenshots``: a fresh demo shop, the real servers, Chromium at two sizes, by day and night.

Everything happens in a temporary folder; the book of `make run` is not touched.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scripts import system_tools

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
SIZES = {"phone": (360, 640, 2), "desk": (1280, 800, 1)}
STARTS_WITHIN_S = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def demo_shop() -> Iterator[tuple[str, str]]:
    """The address of a running demo shop, and what it printed (the logins)."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PORT": str(port), "KHATA_VAR": folder, "BASE_URL": f"http://127.0.0.1:{port}"}
        for name in ("KHATA_MODE", "DATABASE_URL", "REDIS_URL", "DEBUG"):
            environment.pop(name, None)
        log = Path(folder) / "run.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "scripts/run.py"], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        try:
            give_up = time.monotonic() + STARTS_WITHIN_S
            while "is running at" not in log.read_text():
                if process.poll() is not None or time.monotonic() > give_up:
                    sys.exit(f"The demo shop did not start:\n{log.read_text()}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}", log.read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def owner_of(printed: str) -> tuple[str, str]:
    """Phone and password of the demo owner, as `make run` prints them."""
    phone = re.search(r"^\s*owner\s+([\d ]+)$", printed, re.MULTILINE)
    password = re.search(r"password (\S+)", printed)
    if not phone or not password:
        sys.exit(f"No demo logins in what was printed:\n{printed}")
    return phone[1].replace(" ", ""), password[1]


def sign_in(page: Page, base: str, login: tuple[str, str]) -> None:
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", login[0])
    page.fill("input[name=password]", login[1])
    page.click(
        "main form:has(input[name=password]) button[type=submit], main form:has(input[name=password]) button"
    )
    page.wait_for_url(re.compile(r"/s/"))


def walk(page: Page, base: str) -> Iterator[str]:
    """Go from screen to screen of the shop that is open; yields each one's name when it is drawn."""
    shop = re.match(r"(.*?/s/[^/]+/)", page.url)
    if not shop:
        sys.exit(f"Signed in, but no shop is open: {page.url}")
    page.goto(shop[1])
    yield "home"
    late = page.locator("a.row[href*='/k/']:has(.late)").first  # one with an ageing bar to look at
    khata = late.get_attribute("href") or ""
    page.goto(base + khata)
    yield "khata"
    page.goto(f"{base}{khata}gave/")
    yield "entry"
    for path, name in (
        ("collect/", "collect"),
        ("payments/", "payments"),
        ("more/", "more"),
        ("outbox/", "outbox"),
    ):
        page.goto(shop[1] + path)
        yield name
    page.goto(f"{base}{khata}link/")
    yield "link"
    address = page.locator("p.wrap a[href*='/p/']").first.get_attribute("href") or base
    page.context.clear_cookies()  # a customer's own browser, which speaks her language
    page.goto(address)
    yield "pay"


def draw(browser: Browser, base: str, login: tuple[str, str], size: str, scheme: str) -> None:
    width, height, scale = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-IN",
        timezone_id="Asia/Kolkata",
        reduced_motion="reduce",
    )
    page = context.new_page()
    sign_in(page, base, login)
    for name in walk(page, base):
        page.wait_for_load_state("networkidle")
        target = OUT / f"{name}-{size}-{scheme}.png"
        page.screenshot(path=target)
        print(target.relative_to(ROOT), flush=True)
    context.close()


def main() -> None:
    if system_tools.ensure("chromium"):
        sys.exit("Screenshots need Chromium.")
    system_tools.ensure_fonts()
    OUT.mkdir(parents=True, exist_ok=True)
    with demo_shop() as (base, printed), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_tools.found("chromium"), args=["--no-sandbox"])
        for size in SIZES:
            for scheme in ("light", "dark"):
                draw(browser, base, owner_of(printed), size, scheme)
        browser.close()


if __name__ == "__main__":
    main()
