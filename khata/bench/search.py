"""Search as one types, over names of mixed scripts: first results within 30 ms of server time."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db import connection
from django.urls import reverse
from django.utils.http import urlencode

from khata.bench import fill
from khata.bench.inside import Browser, cost
from khata.bench.measure import Report, Series, interleave, percentile, ratios
from parties.models import Party
from parties.search import roman, search
from shops.models import Shop


@dataclass(frozen=True)
class Sizes:
    rounds: int = 9
    parties: int = 10_000
    typed: int = 60  # texts per round


TINY = Sizes(rounds=2, parties=100, typed=4)


def run(sizes: Sizes, folder: Path, say: Callable[[str], object]) -> None:
    """Measure and print."""
    shop, people = fill.a_shop("Bench Kirana")
    fill.parties(shop, sizes.parties)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    browser, home = Browser(people[0]), reverse("ledger:home", args=[shop.code])
    texts = iter(_typed(sizes))
    report = Report(f"search, {sizes.parties:,} parties of mixed scripts", sizes.rounds, say)
    found: list[list[float]] = []
    fragment: list[list[float]] = []
    scan: list[list[float]] = []
    cpu = Series()

    def one_round() -> None:
        batch = [next(texts) for _ in range(sizes.typed)]
        found.append([_ms(search, shop, text) for text in batch])
        scan.append([_ms(by_substring, shop, text) for text in batch])
        addresses = [f"{home}?{urlencode({'part': 'rows', 'q': text})}" for text in batch]
        took = [cost(partial(browser.get, address, htmx=True), 1) for address in addresses]
        fragment.append([wall for wall, _used in took])
        cpu.add(sum(used for _wall, used in took) / len(took))

    browser.get(f"{home}?part=rows&q=ram", htmx=True)
    interleave(sizes.rounds, one_round)
    _finds_everyone(shop, report)
    for name, rounds in (("search()", found), ("fragment of the home page", fragment)):
        for share, least in ((0.5, 0.0), (0.95, 30.0)):
            series = Series([percentile(took, share) for took in rounds])
            report.ratio(f"{name}: p{share * 100:.0f} ms", series, most=least)
    report.figure("fragment: CPU-ms, mean", cpu.show())
    middle = [Series([percentile(took, 0.5) for took in rounds]) for rounds in (found, scan)]
    report.ratio("beside: search() ÷ plain substring scan, p50 (finds one spelling only)", ratios(*middle))


def _ms(find: Callable[[Shop, str], object], shop: Shop, text: str) -> float:
    return cost(partial(find, shop, text), 1)[0]


def by_substring(shop: Shop, text: str) -> list[int]:
    """What a plain search does: reads every name, finds one spelling."""
    rows = Party.objects.for_shop(shop).filter(roman__contains=roman(text), archived_at=None)
    return list(rows.order_by("roman").values_list("pk", flat=True)[:20])


def _typed(sizes: Sizes) -> list[str]:
    """Names as fingers make them: two letters, three, … in either script, then a second word."""
    dice = random.Random(4)
    known = fill.names(sizes.parties)
    texts: list[str] = []
    while len(texts) < sizes.rounds * sizes.typed:
        name = dice.choice(known)
        text = roman(name) if dice.random() < 0.6 else name
        texts.append(text[: dice.randint(1, min(12, len(text)))].strip() or text)
    return texts


def _finds_everyone(shop: Shop, report: Report) -> None:
    """Whole names, each of which should find its own party, however common its words are."""
    dice = random.Random(5)
    sample = list(Party.objects.for_shop(shop).order_by("pk").values_list("pk", "name"))
    asked = dice.sample(sample, min(200, len(sample)))
    found = sum(pk in [hit.party_id for hit in search(shop, name)] for pk, name in asked)
    report.ratio(
        f"checked: {len(asked)} whole names, share that find their own party",
        Series([found / len(asked)]),
        least=1.0,
    )
