"""Where the time of one request goes: queries, then functions. A hint, not a measurement."""

import cProfile
import io
import pstats
from collections.abc import Callable

from django.db import connection, reset_queries
from django.urls import reverse

from khata.bench import fill
from khata.bench.inside import Browser, cost

_TIMES = 200
_LINES = 45


def run(what: str, say: Callable[[str], object]) -> None:
    """Profile the entry form's POST, or the page that ``what`` is about."""
    shop, people = fill.a_shop("Bench Kirana")
    khatas = fill.parties(shop, 1000)
    fill.entries(shop, khatas, 4)
    browser = Browser(people[0])
    if what == "entry":
        from khata.bench.entry import Counter

        counter = Counter(shop, people, khatas)

        def work() -> object:
            return browser.send(counter.spread(1)[0], expect="302")

    else:
        pages = {
            "home": reverse("ledger:home", args=[shop.code]),
            "statement": reverse("ledger:khata", args=[shop.code, khatas[0].party.code]),
            "search": reverse("ledger:home", args=[shop.code]) + "?part=rows&q=ram",
        }

        def work() -> object:
            return browser.get(pages[what], htmx=what == "search")

    for _ in range(20):
        work()
    connection.force_debug_cursor = True
    reset_queries()
    work()
    for query in connection.queries:
        say(f"{query['time']} {' '.join(query['sql'].split())[:150]}")
    connection.force_debug_cursor = False
    wall, cpu = cost(work, _TIMES)
    say(f"{what}: {wall:.2f} ms, {cpu:.2f} CPU-ms, without the socket")
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(_TIMES):
        work()
    profile.disable()
    for order in ("cumulative", "tottime"):
        out = io.StringIO()
        pstats.Stats(profile, stream=out).sort_stats(order).print_stats(_LINES)
        say(out.getvalue())
