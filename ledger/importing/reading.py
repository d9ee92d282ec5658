"""A file becomes rows with line numbers: its encoding, delimiter, header and shape are found here."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.limits import MAX_IMPORT_BYTES, MAX_IMPORT_ROWS
from ledger.importing import words

ENTRIES, OPENINGS, BILLS, SHARES = "dated entries", "opening dues", "bill register", "shared expenses"
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_WITHIN = 30  # exports put the shop's name, a period and a total above their header
_MAX_COLUMNS = 200
_MAY_REPEAT = {"note", "number"}
_SPLITWISE = ["date", "description", "category", "cost", "currency"]
_MAX_LINE_CHARS = 200_000


class ImportRefused(ValueError):
    """The file as a whole cannot be taken, and nothing was written. The message is for people."""


@dataclass(frozen=True)
class Sheet:
    """What is known of a file before its rows are read."""

    path: Path
    encoding: str
    delimiter: str
    header_line: int
    headers: list[str]
    shape: str
    columns: dict[str, int]  # role → column
    people: dict[int, str] = field(default_factory=dict)  # of shared expenses: column → name

    @property
    def ignored(self) -> list[str]:
        """Headers of columns that the import does not read."""
        used = {*self.columns.values(), *self.people}
        return [name for at, name in enumerate(self.headers) if name and at not in used]

    @property
    def is_of_suppliers(self) -> bool:
        """Whether the header says that the parties sell to the shop: what they billed is owed to them."""
        named = (self.columns[role] for role in ("party", "party_id") if role in self.columns)
        return not self.people and any(words.heads_suppliers(self.headers[at]) for at in named)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands in the file (the line of its last character, as editors count)."""

    line: int
    cells: list[str]

    def get(self, column: int | None) -> str:
        """The text of a column; empty where the row is shorter or there is no such column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


def open_sheet(path: Path) -> Sheet:
    """Look at the file and decide how to read it. Raises ImportRefused with the reason."""
    with _readable():
        size = path.stat().st_size
        if not path.is_file():
            raise ImportRefused("This is not a file. Name the CSV file itself.")
    if size > MAX_IMPORT_BYTES:
        raise ImportRefused(f"The file is larger than {MAX_IMPORT_BYTES // 1024 // 1024} MB. Split it.")
    encoding = _encoding(path)
    best: tuple[int, int, str, list[str]] = (0, 0, ",", [])
    for delimiter in _DELIMITERS:
        for row in _first_rows(path, encoding, delimiter):
            headers = [cell.strip() for cell in row.cells]
            score = len({role for name in headers if (role := words.role_of(name))})
            if score > best[0]:
                best = (score, row.line, delimiter, headers)
    score, line, delimiter, headers = best
    if score < 2:
        raise ImportRefused(
            "No header was found. The file needs a line that names its columns, "
            "such as: Name, Date, You gave, You got."
        )
    if len(headers) > _MAX_COLUMNS:
        raise ImportRefused(f"The file has more than {_MAX_COLUMNS} columns.")
    shape, columns, people = _shape(headers)
    return Sheet(path, encoding, delimiter, line, headers, shape, columns, people)


def rows_of(sheet: Sheet) -> Iterator[Row]:
    """The rows below the header, blank ones left out; streaming."""
    count = 0
    for row in _rows(sheet.path, sheet.encoding, sheet.delimiter):
        if row.line <= sheet.header_line or not any(cell.strip() for cell in row.cells):
            continue
        count += 1
        if count > MAX_IMPORT_ROWS:
            raise ImportRefused(f"The file has more than {MAX_IMPORT_ROWS:,} rows. Split it.")
        yield row


def _first_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    for number, row in enumerate(_rows(path, encoding, delimiter)):
        if number >= _HEADER_WITHIN:
            return
        yield row


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    with _readable(), path.open(encoding=encoding, errors="strict", newline="") as handle:
        reader = csv.reader(_bounded(handle), delimiter=delimiter)
        try:
            for cells in reader:
                yield Row(reader.line_num, cells)
        except csv.Error as error:
            raise ImportRefused(f"Line {reader.line_num}: the file is not a readable CSV ({error}).") from error
        except UnicodeError as error:
            raise ImportRefused(f"The file is not readable text near line {reader.line_num}.") from error


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportRefused(f"The file cannot be read: {error.strerror}.") from error


def _bounded(handle: io.TextIOBase) -> Iterator[str]:
    """Lines of the file; a line without end is refused instead of filling the memory."""
    while line := handle.readline(_MAX_LINE_CHARS):
        if len(line) >= _MAX_LINE_CHARS:
            raise csv.Error("a line is too long")
        yield line


def _encoding(path: Path) -> str:
    """UTF-16 by its mark or its zeros, else UTF-8 where every byte agrees, else Windows-1252."""
    with _readable(), path.open("rb") as handle:
        head = handle.read(4096)
        if not head.strip():
            raise ImportRefused("The file is empty.")
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise ImportRefused("This is an Excel file. Save it as CSV and import that.")
        if head.startswith(b"%PDF"):
            raise ImportRefused("This is a PDF. Export the book as CSV and import that.")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        even, odd = head[::2].count(b"\0"), head[1::2].count(b"\0")  # which half of ASCII in UTF-16 is zeros
        if max(even, odd) * 16 > len(head) and not min(even, odd):
            return "utf-16-be" if even else "utf-16-le"
        if even or odd:
            raise ImportRefused("This is not a text file. Export the book as CSV and import that.")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(head)
            while chunk := handle.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _shape(headers: list[str]) -> tuple[str, dict[str, int], dict[int, str]]:
    folded = [words.fold(name) for name in headers]
    if folded[: len(_SPLITWISE)] == _SPLITWISE and len(headers) > len(_SPLITWISE):
        people = {at: name for at, name in enumerate(headers) if at >= len(_SPLITWISE) and name}
        return SHARES, {"date": 0, "note": 1}, people
    columns: dict[str, int] = {}
    twice: dict[str, str] = {}
    is_okcredit = {"credit", "payment"} <= set(folded) and "debit" not in folded
    is_of_suppliers = any(words.heads_suppliers(name) for name in headers)
    for at, name in enumerate(headers):
        role = words.role_of(name)
        if is_okcredit and folded[at] in ("credit", "payment"):
            # There “credit” is what the shop gives (a supplier gives it to the shop); in accounts it
            # is what it gets.
            role = "gave" if (folded[at] == "credit") is not is_of_suppliers else "got"
        if role:
            if role in columns:
                twice[role] = name
            columns.setdefault(role, at)
    if not columns.keys() & {"party", "party_id"}:
        raise ImportRefused("No column names the customer. Call one “Name” or “Customer ID”.")
    shape = _shape_of(columns)
    for role, name in twice.items():
        # Two dates or two amounts: which one counts is not ours to guess.
        if role not in _MAY_REPEAT and not (role == "balance" and shape == ENTRIES):
            first = headers[columns[role]]
            raise ImportRefused(f"The columns “{first}” and “{name}” mean the same to Khata. Remove one.")
    return shape, columns, {}


def _shape_of(columns: dict[str, int]) -> str:
    has = columns.keys()
    is_bill = bool(has & {"due", "settled", "number"})
    if {"date", "amount", "settled"} <= has:
        return BILLS
    if "date" in has and has & {"gave", "got"} and not (is_bill and "amount" in has):
        return ENTRIES
    if "date" in has and {"amount", "type"} <= has:
        return ENTRIES
    if "date" in has and "amount" in has and is_bill:
        return BILLS
    if "date" not in has and has & {"balance", "gave", "got", "amount"}:
        return OPENINGS
    if {"date", "balance"} <= has and "amount" not in has:
        return OPENINGS
    raise ImportRefused(
        "The columns do not say which way the money went. Add “You gave” and “You got”, a “Type” "
        "(gave or got), or make it a bill register with a bill number or due date."
    )
