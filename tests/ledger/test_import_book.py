"""What other books look like, what is taken from them, and what is refused with its line named."""

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import limits
from ledger.checks import check_all
from ledger.importing import cells
from ledger.importing.reading import BILLS, ENTRIES, OPENINGS, ImportRefused, open_sheet
from ledger.models import Entry, Khata
from parties.models import Party
from shops.models import AuditEvent, Member, Shop
from tests.cast import make_khata, make_shop, post
from tests.ledger.books import balances, bring, data_file, paise

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(tmp_path: Path) -> Any:
    """Write a file: text (UTF-8) or bytes."""

    def write(content: str | bytes, name: str = "book.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def lines(shop: Shop) -> list[tuple[Any, ...]]:
    rows = Entry.objects.for_shop(shop).order_by("khata__party__name", "position")
    return list(rows.values_list("khata__party__name", "direction", "amount_paise", "kind", "occurred_on", "note"))


DAY = dt.date(2026, 3, 25)
BOOKS = {
    "Khatabook": "Name,Date,Details,You Gave,You Got\nRamesh,25-03-2026,rice,500,\nRamesh,25-03-2026,,,200.50\n",
    "OkCredit": "Customer Name;Transaction Date;Note;Credit;Payment\nRamesh;25 Mar 2026;rice;500;\n"
    "Ramesh;25 Mar 2026;;;200.5\n",
    "OkCredit by type": "Customer Name,Date,Note,Amount,Type\nRamesh,25 Mar 2026,rice,500,Credit\n"
    "Ramesh,25 Mar 2026,,200.5,Payment\n",
    "Hindi": "ग्राहक का नाम,तारीख,विवरण,आपने दिया,आपको मिला\nRamesh,२५/०३/२०२६,rice,५००,\nRamesh,25/3/26,,,२००.५०\n",
    "Tally": "\tLedger of Asha Kirana\n\nDate\tLedger Name\tNarration\tDebit\tCredit\n"
    "25-Mar-2026\tRamesh\trice\t500.00\t\n25-Mar-26\tRamesh\t\t\t200.50\n",
    "amount and type": "Party,Txn Date,Amount,Type,Note\nRamesh,2026-03-25,₹ 500/-,You gave,rice\n"
    "Ramesh,25 Mar 2026 10:15 AM,200.50,You got,\n",
    "signed": "Contact|Date|Amount|DrCr|Notes\nRamesh|20260325|500|Dr|rice\nRamesh|Mar 25, 2026|200.50|Cr.|\n",
    "dr in the cell": "Person,Date,Gave,Got,Memo\nRamesh,2026/03/25,500 Dr,,rice\nRamesh,25.03.2026,-200.50,,\n",
}


@pytest.mark.parametrize("book", BOOKS)
def test_dated_entries_of_many_apps_say_the_same(shop: Shop, sheet: Any, book: str) -> None:
    report = bring(sheet(BOOKS[book]), shop)
    assert report.problems == [] and report.plan.sheet.shape == ENTRIES
    assert lines(shop) == [
        ("Ramesh", "gave", 500_00, "sale", DAY, "rice"),
        ("Ramesh", "got", 200_50, "payment", DAY, ""),
    ]
    assert Entry.objects.for_shop(shop).filter(source="import").count() == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_usual_encoding_keeps_the_names(shop: Shop, sheet: Any, encoding: str) -> None:
    bring(sheet("Name,Balance\nरमेश कुमार,100\nமுருகன்,5\n".encode(encoding)), shop)
    assert balances(shop) == {"रमेश कुमार": 100_00, "முருகன்": 5_00}


def test_an_old_windows_file_is_read_as_such(shop: Shop, sheet: Any) -> None:
    assert bring(sheet("Name,Balance\nCafé Zoë,100\n".encode("cp1252")), shop).plan.sheet.encoding == "cp1252"
    assert balances(shop) == {"Café Zoë": 100_00}


def test_to_pay_is_never_a_due(shop: Shop) -> None:
    expected = json.loads(data_file("imports/expected.json").read_text())[0]["expect"]
    report = bring(data_file("imports/vyapar_to_receive.csv"), shop)
    assert report.plan.sheet.shape == OPENINGS
    assert balances(shop) == {
        name: paise(amount)
        for side in ("customers", "suppliers_or_credit")
        for name, amount in expected[side].items()
    }
    supplier = Khata.objects.for_shop(shop).select_related("party").get(balance_paise__lt=0)
    assert supplier.party.is_supplier and supplier.oldest_due_on is None
    assert Party.objects.for_shop(shop).get(name="Maa Durga Logistics").phone == "+919876543210"


@pytest.mark.parametrize("cell", ["45000", "-45000", "45,000.00", "(45,000)"])
def test_to_pay_is_no_due_whatever_the_sign_beside_it(shop: Shop, sheet: Any, cell: str) -> None:
    bring(sheet(f'Party Name,Opening Balance,To Receive / To Pay\nBalaji,"{cell}",To Pay\n'), shop)
    assert balances(shop) == {"Balaji": -45_000_00}


def test_two_columns_of_dues_take_their_sides(shop: Shop, sheet: Any) -> None:
    bring(sheet("Name,You will get,You will give\nAsha,100,\nBina,,40\nTotal,100,40\nChitra,0,0\n"), shop)
    assert balances(shop) == {"Asha": 100_00, "Bina": -40_00, "Chitra": 0}


def test_shared_expenses_turn_into_who_owes_whom(shop: Shop) -> None:
    # Splitwise writes what the group owes a person; a khata holds what the person owes.
    expected = json.loads(data_file("imports/expected.json").read_text())[1]["expect"]["balances"]
    bring(data_file("imports/splitwise_export.csv"), shop)
    assert balances(shop) == {name: -paise(amount) for name, amount in expected.items()}
    assert sum(balances(shop).values()) == 0


def test_a_bill_register_writes_bills_payments_and_returns(shop: Shop, sheet: Any) -> None:
    report = bring(
        sheet(
            "Bill No,Customer,Bill Date,Due Date,Amount,Settled Date\n"
            "1,Asha,25/03/2026,10/04/2026,100,28/03/2026\n2,Asha,26/03/2026,,50,\nC3,Asha,27/03/2026,,-20,\n"
            "CN-4,Asha,27/03/2026,,-5,\nCHN/5,Asha,27/03/2026,,7,\n6,,27/03/2026,,9,\n7,Asha,27/03/2026,,0,\n"
        ),
        shop,
    )
    assert report.plan.sheet.shape == BILLS
    day = dt.date(2026, 3, 1).replace
    assert [line[1:] for line in lines(shop)] == [
        ("gave", 100_00, "sale", day(day=25), "1"),
        ("gave", 50_00, "sale", day(day=26), "2"),
        ("got", 20_00, "return", day(day=27), "C3"),
        ("got", 5_00, "return", day(day=27), "CN-4"),
        ("gave", 7_00, "sale", day(day=27), "CHN/5"),
        ("got", 100_00, "payment", day(day=28), "1"),
    ]
    assert [str(left) for left in report.left_out] == [
        "line 7: no customer on this line",
        "line 8: a bill of nothing",
    ]
    dues = Entry.objects.for_shop(shop).filter(direction="gave").order_by("position")
    assert [entry.due_on for entry in dues][:2] == [dt.date(2026, 4, 10), dt.date(2026, 4, 25)]


def test_a_bill_paid_in_part_on_a_day_nobody_names_is_refused(shop: Shop, sheet: Any) -> None:
    head = "Invoice No,Customer,Invoice Date,Amount,Amount Paid,Balance Due,Settled Date\n"
    report = bring(sheet(head + "1,Asha,2026-03-01,100,40,60,\n2,Asha,2026-03-01,100,,,\n"), shop)
    assert [problem.line for problem in report.problems] == [2]
    assert not Entry.objects.for_shop(shop).exists()


def test_the_synthetic_indian_register_comes_in_whole(shop: Shop) -> None:
    report = bring(data_file("receivables/indian_synthetic_invoices_1000.csv"), shop)
    assert (report.problems, report.new_entries) == ([], 2000)
    assert set(balances(shop).values()) == {0}
    assert check_all(shop=shop).is_clean


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["03/04/2026", "25/03/2026"], "dmy"),
        (["03/04/2026", "03/25/2026"], "mdy"),
        (["2026-04-03", "2026-03-25"], "dmy"),
        (["03/03/2026", "2026-03-25"], "dmy"),
    ],
)
def test_the_order_of_dates_is_decided_over_the_whole_file(
    shop: Shop, sheet: Any, dates: list[str], order: str
) -> None:
    report = bring(sheet("Name,Date,Gave\n" + "".join(f"Asha,{day},1\n" for day in dates)), shop)
    assert (report.plan.order, report.problems) == (order, [])


def test_ambiguous_dates_are_asked_about_and_never_guessed(shop: Shop, sheet: Any) -> None:
    path = sheet("Name,Date,Gave\nAsha,03/04/2026,1\nAsha,05/06/2026,1\n")
    with pytest.raises(ImportRefused, match="line 2.*--date-order"):
        bring(path, shop)
    assert bring(path, shop, order="mdy").problems == []
    assert [line[4] for line in lines(shop)] == [dt.date(2026, 3, 4), dt.date(2026, 5, 6)]


def test_credit_alone_may_mean_either_and_is_asked_about(shop: Shop, sheet: Any) -> None:
    with pytest.raises(ImportRefused, match="line 2.*gave or what you got"):
        bring(sheet("Name,Date,Amount,Type\nAsha,2026-03-01,5,Credit\n"), shop)
    bring(sheet("Name,Date,Amount,Type\nAsha,2026-03-01,5,Credit\nAsha,2026-03-01,9,Debit\n"), shop)
    assert balances(shop) == {"Asha": 4_00}


def test_dates_of_both_orders_in_one_file_are_refused_with_both_lines(shop: Shop, sheet: Any) -> None:
    with pytest.raises(ImportRefused, match="line 3 is day-month, line 2 month-day"):
        bring(sheet("Name,Date,Gave\nAsha,03/25/2026,1\nAsha,25/03/2026,1\n"), shop)


BAD_LINES = {
    "Asha,2026-03-01,1O0,": "not an amount",
    "Asha,2026-03-01,=1+1,": "not an amount",
    "Asha,2026-03-01,1e5,": "not an amount",
    "Asha,2026-03-01,10.005,": "not an amount",
    'Asha,2026-03-01,"12,50",': "commas",
    "Asha,2026-03-01,99999999999,": "not an amount",
    "Asha,31/02/2026,5,": "not a date",
    "Asha,yesterday,5,": "not a date",
    "Asha,,5,": "no date",
    "Asha,2999-01-01,5,": "future",
    "Asha,1899-12-31,5,": "too old",
    f"{'x' * 121},2026-03-01,5,": "longer than",
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_one_bad_line_is_named_and_nothing_at_all_is_written(shop: Shop, sheet: Any, line: str) -> None:
    report = bring(sheet(f"Name,Date,Gave,Got\nAsha,2026-03-01,7,\n{line}\nBina,2026-03-01,8,\n"), shop)
    assert [problem.line for problem in report.problems] == [3]
    assert BAD_LINES[line] in report.problems[0].reason
    assert not Party.objects.for_shop(shop).exists() and not Entry.objects.for_shop(shop).exists()


REFUSED = {
    "empty": (b"", "empty"),
    "Excel": (b"PK\x03\x04rest", "Excel"),
    "old Excel": (b"\xd0\xcf\x11\xe0rest", "Excel"),
    "PDF": (b"%PDF-1.7", "PDF"),
    "binary": (b"Name,Balance\nA\0sha,1\n", "not a text file"),
    "no header": (b"Asha,100\nBina,200\n", "No header"),
    "no name": (b"Date,Gave\n2026-01-01,5\n", "names the customer"),
    "no direction": (b"Name,Date,Amount\nAsha,2026-01-01,5\n", "which way"),
    "two names": (b"Name,Customer,Balance\nAsha,Bina,5\n", "mean the same"),
    "endless line": (b"Name,Balance\n" + b"x" * 300_000, "too long"),
    "endless quote": (b'Name,Balance\n"' + b"x\n" * 150_000, "readable CSV"),
    "many columns": (b"Name,Balance" + b",x" * 300 + b"\n", "columns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_book_is_refused_in_one_sentence(shop: Shop, sheet: Any, case: str) -> None:
    content, said = REFUSED[case]
    with pytest.raises(ImportRefused, match=said):
        bring(sheet(content), shop)


def test_too_many_bytes_or_rows_are_refused(shop: Shop, sheet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sheet("Name,Balance\n" + "Asha,1\n" * 20)
    monkeypatch.setattr("ledger.importing.reading.MAX_IMPORT_ROWS", 19)
    with pytest.raises(ImportRefused, match="more than 19 rows"):
        bring(path, shop)
    monkeypatch.setattr("ledger.importing.reading.MAX_IMPORT_BYTES", 50)
    with pytest.raises(ImportRefused, match="larger than"):
        bring(path, shop)
    with pytest.raises(ImportRefused, match="cannot be read"):
        open_sheet(path.with_name("nowhere.csv"))
    assert limits.MAX_IMPORT_ROWS > 100_000


def test_hostile_cells_stay_plain_text(shop: Shop, sheet: Any) -> None:
    evil = '=cmd|"/C calc"!A0'
    rows = [("<script>alert(1)</script>", "{{ 7*7 }}"), (evil, "@SUM(A1)"), ("A\x00\x07B\u2028C", "x\r\ny")]
    quoted = "".join(
        "{},2026-03-01,5,{}\n".format(*('"' + cell.replace('"', '""') + '"' for cell in row)) for row in rows
    )
    report = bring(sheet(("Name,Date,Gave,Note\n" + quoted.replace("\x00", "")).encode()), shop)
    assert report.problems == []
    assert {(line[0], line[5]) for line in lines(shop)} == {
        ("<script>alert(1)</script>", "{{ 7*7 }}"),
        (evil, "@SUM(A1)"),
        ("A B C", "x y"),
    }


def test_a_party_that_the_shop_has_is_used_and_two_that_fit_are_asked_about(shop: Shop, sheet: Any) -> None:
    post(make_khata(shop, "Ramesh", phone="+919812345678"), 10_00)
    path = sheet("Name,Date,Gave\nramesh,2026-03-01,5\n")
    assert bring(path, shop).known_parties == 1
    assert balances(shop) == {"Ramesh": 15_00}
    make_khata(shop, "Suresh")
    make_khata(shop, "Suresh")
    report = bring(sheet("Name,Date,Gave\nSuresh,2026-03-01,5\n", "two.csv"), shop)
    assert [problem.line for problem in report.problems] == [2]
    Party.objects.for_shop(shop).filter(name="Ramesh").update(name="Ramesh Kumar", roman="ramesh kumar")
    assert bring(path, shop).new_entries == 0  # known by its lines, though the name is another now
    assert len(balances(shop)) == 2 and Khata.objects.for_shop(shop).count() == 3


def test_another_phone_is_another_person(shop: Shop, sheet: Any) -> None:
    make_khata(shop, "Ramesh", phone="+919812345678")
    bring(sheet("Name,Mobile No,Date,Gave\nRamesh,98765 43210,2026-03-01,5\nRamesh,,2026-03-02,6\n"), shop)
    found = Khata.objects.for_shop(shop).values_list("party__phone", "balance_paise")
    assert dict(found) == {"+919812345678": 0, "+919876543210": 11_00}


def test_a_bare_name_that_two_people_of_the_file_share_is_a_problem(shop: Shop, sheet: Any) -> None:
    report = bring(
        sheet(
            "Name,Mobile,Date,Gave\nRamesh,9876543210,2026-03-01,5\nRamesh,9812345678,2026-03-01,5\n"
            "Ramesh,,2026-03-02,6\n"
        ),
        shop,
    )
    assert [problem.line for problem in report.problems] == [4]


def test_two_openings_of_one_customer_are_a_problem(shop: Shop, sheet: Any) -> None:
    assert [p.line for p in bring(sheet("Name,Balance\nAsha,5\nAsha,6\n"), shop).problems] == [3]


def test_one_shops_import_is_nothing_to_another(shop: Shop, sheet: Any) -> None:
    path, other = sheet("Name,Date,Gave\nAsha,2026-03-01,5\n"), make_shop()
    assert bring(path, shop).new_entries == bring(path, other).new_entries == 1
    assert balances(shop) == balances(other) == {"Asha": 5_00}


def command(*words: Any, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("import_book", *map(str, words), stdout=out, stderr=err, **options)
    except CommandError as error:
        return out.getvalue(), f"{err.getvalue()}{error}"
    return out.getvalue(), err.getvalue()


def test_the_command_makes_the_shop_once_and_gives_it_its_owner(sheet: Any) -> None:
    path = sheet("Name,Date,Gave,Colour\nAsha,2026-03-01,5,red\n,2026-03-01,6,\n")
    words = (path, "--shop", "NEWSHOP", "--create", "--name", "Dev Medicals", "--owner", "98123 45678")
    out, err = command(*words, "--dry-run")
    assert err == "" and "Would write 1 parties and 1 entries" in out
    assert not Shop.objects.filter(code="NEWSHOP").exists()
    out, err = command(*words)
    assert err == "" and "columns not read: Colour" in out and "left out, line 3" in out
    assert "Wrote 1 parties and 1 entries; already there: 0 parties and 0 entries; left out: 1 lines." in out
    shop = Shop.objects.get(code="NEWSHOP")
    assert Member.everything.get(shop=shop).user.phone == "+919812345678"
    assert "Wrote 0 parties and 0 entries; already there: 1 parties and 1 entries" in command(*words)[0]
    assert AuditEvent.everything.filter(shop=shop, action="book.imported").count() == 1
    assert Member.everything.filter(shop=shop).count() == 1


def test_the_command_says_what_is_wrong(shop: Shop, sheet: Any) -> None:
    path = sheet("Name,Date,Gave\nAsha,2026-03-01,much\n")
    assert "line 2:" in command(path, "--shop", shop.code)[1]
    assert "Nothing was written" in command(path, "--shop", shop.code)[1]
    assert "There is no shop NOWHERE" in command(path, "--shop", "NOWHERE")[1]
    assert "at most 12" in command(path, "--shop", "no/good", "--create")[1]
    assert "not a phone" in command(path, "--shop", "NEW", "--create", "--owner", "12")[1]
    assert "No header" in command(sheet("x\n", "x.csv"), "--shop", shop.code)[1]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("", 0), ("-", 0), ("0.00", 0), ("₹ 1,00,000.50", 100_000_50), ("Rs. 500/-", 500_00), ("(20)", -20_00),
     ("20-", -20_00), ("−5", -5_00), ("1,250 Cr", -1_250_00), ("1,250.00 (Dr)", 1_250_00), ("-5 Cr", 5_00),
     ("१,००,०००", 100_000_00), ("1,234,567", 1_234_567_00), ("'-5", -5_00)],
)  # fmt: skip
def test_amounts_are_read_exactly(cell: str, expected: int) -> None:
    assert cells.signed_paise(cell) == expected
