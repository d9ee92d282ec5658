"""P8: any page of a long khata costs what its first page costs, by business date."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Case, F, Q, Sum, When
from django.urls import reverse

from core.limits import PAGE_ROWS
from khata.bench import fill
from khata.bench.inside import Browser, cost
from khata.bench.measure import Report, Series, interleave, ratios
from ledger.models import Direction, Entry, Khata
from ledger.selectors import Page, statement_page


@dataclass(frozen=True)
class Sizes:
    rounds: int = 11
    entries: int = 100_000
    pages: int = 20  # of each kind per round
    slow: int = 2  # of the references


TINY = Sizes(rounds=2, entries=300, pages=2, slow=1)
PLACES = ("first", "middle", "last")


def run(sizes: Sizes, folder: Path, say: Callable[[str], object]) -> None:
    """Measure and print. Raises RuntimeError when a running balance differs from the sum of what lies before."""
    shop, people = fill.a_shop("Bench Kirana")
    khata, *others = fill.parties(shop, 50)
    fill.entries(shop, others, 40)
    fill.entries(shop, [khata], sizes.entries, days=3 * 365)
    khata = Khata.objects.for_shop(shop).select_related("party").get(pk=khata.pk)
    cursors = walk(khata)
    report = Report(f"statement, one khata of {sizes.entries:,} entries, by business date", sizes.rounds, say)
    for place in PLACES:
        _verify(khata, statement_page(khata, cursors[place]))
    report.note(f"checked: running balances of the {', '.join(PLACES)} page equal the sum of all before them")
    browser = Browser(people[0])
    page = reverse("ledger:khata", args=[shop.code, khata.party.code])
    selector = {place: Series() for place in PLACES}
    view = {place: Series() for place in PLACES}
    part = {place: Series() for place in PLACES[1:]}
    cpu = {place: Series() for place in PLACES}
    offset, total = Series(), Series()

    def see(place: str) -> None:
        after = f"?after={cursors[place]}" if cursors[place] else ""
        selector[place].add(cost(lambda: statement_page(khata, cursors[place]), sizes.pages)[0])
        wall, used = cost(lambda: browser.get(page + after), sizes.slow)
        view[place].add(wall)
        cpu[place].add(used)
        if place in part:
            part[place].add(cost(lambda: browser.get(page + after, htmx=True), sizes.slow)[0])

    def references() -> None:
        last = sizes.entries // PAGE_ROWS * PAGE_ROWS - PAGE_ROWS
        offset.add(cost(lambda: by_offset(khata, last), sizes.slow)[0])
        total.add(cost(lambda: sum_before(khata, statement_page(khata).rows[-1].entry.occurred_on), sizes.slow)[0])

    interleave(sizes.rounds, *(lambda place=place: see(place) for place in PLACES), references)
    for place in PLACES:
        report.figure(f"{place} page: ms in the selector", selector[place].show(3))
    for place in PLACES[1:]:
        report.ratio(f"P8 selector, {place} ÷ first page", ratios(selector[place], selector["first"]), most=1.2)
    for place in PLACES:
        report.figure(f"{place} page: ms of the whole view ({cpu[place].median:.1f} CPU-ms)", view[place].show())
    for place in PLACES[1:]:
        report.ratio(f"P8 view, {place} ÷ first page", ratios(view[place], view["first"]), most=1.2)
    for place in PLACES[1:]:
        report.figure(f"{place} page: ms of the fragment that “more” asks for", part[place].show())
    report.ratio("beside: OFFSET at the last page ÷ first page", ratios(offset, selector["first"]))
    report.ratio("beside: SUM of all before a page ÷ first page", ratios(total, selector["first"]))


def walk(khata: Khata) -> dict[str, str]:
    """The real cursors of the first ("" ), the middle and the last page, by leafing through all."""
    cursors = [""]
    while following := statement_page(khata, cursors[-1]).next_cursor:
        cursors.append(following)
    return {"first": "", "middle": cursors[len(cursors) // 2], "last": cursors[-1]}


def _signed() -> Case:
    return Case(When(direction=Direction.GAVE, then=F("amount_paise")), default=-F("amount_paise"))


def by_offset(khata: Khata, start: int) -> list[tuple[object, ...]]:
    """The same rows counted off from the beginning, which is what paging by number does."""
    rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata).order_by("-occurred_on", "-position")
    return list(rows.values_list("position", "occurred_on", "amount_paise")[start : start + PAGE_ROWS])


def sum_before(khata: Khata, day: dt.date) -> int:
    """A running balance without a cursor: everything up to a date, added up."""
    rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata, occurred_on__lte=day)
    return int(rows.aggregate(sum=Sum(_signed(), default=0))["sum"])


def _verify(khata: Khata, page: Page) -> None:
    for row in (page.rows[0], page.rows[-1]):
        entry = row.entry
        same_day = Q(occurred_on=entry.occurred_on, position__lte=entry.position)
        rows = Entry.objects.for_shop(khata.shop_id).filter(khata=khata)
        rows = rows.filter(Q(occurred_on__lt=entry.occurred_on) | same_day)
        if rows.aggregate(sum=Sum(_signed(), default=0))["sum"] != row.balance_paise:
            raise RuntimeError(f"the running balance at position {entry.position} is wrong")
