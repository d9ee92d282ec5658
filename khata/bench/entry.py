"""P1, P2, P4, P5: recording one entry through the whole product, beside the raw transaction."""

import contextlib
import itertools
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import reverse

from core.db import batches, is_sqlite
from khata.bench import fill, raw
from khata.bench.measure import Meter, Report, Series, backends, interleave, percentile, ratios
from khata.bench.server import Child, Generator, Product
from ledger.checks import check_all
from ledger.models import Entry, Khata
from reminders.models import Message, Purpose
from shops.models import Shop, User

CLIENTS = 8


@dataclass(frozen=True)
class Sizes:
    """How much is measured; ``--tiny`` only proves that it works."""

    rounds: int = 9
    seconds: float = 1.5  # of one closed-loop round, and of its raw limit
    parties: int = 1000
    rate: float = 50.0  # entries per second in the open loop
    open_seconds: float = 4.0
    reminded: int = 4000  # parties, on two channels each


TINY = Sizes(rounds=2, seconds=0.3, parties=20, rate=10.0, open_seconds=0.5, reminded=30)


class Counter:
    """Signed-in cashiers who fill in the entry form of ``shop`` and press save."""

    def __init__(self, shop: Shop, people: list[User], khatas: list[Khata]) -> None:
        self.shop = shop
        self.codes = [khata.party.code for khata in khatas]
        self.seats = itertools.cycle([self._sign_in(user) for user in people])
        self.number = 0
        self.posted = 0

    def _sign_in(self, user: User) -> tuple[str, str]:
        """The session's cookies, and the form's token as a page would have shown it."""
        client = Client()
        client.force_login(user)
        page = RequestFactory().get("/")
        token = get_token(page)
        cookies = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        return f"{cookies}; {settings.CSRF_COOKIE_NAME}={page.META['CSRF_COOKIE']}", token

    def form(self, code: str, is_payment: bool) -> bytes:
        """One request: a sale of 100 or a payment of 300."""
        cookies, token = next(self.seats)
        address = reverse("ledger:entry", args=[self.shop.code, code, "got" if is_payment else "gave"])
        body = (
            f"csrfmiddlewaretoken={token}&amount={300 if is_payment else '60%2B40'}&note=chawal"
            f"&occurred_on=&due_on=&override_reason=&key=form%3A{secrets.token_urlsafe(15)}"
        )
        return (
            f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nConnection: close\r\n"
            "Accept: text/html\r\nAccept-Encoding: gzip\r\nAccept-Language: en-IN,en;q=0.9\r\n"
            "User-Agent: Mozilla/5.0 (Linux; Android 14)\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def spread(self, count: int) -> list[bytes]:
        """``count`` forms over all khatas, one after the other; each gets three sales, then a payment of them."""
        forms = []
        for _ in range(count):
            self.number += 1
            lap, place = divmod(self.number, len(self.codes))
            forms.append(self.form(self.codes[place], (lap + place) % 4 == 3))
        return forms

    def hot(self, count: int) -> list[bytes]:
        """``count`` forms for one khata: every fourth a payment, so that its balance stays a shop's."""
        self.number += count
        return [self.form(self.codes[0], number % 4 == 3) for number in range(count)]


class RawWriters:
    """Eight processes with a connection each, on tables of their own in the same database."""

    def __init__(self, folder: Path) -> None:
        known = connection.settings_dict
        if is_sqlite():
            self.target = f"sqlite:{folder / 'raw.sqlite3'}"
        else:
            words = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
            self.target = "postgres:" + " ".join(f"{key}='{known[at]}'" for key, at in words.items() if known[at])
        raw.create(self.target)
        self.children = [Child("-m", "khata.bench.raw", self.target, str(seed)) for seed in range(CLIENTS)]

    def pids(self) -> list[int]:
        return [pid for child in self.children for pid in child.pids()]

    def run(self, seconds: float, last: int) -> tuple[float, float]:
        """Transactions per second and their p95 in ms."""
        for child in self.children:
            child.say(f"{seconds} 1 {last}")
        answers = [child.hear().split() for child in self.children]
        return sum(int(answer[0]) for answer in answers) / seconds, max(float(answer[2]) for answer in answers)

    def stop(self) -> None:
        for child in self.children:
            child.stop()


class Rate:
    """What one way of posting did, round by round."""

    def __init__(self) -> None:
        self.per_s, self.p95, self.web, self.database, self.generator, self.worker = (Series() for _ in range(6))

    @property
    def cpu(self) -> Series:
        return Series([a + b for a, b in zip(self.web.values, self.database.values, strict=True)])


def run(sizes: Sizes, folder: Path, say: Callable[[str], object]) -> None:
    """Measure and print. Raises RuntimeError when the book is not exactly what was acknowledged."""
    shop, people = fill.a_shop("Bench Kirana")
    khatas = fill.parties(shop, sizes.parties)
    fill.entries(shop, khatas, 4)
    counter = Counter(shop, people, khatas)
    report = Report("entry", sizes.rounds, say)
    before = Entry.objects.for_shop(shop).count()
    with contextlib.ExitStack() as stack:
        generator = Generator()
        stack.callback(generator.stop)
        product = Product()
        stack.callback(product.stop)
        writers = RawWriters(folder)
        stack.callback(writers.stop)
        _throughput(sizes, counter, generator, product, writers, report)
        product.worker.stop()  # its work is done here by hand, only in the busy rounds
        _interference(sizes, counter, generator, product, stack, report)
    acknowledged = counter.posted
    stored = Entry.objects.for_shop(shop).filter(source="screen").count()
    _check(report, shop, before, stored, acknowledged)


def _throughput(
    sizes: Sizes, counter: Counter, generator: Generator, product: Product, writers: RawWriters, report: Report
) -> None:
    meter = Meter(web=product.web.pids, database=backends, worker=product.worker.pids, raw=writers.pids)
    spread, hot, limit = Rate(), Rate(), Rate()
    expected = max(200, int(sizes.seconds * 1200))

    def post(rate: Rate, build: Callable[[int], list[bytes]]) -> None:
        forms = build(expected)
        with meter.measure() as used:
            result = generator.run(port=product.port, requests=forms, seconds=sizes.seconds, clients=CLIENTS)
        done = len(result["latencies"])
        counter.posted += done
        rate.per_s.add(done / result["elapsed_s"])
        rate.p95.add(percentile(result["latencies"], 0.95))
        for name in ("web", "database", "worker"):
            getattr(rate, name).add(used[name] / done)
        rate.generator.add(result["cpu_ms"] / done)

    def raw_limit() -> None:
        with meter.measure() as used:
            per_s, p95 = writers.run(sizes.seconds, raw.PARTIES)
        limit.per_s.add(per_s)
        limit.p95.add(p95)
        limit.web.add(used["raw"] / (per_s * sizes.seconds))
        limit.database.add(used["database"] / (per_s * sizes.seconds))

    generator.run(port=product.port, requests=counter.spread(40), seconds=60, clients=CLIENTS)  # warm
    counter.posted += 40
    interleave(sizes.rounds, raw_limit, lambda: post(spread, counter.spread), lambda: post(hot, counter.hot))
    _show_throughput(report, spread, hot, limit)


def _show_throughput(report: Report, spread: Rate, hot: Rate, limit: Rate) -> None:
    report.figure(f"raw transaction, {CLIENTS} processes: entries/s", limit.per_s.show(0))
    report.figure("raw: CPU-ms per entry, client + database", limit.cpu.show())
    report.figure(f"product, {CLIENTS} clients over all khatas: entries/s", spread.per_s.show(0))
    report.figure("product: p95 ms", spread.p95.show(1))
    report.figure("product: CPU-ms per entry, web", spread.web.show())
    report.figure("product: CPU-ms per entry, database processes", spread.database.show())
    report.figure("beside it: CPU-ms per entry, worker", spread.worker.show())
    report.figure("beside it: CPU-ms per entry, load generator", spread.generator.show())
    due = 0.12 if is_sqlite() else 0.10
    report.ratio("P2 entries/s, product ÷ raw", ratios(spread.per_s, limit.per_s), least=due)
    report.ratio("P1 CPU per entry, product ÷ raw", ratios(spread.cpu, limit.cpu))
    report.figure(f"product, {CLIENTS} clients on one khata: entries/s", hot.per_s.show(0))
    report.ratio("P4 entries/s, one hot khata ÷ spread", ratios(hot.per_s, spread.per_s), least=0.8)
    report.ratio("P4 p95, one hot khata ÷ spread", ratios(hot.p95, spread.p95))


def _interference(
    sizes: Sizes,
    counter: Counter,
    generator: Generator,
    product: Product,
    stack: contextlib.ExitStack,
    report: Report,
) -> None:
    """The open loop alone, and while an import and a reminder run are at work."""
    other, _people = fill.a_shop("Bench Wholesale")
    reminded = fill.parties(other, sizes.reminded, consent=True)
    fill.entries(other, reminded, 1, days=60)
    _queue_reminders(other)
    rows = int(sizes.rounds * sizes.open_seconds * 6000)
    jobs = {
        what: Child("-m", "khata.bench.background", what, other.code, str(rows))
        for what in ("import", "reminders")
    }
    for job in jobs.values():
        stack.callback(job.stop)
        job.hear()
    idle, busy, done = Series(), Series(), {what: Series() for what in jobs}
    worst = Series()

    def load() -> list[float]:
        forms = counter.spread(int(sizes.rate * sizes.open_seconds))
        result = generator.run(port=product.port, requests=forms, seconds=sizes.open_seconds, rate=sizes.rate)
        counter.posted += len(result["latencies"])
        latencies: list[float] = result["latencies"]
        return latencies

    def alone() -> None:
        idle.add(percentile(load(), 0.95))

    def beside_work() -> None:
        _queue_again(other)
        for job in jobs.values():
            job.say(str(sizes.open_seconds))
        latencies = load()
        busy.add(percentile(latencies, 0.95))
        worst.add(max(latencies))
        for what, job in jobs.items():
            done[what].add(int(job.hear()) / sizes.open_seconds)

    interleave(sizes.rounds, alone, beside_work)
    report.figure(f"open loop, {sizes.rate:g} entries/s: p95 ms, alone", idle.show(1))
    report.figure("open loop: p95 ms, import and reminders running", busy.show(1))
    report.figure("open loop: slowest answer ms, import and reminders running", worst.show(0))
    report.figure("meanwhile: rows imported per second", done["import"].show(0))
    report.figure("meanwhile: reminders sent per second", done["reminders"].show(0))
    report.ratio("P5 p95, import and reminders running ÷ alone", ratios(busy, idle), most=2.0)


def _queue_reminders(shop: Shop) -> None:
    # All read before the first write: on SQLite an open read may not turn into a write.
    rows = list(Khata.objects.for_shop(shop).select_related("party"))
    for khatas in batches(rows, 1000):
        Message.everything.bulk_create(_reminders(shop, khatas))


def _reminders(shop: Shop, khatas: list[Khata]) -> Iterator[Message]:
    for khata in khatas:
        for channel in ("sms", "whatsapp"):
            yield Message(
                shop=shop,
                party=khata.party,
                purpose=Purpose.REMINDER,
                channel=channel,
                recipient=khata.party.phone,
                text="Namaste, ₹100 is due.",
                balance_paise=khata.balance_paise,
                dedupe_key=f"bench:{khata.pk}:{channel}",
            )


def _queue_again(shop: Shop) -> None:
    """Between rounds: what was sent waits again, as if it never left."""
    state = Message.State
    Message.objects.for_shop(shop).exclude(state=state.QUEUED).update(
        state=state.QUEUED, slot=None, claim="", claimed_at=None, begun_at=None, sent_at=None, attempts=0
    )


def _check(report: Report, shop: Shop, before: int, stored: int, acknowledged: int) -> None:
    """Every position, balance and digest of the shop, and as many entries as were acknowledged."""
    result = check_all(shop=shop)
    if result.finding or stored != acknowledged or result.entries != before + acknowledged:
        raise RuntimeError(f"{acknowledged} acknowledged, {stored} stored; check: {result.finding or 'clean'}")
    report.note(
        f"checked: {acknowledged:,} entries acknowledged and stored once; in {result.khatas:,} khatas positions"
        " have no gap, every balance is its sum, every chain holds"
    )


def entry_request(shop: Shop, people: list[User], khatas: list[Khata]) -> Any:
    """For the profile: a function that builds the next request."""
    counter = Counter(shop, people, khatas)
    return lambda: counter.spread(1)[0]
