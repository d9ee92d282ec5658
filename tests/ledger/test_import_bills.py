"""Registers of bills, sold and bought: what is a return, what is paid, which bill is known already."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine

from ledger.checks import check_all
from ledger.importing.apply import Report
from ledger.importing.reading import BILLS, ENTRIES, OPENINGS
from ledger.models import Entry, Khata
from ledger.services import reverse_entry
from parties.models import Party
from shops.models import Shop
from tests.ledger.books import balances, bring

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


def lines(shop: Shop) -> list[tuple[Any, ...]]:
    rows = Entry.objects.for_shop(shop).order_by("khata__party__name", "position")
    return list(rows.values_list("khata__party__name", "direction", "amount_paise", "kind", "note"))


def why(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


# --- a return is said by a minus or by a type, never by a number ------------------------------


@pytest.mark.parametrize("number", ["C001", "C/101", "CR-12", "c 7", "CHN/5", "CNX", "CASH-9", "DN-4"])
def test_a_positive_bill_is_a_sale_whatever_its_number(shop: Shop, book: Import, number: str) -> None:
    report = book(f"Customer,Bill No,Bill Date,Amount\nRam,{number},2026-01-05,500\n")
    assert (report.plan.sheet.shape, report.problems) == (BILLS, [])
    assert lines(shop) == [("Ram", "gave", 500_00, "sale", number)]


@pytest.mark.parametrize("number", ["CN-4", "CN4", "crn/12", "CN #7"])
def test_a_positive_number_of_a_credit_note_is_asked_about(shop: Shop, book: Import, number: str) -> None:
    report = book(f"Customer,Bill No,Bill Date,Amount\nRam,{number},2026-01-05,500\n")
    assert f"line 2: “{number}” may be a bill or a return" in why(report)[0]
    assert not Entry.objects.for_shop(shop).exists()


def test_a_minus_or_a_type_says_which_it_is(shop: Shop, book: Import) -> None:
    book(
        "Customer,Bill No,Bill Date,Amount,Settled Date,Type\nRam,CN-1,2026-01-05,-500,,\n"
        "Ram,CN-2,2026-01-06,20,,Credit Note\nRam,CN-3,2026-01-07,30,,Invoice\nRam,B4,2026-01-08,-4,,Invoice\n"
    )
    assert [line[1:4] for line in lines(shop)] == [
        ("got", 500_00, "return"),
        ("got", 20_00, "return"),
        ("gave", 30_00, "sale"),
        ("got", 4_00, "return"),
    ]


@pytest.mark.parametrize("rest", ["2026-01-09,", ",Paid", ",Partial"])
def test_a_return_that_is_settled_too_is_not_guessed_at(shop: Shop, book: Import, rest: str) -> None:
    report = book(f"Customer,Bill No,Bill Date,Amount,Settled Date,Status\nRam,7,2026-01-05,-500,{rest}\n")
    assert "line 2: this return is settled too" in why(report)[0]
    assert not Entry.objects.for_shop(shop).exists()


# --- a status column -------------------------------------------------------------------------

REGISTER = "Customer,Bill No,Bill Date,Amount,Payment Status\n"


@pytest.mark.parametrize("word", ["Unpaid", "OPEN", "Pending", "over due", "बाकी", "बकाया", "अवैतनिक", ""])
def test_an_unpaid_bill_is_open(shop: Shop, book: Import, word: str) -> None:
    assert why(book(REGISTER + f"Ram,1,2026-01-05,500,{word}\n")) == []
    assert balances(shop) == {"Ram": 500_00}


@pytest.mark.parametrize("word", ["Paid", "fully paid", "Settled", "चुकता", "भुगतान हुआ", "जमा"])
@pytest.mark.parametrize("head", [REGISTER, REGISTER.replace("Payment Status", "स्थिति")])
def test_a_paid_bill_without_its_day_is_named_and_is_no_open_due(
    shop: Shop, book: Import, head: str, word: str
) -> None:
    report = book(head + f"Ram,1,2026-01-05,500,{word}\nRam,2,2026-01-05,300,Unpaid\n")
    assert why(report) == [
        "line 2: this bill is paid in part or on a day the file does not say; bring such payments as dated entries"
    ]
    assert not Entry.objects.for_shop(shop).exists()


@pytest.mark.parametrize("word", ["Partial", "Partly Paid", "आंशिक"])
@pytest.mark.parametrize("settled", ["", "2026-01-09"])
def test_a_bill_paid_in_part_is_named(shop: Shop, book: Import, word: str, settled: str) -> None:
    head = "Customer,Bill No,Bill Date,Amount,Status,Settled Date\n"
    assert "paid in part" in why(book(head + f"Ram,1,2026-01-05,500,{word},{settled}\n"))[0]
    assert not Entry.objects.for_shop(shop).exists()


def test_a_status_beside_a_day_of_payment_must_agree_with_it(shop: Shop, book: Import) -> None:
    head = "Customer,Bill No,Bill Date,Amount,Status,Settled Date\n"
    report = book(head + "Ram,1,2026-01-05,500,Unpaid,2026-01-09\n")
    assert why(report) == ["line 2: this bill is called unpaid and has the day of its payment"]
    book(head + "Ram,1,2026-01-05,500,Paid,2026-01-09\nRam,2,2026-01-05,70,0,2026-01-09\n")
    assert balances(shop) == {"Ram": 0}  # a code that nobody knows says nothing beside a date that does
    assert Entry.objects.for_shop(shop).count() == 4


def test_a_status_that_is_not_known_is_a_problem_and_a_cancelled_bill_is_left_out(
    shop: Shop, book: Import
) -> None:
    report = book(REGISTER + "Ram,1,2026-01-05,500,Draft\nRam,2,2026-01-05,300,रद्द\n")
    assert why(report) == ["line 2: “Draft” does not say whether this bill is paid"]
    assert [str(left) for left in report.left_out] == ["line 3: a cancelled bill"]


def test_paid_sales_among_dated_entries_are_no_open_dues_either(shop: Shop, book: Import) -> None:
    head = "Name,Date,Amount,Type,Status\n"
    report = book(
        head + "Ram,2026-01-05,500,Sale,Paid\nRam,2026-01-06,200,Payment,Paid\nRam,2026-01-07,5,Sale,Ok\n"
    )
    assert [problem.line for problem in report.problems] == [2]
    assert why(book(head + "Ram,2026-01-06,200,Payment,Paid\nRam,2026-01-07,5,Sale,Ok\n")) == []
    assert balances(shop) == {"Ram": -195_00}


@pytest.mark.parametrize(
    ("head", "row", "is_taken"),
    [
        ("Name,Amount,Status", "Ram,500,Paid", False),
        ("Name,Amount,Status", "Ram,500,Partial", False),
        ("Name,Amount,Status", "Ram,500,Unpaid", True),
        ("Name,Amount Due,Status", "Ram,500,Paid", False),
        ("Name,Amount Due,Status", "Ram,500,Partial", True),
        ("Name,Amount Due,Status", "Ram,500,Active", True),
    ],
)
def test_dues_that_are_called_paid_are_named(
    shop: Shop, book: Import, head: str, row: str, is_taken: bool
) -> None:
    report = book(f"{head}\n{row}\n")
    assert report.plan.sheet.shape == OPENINGS
    assert (report.problems == []) is is_taken
    assert balances(shop) == ({"Ram": 500_00} if is_taken else {})


# --- bought, not sold ------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Supplier", "Supplier Name", "VENDOR", "Vendor Name", "सप्लायर", "Vendor ID"])
def test_a_purchase_register_is_owed_to_suppliers(shop: Shop, book: Import, header: str) -> None:
    report = book(
        f"{header},Bill No,Bill Date,Due Date,Amount,Settled Date\nMandi,1,2026-01-02,2026-02-02,500,2026-01-09\n"
        "Mandi,2,2026-01-03,,70,\nMandi,3,2026-01-04,,-20,\n"
    )
    assert (report.plan.sheet.shape, report.problems) == (BILLS, [])
    assert [line[1:] for line in lines(shop)] == [
        ("got", 500_00, "purchase", "1"),
        ("got", 70_00, "purchase", "2"),
        ("gave", 20_00, "return", "3"),
        ("gave", 500_00, "payment", "1"),
    ]
    assert balances(shop) == {"Mandi": -50_00}
    assert Party.objects.for_shop(shop).get().is_supplier
    assert Khata.objects.for_shop(shop).get().oldest_due_on is None
    assert check_all(shop=shop).is_clean


def test_a_customer_register_stays_one(shop: Shop, book: Import) -> None:
    book("Customer/Supplier,Bill No,Bill Date,Amount\nRam,1,2026-01-02,500\n")
    assert balances(shop) == {"Ram": 500_00}
    assert not Party.objects.for_shop(shop).get().is_supplier


def test_types_in_a_register_of_suppliers_say_sales_and_returns(shop: Shop, book: Import) -> None:
    book(
        "Supplier,Bill No,Bill Date,Amount,Settled Date,Type\nMandi,1,2026-01-02,500,,Invoice\n"
        "Mandi,2,2026-01-03,70,,Sale\nMandi,DN-3,2026-01-04,20,,Debit Note\nMandi,4,2026-01-05,5,,Purchase\n"
    )
    assert [line[1:4] for line in lines(shop)] == [
        ("got", 500_00, "purchase"),
        ("gave", 70_00, "sale"),
        ("gave", 20_00, "return"),
        ("got", 5_00, "purchase"),
    ]


def test_a_purchase_by_its_type_is_one_under_any_header(shop: Shop, book: Import) -> None:
    book(
        "Party,Bill No,Bill Date,Amount,Settled Date,Type\n"
        "Mandi,1,2026-01-02,500,,Purchase\nMandi,2,2026-01-03,7,,Bill\n"
    )
    assert [line[1:4] for line in lines(shop)] == [("got", 500_00, "purchase"), ("gave", 7_00, "sale")]


@pytest.mark.parametrize("number", ["DN-4", "CN-4"])
def test_a_positive_number_of_a_debit_note_from_a_supplier_is_asked_about(book: Import, number: str) -> None:
    report = book(f"Supplier,Bill No,Bill Date,Amount\nMandi,{number},2026-01-05,500\n")
    assert "may be a bill or a return" in why(report)[0]


def test_dated_entries_of_suppliers_are_purchases_and_payments(shop: Shop, book: Import) -> None:
    report = book("Vendor,Date,Debit,Credit\nMandi,2026-01-02,,500\nMandi,2026-01-03,200,\n")
    assert (report.plan.sheet.shape, report.problems) == (ENTRIES, [])
    assert [line[1:4] for line in lines(shop)] == [("got", 500_00, "purchase"), ("gave", 200_00, "payment")]


def test_type_words_of_suppliers_are_said_from_their_side(shop: Shop, book: Import) -> None:
    words = ("Bill", "Purchase", "Credit", "Payment", "Purchase Return", "Debit Note", "Advance", "Sale")
    rows = [f"Mandi,2026-01-{day:02d},{day},{word}" for day, word in enumerate(words, 1)]
    report = book(
        "\n".join(["Vendor,Date,Amount,Type", *rows, "Mandi,2026-01-20,-9,Purchase", "Mandi,2026-01-21,-8,Sale"])
    )
    assert report.problems == []
    assert [line[1:4] for line in lines(shop)] == [
        ("got", 1_00, "purchase"),
        ("got", 2_00, "purchase"),
        ("got", 3_00, "purchase"),
        ("gave", 4_00, "payment"),
        ("gave", 5_00, "return"),
        ("gave", 6_00, "return"),
        ("gave", 7_00, "payment"),
        ("gave", 8_00, "sale"),
        ("gave", 9_00, "return"),
        ("got", 8_00, "return"),
    ]


def test_credit_beside_payment_is_what_a_supplier_gave(shop: Shop, book: Import) -> None:
    book("Supplier Name,Date,Credit,Payment\nMandi,2026-01-02,500,\nMandi,2026-01-03,,200\n")
    assert balances(shop) == {"Mandi": -300_00}


def test_a_balance_of_a_supplier_without_a_side_is_asked_about(shop: Shop, book: Import) -> None:
    report = book("Supplier,Balance\nMandi,500\nGupta,500 Cr\nSharma,0\n")
    assert [problem.line for problem in report.problems] == [2]
    assert "who owes whom" in why(report)[0]
    book("Supplier,Balance\nGupta,500 Cr\nSharma,0\nVerma,20 Dr\n")
    book("Vendor,Balance,Type\nMandi,70,To Pay\n")
    book("Vendor,Payable\nLal,80\n")
    assert balances(shop) == {"Gupta": -500_00, "Sharma": 0, "Verma": 20_00, "Mandi": -70_00, "Lal": -80_00}


# --- the same bill again ---------------------------------------------------------------------

DUES = "Customer,Bill No,Bill Date,Due Date,Amount,Settled Date\n"


@pytest.mark.parametrize(
    "row",
    [
        "Hari,B1,2026-01-05,2026-03-05,500,",
        "Hari,B1,2026-01-05,2026-02-05,550,",
        "Hari,b1,2026-01-06,2026-02-05,500,",
    ],
    ids=["another due date", "another amount", "another date"],
)
def test_the_same_bill_with_other_content_is_named_and_not_posted_again(
    shop: Shop, book: Import, row: str
) -> None:
    book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,\n")
    report = book(DUES + f"{row}\nHari,B2,2026-01-05,2026-02-05,70,\n")
    assert [problem.line for problem in report.problems] == [2]
    assert "this bill is in the book" in why(report)[0]
    assert balances(shop) == {"Hari": 500_00}


def test_a_bill_that_was_settled_since_gets_its_payment_once(shop: Shop, book: Import) -> None:
    book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,\n")
    for _again in range(2):
        assert why(book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,2026-02-01\n")) == []
    assert balances(shop) == {"Hari": 0}
    assert Entry.objects.for_shop(shop).count() == 2
    report = book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,2026-02-02\n")
    assert [problem.line for problem in report.problems] == [2]


def test_a_bill_whose_due_date_the_file_leaves_out_is_the_one_it_was(shop: Shop, book: Import) -> None:
    book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,\n")
    assert (r := book(DUES + "Hari,B1,2026-01-05,,500,\n")).known_entries == 1
    assert r.problems == []


def test_a_bill_that_was_corrected_in_the_khata_is_not_brought_in_again(shop: Shop, book: Import) -> None:
    book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,\n")
    reverse_entry(shop=shop, entry=Entry.objects.for_shop(shop).get(), actor=None)
    assert book(DUES + "Hari,B1,2026-01-05,2026-02-05,500,\n").new_entries == 0
    assert balances(shop) == {"Hari": 0}


def test_numbers_begin_anew_with_the_financial_year_and_with_each_customer(shop: Shop, book: Import) -> None:
    rows = ["Hari,1,2025-03-31,,1,", "Hari,1,2025-04-01,,20,", "Gita,1,2025-04-01,,300,"]
    for row in rows:  # a file for each year
        assert book(DUES + row + "\n").new_entries == 1
    assert book(DUES + "\n".join(rows)).new_entries == 0
    assert balances(shop) == {"Hari": 21_00, "Gita": 300_00}


def test_two_lines_of_one_bill_are_two_entries_and_stay_two(shop: Shop, book: Import) -> None:
    rows = "Hari,1,2026-01-05,,10,\nHari,1,2026-01-05,,20,\n"
    assert book(DUES + rows).new_entries == 2
    assert book(DUES + rows).new_entries == 0
    assert balances(shop) == {"Hari": 30_00}


def test_bills_without_a_number_are_known_by_what_they_say(shop: Shop, book: Import) -> None:
    rows = "Hari,,2026-01-05,,10,\nHari,cash,2026-01-06,,20,\nHari,cash,2026-01-07,,20,\n"
    assert book(DUES + rows).new_entries == 3
    assert book(DUES + "Hari,cash,2026-01-07,,20,\nHari,cash,2026-01-08,,9,\n").new_entries == 1


def test_a_numbered_bill_among_dated_entries_is_not_doubled_by_a_new_due_date(shop: Shop, book: Import) -> None:
    head = "Name,Date,Bill No,Due Date,You gave,You got\n"
    book(head + "Hari,2026-01-05,7,2026-02-05,500,\nHari,2026-01-06,7,,,200\nHari,2026-01-06,7,,30,\n")
    assert balances(shop) == {"Hari": 330_00}  # tokens that count anew each morning
    report = book(head + "Hari,2026-01-05,7,2026-03-05,500,\n")
    assert [problem.line for problem in report.problems] == [2]
    vouchers = "Name,Date,Vch No,You gave,You got\nGita,2026-01-05,7,{},\n"
    for amount in (10, 20):
        assert book(vouchers.format(amount)).new_entries == 1


# --- dues with their day ---------------------------------------------------------------------


def test_an_opening_keeps_the_day_it_was_due(shop: Shop, book: Import) -> None:
    rows = "Name,Due Date,Amount Due\nRam,2026-01-05,500\nShyam,2027-05-06,700\nGita,,90\n"
    report = book(rows)
    assert (report.plan.sheet.shape, report.problems) == (OPENINGS, [])
    found = dict(Khata.objects.for_shop(shop).values_list("party__name", "oldest_due_on"))
    usual = dt.date(2026, 12, 20)  # 30 days from the import
    assert found == {"Ram": dt.date(2026, 1, 5), "Shyam": dt.date(2027, 5, 6), "Gita": usual}
    assert book(rows).new_entries == 0
    assert check_all(shop=shop).is_clean
    assert [problem.line for problem in book(rows.replace("2026-01-05", "2026-01-06")).problems] == [2]


@pytest.mark.parametrize("due", ["1989-12-31", "2036-11-28", "9999-12-31"])
def test_an_opening_due_in_another_age_is_a_problem(shop: Shop, book: Import, due: str) -> None:
    report = book(f"Name,Due Date,Amount Due\nRam,{due},500\n")
    assert why(report) == [f"line 2: the due date {due} is too old or too far ahead"]
    assert not Entry.objects.for_shop(shop).exists()


def test_what_we_owe_has_no_due_date(shop: Shop, book: Import) -> None:
    book("Name,Due Date,Amount Due\nRam,2026-01-05,-500\n")
    assert Entry.objects.for_shop(shop).get().due_on is None
