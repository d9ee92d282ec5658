"""What a list costs does not depend on how long it is: the same queries at ten rows and at thirty.

And not more than the budget beside it, which is what it took when this was written: a page that
needs more has to change a number here, where it is seen.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.models import Khata
from payments import services as payments
from payments.links import token_of
from payments.models import PayLink
from reminders.models import Message, Purpose, Rule, Run, Via
from reminders.outbox import queue_code, queue_message
from reminders.sending import send_due
from shops.models import Role
from tests.cast import Cast, client_of, make_member, make_shop, post, unique
from tests.payments.making import deliver, event_body, make_checkout
from tests.reminders.people import make_debtor

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Screen:
    """``budget``: queries at any size. ``row``: a text that every row brings."""

    budget: int
    row: str
    query: str = ""
    is_public: bool = False


# With each request of a member: the session, the person, the seat with its shop.
SCREENS = {
    "ledger:home": Screen(7, "Sunita "),
    "ledger:home search": Screen(9, "Sunita ", "q=sunita"),
    "ledger:home overdue": Screen(7, "Sunita ", "show=overdue"),
    "ledger:khata": Screen(6, "chawal "),
    "ledger:khata reversed": Screen(6, "chawal ", "reversed=1"),
    "payments:home": Screen(7, "Sunita "),
    "reminders:collect": Screen(6, "Sunita "),
    "reminders:messages": Screen(5, "Sunita "),
    "reminders:run": Screen(7, "Sunita "),
    "reminders:rules": Screen(4, "Rule "),
    "home:outbox": Screen(4, "Namaste "),
    "home:codes": Screen(1, "is your code", is_public=True),
    "home:more": Screen(4, "Branch "),
    "shops:members": Screen(4, "Guest "),
    "shops:activity": Screen(4, '<div class="row">'),
    "pay:page": Screen(6, "chawal ", is_public=True),
}


class Town:
    """Asha's shop, in which ``grow`` brings ten of everything that a screen lists."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.shop, self.size = cast, cast.shop, 0
        self.shop.upi_id = "asha@okaxis"
        self.shop.quiet_from = self.shop.quiet_until
        self.shop.save(update_fields=["upi_id", "quiet_from", "quiet_until"])
        self.khata = make_debtor(self.shop, "Ramesh")
        self.link = payments.make_link(shop=self.shop, khata=self.khata, actor=None)
        account = payments.ensure_sandbox(self.shop)
        assert account is not None
        self.account = account
        self.run = Run.everything.create(shop=self.shop, key=unique("run"), state=Run.State.DONE)

    def grow(self, rows: int) -> None:
        for _ in range(rows):
            self.size += 1
            self._one_more(self.size)
        send_due()
        payments.draw_stale_qrs()

    def _one_more(self, number: int) -> None:
        shop, asha = self.shop, self.cast.asha
        khata = make_debtor(shop, f"Sunita {number}", opening_on=shop.today().replace(year=2025))
        post(self.khata, 100_00 + number, note=f"chawal {number}", actor=asha)
        self._money(khata, number)
        self._messages(khata, number)
        make_member(shop, Role.VIEWER, name=f"Guest {number}")
        make_shop(asha, f"Branch {number}")
        Rule.everything.create(shop=shop, name=f"Rule {number}")

    def _money(self, khata: Khata, number: int) -> None:
        own: PayLink = payments.make_link(shop=self.shop, khata=khata, actor=None)
        checkout = make_checkout(own, self.account, 100_00)
        deliver(self.account, event_body(checkout, id=f"pay_{number}", rrn=f"9{number:011d}"))
        deliver(self.account, event_body(checkout, id=f"odd_{number}", amount=number))  # waits for a person
        payments.make_claim(link=own, amount_paise=100_00, utr=f"4{number:011d}")

    def _messages(self, khata: Khata, number: int) -> None:
        for purpose, run in ((Purpose.RECEIPT, None), (Purpose.REMINDER, self.run)):
            queue_message(
                shop=self.shop,
                party=khata.party,
                run=run,
                purpose=purpose,
                channel=Via.SMS,
                recipient=khata.party.phone,
                text=f"Namaste {number}",
                dedupe_key=unique("town"),
            )
        refused = Message.everything.filter(run=self.run, party=khata.party)
        refused.update(state=Message.State.CANCELLED, rule="Not sent: paused.")
        queue_code(phone=f"+9198000{number:05d}", text=f"{number:06d} is your code", lifetime_s=300)

    def address(self, name: str) -> str:
        shop, route = self.shop.code, name.split()[0]
        arguments: dict[str, list[Any]] = {
            "ledger:khata": [shop, self.khata.party.code],
            "reminders:run": [shop, self.run.pk],
            "home:codes": [],
            "pay:page": [token_of(self.link)],
        }
        query = SCREENS[name].query
        return reverse(route, args=arguments.get(route, [shop])) + (f"?{query}" if query else "")


def look(client: Client, address: str) -> tuple[str, list[str]]:
    """The page, and the queries that it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode(), [query["sql"][:200] for query in queries]


def test_every_list_costs_the_same_at_ten_and_at_thirty_rows(cast: Cast) -> None:
    town, asha = Town(cast), client_of(cast.asha)
    seen: dict[str, list[tuple[str, list[str]]]] = {name: [] for name in SCREENS}
    for size in (10, 30):
        town.grow(size - town.size)
        for name, screen in SCREENS.items():
            client = Client() if screen.is_public else asha
            look(client, town.address(name))  # the first visit may remember something
            seen[name].append(look(client, town.address(name)))
    wrong = []
    for name, screen in SCREENS.items():
        (short, few), (long, many) = seen[name]
        assert long.count(screen.row) - short.count(screen.row) >= 20, f"{name} does not show its rows"
        if not len(few) == len(many) <= screen.budget:
            wrong += [f"{name}: {len(few)} queries at 10 rows, {len(many)} at 30, budget {screen.budget}", *many]
    assert not wrong, "\n".join(wrong)
