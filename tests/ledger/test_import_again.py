"""An import that is killed, sent twice at once, or followed by a newer export of the same book."""

import time
from pathlib import Path

import pytest

from ledger.checks import check_all
from ledger.models import Entry
from shops.models import Shop
from tests.cast import make_shop
from tests.ledger.books import balances, bring, data_file
from tests.processes import go, start, together


def lines(shop: Shop) -> list[tuple[object, ...]]:
    """The whole book of a shop, without what differs between two shops."""
    rows = Entry.objects.for_shop(shop).order_by("khata__party__name", "position")
    said = ("position", "direction", "amount_paise", "kind", "occurred_on", "due_on", "note", "key")
    return list(rows.values_list("khata__party__name", *said))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_import_killed_in_the_middle_and_run_again_equals_a_clean_one() -> None:
    path = data_file("receivables/invoices_asof_2013-05-06.csv")
    torn, clean = make_shop(), make_shop()
    for batches in (1, 7):
        process = start("bring", path, torn.code)
        go(process)
        assert process.stdout is not None
        for _ in range(batches):
            process.stdout.readline()
        time.sleep(0.055)  # past the pause, somewhere inside the next batch
        process.kill()
        process.communicate()
        assert 0 < Entry.objects.for_shop(torn).count() < 3_356
        assert check_all(shop=torn).is_clean
    stored = Entry.objects.for_shop(torn).count()
    assert bring(path, torn).known_entries == stored
    bring(path, clean)
    assert lines(torn) == lines(clean)
    assert check_all().is_clean


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_write_it_once(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    rows = [f"P{number % 40},2026-01-{number % 28 + 1:02d},{number + 1},{number}" for number in range(400)]
    path.write_text("Name,Date,You gave,Note\n" + "\n".join(rows))
    shop = make_shop()
    together(("bring", path, shop.code), ("bring", path, shop.code))
    assert Entry.objects.for_shop(shop).count() == 400
    assert len(balances(shop)) == 40
    assert check_all().is_clean


@pytest.mark.django_db
def test_a_later_export_of_the_same_book_adds_only_what_is_new(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    head = "Customer,Bill No,Bill Date,Due Date,Amount,Settled Date\n"
    path.write_text(head + "Asha,1,2026-01-02,2026-02-01,100,\nBina,2,2026-01-03,,50,2026-01-09\n")
    assert bring(path, shop).new_entries == 3
    path.write_text(
        head + "Bina,2,03/01/2026,,50.00,09/01/2026\nAsha,1,02/01/2026,01/02/2026,₹ 100/-,20/01/2026\n"
        "Asha,3,25/01/2026,,70,\n"
    )
    later = bring(path, shop)
    assert (later.new_entries, later.known_entries, later.new_parties) == (2, 3, 0)
    assert balances(shop) == {"Asha": 70_00, "Bina": 0}


@pytest.mark.django_db
def test_a_later_list_of_dues_is_never_added_on_top(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "dues.csv"
    path.write_text("Name,Balance\nAsha,100\n")
    bring(path, shop)
    path.write_text("Name,Balance\nAsha,180\nBina,5\n")
    report = bring(path, shop)
    assert [problem.line for problem in report.problems] == [2]
    assert balances(shop) == {"Asha": 100_00}


@pytest.mark.django_db
def test_two_equal_lines_are_two_entries_and_stay_two(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("Name,Date,Gave,Got\nAsha,2026-01-02,20,\nAsha,2026-01-02,20,\n")
    assert bring(path, shop).new_entries == 2
    assert bring(path, shop).new_entries == 0
    path.write_text("Name,Date,Gave,Got\n" + "Asha,2026-01-02,20,\n" * 3)
    assert bring(path, shop).new_entries == 1
    assert balances(shop) == {"Asha": 60_00}
