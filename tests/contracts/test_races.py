"""Many hands at once: real processes on the test database, off by 0 paise."""

import pytest

from ledger.models import Entry, Khata
from parties.models import Party
from tests import oracle
from tests.cast import make_khata, make_shop, post
from tests.processes import together

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
HANDS = 4


def test_four_cashiers_on_one_khata_lose_no_paisa() -> None:
    khata = make_khata(make_shop(), opening_paise=1_00)
    said = together(*[("post", khata.pk, f"hand-{hand}", 40, 1_01) for hand in range(HANDS)])
    assert [len(keys) for keys in said] == [40] * HANDS
    lines = oracle.check(khata.pk)
    assert oracle.balance_of(lines) == 1_00 + HANDS * 40 * 1_01
    assert {line.key for line in lines[1:]} == {key for keys in said for key in keys}


def test_the_same_forms_sent_by_four_hands_post_once() -> None:
    khata = make_khata(make_shop())
    said = together(*[("post", khata.pk, "form", 40, 1_00)] * HANDS)
    assert [len(keys) for keys in said] == [40] * HANDS  # every hand was told that it is saved
    assert oracle.balance_of(oracle.check(khata.pk)) == 40 * 1_00


def test_racing_reversals_let_one_hand_win_each() -> None:
    khata = make_khata(make_shop())
    entries = [post(khata, 10_00 + number).entry.pk for number in range(15)]
    said = together(*[("reverse", *entries)] * HANDS)
    assert sorted(int(pk) for hand in said for pk in hand) == entries
    assert oracle.balance_of(oracle.check(khata.pk)) == 0


def test_posts_batches_and_reversals_on_two_khatas_at_once_stay_whole() -> None:
    shop = make_shop()
    first, second = make_khata(shop, "Ramesh"), make_khata(shop, "Suresh")
    entries = [post(khata, 10_00).entry.pk for khata in (first, second) for _ in range(5)]
    together(
        ("post", first.pk, "a", 30, 1_00),
        ("batch", second.pk, first.pk, "b", 30, 1_00),
        ("batch", first.pk, second.pk, "c", 30, 1_00),
        ("reverse", *entries),
    )
    assert oracle.balance_of(oracle.check(first.pk)) == 90 * 1_00
    assert oracle.balance_of(oracle.check(second.pk)) == 60 * 1_00


def test_the_form_of_a_new_khata_sent_by_four_hands_makes_one() -> None:
    shop = make_shop()
    for number in range(3):
        said = together(*[("new_khata", shop.pk, f"form-{number}")] * HANDS)
        assert len({pk for (pk,) in said}) == 1
    assert Party.everything.filter(shop=shop).count() == Khata.everything.filter(shop=shop).count() == 3
    for khata in Khata.everything.filter(shop=shop):
        assert oracle.balance_of(oracle.check(khata.pk)) == 500_00


def test_readers_see_whole_entries_while_others_write() -> None:
    """The balance a reader sees is the sum of the entries it sees, at any instant."""
    khata = make_khata(make_shop())
    said = together(
        ("post", khata.pk, "a", 40, 1_00),
        ("post", khata.pk, "b", 40, 1_00),
        ("watch", khata.pk, 80),
        ("watch", khata.pk, 80),
    )
    assert all(line == "same" for hand in said[2:] for line in hand)
    assert said[2]
    assert Entry.everything.filter(khata=khata).count() == 80
