"""A person at a browser, and what every page is asked to be."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, Page

from shops.models import User
from tests.cast import client_of

Visit = Callable[..., "Person"]

# Chromium writes a line for every answer of 4xx; a form that was refused (422) is such an answer.
_REFUSED_FORM = re.compile(r"the server responded with a status of 422")

# Counted before the page's own scripts run, because a violation may be there first.
_WATCH = """
let leaving = false;  // a request that is cut off because one goes on to another page is no error
addEventListener("beforeunload", () => { leaving = true; });
const complain = console.error;
console.error = (...words) => { if (!leaving || !String(words[0]).startsWith("htmx:")) complain(...words); };
document.addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP refused ${event.blockedURI} (${event.violatedDirective})`));
addEventListener("click", (event) => {
  if (!event.isTrusted || !event.detail) return;  // detail 0: a click that the keyboard made
  const kind = event.target.closest("[data-type]") ? "digits" : "taps";
  sessionStorage.setItem(kind, Number(sessionStorage.getItem(kind)) + 1);
}, true);
"""


class Person:
    """One browser with one page in it. ``complaints``: what its pages should not have said."""

    def __init__(self, context: BrowserContext, *, is_phone: bool) -> None:
        self.context = context
        self.is_phone = is_phone
        self.complaints: list[str] = []
        context.add_init_script(_WATCH)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.complaints.append(f"script error: {error.error}"))
        context.on("dialog", self._on_dialog)
        self.page: Page = context.new_page()

    def enter_as(self, user: User, address: str) -> None:
        """Sign ``user`` in by the session cookie, without the screens."""
        cookie = client_of(user).cookies["sessionid"]
        self.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": address}])

    def shown(self, selector: str) -> Locator:
        """Only what is on the screen: the list stands twice in the page, for narrow and for wide."""
        return self.page.locator(selector).locator("visible=true")

    def count(self, kind: str) -> int:
        """How often this person has tapped so far: ``taps``, or ``digits`` of the keypad."""
        return int(self.page.evaluate("(kind) => Number(sessionStorage.getItem(kind))", kind))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _REFUSED_FORM.search(message.text):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"a dialog said {dialog.message}")
        dialog.dismiss()
