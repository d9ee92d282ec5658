"""What real processes do to the test database, at the same time: ``python -m tests.actors post …``.

Each says ``ready``, waits for a line on its standard input, works, and prints one line per thing
it knows to be committed.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khata.settings")


def post(khata_id: str, prefix: str, count: str, amount_paise: str) -> None:
    """Post ``count`` entries under the keys prefix-0, prefix-1 …; print each key when it stands."""
    from ledger.models import Khata
    from ledger.services import post_entry

    khata = Khata.everything.select_related("shop").get(pk=khata_id)
    for number in range(int(count)):
        key = f"{prefix}-{number}"
        post_entry(
            shop=khata.shop,
            khata=khata,
            actor=None,
            direction="gave",
            amount_paise=int(amount_paise),
            kind="sale",
            key=key,
        )
        print(key, flush=True)  # noqa: T201


def reverse(*entry_ids: str) -> None:
    """Try to reverse each entry; print the ids of those that this process reversed."""
    from ledger.models import Entry
    from ledger.services import AlreadyReversed, reverse_entry

    for entry_id in entry_ids:
        entry = Entry.everything.select_related("shop").get(pk=entry_id)
        try:
            reverse_entry(shop=entry.shop, entry=entry, actor=None, key=f"by-{os.getpid()}-{entry_id}")
        except AlreadyReversed:
            continue
        print(entry_id, flush=True)  # noqa: T201


def knock(scope: str, count: str, limit: str) -> None:
    """Ask the rate limiter ``count`` times; print a line for each time it lets us in."""
    from core.limits import within_rate

    for _ in range(int(count)):
        if within_rate(scope, "somebody", limit=int(limit), per_s=100_000):
            print("in", flush=True)  # noqa: T201


def new_khata(shop_id: str, key: str) -> None:
    """Send the form of a new khata; print the id of the khata that stands under ``key``."""
    from ledger.services import new_khata
    from shops.models import Shop

    shop = Shop.objects.get(pk=shop_id)
    print(new_khata(shop=shop, actor=None, name="Ramesh", key=key, opening_paise=500_00).pk)  # noqa: T201


def guess(phone: str, count: str) -> None:
    """Try wrong passwords for ``phone``; print how each one was answered."""
    from django.core.exceptions import ValidationError
    from django.test import RequestFactory

    from khata.accounts import PhoneAdapter

    request = RequestFactory().post("/accounts/login/")
    for _ in range(int(count)):
        try:
            PhoneAdapter().authenticate(request, phone=phone, password="wrong")
        except ValidationError:
            print("refused", flush=True)  # noqa: T201
        else:
            print("tried", flush=True)  # noqa: T201


def batch(first_id: str, second_id: str, prefix: str, count: str, amount_paise: str) -> None:
    """Post ``count`` entries on each of two khatas, in batches that hold both."""
    from ledger.models import Khata
    from ledger.services import Draft, post_many

    shop = Khata.everything.select_related("shop").get(pk=first_id).shop
    for number in range(int(count)):
        drafts = [
            Draft(
                khata_id=int(khata_id),
                direction="gave",
                amount_paise=int(amount_paise),
                kind="sale",
                key=f"{prefix}-{number}-{khata_id}",
            )
            for khata_id in (first_id, second_id)
        ]
        post_many(shop=shop, drafts=drafts, actor=None)


def watch(khata_id: str, until: str) -> None:
    """Compare the balance with the sum of the entries, as one statement sees them, until all are there."""
    from django.db.models import Count, F, Sum

    from ledger.models import Khata

    seen = 0
    while seen < int(until):
        row = (
            Khata.everything.filter(pk=khata_id)
            .annotate(lines=Count("entries"), total=Sum("entries__amount_paise"))
            .values_list("balance_paise", F("lines"), F("total"))
            .get()
        )
        seen = row[1]
        print("same" if row[0] == (row[2] or 0) else f"{row[0]} != {row[2]}", flush=True)  # noqa: T201


def bring(path: str, shop_code: str) -> None:
    """Import a file; print after every batch how many entries were written so far."""
    from pathlib import Path

    from ledger.importing.apply import read_book, write_book
    from shops.models import Shop

    shop = Shop.objects.get(code=shop_code)
    plan, _report = read_book(Path(path), shop=shop)
    for report in write_book(plan, shop=shop, actor=None):
        print(report.new_entries, flush=True)  # noqa: T201


def revoke(member_id: str, actor_id: str) -> None:
    """Take a member out; print ``gone`` or ``refused``."""
    from shops.models import Member, User
    from shops.services import ShopError, revoke_member

    try:
        revoke_member(member=Member.everything.get(pk=member_id), actor=User.objects.get(pk=actor_id))
    except ShopError:
        print("refused", flush=True)  # noqa: T201
    else:
        print("gone", flush=True)  # noqa: T201


def seat(shop_id: str, actor_id: str, phone: str) -> None:
    """Add a cashier by phone; print ``added`` or ``refused``."""
    from shops.models import Role, Shop, User
    from shops.services import ShopError, add_member

    shop, actor = Shop.objects.get(pk=shop_id), User.objects.get(pk=actor_id)
    try:
        add_member(shop=shop, actor=actor, phone=phone, role=Role.CASHIER, name="Farid")
    except ShopError:
        print("refused", flush=True)  # noqa: T201
    else:
        print("added", flush=True)  # noqa: T201


if __name__ == "__main__":
    django.setup()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    acts = (post, reverse, knock, new_khata, guess, batch, watch, bring, revoke, seat)
    {act.__name__: act for act in acts}[sys.argv[1]](*sys.argv[2:])
