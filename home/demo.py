"""The demo shop: a year of a kirana's book, made through the same services as a user's clicks.

Deterministic: the same day makes the same book. Every party has a way of buying and a way of
paying; the ageing buckets come out of when each of them last paid.
"""

import datetime as dt
import random
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from core import clock
from ledger.models import Direction, Khata, Kind, Source
from ledger.services import new_khata, post_entry, reverse_entry, set_terms
from parties.models import PartyKind
from payments import providers
from payments.models import PayLink, ProviderEvent
from payments.providers.base import webhook_secrets
from payments.providers.sandbox.gateway import deliveries
from payments.providers.sandbox.signature import EVENT_ID, SIGNATURE, sign
from payments.services import (
    draw_stale_qrs,
    ensure_sandbox,
    make_claim,
    make_link,
    open_checkout,
    process_event,
    store_event,
)
from reminders import channels, compose, courtesy
from reminders import services as reminders
from reminders.asking import reminder_row
from reminders.models import Message, Rule, Via
from reminders.outbox import queue_many
from shops.models import Member, Role, Shop, User
from shops.services import add_member, audit, enter_seat, open_shop

PASSWORD = "khata-demo"  # noqa: S105  (demo mode only; khata/guard.py keeps it out of production)
SHOP_NAME = "Sharma Kirana"


@dataclass(frozen=True)
class Login:
    """A demo seat, printed at start."""

    word: str
    phone: str
    name: str
    role: Role | None


LOGINS = (
    Login("owner", "+919876500001", "Asha", Role.OWNER),
    Login("manager", "+919876500002", "Meena", Role.MANAGER),
    Login("cashier", "+919876500003", "Bilal", Role.CASHIER),
    Login("viewer", "+919876500004", "Chitra", Role.VIEWER),
    Login("admin", "+919876500009", "Operator", None),
)

# name, language, how they buy (days between, rupees), how they pay: "full", "part", "slow",
# "stopped:<days ago they last paid>", "settled", "advance", "due_today", "over"
_PARTIES = """
Ramesh Kumar|en|3|240|over
सुनीता देवी|hi|4|180|full
Abdul Rahman|en|5|350|settled
மு. கார்த்திக்|en|4|150|full
Priya Nair|en|6|220|part
Harpreet Singh|en|7|300|advance
रमेश यादव|hi|5|260|stopped:48
ફાતિમા પટેલ|en|6|190|part
Gurpreet Kaur|en|8|410|full
সুমিত্রা দাস|en|5|170|stopped:75
Lakshmi Narayanan|en|4|230|due_today
ಮಂಜುನಾಥ ಗೌಡ|en|6|280|part
Mohammed Irfan|en|3|320|stopped:130
अनिल शर्मा|hi|7|200|full
వెంకటేష్ రావు|en|5|240|slow
Deepa Joshi|en|9|150|settled
ਬਲਵਿੰਦਰ ਸਿੰਘ|en|6|260|stopped:40
Sanjay Gupta|en|4|380|part
ഷീല തോമസ്|en|8|140|full
Kavita Deshmukh|en|5|210|due_today
राजू प्रजापति|hi|3|120|stopped:100
Naseem Banu|en|6|330|slow
ଗୀତା ମହାପାତ୍ର|en|7|160|part
Vikram Rathore|en|5|450|over
Anita Fernandes|en|8|190|settled
मोहन लाल|hi|4|210|stopped:62
Suresh Babu|en|5|270|full
Rekha Mishra|en|6|180|part
शबाना ख़ान|hi|7|250|slow
Joseph Mathew|en|9|300|full
Pooja Agarwal|en|4|220|due_today
गणेश पाटील|hi|5|310|stopped:55
Imran Shaikh|en|6|200|part
Meenakshi Iyer|en|7|170|full
Dilip Kumar Sahu|en|3|160|stopped:115
संगीता वर्मा|hi|6|230|settled
Thomas Kurian|en|8|340|part
रुख़साना बेगम|hi|5|140|slow
Ashok Reddy|en|4|290|full
Nirmala Sitaram|en|9|120|advance
Bharat Solanki|en|5|360|part
किरण कुमारी|hi|6|150|stopped:85
Yusuf Ali|en|7|240|full
Jyoti Bhatt|en|5|190|due_today
Prakash Hegde|en|4|420|slow
महेश चौधरी|hi|6|280|part
Salma Siddiqui|en|8|160|settled
Ravi Shankar|en|3|200|stopped:36
Usha Rani|en|7|180|full
Gopal Krishna|en|5|330|part
ललिता सोनी|hi|6|140|stopped:95
Firoz Merchant|en|4|500|slow
Sarita Kumari|en|9|170|full
Manoj Tiwari|en|5|260|due_today
इक़बाल अहमद|hi|7|220|part
""".strip()
_SUPPLIERS = """
Gupta Traders|21|9000
Amul Dairy Agency|9|2600
श्री बालाजी अनाज|30|14000
City Cold Drinks|14|3200
Parle Distributors|18|5400
""".strip()
_GOODS = (
    "chawal", "atta 5 kg", "dal 2 kg", "tel 1 L", "cheeni", "doodh", "bread", "sabun", "chai patti", "namak",
    "masala", "biscuit", "aloo pyaaz", "monthly ration", "poha", "ghee 500 g", "chawal, dal", "tel, sabun",
)  # fmt: skip
_GOODS_HI = ("चावल", "आटा 5 किलो", "दाल", "तेल", "चीनी", "दूध", "साबुन", "चाय पत्ती", "महीने का राशन", "मसाला")
# How, and how many hours ago, customers paid through the gateway.
_ARRIVED = (("upi", 1), ("upi", 5), ("card", 26), ("upi", 49), ("upi", 100))
_YEAR = 365
_ASKING = dt.time(11)  # the shop's own clock; outside the quiet hours that a shop starts with
_RULES: tuple[dict[str, Any], ...] = (
    {"name": "Every week from the first day late", "channel": Via.WHATSAPP},
    {"name": "By email when a month late", "channel": Via.EMAIL, "days_after_due": 30, "every_days": 30},
    {"name": "By SMS when two months late", "channel": Via.SMS, "days_after_due": 60, "every_days": 14},
)


def make_demo() -> Shop:
    """The demo shop; where it stands already, that one."""
    if known := Shop.objects.filter(is_demo=True).first():
        return known
    people = {login.word: _person(login) for login in LOGINS}
    dice = random.Random(20_261_122)  # noqa: S311  (a story, not a secret)
    with transaction.atomic():
        shop = open_shop(
            owner=people["owner"],
            name=SHOP_NAME,
            trade="Kirana",
            upi_id="sharmakirana@okhdfcbank",
            is_demo=True,
        )
        for login in LOGINS:
            if login.role and login.role != Role.OWNER:
                owner, phone, role = people["owner"], login.phone, login.role
                enter_seat(add_member(shop=shop, actor=owner, phone=phone, role=role, name=login.name))
        rules = [reminders.save_rule(shop=shop, actor=people["owner"], values=values) for values in _RULES]
    writers = [people["owner"], people["cashier"], people["cashier"]]
    khatas = [_customer(shop, dice, writers, place, line) for place, line in enumerate(_PARTIES.splitlines())]
    for place, line in enumerate(_SUPPLIERS.splitlines()):
        _supplier(shop, dice, people["owner"], place, line)
    links = _links_and_claims(shop, khatas, people["owner"])
    _arrived_by_itself(shop, links)
    for rule in rules:
        _asked_by_day(rule, _last_asking(shop))
    for work in (reminders.queue_receipts, reminders.ask_by_rules, reminders.send_due, draw_stale_qrs):
        work()  # what the worker will go on doing by itself
    return shop


class DemoError(ValueError):
    """The demo cannot be ended like this; the text is for people. Nothing was changed."""


@transaction.atomic
def end_demo() -> None:
    """Close the demo in a database that goes on with other shops: nobody gets in, nothing is said.

    The logins are closed, because another password is not enough: their numbers belong to strangers,
    who could ask for a sign-in code. Entries stay, as entries do.
    """
    people = User.objects.filter(phone__in=[login.phone for login in LOGINS])
    seats = Member.everything.filter(revoked_at=None)
    owned = seats.filter(user__in=people, role=Role.OWNER, shop__is_demo=False)
    others = seats.filter(role=Role.OWNER).exclude(user__in=people)
    if orphan := owned.exclude(shop__in=others.values("shop")).select_related("shop").first():
        raise DemoError(
            f"Nobody but a demo login owns the shop {orphan.shop.name} ({orphan.shop.code}). Start in demo mode"
            " once more, give an owner's seat to your own number under More, Members, then end the demo."
        )
    seats.filter(user__in=people).update(revoked_at=clock.now())
    for user in people:
        user.set_unusable_password()
        user.is_active = user.is_staff = user.is_superuser = False
        user.save(update_fields=["password", "is_active", "is_staff", "is_superuser"])
    for shop in Shop.objects.filter(is_demo=True):
        shop.is_demo = shop.sends_receipts = shop.sends_entries = False
        shop.reminders_paused = True
        shop.save(update_fields=["is_demo", "sends_receipts", "sends_entries", "reminders_paused"])
        audit(shop=shop, actor=None, action="shop.demo_ended")


def _person(login: Login) -> User:
    if user := User.objects.filter(phone=login.phone).first():
        return user
    make = User.objects.create_superuser if login.role is None else User.objects.create_user
    return make(login.phone, PASSWORD, name=login.name, phone_verified=True)


@dataclass(frozen=True)
class _Line:
    day: dt.date
    direction: str
    rupees: int
    kind: str
    note: str


def _customer(shop: Shop, dice: random.Random, writers: list[User], place: int, text: str) -> Khata:
    name, language, every, rupees, manner = text.split("|")
    has_phone = place % 9 != 8
    with transaction.atomic():
        khata = new_khata(
            shop=shop,
            actor=writers[0],
            name=name,
            key=f"demo:{place}",
            phone=f"+9198100{place:05d}" if has_phone else "",
            # Some of those without a phone have an email: they are reached by that alone.
            email=f"customer{place}@example.com" if place % 10 == 0 or place % 18 == 8 else "",
            language=language,
            consent_source="demo" if place % 13 != 12 else "",
            credit_days=15 if place % 4 == 0 else None,
        )
        book = _story(dice, shop.today(), int(every), int(rupees), manner, language)
        for number, line in enumerate(book):
            writer = writers[dice.randrange(len(writers))]
            if number and number % 37 == 0:  # a slip of the finger, put right
                slip = replace(line, rupees=line.rupees * 10)
                wrong = _post(shop, khata, writer, slip, f"demo:{place}:{number}:slip", dice)
                reverse_entry(shop=shop, entry=wrong.entry, actor=writers[0], reason="wrong amount")
            _post(shop, khata, writer, line, f"demo:{place}:{number}", dice)
        _terms(shop, khata, writers[0], manner)
    return Khata.objects.for_shop(shop).select_related("party").get(pk=khata.pk)


def _story(
    dice: random.Random, today: dt.date, every: int, rupees: int, manner: str, language: str
) -> list[_Line]:
    """A year of one party, oldest first."""
    goods = _GOODS_HI if language == "hi" else _GOODS
    lines: list[_Line] = []
    owed = dice.randrange(0, 2000, 50)
    start = today - dt.timedelta(days=_YEAR - dice.randrange(40))
    if owed:
        lines.append(_Line(start, Direction.GAVE, owed, Kind.OPENING, ""))
    word, _, days_text = manner.partition(":")
    stop_paying = today - dt.timedelta(days=int(days_text or 0))
    day = start
    pay_day = start + dt.timedelta(days=25 + dice.randrange(10))
    while (day := day + dt.timedelta(days=max(1, every + dice.randrange(-2, 3)))) <= today:
        if word == "stopped" and day > stop_paying + dt.timedelta(days=20):
            break
        if word == "due_today" and day > today - dt.timedelta(days=32):
            break
        amount = max(20, round(rupees * dice.uniform(0.4, 1.9) / 5) * 5)
        lines.append(
            _Line(day, Direction.GAVE, amount, Kind.SALE, dice.choice(goods) if dice.random() < 0.8 else "")
        )
        owed += amount
        if day >= pay_day and not (word == "stopped" and day > stop_paying):
            paid = _paid(dice, word, owed)
            if paid > 0:
                how = (
                    dice.choice(("cash", "cash", "UPI", "UPI", ""))
                    if language == "en"
                    else dice.choice(("नकद", "UPI"))
                )
                lines.append(_Line(day, Direction.GOT, paid, Kind.PAYMENT, how))
                owed -= paid
            pay_day = day + dt.timedelta(days=26 + dice.randrange(9))
        if dice.random() < 0.012 and owed > 100:
            lines.append(_Line(day, Direction.GOT, 50, Kind.RETURN, "wapas"))
            owed -= 50
    return lines + _ending(word, today, owed)


def _paid(dice: random.Random, word: str, owed: int) -> int:
    if word == "part":
        return round(owed * dice.uniform(0.5, 0.8) / 10) * 10
    if word == "slow":
        return round(owed * dice.uniform(0.25, 0.5) / 10) * 10
    if word == "over":
        return round(owed * dice.uniform(0.3, 0.6) / 10) * 10
    return owed


def _ending(word: str, today: dt.date, owed: int) -> list[_Line]:
    """How the story stands today, for the manners that end in a certain way."""
    if word == "settled" and owed:
        return [_Line(today - dt.timedelta(days=1), Direction.GOT, owed, Kind.PAYMENT, "UPI")]
    if word == "advance":
        return [_Line(today - dt.timedelta(days=2), Direction.GOT, owed + 500, Kind.PAYMENT, "cash")]
    if word == "due_today":
        first = [_Line(today - dt.timedelta(days=31), Direction.GOT, owed, Kind.PAYMENT, "cash")] if owed else []
        return [*first, _Line(today - dt.timedelta(days=30), Direction.GAVE, 650, Kind.SALE, "monthly ration")]
    return []


def _post(shop: Shop, khata: Khata, writer: User, line: _Line, key: str, dice: random.Random) -> Any:
    minute = dice.randrange(8 * 60, 21 * 60)
    at = clock.start_of_day(line.day, shop.zoneinfo) + dt.timedelta(minutes=minute, seconds=dice.randrange(60))
    return post_entry(
        shop=shop,
        khata=khata,
        actor=writer,
        direction=line.direction,
        amount_paise=line.rupees * 100,
        kind=line.kind,
        key=key,
        source=Source.QUICK if line.kind == Kind.SALE and minute % 3 == 0 else Source.SCREEN,
        occurred_on=line.day,
        note=line.note,
        enforce_limit=False,
        recorded_at=min(at, clock.now() - dt.timedelta(minutes=1 + dice.randrange(50))),
    )


def _terms(shop: Shop, khata: Khata, actor: User, manner: str) -> None:
    if manner == "over":
        khata.refresh_from_db()
        limit = max(500_00, khata.balance_paise // 100_000 * 100_000 - 500_00)
        set_terms(khata=khata, actor=actor, changes={"credit_limit_paise": limit})
    elif manner == "part":
        set_terms(khata=khata, actor=actor, changes={"credit_limit_paise": 15_000_00})


def _supplier(shop: Shop, dice: random.Random, owner: User, place: int, text: str) -> None:
    name, every, rupees = text.split("|")
    today = shop.today()
    with transaction.atomic():
        khata = new_khata(
            shop=shop,
            actor=owner,
            name=name,
            key=f"demo:s{place}",
            kind=PartyKind.SUPPLIER,
            phone=f"+9198200{place:05d}",
        )
        day, owed, number = today - dt.timedelta(days=_YEAR), 0, 0
        while (day := day + dt.timedelta(days=int(every) + dice.randrange(-2, 3))) <= today:
            bill = round(int(rupees) * dice.uniform(0.7, 1.3) / 50) * 50
            lines = [_Line(day, Direction.GOT, bill, Kind.PURCHASE, f"bill {dice.randrange(1000, 9999)}")]
            if owed:
                lines.append(_Line(day, Direction.GAVE, owed, Kind.PAYMENT, "bank transfer"))
            for line in lines:
                number += 1
                _post(shop, khata, owner, line, f"demo:s{place}:{number}", dice)
            owed = bill


def _links_and_claims(shop: Shop, khatas: list[Khata], owner: User) -> list[PayLink]:
    owing = [khata for khata in khatas if khata.balance_paise > 200_00]
    links = [make_link(shop=shop, khata=khata, actor=owner) for khata in owing[:20]]
    for number, link in enumerate(links[2:5]):
        make_claim(link=link, amount_paise=(number + 1) * 150_00, utr=f"4123556788{number + 10}")
    return links


def _arrived_by_itself(shop: Shop, links: list[PayLink]) -> None:
    """What customers paid through the gateway. Its webhooks are signed, checked, stored and acted upon
    like any; only the way over the network is left out, and each came when its story says.

    Those pay whose day has not come: who is late is asked today, and nobody is asked who just paid.
    """
    account, today = ensure_sandbox(shop), shop.today()
    if account is None:
        return
    gate = providers.get(account.kind)
    payers = [link for link in links if link.khata.oldest_due_on and link.khata.oldest_due_on > today]
    for number, ((method, hours_ago), link) in enumerate(zip(_ARRIVED, payers, strict=False)):
        amount_paise = max(100_00, link.khata.balance_paise // 2 // 100_00 * 100_00)
        checkout = open_checkout(link=link, account=account, amount_paise=amount_paise)
        at = clock.now() - dt.timedelta(hours=hours_ago)
        for told in deliveries(checkout, f"pay_demo{number}", method, at):
            body = bytes(told.body)
            headers = {EVENT_ID: told.event_id, SIGNATURE: sign(webhook_secrets(account)[0], body)}
            if not gate.verify(account, headers, body):
                raise ValueError("the sandbox does not know its own signature")
            event, _is_new = store_event(
                account=account, event_id=gate.event_id(headers, body), headers=headers, raw_body=body
            )
            if event is not None:  # else it came twice, as webhooks do
                ProviderEvent.everything.filter(pk=event.pk).update(received_at=told.send_at)
                process_event(event_pk=event.pk)


def _last_asking(shop: Shop) -> dt.datetime:
    """The newest eleven o'clock that has passed in ``shop``."""
    now = clock.now().astimezone(shop.zoneinfo)
    at = dt.datetime.combine(now.date(), _ASKING, tzinfo=shop.zoneinfo)
    return (at if at <= now else at - dt.timedelta(days=1)).astimezone(dt.UTC)


def _asked_by_day(rule: Rule, at: dt.datetime) -> None:
    """The reminders that ``rule`` sent at ``at``, so that a demo made at night shows some too.

    Courtesy is asked for that instant, as for everybody. Whose book has moved since is left to the
    worker: the text would name a balance of later. Rejected: a clock that can be set, or quiet
    hours that can be passed over. Nothing that also serves real shops should be able to do either.
    """
    carrier = channels.carrier(rule.channel)
    if carrier is None or not carrier.is_local:
        return  # it would really leave, and that is the worker's alone
    shop, day = rule.shop, at.astimezone(rule.shop.zoneinfo).date()
    khatas = Khata.objects.for_shop(shop).filter(
        balance_paise__gte=rule.min_amount_paise,
        oldest_due_on__lte=day - dt.timedelta(days=rule.days_after_due),
        last_entry_at__lt=at,
        party__kind=PartyKind.CUSTOMER,
    )
    found = list(khatas.select_related("party").order_by("id"))
    facts = courtesy.gather([khata.party_id for khata in found], at)
    urls = compose.links_of(found)
    rows = [
        reminder_row(
            facts[khata.party_id],
            channel=rule.channel,
            url=urls[khata.pk],
            dedupe_key=f"rule:{rule.pk}:{khata.party_id}:{day.isoformat()}",
            slot=f"{khata.party_id}:{rule.channel}:{day.isoformat()}",
            backend=carrier.kind,
            attempts=1,
            **dict.fromkeys(("created_at", "claimed_at", "begun_at", "sent_at"), at),
        )
        for khata in found
    ]
    allowed = [row for row in rows if row.state == Message.State.QUEUED and row.due_at == at]
    for row in allowed:
        row.state = Message.State.SENT  # in the demo outbox the row itself is the delivery
    queue_many(allowed)
