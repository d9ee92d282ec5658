"""The khata page: running balances, pages that cost the same, cursors that cannot be forged."""

import datetime as dt
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.crypto import SealBroken
from ledger import selectors
from ledger.models import Entry
from ledger.services import reverse_entry
from tests.cast import make_khata, post


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
    from ledger.allocation import ageing

    second = make_khata(shop, "Suresh", opening_paise=500_00)
    today = shop.today() + dt.timedelta(days=40)
    parts = [ageing(khata.pk, khata.balance_paise, today) for khata in (busy, second)]
    total = selectors.shop_ageing(shop, today)
    assert total == {bucket: sum(part[bucket] for part in parts) for bucket in total}
    assert sum(total.values()) == selectors.totals(shop).get_paise
