"""A whole batch at once follows the rules of one entry at a time."""

import datetime as dt
from typing import Any

import pytest

from ledger import allocation
from ledger.models import Entry, Khata, Source
from ledger.services import (
    Draft,
    KeyReused,
    LedgerError,
    chain_batch,
    post_entry,
    post_many,
    reverse_entry,
    write_batch,
)
from shops.models import Shop
from tests import oracle
from tests.cast import Cast, make_khata, post

pytestmark = pytest.mark.django_db


def draft(khata: Khata, key: str, amount_paise: int = 100_00, direction: str = "gave", **fields: Any) -> Draft:
    kind = fields.pop("kind", "sale" if direction == "gave" else "payment")
    return Draft(khata_id=khata.pk, direction=direction, amount_paise=amount_paise, kind=kind, key=key, **fields)


def test_a_batch_over_two_khatas_stands_as_if_posted_one_by_one(shop: Shop) -> None:
    first, second = make_khata(shop, "Ramesh", credit_days=0), make_khata(shop, "Suresh")
    early = shop.today() - dt.timedelta(days=40)
    post(first, 10_00)
    drafts = [
        draft(first, "a", 500_00, occurred_on=early, note=" rice "),
        draft(second, "b", 70_00, due_on=shop.today()),
        draft(first, "c", 200_00, "got"),
        draft(second, "d", 30_00, "got", due_on=shop.today()),
    ]
    assert post_many(shop=shop, drafts=drafts, actor=None) == 4
    lines = oracle.check(first.pk)
    assert [(line.note, line.due_on, line.source) for line in lines][1:] == [
        ("rice", early, Source.IMPORT),
        ("", None, Source.IMPORT),
    ]
    assert [line.due_on for line in oracle.check(second.pk)] == [shop.today(), None]
    post(first, 5_00)  # and the chain goes on
    oracle.check(first.pk)


def test_a_batch_sent_again_adds_only_what_is_new(khata: Khata, shop: Shop) -> None:
    drafts = [draft(khata, "a"), draft(khata, "b", note="x", occurred_on=shop.today()), draft(khata, "a")]
    assert post_many(shop=shop, drafts=drafts, actor=None) == 2
    assert post_many(shop=shop, drafts=[*drafts, draft(khata, "c")], actor=None) == 1
    assert post_many(shop=shop, drafts=[], actor=None) == 0
    assert len(oracle.check(khata.pk)) == 3


@pytest.mark.parametrize(
    "other",
    [{"amount_paise": 1}, {"note": "y"}, {"occurred_on": dt.date(2020, 1, 1)}, {"direction": "got"}],
    ids=lambda other: next(iter(other)),
)
def test_a_known_key_with_other_content_stops_the_whole_batch(
    khata: Khata, shop: Shop, other: dict[str, Any]
) -> None:
    post_many(shop=shop, drafts=[draft(khata, "a")], actor=None)
    with pytest.raises(KeyReused):
        post_many(shop=shop, drafts=[draft(khata, "b"), draft(khata, "a", **other)], actor=None)
    assert len(oracle.check(khata.pk)) == 1


def test_a_named_due_date_must_match_and_one_that_is_not_named_need_not(khata: Khata, shop: Shop) -> None:
    day, due = shop.today(), shop.today() + dt.timedelta(days=9)
    post_many(shop=shop, drafts=[draft(khata, "a", occurred_on=day, due_on=due)], actor=None)
    assert post_many(shop=shop, drafts=[draft(khata, "a", due_on=due), draft(khata, "a")], actor=None) == 0
    with pytest.raises(KeyReused):
        post_many(shop=shop, drafts=[draft(khata, "a", due_on=day)], actor=None)
    post_many(shop=shop, drafts=[draft(khata, "b", direction="got")], actor=None)
    assert post_many(shop=shop, drafts=[draft(khata, "b", direction="got", due_on=day)], actor=None) == 0


def test_a_due_date_that_fits_no_entry_stops_the_whole_batch(khata: Khata, shop: Shop) -> None:
    for due in (dt.date(1, 1, 1), dt.date(9999, 12, 31), shop.today() - dt.timedelta(days=1)):
        with pytest.raises(LedgerError, match="due date"):
            post_many(shop=shop, drafts=[draft(khata, "a"), draft(khata, "b", due_on=due)], actor=None)
    assert oracle.check(khata.pk) == []


def test_one_bad_line_stops_the_whole_batch(khata: Khata, shop: Shop) -> None:
    with pytest.raises(LedgerError):
        post_many(shop=shop, drafts=[draft(khata, "a"), draft(khata, "b", 0)], actor=None)
    assert oracle.check(khata.pk) == []


def test_another_shops_khata_stops_the_whole_batch(khata: Khata, cast: Cast) -> None:
    theirs = make_khata(cast.other_shop)
    with pytest.raises(LedgerError):
        post_many(shop=cast.shop, drafts=[draft(theirs, "a")], actor=None)
    assert oracle.check(theirs.pk) == []


def test_one_entry_and_a_batch_know_each_others_keys(khata: Khata, shop: Shop) -> None:
    post(khata, key="a")
    assert post_many(shop=shop, drafts=[draft(khata, "a")], actor=None) == 0
    post_many(shop=shop, drafts=[draft(khata, "b")], actor=None)
    posting = post_entry(
        shop=shop, khata=khata, actor=None, direction="gave", amount_paise=100_00, kind="sale", key="b"
    )
    assert posting.is_replay
    assert len(oracle.check(khata.pk)) == 2


def test_a_line_of_a_batch_can_be_reversed(khata: Khata, shop: Shop) -> None:
    post_many(shop=shop, drafts=[draft(khata, "a"), draft(khata, "b", 5_00)], actor=None)
    reverse_entry(shop=shop, entry=Entry.objects.for_shop(shop).get(key="a"), actor=None)
    assert oracle.balance_of(oracle.check(khata.pk)) == 5_00


def test_a_batch_read_before_the_lock_gives_way_to_an_entry_saved_meanwhile(khata: Khata, shop: Shop) -> None:
    batch = chain_batch(shop=shop, drafts=[draft(khata, "a")], actor=None)
    post(khata, 5_00)
    with pytest.raises(LedgerError, match="try again"):
        write_batch(batch)
    assert oracle.balance_of(oracle.check(khata.pk)) == 5_00


@pytest.mark.parametrize("paid", [0, 45_00, 60_00, 95_00, 130_00])
def test_the_oldest_due_of_a_batch_counts_stored_and_coming_lines_alike(
    khata: Khata, shop: Shop, paid: int
) -> None:
    today = shop.today()
    days = [today - dt.timedelta(days=n) for n in (50, 40, 30, 20)]
    post(khata, 40_00, occurred_on=days[1], due_on=days[1])
    post(khata, 40_00, occurred_on=days[3], due_on=days[3])
    drafts = [
        draft(khata, "a", 40_00, occurred_on=days[0], due_on=days[0]),
        draft(khata, "b", 40_00, occurred_on=days[2], due_on=days[2]),
    ]
    if paid:
        drafts.append(draft(khata, "c", paid, "got"))
    post_many(shop=shop, drafts=drafts, actor=None)
    khata.refresh_from_db()
    assert khata.oldest_due_on == days[paid // 40_00]
    assert khata.oldest_due_on == allocation.oldest_due_on(khata.pk, khata.balance_paise)
