"""Shops that are big enough to measure: bulk rows of the same shape as a click's, chain included."""

import datetime as dt
import random
from itertools import islice, product

from core.db import batches, refresh_statistics
from ledger import chain
from ledger.models import Direction, Khata, Kind
from ledger.services import Draft, post_many
from parties.models import Channel, Consent, NameWord, Party, new_party_code
from parties.search import roman, skeletons
from shops.models import Member, Role, Shop, User
from shops.services import open_shop

FIRST = (
    "Ramesh", "Suresh", "Mahesh", "Dinesh", "Rakesh", "Mukesh", "Sunita", "Anita", "Kavita", "Savitri", "Lakshmi",
    "Meenakshi", "Abdul", "Farhan", "Zainab", "Gurpreet", "Harjeet", "Joseph", "Mary", "Venkatesh",
    "रमेश", "सुरेश", "महेश", "सुनीता", "अनीता", "लक्ष्मी", "गीता", "शंकर", "கவிதா", "முருகன்", "செல்வி", "రమేష్", "లక్ష్మి",
    "సీత", "রমেশ", "সুমিতা", "অমিত", "રમેશ", "હિતેશ", "ಮಂಜುನಾಥ", "ಗೀತಾ", "ਗੁਰਪ੍ਰੀਤ", "محمد", "فاطمہ", "മോഹൻ", "ଜଗନ୍ନାଥ",
)  # fmt: skip
LAST = (
    "Kumar", "Sharma", "Verma", "Gupta", "Yadav", "Singh", "Patel", "Shah", "Reddy", "Nair", "Iyer", "Khan",
    "Ansari", "Das",
    "Bose", "Chowdhury", "Fernandes", "Gowda", "Joshi", "Deshmukh", "कुमार", "शर्मा", "गुप्ता", "यादव", "पाटिल",
    "குமார்", "రెడ్డి", "দাস", "પટેલ", "ಗೌಡ", "ਸਿੰਘ", "خان", "നായർ",
)  # fmt: skip
TRADE = ("", "Kirana", "Tailor", "Medical", "दूध वाले", "Hardware", "Chai", "Auto", "School", "Flat 4B")


def a_shop(name: str) -> tuple[Shop, list[User]]:
    """A shop that is never quiet, with its owner and seven cashiers."""
    people = [
        User.objects.create(phone=f"+9198{abs(hash(name)) % 10**6:06d}{number:02d}", name=f"Cashier {number}")
        for number in range(8)
    ]
    shop = open_shop(owner=people[0], name=name)
    Member.everything.bulk_create(Member(shop=shop, user=user, role=Role.CASHIER) for user in people[1:])
    # Reminders may leave at this hour, whatever it is, and on every channel of a party.
    Shop.objects.filter(pk=shop.pk).update(quiet_from=dt.time(0), quiet_until=dt.time(0), weekly_cap=20)
    shop.refresh_from_db()
    return shop, people


def names(count: int, seed: int = 1) -> list[str]:
    """Distinct names of mixed scripts, in a fixed random order."""
    dice = random.Random(seed)
    whole = [" ".join(part for part in parts if part) for parts in product(FIRST, LAST, TRADE)]
    dice.shuffle(whole)
    return [name if lap == 0 else f"{name} {lap + 1}" for lap, name in islice(_laps(whole), count)]


def _laps(whole: list[str]):  # type: ignore[no-untyped-def]
    lap = 0
    while True:
        yield from ((lap, name) for name in whole)
        lap += 1


def parties(shop: Shop, count: int, *, consent: bool = False) -> list[Khata]:
    """That many parties with words for the search, and an empty khata each."""
    made: list[Khata] = []
    codes: set[str] = set()  # drawn until they differ: ten thousand of 24 million meet now and then
    while len(codes) < count:
        codes.add(new_party_code())
    for chunk in batches(list(zip(names(count), sorted(codes), range(count), strict=True)), 1000):
        rows = Party.everything.bulk_create(
            Party(shop=shop, name=name, code=code, roman=roman(name), phone=f"+9199{number:08d}")
            for name, code, number in chunk
        )
        NameWord.everything.bulk_create(
            NameWord(shop=shop, party=party, skeleton=word)
            for party in rows
            for word in sorted(skeletons(party.name))
        )
        if consent:
            Consent.everything.bulk_create(
                Consent(shop=shop, party=party, channel=channel, given=True, source="counter")
                for party in rows
                for channel in (Channel.SMS, Channel.WHATSAPP)
            )
        khatas = [Khata(shop=shop, party=party) for party in rows]
        for khata in khatas:
            khata.head_digest = chain.genesis(khata.uid)
        made += Khata.everything.bulk_create(khatas)
    return made


def entries(shop: Shop, khatas: list[Khata], each: int, *, days: int = 365, label: str = "fill") -> int:
    """``each`` entries in every khata through the same path as an import; three sales, then a payment of most.

    Business dates rise over ``days`` up to today, every tenth one back-dated by some days.
    """
    dice, today = random.Random(2), shop.today()
    drafts = []
    for number in range(each):
        ago = days - number * days // each - 1
        for khata in khatas:
            is_payment = number % 4 == 3
            back = dice.randint(1, 20) if number % 10 == 9 else 0
            drafts.append(
                Draft(
                    khata_id=khata.pk,
                    direction=Direction.GOT if is_payment else Direction.GAVE,
                    amount_paise=290_00 if is_payment else 100_00,
                    kind=Kind.PAYMENT if is_payment else Kind.SALE,
                    key=f"{label}:{khata.pk}:{number}",
                    occurred_on=today - dt.timedelta(days=min(days + 30, ago + back)),
                    note="" if number % 3 else "chawal, dal",
                )
            )
    made = sum(post_many(shop=shop, drafts=batch, actor=None) for batch in batches(drafts, 2000))
    refresh_statistics()  # as an import does at its end
    return made
