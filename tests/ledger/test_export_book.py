"""A book that leaves: the same money in every form, chains that verify, cells that do nothing."""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import subprocess
import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ledger import walk
from ledger.exporting import account_name, export_book, inert
from ledger.models import Khata
from ledger.services import reverse_entry
from shops.models import Shop
from tests.cast import make_khata, make_shop, post
from tests.ledger.books import balances, bring, paise

pytestmark = pytest.mark.django_db
NAMES = (
    "Ramesh", "रमेश कुमार", "=cmd|'/C calc'!A0", "+91 calling", "-minus", "@home", "<script>alert(1)</script>",
    "A:B;C | D E", '"quoted", with comma', "; comment", "(virtual) [account]", "emoji 🛒 shop", "'apostrophe",
)  # fmt: skip
NOTES = ("", "rice", "=1+1", "line ; tag:value", "| payee", "  two  spaces", "2026-01-01 * not a date")


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Parties with names of every kind; sales, payments, a reversal, an advance, an empty khata."""
    day = shop.today() - dt.timedelta(days=40)
    for at, name in enumerate(NAMES):
        khata = make_khata(shop, name, phone="+919812345678" if at == 0 else "", opening_paise=at * 10_00 or -5_00)
        for number, note in enumerate(NOTES):
            direction = "got" if number % 3 == 2 else "gave"
            last = post(khata, (at + 1) * 7_01 + number, direction, note=note, occurred_on=day)
        reverse_entry(shop=shop, entry=last.entry, actor=None)
        post(khata, 12_34, "got", kind="discount")
    make_khata(shop, "Nobody yet")
    return shop


def text(shop: Shop, form: str) -> str:
    return "".join(export_book(shop, form))


def test_hledger_finds_the_same_balances_for_every_kind_of_name(shop: Shop, tmp_path: Path) -> None:
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed")
    journal = tmp_path / "book.journal"
    journal.write_text(text(shop, "hledger"), encoding="utf-8")
    words = [hledger, "-f", str(journal), "--strict", "balance", "receivable", "--flat", "-N", "-E", "-O", "csv"]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode and "undeclared" in done.stderr:
        words.remove("--strict")  # only the receivables are declared
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    found = dict(list(csv.reader(io.StringIO(done.stdout)))[1:])
    assert {name: paise(amount.removeprefix("INR ")) for name, amount in found.items()} == {
        account_name(khata.party.code, khata.party.name): khata.balance_paise
        for khata in Khata.objects.for_shop(shop).filter(entry_count__gt=0).select_related("party")
    }


def test_no_cell_of_the_csv_is_a_formula(shop: Shop) -> None:
    rows = list(csv.DictReader(io.StringIO(text(shop, "csv"))))
    assert len(rows) == len(NAMES) * (1 + len(NOTES) + 2)
    for row in rows:
        for header, cell in row.items():
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
            assert not cell.startswith("-") or header == "Balance after" and float(cell) < 0


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "  =1"])
def test_a_formula_becomes_text(cell: str) -> None:
    assert inert(cell) == f"'{cell}"
    assert inert(f"a{cell}") == f"a{cell}"


def test_the_csv_adds_up_and_can_be_brought_into_another_shop(shop: Shop, tmp_path: Path) -> None:
    content = text(shop, "csv")
    last = {row["Party code"]: row["Balance after"] for row in csv.DictReader(io.StringIO(content))}
    held = Khata.objects.for_shop(shop).filter(entry_count__gt=0).values_list("party__code", "balance_paise")
    assert {code: paise(amount) for code, amount in last.items()} == dict(held)
    path = tmp_path / "book.csv"
    path.write_text(content, encoding="utf-8")
    other = make_shop()
    report = bring(path, other)
    assert report.problems == []
    assert balances(other) == {name: amount for name, amount in balances(shop).items() if name != "Nobody yet"}


def test_the_json_alone_proves_every_chain(shop: Shop) -> None:
    book = json.loads(text(shop, "json"))
    assert book["shop"]["code"] == shop.code
    assert [khata["party"]["name"] for khata in book["khatas"]] == [*NAMES, "Nobody yet"]
    for khata in book["khatas"]:
        head = hashlib.sha256(b"khata/1\n" + uuid.UUID(khata["uid"]).bytes).digest()
        total = 0
        for position, entry in enumerate(khata["entries"], 1):
            assert entry["position"] == position
            head = hashlib.sha256(head + position.to_bytes(8, "big") + body(entry)).digest()
            assert entry["digest"] == head.hex()
            total += entry["amount_paise"] if entry["direction"] == "gave" else -entry["amount_paise"]
        assert (khata["head_digest"], khata["balance_paise"]) == (head.hex(), total)


def body(entry: dict[str, Any]) -> bytes:
    """The canonical bytes of one exported entry, from docs/decisions/0002-hash-chain.md."""
    said = json.dumps(
        [entry["note"], entry["items"], entry["attachments"]],
        ensure_ascii=False, sort_keys=True, separators=(",", ":"),
    )  # fmt: skip
    text_digest = hashlib.sha256(bytes.fromhex(entry["text_salt"]) + said.encode()).hexdigest()
    assert text_digest == entry["text_digest"]
    at = dt.datetime.fromisoformat(entry["created_at"]) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    fields = (
        entry["direction"], entry["amount_paise"], entry["kind"], entry["occurred_on"], entry["due_on"] or "",
        at // dt.timedelta(microseconds=1), entry["source"], entry["reverses_position"] or "", text_digest,
    )  # fmt: skip
    return "\n".join(map(str, fields)).encode()


@pytest.mark.parametrize("form", ["hledger", "csv", "json"])
def test_a_book_read_in_small_pieces_is_the_same_book(
    shop: Shop, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = text(shop, form)
    for name in ("_ENTRIES_PER_READ", "_ENTRIES_TOGETHER", "_KHATAS_PER_READ"):
        monkeypatch.setattr(walk, name, 3)
    assert text(shop, form) == whole


def test_nothing_of_another_shop_is_in_it(shop: Shop) -> None:
    post(make_khata(make_shop(name="Dev Medicals"), "Stranger"), 666_66)
    for form in ("hledger", "csv", "json"):
        assert "Stranger" not in text(shop, form)


def test_the_command_writes_a_whole_file_or_none(shop: Shop, tmp_path: Path) -> None:
    target, err = tmp_path / "book.csv", StringIO()
    call_command("export_book", "--shop", shop.code, "--format", "csv", "--output", str(target), stderr=err)
    assert target.read_bytes().decode() == text(shop, "csv")
    assert list(tmp_path.iterdir()) == [target]
    out = StringIO()
    call_command("export_book", "--shop", shop.code, "--format", "hledger", stdout=out)
    assert out.getvalue() == text(shop, "hledger")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_book", "--shop", shop.code, "--format", "csv", "--output", str(target / "x"))
    with pytest.raises(CommandError, match="There is no shop"):
        call_command("export_book", "--shop", "NOWHERE", "--format", "csv")
