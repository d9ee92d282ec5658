"""People over HTTP: ``python -m tests.hands cashier ADDRESS COOKIE SEED PATH …``, ``… customer …``.

They keep at it whatever happens to the server: a form without an answer is sent again, the very
same form. Each prints one line of JSON per thing that was acknowledged, and ends at SIGTERM once
the form in hand is through. They know nothing of Django: a browser does not either.
"""

import json
import random
import re
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

import httpx

INSIST_S = 90
_stopping: list[int] = []


def stop(signum: int, frame: FrameType | None) -> None:
    _stopping.append(signum)


def give_up(words: str) -> NoReturn:
    sys.exit(f"hands: {words}")


class Browser:
    """One person's browser; ``tries`` counts how often the last request had to be sent."""

    def __init__(self, address: str, cookie: str = "") -> None:
        cookies = {"sessionid": cookie} if cookie else {}
        self.http = httpx.Client(base_url=address, cookies=cookies, timeout=40, trust_env=False)
        self.tries = 0

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        """The answer, sooner or later. A server that answers with an error of its own ends everything."""
        until = time.monotonic() + INSIST_S
        self.tries = 0
        while time.monotonic() < until:
            self.tries += 1
            try:
                answer = self.http.request(method, path, data=form)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code not in {200, 302}:
                give_up(f"{method} {path}: {answer.status_code} {answer.text[:2000]}")
            return answer
        give_up(f"{method} {path}: nobody answered")

    def open_form(self, path: str) -> dict[str, str]:
        """The hidden fields of a page's first form, and the entry's key where there is one."""
        page = self.ask("GET", path)
        if page.status_code != 200:
            give_up(f"no form at {path}: {page.status_code} to {page.headers.get('Location')}")
        return dict(re.findall(r'type="hidden" name="(csrfmiddlewaretoken|key)" value="([^"]+)"', page.text))


def say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201


def cashier(address: str, cookie: str, seed: str, *paths: str) -> None:
    """Write credit through the entry form; one in four is sent twice, as by a double tap."""
    browser, chance = Browser(address, cookie), random.Random(seed)
    while not _stopping:
        path, paise = chance.choice(paths), chance.randrange(1, 500_00)
        form = browser.open_form(path) | {"amount": f"{paise // 100}.{paise % 100:02d}"}
        saved = browser.ask("POST", path, form)
        tries = browser.tries
        if "saved=" not in saved.headers.get("Location", ""):
            give_up(f"not saved: {saved.text[:2000]}")
        if (
            chance.random() < 0.25
            and browser.ask("POST", path, form).headers["Location"] != saved.headers["Location"]
        ):
            give_up("the second tap made another entry")
        say(key=form["key"], path=path, paise=paise, tries=tries)


def customer(address: str, seed: str, *tokens: str) -> None:
    """Pay through the sandbox, on one's own pay links, a few times each (more would be refused)."""
    browser, chance = Browser(address), random.Random(seed)
    for _ in range(15):
        for token in tokens:
            if _stopping:
                return
            paise = chance.randrange(1_00, 500_00)
            form = browser.open_form(f"/p/{token}/") | {"amount": f"{paise // 100}.{paise % 100:02d}"}
            checkout = browser.ask("POST", f"/p/{token}/checkout/", form).headers.get("Location", "")
            tries = browser.tries
            if not checkout.startswith("/sandbox/"):
                give_up(f"no checkout: {checkout}")
            browser.ask("POST", checkout, browser.open_form(checkout) | {"method": "upi"})
            say(reference=checkout.split("/")[2], paise=paise, tries=max(tries, browser.tries))
            time.sleep(0.1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    {"cashier": cashier, "customer": customer}[sys.argv[1]](*sys.argv[2:])
