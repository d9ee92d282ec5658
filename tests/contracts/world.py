"""A shop with one row of everything that an address can name, for the walks over all routes."""

from dataclasses import dataclass
from typing import Any

from ledger.models import Direction
from payments import services as payments
from payments.links import token_of
from payments.models import Claim
from reminders.models import Message, Purpose, Rule, Run, Via
from shops.models import Member, Role, Shop, User
from tests.cast import make_khata, make_member, post, unique


@dataclass(frozen=True)
class World:
    """The names of one shop's rows in addresses."""

    common: dict[str, Any]  # parameters that mean the same everywhere
    pks: dict[str, int]  # what ``pk`` means, by the start of a route's name

    def fill(self, route: str, parameters: list[str]) -> dict[str, Any]:
        """The values of ``parameters`` on ``route``. KeyError: the walk must be told what one means."""
        return {name: self.common[name] if name in self.common else self._pk(route) for name in parameters}

    def _pk(self, route: str) -> int:
        return next(pk for start, pk in self.pks.items() if route.startswith(start))


def make_world(shop: Shop, owner: User, cashier: User | None = None) -> World:
    """One khata with an entry (written today by ``cashier``), a link, a claim, a checkout, a rule …"""
    shop.upi_id = "asha@okaxis"
    shop.save(update_fields=["upi_id"])
    khata = make_khata(shop, "Ramesh", phone="+919812345678", consent_source="counter")
    entry = post(khata, 500_00, actor=cashier or owner).entry
    link = payments.make_link(shop=shop, khata=khata, actor=owner)
    payments.draw_stale_qrs()
    account = payments.ensure_sandbox(shop)
    assert account is not None
    checkout = payments.open_checkout(link=link, account=account, amount_paise=100_00)
    claim = Claim.everything.create(shop=shop, khata=khata, link=link, amount_paise=50_00, utr="412355678812")
    run = Run.everything.create(shop=shop, key=unique("run"), party_ids=[khata.party_id], created_by=owner)
    rule = Rule.everything.create(shop=shop, name="After a week")
    message = Message.everything.create(
        shop=shop,
        party=khata.party,
        purpose=Purpose.REMINDER,
        channel=Via.SMS,
        recipient="+919812345678",
        text="₹500 is due.",
        state=Message.State.UNKNOWN,
        dedupe_key=unique("message"),
    )
    seat = Member.everything.get(shop=shop, user=make_member(shop, Role.VIEWER, name="Guest"))
    return World(
        common={
            "shop_code": shop.code,
            "party_code": khata.party.code,
            "position": entry.position,
            "direction": Direction.GAVE.value,
            "what": "retry",
            "link": link.pk,
            "token": token_of(link),
            "reference": checkout.reference,
            "kind": account.kind,
            "hook": account.hook,
        },
        pks={
            "shops:": seat.pk,
            "payments:": claim.pk,
            "reminders:decide": message.pk,
            "reminders:run": run.pk,
            "reminders:stop_run": run.pk,
            "reminders:": rule.pk,
        },
    )
