"""Lines that were cut wrongly, dates that may be two days, files that are none: asked about, never guessed."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine

from ledger.importing import cells
from ledger.importing.apply import Report
from ledger.importing.reading import ImportRefused, open_sheet
from ledger.models import Entry
from shops.models import Shop
from tests.ledger.books import bring

pytestmark = pytest.mark.django_db
Import = Callable[..., Report]


@pytest.fixture(autouse=True)
def _on_one_day() -> Any:
    with time_machine.travel(dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC), tick=False):
        yield


@pytest.fixture
def book(shop: Shop, tmp_path: Path) -> Import:
    """Import a text and say what became of it."""

    def write(text: str, order: str | None = None) -> Report:
        path = tmp_path / "book.csv"
        path.write_text(text)
        return bring(path, shop, order=order)

    return write


def why(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


@pytest.mark.parametrize("row", ["Ram,2026-01-02,1,250,", "Ram,2026-01-02,500,,rice", "Ram,2026-01-02,,,1250"])
def test_a_line_with_more_cells_than_the_header_is_a_problem(shop: Shop, book: Import, row: str) -> None:
    report = book(f"Name,Date,You gave,You got\nSita,2026-01-02,5,\n{row}\n")
    assert why(report) == [
        "line 3: this line has 5 cells and the header 4; put a text or an amount with a comma in quotes"
    ]
    assert not Entry.objects.for_shop(shop).exists()


def test_a_long_sum_line_or_footer_is_still_passed_over(shop: Shop, book: Import) -> None:
    report = book("Name,Balance\nSita,5\nTotal,5,,\n,printed on Monday,by Bilal\n")
    assert (report.problems, len(report.left_out)) == ([], 2)


def test_a_long_line_of_shared_expenses_is_a_problem(book: Import) -> None:
    report = book("Date,Description,Category,Cost,Currency,Asha,Bilal\n2026-01-02,rice, dal,Food,10,INR,5,-5\n")
    assert [problem.line for problem in report.problems] == [2]


@pytest.mark.parametrize("dates", [["24-03-15"], ["24/03/15", "25/07/02"], ["11.12.13"]])
def test_two_digits_in_each_place_are_asked_about(shop: Shop, book: Import, dates: list[str]) -> None:
    text = "Name,Date,You gave\n" + "".join(f"Ram,{day},5\n" for day in dates)
    with pytest.raises(ImportRefused, match="year-month-day.*line 2.*--date-order ymd"):
        book(text)
    assert not Entry.objects.for_shop(shop).exists()


def test_year_first_is_read_when_it_is_said(shop: Shop, book: Import) -> None:
    book("Name,Date,You gave\nRam,24-03-15,5\n", order="ymd")
    assert Entry.objects.for_shop(shop).get().occurred_on == dt.date(2024, 3, 15)


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["24-03-15", "28-03-15"], "dmy"),  # 2028 has not come yet
        (["24-03-15", "24-03-2015"], "dmy"),
        (["24-03-15", "25/3/15"], "dmy"),
        (["03-24-15"], "mdy"),
        (["24-03-99"], "dmy"),
        (["05-03-00", "00-03-15"], None),
        (["04-03-05", "00-03-15"], "ymd"),
        (["04-03-05", "05-03-04", "31-03-04", "03/04/2026"], "dmy"),
    ],
)
def test_one_date_of_the_file_may_say_where_the_year_stands(
    book: Import, dates: list[str], order: str | None
) -> None:
    text = "Name,Date,You gave\n" + "".join(f"Ram,{day},5\n" for day in dates)
    if order is None:
        with pytest.raises(ImportRefused, match="disagree"):
            book(text)
    else:
        assert book(text).plan.order == order


def test_dates_that_no_one_order_fits_are_refused_with_both_lines(book: Import) -> None:
    with pytest.raises(ImportRefused, match="line 3 is month-day, line 2 day-month or year-month-day"):
        book("Name,Date,You gave\nRam,24-03-15,5\nRam,03/25/2026,5\n")


def test_every_way_to_write_a_date_in_digits_has_an_order_that_disagrees_with_no_third() -> None:
    """What ``_disagreement`` rests on: no date is month-day or year first and cannot be day-month."""
    last = dt.date(2036, 12, 31)
    kinds = {
        frozenset(cells.readings(f"{one:02d}-{two:02d}-{three:02d}", last))
        for one in range(40)
        for two in range(1, 32)
        for three in (0, 1, 15, 29, 31, 99)
    }
    assert {"mdy", "ymd"} not in kinds
    assert kinds == {
        frozenset(kind)
        for kind in ((), ("dmy",), ("mdy",), ("ymd",), ("dmy", "mdy"), ("dmy", "ymd"), ("dmy", "mdy", "ymd"))
    }


def test_a_folder_and_a_file_that_cannot_be_opened_are_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImportRefused, match="This is not a file"):
        open_sheet(tmp_path)
    path = tmp_path / "book.csv"
    path.write_text("Name,Balance\nRam,5\n")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImportRefused, match="cannot be read: Permission denied"):
        open_sheet(path)
