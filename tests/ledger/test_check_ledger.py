"""Every kind of damage is found and named; what is whole raises no alarm, also while others post."""

import datetime as dt
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from ledger import walk
from ledger.checks import check_all
from ledger.models import Entry, Khata, LedgerCheck
from ledger.services import reverse_entry
from shops.models import Shop
from tests.cast import make_khata, make_shop, post
from tests.processes import go, start


def tamper(sql: str, **values: Any) -> None:
    """Change the book behind its back, as someone with the database's password could."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_unlock VALUES ('test')")
        cursor.execute(sql, values)
        cursor.execute("DELETE FROM ledger_unlock")


def make_book(shop: Shop) -> tuple[Khata, dict[int, int]]:
    """A khata with a sale, a payment, a reversed sale, and notes; and entry ids by position."""
    khata, today = make_khata(shop, "Ramesh"), shop.today()
    post(khata, 500_00, note="rice", occurred_on=today - dt.timedelta(days=9))
    post(khata, 200_00, "got", occurred_on=today - dt.timedelta(days=3))
    wrong = post(khata, 70_00).entry
    reverse_entry(shop=shop, entry=wrong, actor=None)
    post(khata, 80_00, note="oil")
    return khata, dict(Entry.everything.filter(khata=khata).values_list("position", "pk"))


def finding() -> str:
    result = check_all()
    assert not result.is_clean
    saved = LedgerCheck.objects.latest("pk")
    assert (saved.finding, saved.finished_at) == (result.finding, result.finished_at)
    return result.finding


ENTRY = "UPDATE ledger_entry SET {} WHERE khata_id = %(khata)s AND position = %(at)s"
KHATA = "UPDATE ledger_khata SET {} WHERE id = %(khata)s"
DAMAGES = {
    "an amount": (ENTRY.format("amount_paise = amount_paise + 1"), 1, "position 1: the digest differs"),
    "a direction": (ENTRY.format("direction = 'got'"), 5, "position 5: the digest differs"),
    "a kind": (ENTRY.format("kind = 'fee'"), 5, "position 5: the digest differs"),
    "a business date": (ENTRY.format("occurred_on = '2020-01-01'"), 2, "position 2: the digest differs"),
    "a due date": (ENTRY.format("due_on = '2020-01-01'"), 5, "position 5: the digest differs"),
    "a source": (ENTRY.format("source = 'voice'"), 1, "position 1: the digest differs"),
    "a recording time": (ENTRY.format("created_at = '2020-01-01'"), 1, "position 1: the digest differs"),
    "a digest": (ENTRY.format("digest = text_digest"), 2, "position 2: the digest differs"),
    "a text digest": (ENTRY.format("text_digest = digest"), 2, "position 2: its note or items were changed"),
    "a note": (ENTRY.format("note = 'sugar'"), 1, "position 1: its note or items were changed"),
    "a note gone, its salt kept": (ENTRY.format("note = ''"), 1, "position 1: its note or items were changed"),
    "an item added": (ENTRY.format("items = '[1]'"), 2, "position 2: its note or items were changed"),
    "a position": (ENTRY.format("position = 9"), 3, "position 3 is missing"),
    "the last entry gone": (
        "DELETE FROM ledger_entry WHERE khata_id = %(khata)s AND position = %(at)s", 5, "5 entries, there are 4",
    ),
    "an entry gone": (
        "DELETE FROM ledger_entry WHERE khata_id = %(khata)s AND position = %(at)s", 2, "position 2 is missing",
    ),
    "a reversal forgotten": (ENTRY.format("reverses_id = NULL"), 4, "position 4: the digest differs"),
    "a reversal of something else": (ENTRY.format("reverses_id = %(first)s"), 4, "but does not cancel it"),
    "a reversal of itself": (ENTRY.format("reverses_id = id"), 4, "which cannot be reversed"),
    "a reversal in another khata": (ENTRY.format("reverses_id = %(foreign)s"), 4, "an entry of another khata"),
    "an entry of another shop": (ENTRY.format("shop_id = %(other_shop)s"), 2, "belongs to another shop"),
    "a balance": (KHATA.format("balance_paise = balance_paise - 1"), 0, "paise, its entries add up to"),
    "a count": (KHATA.format("entry_count = entry_count - 1"), 0, "after position 4, which it does not count"),
    "a count too large": (KHATA.format("entry_count = entry_count + 1"), 0, "counts 6 entries, there are 5"),
    "a head": (KHATA.format("head_digest = %(blob)s"), 0, "head digest differs"),
    "a genesis": (KHATA.format("uid = %(uid)s"), 0, "position 1: the digest differs"),
    "a latest day": (KHATA.format("latest_on = '2020-01-01'"), 0, "its latest day is 2020-01-01"),
    "an oldest due day": (KHATA.format("oldest_due_on = NULL"), 0, "its oldest due day is None"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_named(shop: Shop, damage: str) -> None:
    khata, ids = make_book(shop)
    other = make_shop()
    foreign = post(make_khata(shop, "Suresh"), 70_00).entry
    assert check_all().is_clean
    sql, at, said = DAMAGES[damage]
    uid = "0" * 32
    tamper(
        sql, khata=khata.pk, at=at, first=ids[1], foreign=foreign.pk, other_shop=other.pk, blob=b"x" * 32, uid=uid
    )
    found = finding()
    assert said in found
    assert found.startswith(f"khata {khata.party.code} of shop {shop.code}: ")
    assert check_all(shop=other).is_clean


@pytest.mark.django_db
def test_a_lock_that_stands_open_is_told_beside_what_was_done_meanwhile(shop: Shop) -> None:
    khata, _ids = make_book(shop)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_unlock VALUES ('mending, back soon')")
        said = "ledger_unlock holds “mending, back soon”"
        assert said in finding()
        assert said in check_all(shop=make_shop()).finding
        cursor.execute(KHATA.format("balance_paise = 0"), {"khata": khata.pk})
        assert said in (found := finding())
        assert "its balance is 0 paise" in found
        cursor.execute("DELETE FROM ledger_unlock")


@pytest.mark.django_db
def test_a_khata_too_large_for_one_read_is_paged_and_found_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "_ENTRIES_PER_READ", 2)
    monkeypatch.setattr(walk, "_ENTRIES_TOGETHER", 3)
    monkeypatch.setattr(walk, "_KHATAS_PER_READ", 2)
    khata, _ids = make_book(shop)
    for number in range(4):
        post(make_khata(shop, f"Small {number}"))
    result = check_all()
    assert (result.is_clean, result.khatas, result.entries) == (True, 5, 9)
    tamper(ENTRY.format("amount_paise = 1"), khata=khata.pk, at=5)
    assert "position 5: the digest differs" in finding()
    tamper(KHATA.format("entry_count = 1"), khata=khata.pk)  # now it looks small, and is read with others
    assert "after position 1, which it does not count" in finding()


@pytest.mark.django_db
def test_erased_text_is_no_damage(shop: Shop) -> None:
    khata, _ids = make_book(shop)
    Entry.everything.filter(khata=khata).update(note="", items=[], attachments=[], text_salt=b"")
    assert check_all().is_clean


@pytest.mark.django_db
def test_the_command_counts_when_clean_and_fails_naming_the_difference(shop: Shop) -> None:
    khata, _ids = make_book(shop)
    out = StringIO()
    call_command("check_ledger", stdout=out)
    assert re.fullmatch(r"clean: 1 khatas, 5 entries\n", out.getvalue())
    tamper(KHATA.format("balance_paise = 0"), khata=khata.pk)
    with pytest.raises(CommandError, match=f"khata {khata.party.code} .* its balance is 0 paise") as caught:
        call_command("check_ledger", stdout=out)
    assert caught.value.returncode == 1
    call_command("check_ledger", shop=make_shop().code, stdout=out)  # another shop is not to blame
    with pytest.raises(CommandError, match="There is no shop"):
        call_command("check_ledger", shop="NOWHERE", stdout=out)


@pytest.mark.django_db
def test_a_check_of_one_shop_is_not_shown_as_one_of_all(shop: Shop) -> None:
    assert check_all(shop=shop).is_clean
    assert not LedgerCheck.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_false_alarm_while_four_processes_post() -> None:
    shop = make_shop()
    khatas = [make_khata(shop, name) for name in ("Ramesh", "Suresh")]
    running = [start("post", khatas[at % 2].pk, f"p{at}", 100, 1_00) for at in range(4)]
    for process in running:
        go(process)
    looks: list[int] = []
    while any(process.poll() is None for process in running):
        result = check_all()
        assert result.is_clean, result.finding
        looks.append(result.entries)
    assert all(process.communicate()[1] == "" and process.returncode == 0 for process in running)
    assert check_all().entries == 400
    assert looks  # it did look while entries came in


@pytest.mark.django_db
def test_a_khata_that_moves_between_two_reads_is_looked_at_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    khata, _ids = make_book(shop)
    plain: Callable[..., Any] = walk._together
    moves = iter((True,))

    def moving(group: list[Khata]) -> Any:
        if next(moves, False):
            # Someone pays after the khata's row was read: its oldest due day is another now.
            post(khata, 300_00, "got")
        return plain(group)

    monkeypatch.setattr(walk, "_together", moving)
    result = check_all()
    assert result.is_clean, result.finding
    assert result.entries == 6
