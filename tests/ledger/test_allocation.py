"""Oldest paid first: the walk back agrees with money paying forward."""

import datetime as dt

import pytest

from ledger import allocation
from ledger.allocation import BUCKETS, ageing, bucket_of, oldest_due_on, walk_back
from ledger.models import Direction, Khata
from ledger.services import reverse_entry
from shops.models import Shop
from tests import oracle
from tests.cast import make_khata, post

TODAY = dt.date(2026, 11, 20)


def days(count: int) -> dt.timedelta:
    return dt.timedelta(days=count)


@pytest.mark.parametrize(
    ("late", "bucket"),
    [
        (-5, "not_due"),
        (0, "not_due"),  # due today is not overdue
        (1, "d1_30"),
        (30, "d1_30"),
        (31, "d31_60"),
        (60, "d31_60"),
        (61, "d61_90"),
        (90, "d61_90"),
        (91, "d90_plus"),
        (4000, "d90_plus"),
    ],
)
def test_a_day_past_due_falls_into_its_bucket(late: int, bucket: str) -> None:
    assert bucket_of(TODAY - days(late), TODAY) == bucket


@pytest.mark.django_db
def test_nothing_owed_is_nothing_unpaid(khata: Khata) -> None:
    assert list(walk_back(khata.pk, 0)) == []
    assert list(walk_back(khata.pk, -5)) == []
    assert oldest_due_on(khata.pk, 0) is None
    assert set(ageing(khata.pk, 0, TODAY).values()) == {0}


@pytest.mark.django_db
def test_the_oldest_is_unpaid_in_part(khata: Khata) -> None:
    for ago in (90, 60, 30):
        post(khata, 100_00, occurred_on=khata.shop.today() - days(ago))
    posting = post(khata, 150_00, Direction.GOT)
    parts = list(walk_back(khata.pk, posting.balance_paise))
    assert [(part.position, part.unpaid_paise) for part in parts] == [(3, 100_00), (2, 50_00)]
    assert [(part.position, part.due_on, part.unpaid_paise) for part in parts] == oracle.unpaid_of(
        oracle.lines_of(khata.pk)
    )


@pytest.mark.django_db
def test_reversed_pairs_are_left_out(khata: Khata, shop: Shop) -> None:
    keep = post(khata, 100_00, occurred_on=shop.today() - days(9))
    wrong = post(khata, 100_00)
    paid = post(khata, 30_00, Direction.GOT)
    reverse_entry(shop=shop, entry=wrong.entry, actor=None)
    posting = reverse_entry(shop=shop, entry=paid.entry, actor=None)
    (part,) = walk_back(khata.pk, posting.balance_paise)
    assert (part.entry_id, part.unpaid_paise) == (keep.entry.pk, 100_00)
    oracle.check(khata.pk)


@pytest.mark.django_db
def test_the_buckets_add_up_to_what_is_owed(shop: Shop) -> None:
    khata = make_khata(shop, credit_days=0)
    for ago in (0, 1, 30, 31, 60, 61, 90, 91, 200):
        post(khata, 10_00 + ago, occurred_on=shop.today() - days(ago))
    posting = post(khata, 5_00, Direction.GOT)
    totals = ageing(khata.pk, posting.balance_paise, shop.today())
    assert tuple(totals) == BUCKETS
    assert sum(totals.values()) == posting.balance_paise
    wanted = dict.fromkeys(BUCKETS, 0)
    for _, due_on, unpaid in oracle.unpaid_of(oracle.lines_of(khata.pk)):
        late = (shop.today() - due_on).days
        name = ("not_due" if late < 1 else "d1_30" if late < 31 else "d31_60" if late < 61 else
                "d61_90" if late < 91 else "d90_plus")  # fmt: skip
        wanted[name] += unpaid
    assert totals == wanted


@pytest.mark.django_db
def test_the_walk_goes_on_in_steps_until_the_balance_is_covered(
    khata: Khata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation, "_FIRST_STEP", 2)
    monkeypatch.setattr(allocation, "_NEXT_STEP", 3)
    for ago in range(11):
        post(khata, 10_00, occurred_on=khata.shop.today() - days(ago))
    for owed in (1, 20_00, 20_01, 50_00, 50_01, 110_00):
        parts = list(walk_back(khata.pk, owed))
        assert sum(part.unpaid_paise for part in parts) == owed
        assert len(parts) == -(-owed // 10_00)
        assert len({part.entry_id for part in parts}) == len(parts)
    # More owed than was given cannot be; the walk ends all the same.
    assert sum(part.unpaid_paise for part in walk_back(khata.pk, 500_00)) == 110_00
