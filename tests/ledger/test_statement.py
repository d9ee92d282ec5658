"""The khata page: running balances, pages that cost the same, cursors that cannot be forged."""

import datetime as dt
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.crypto import SealBroken
from ledger import selectors
from ledger.allocation import ageing
from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from tests.cast import client_of, make_khata, post


def _walk(khata, **options):
    """Every row of every page, and the pages' sizes."""
    rows, cursor = [], ""
    while True:
        page = selectors.statement_page(khata, cursor, **options)
        rows += page.rows
        if not page.next_cursor:
            return rows
        cursor = page.next_cursor


def _expected(khata):
    """An independent fold: by date and position, reversed pairs left out."""
    entries = list(Entry.everything.filter(khata=khata).order_by("occurred_on", "position"))
    gone = {entry.reverses_id for entry in entries if entry.reverses_id}
    running, rows = 0, []
    for entry in entries:
        if entry.reverses_id or entry.pk in gone:
            continue
        running += entry.signed_paise
        rows.append((entry.position, running))
    return rows[::-1]


@pytest.fixture
def busy(shop):
    """120 entries on 20 days, out of order, nine of them reversed."""
    dice = random.Random(7)
    khata = make_khata(shop, "Ramesh")
    today = shop.today()
    for _number in range(120):
        day = today - dt.timedelta(days=dice.randrange(20))
        posting = post(khata, dice.randrange(100, 90_000), dice.choice(["gave", "got"]), occurred_on=day)
        if dice.random() < 0.08:
            reverse_entry(shop=shop, entry=posting.entry, actor=None)
    khata.refresh_from_db()
    return khata


def test_pages_put_together_equal_an_independent_fold(busy):
    rows = _walk(busy, size=11)
    assert [(row.entry.position, row.balance_paise) for row in rows] == _expected(busy)


def test_reversed_pairs_are_folded_and_shown_on_demand(busy):
    assert not any(row.entry.is_reversed for row in _walk(busy))
    shown = _walk(busy, show_reversed=True)
    assert len(shown) == busy.entry_count
    assert all(row.balance_paise is None for row in shown if row.entry.is_reversed)


def test_entries_added_between_two_pages_are_settled_against_the_cursor(busy, shop):
    page = selectors.statement_page(busy, size=40)
    oldest = shop.today() - dt.timedelta(days=25)
    late = post(busy, 77_00, "gave", occurred_on=oldest)
    post(busy, 55_00, "got")
    twice = post(busy, 11_00, "gave", occurred_on=oldest)
    reverse_entry(shop=shop, entry=twice.entry, actor=None)
    old = Entry.everything.get(khata=busy, position=page.rows[-1].entry.position)
    older = Entry.everything.filter(khata=busy, occurred_on__lt=old.occurred_on, reverses=None, reversed_by=None)
    reverse_entry(shop=shop, entry=older.exclude(pk=late.entry.pk).first(), actor=None)
    busy.refresh_from_db()
    expected = dict(_expected(busy))
    following = selectors.statement_page(busy, page.next_cursor, size=40).rows
    assert following
    assert all(expected[row.entry.position] == row.balance_paise for row in following)


def _someone_else_writes(khata, shop):
    """While a reader has the khata's row in hand: a sale of today, one dated back, and a deletion."""
    standing = Entry.everything.filter(khata=khata, reverses=None, reversed_by=None).order_by("occurred_on")
    oldest, newest = standing.first(), standing.last()
    post(khata, 77_00, "gave")
    undone = post(khata, 11_00, "gave", occurred_on=shop.today() - dt.timedelta(days=30))
    reverse_entry(shop=shop, entry=undone.entry, actor=None)
    reverse_entry(shop=shop, entry=oldest, actor=None)
    reverse_entry(shop=shop, entry=newest, actor=None)
    post(khata, 55_00, "got", occurred_on=shop.today() - dt.timedelta(days=30))


@pytest.mark.parametrize("show_reversed", [False, True])
def test_a_page_read_beside_a_post_is_the_page_of_before_it(busy, shop, show_reversed):
    before = _walk(busy, size=11, show_reversed=show_reversed)
    _someone_else_writes(busy, shop)  # ``busy`` is the row as it was read before
    assert _walk(busy, size=11, show_reversed=show_reversed) == before


def test_a_cursor_of_a_page_read_beside_a_post_goes_on_rightly(busy, shop):
    _someone_else_writes(busy, shop)
    page = selectors.statement_page(busy, size=40)
    read = Khata.everything.get(pk=busy.pk)
    expected = dict(_expected(busy))
    _someone_else_writes(busy, shop)  # and again, between the two reads of the second page
    following = selectors.statement_page(read, page.next_cursor, size=40).rows
    assert following
    assert all(expected[row.entry.position] == row.balance_paise for row in following)


def test_ageing_read_beside_a_post_is_that_of_the_balance_in_hand(shop):
    khata, today = make_khata(shop, "Ramesh"), shop.today()
    for days in (100, 70, 40, 10):
        post(khata, 100_00, occurred_on=today - dt.timedelta(days=days), due_on=today - dt.timedelta(days=days))
    post(khata, 50_00, "got")
    khata.refresh_from_db()
    before = ageing(khata.pk, khata.balance_paise, today)
    _someone_else_writes(khata, shop)
    assert ageing(khata.pk, khata.balance_paise, today, upto=khata.entry_count) == before
    assert ageing(khata.pk, khata.balance_paise, today) != before


def test_the_page_of_a_khata_adds_up_while_another_hand_saves(cast, monkeypatch):
    khata = make_khata(cast.shop, "Ramesh")
    for _number in range(3):
        post(khata, 100_00, occurred_on=cast.shop.today() - dt.timedelta(days=3))
    plain = selectors.khata_by_code

    def reading(shop, code):
        book = plain(shop, code)
        post(khata, 7_00, occurred_on=shop.today() - dt.timedelta(days=90))
        return book

    monkeypatch.setattr(selectors, "khata_by_code", reading)
    page = client_of(cast.asha).get(f"/s/{cast.shop.code}/k/{khata.party.code}/").context
    assert [row.balance_paise for row in page["page"].rows] == [300_00, 200_00, 100_00]
    assert [band.bucket for band in page["bands"]] == ["not_due"]


def test_a_forged_or_foreign_cursor_is_refused(busy, shop):
    cursor = selectors.statement_page(busy, size=10).next_cursor
    other = make_khata(shop, "Suresh")
    for khata, text in ((busy, "x" + cursor[1:]), (other, cursor), (busy, "nonsense"), (busy, "é.é")):
        with pytest.raises(SealBroken):
            selectors.statement_page(khata, text)


def test_every_page_takes_one_query(busy):
    cursor = ""
    for _number in range(3):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = selectors.statement_page(busy, cursor, size=30)
        assert len(queries) == 1
        cursor = page.next_cursor


def test_ageing_of_the_shop_is_the_sum_of_its_khatas(busy, shop):
    second = make_khata(shop, "Suresh", opening_paise=500_00)
    today = shop.today() + dt.timedelta(days=40)
    parts = [ageing(khata.pk, khata.balance_paise, today) for khata in (busy, second)]
    total = selectors.shop_ageing(shop, today)
    assert total == {bucket: sum(part[bucket] for part in parts) for bucket in total}
    assert sum(total.values()) == selectors.totals(shop).get_paise
