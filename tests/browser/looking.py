"""What every screen is asked: does axe find anything, does anything stick out sideways?"""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What htmx still fetches is part of the screen: the list beside it, the ageing bar.
_IS_WHOLE = """() => {
  const side = document.querySelector("#side");
  const waits = side && getComputedStyle(side).display !== "none" && !side.querySelector(".list");
  return document.readyState === "complete" && !waits && !document.querySelector(".htmx-request");
}"""

# Folded parts are unfolded, and what slides in has arrived: both are seen by people.
_UNFOLD = """() => {
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
  document.getAnimations().forEach((one) => one.finish());
}"""

_OVERFLOW = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > room + 1)
    .slice(0, 3)
    .map((one) => `sticks out of ${room} px: ${one.outerHTML.slice(0, 160)}`);
}"""

# WCAG 1.4.12, and near enough to a phone whose system font is wide: letters, words, lines further apart.
_SPACE_OUT = """(on) => {
  const sheet = new CSSStyleSheet();
  const wide = "letter-spacing: .12em !important; word-spacing: .16em !important; line-height: 1.5 !important";
  sheet.replaceSync(`* { ${wide} }`);
  document.adoptedStyleSheets = on ? [sheet] : [];
}"""

_AXE = """async (options) => {
  const found = await axe.run(document, options);
  const why = (node) => [...node.any, ...node.all, ...node.none].map((check) => check.message)[0];
  return found.violations.flatMap((rule) =>
    rule.nodes.slice(0, 3).map((node) => `${rule.id}: ${node.html.slice(0, 160)} (${why(node)})`));
}"""


def wait_until_whole(page: Page) -> None:
    page.wait_for_function(_IS_WHOLE)


def sticking_out(page: Page) -> list[str]:
    """Elements that make the page scroll sideways."""
    found: list[str] = page.evaluate(_OVERFLOW)
    return found


def sticking_out_spaced(page: Page) -> list[str]:
    """The same with the text spaced out."""
    page.evaluate(_SPACE_OUT, True)
    found = [f"spaced out, {line}" for line in sticking_out(page)]
    page.evaluate(_SPACE_OUT, False)
    return found


def axe(page: Page, **options: Any) -> list[str]:
    """One line per violation."""
    found: list[str] = page.evaluate(_AXE, {"resultTypes": ["violations"]} | options)
    return found


def _unroll(page: Page) -> None:
    """Give the page room for all of it: what a sticky bar covers only until one scrolls is no fault."""
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": int(page.evaluate("innerWidth")), "height": height})


def faults(page: Page) -> list[str]:
    """Everything wrong with the open screen, by day and by night."""
    size = page.viewport_size
    assert size is not None
    wait_until_whole(page)
    page.evaluate(_UNFOLD)
    page.emulate_media(color_scheme="light")
    found = sticking_out(page) + sticking_out_spaced(page)
    _unroll(page)
    page.evaluate(AXE_SCRIPT)
    found += axe(page, runOnly=WCAG)
    page.emulate_media(color_scheme="dark")
    found += [f"by night, {line}" for line in axe(page, runOnly=["color-contrast"])]
    page.set_viewport_size(size)
    return found
