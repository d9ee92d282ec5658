"""What stands in one cell: an amount, a date, a text. Everything is text until proven exact."""

import datetime as dt
import re
import unicodedata
from contextlib import suppress

from core.limits import MAX_NAME_CHARS, MAX_NOTE_CHARS
from core.money import MoneyError, fold_digits, parse_paise

DMY, MDY, YMD = "dmy", "mdy", "ymd"
ORDERS = (DMY, MDY, YMD)
_GROUPED = re.compile(r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?")
_NOT_DIGITS = re.compile(r"^[^\d,]+|[^\d,]+$")  # a currency before, “/-” behind
_SIDE = re.compile(r"\s*\(?\b(dr|cr|debit|credit)\b\.?\)?\s*$", re.IGNORECASE)
_TIME = re.compile(r"[T ,]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[ap]\.?m\.?)?(\s*(Z|UTC|[+-]\d{2}:?\d{2}))?$", re.I)
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_COMPACT = re.compile(r"(19|20)(\d{2})(\d{2})(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})[-/. ]*([a-z]{3,9})[-/., ]*(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([a-z]{3,9})[-/. ]*(\d{1,2})[-/., ]+(\d{4}|\d{2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class CellError(ValueError):
    """This cell is not what its column promises. The message is for people."""


def text_of(cell: str) -> str:
    """One line of plain text: no control characters, single spaces, NFC.

    A spreadsheet's guard (``'=…``) that our own export puts before a formula is taken off again.
    """
    text = cell
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text)
        text = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") else char for char in text)
    text = " ".join(text.split())
    return text[1:] if text.startswith("'") and text[1:2] in ("=", "+", "-", "@") else text


def name_of(cell: str) -> str:
    """A party's name, at most 120 characters. May be empty."""
    text = text_of(cell)
    if len(text) > MAX_NAME_CHARS:
        raise CellError(f"the name is longer than {MAX_NAME_CHARS} characters")
    return text


def note_of(cell: str) -> str:
    """A note, cut at 500 characters."""
    return text_of(cell)[:MAX_NOTE_CHARS].strip()


def signed_paise(cell: str) -> int:
    """An amount with a sign: ``-500``, ``(500)``, ``500-``, ``500 Cr``. Empty and zero are 0.

    Raises CellError for anything that is not exactly one amount: a formula is text, never a number.
    """
    text = fold_digits(text_of(cell)).replace("\u2212", "-")
    if not text or text in ("-", "--"):
        return 0
    side = _SIDE.search(text)
    sign = -1 if side and side.group(1).lower().startswith("c") else 1
    text = text[: side.start()] if side else text
    if text.startswith("(") and text.endswith(")"):
        sign, text = -sign, text[1:-1].strip()
    if text.endswith("-") and not text.endswith("/-"):
        sign, text = -sign, text[:-1].strip()
    elif text.startswith("-"):
        sign, text = -sign, text[1:].strip()
    try:
        if "," in text and not _GROUPED.fullmatch(_NOT_DIGITS.sub("", text)):
            raise CellError(f"“{_short(cell)}” is not an amount: its commas stand in odd places")
        return sign * parse_paise(text)
    except MoneyError as error:
        if error.code == "positive":
            return 0
        raise CellError(f"“{_short(cell)}” is not an amount: {error}") from error


def says_side(cell: str) -> bool:
    """Whether Dr or Cr stands beside an amount."""
    return _SIDE.search(fold_digits(text_of(cell))) is not None


def readings(cell: str, last: dt.date) -> dict[str, dt.date]:
    """What a date in digits may mean, by order; empty where there is nothing to decide.

    Year first is only thought of with two digits in each place and no day after ``last``.
    """
    match = _NUMERIC.fullmatch(_bare_date(cell))
    if match is None:
        return {}
    found: dict[str, dt.date] = {}
    for order in (DMY, MDY) if len(match[0]) != 8 or len(match[4]) != 2 else ORDERS:
        with suppress(ValueError):
            day = _date(match[0], order)
            if order != YMD or day <= last:
                found[order] = day
    return found


def date_of(cell: str, order: str) -> dt.date | None:
    """A date, None for an empty cell. ``order`` decides between 3/4 and 4/3."""
    text = _bare_date(cell)
    if not text:
        return None
    try:
        return _date(text.lower(), order)
    except ValueError as error:
        raise CellError(f"“{_short(cell)}” is not a date") from error


def _date(text: str, order: str) -> dt.date:
    if match := _ISO.fullmatch(text):
        return dt.date(int(match[1]), int(match[3]), int(match[4]))
    if match := _COMPACT.fullmatch(text):
        return dt.date(int(match[1] + match[2]), int(match[3]), int(match[4]))
    if match := _NUMERIC.fullmatch(text):
        one, two, three = match[1], match[3], match[4]
        if order == YMD:
            return dt.date(_year(one), int(two), int(three))
        day, month = (one, two) if order == DMY else (two, one)
        return dt.date(_year(three), int(month), int(day))
    if match := _NAMED.fullmatch(text):
        return dt.date(_year(match[3]), _MONTHS.index(match[2][:3]) + 1, int(match[1]))
    if match := _NAMED_FIRST.fullmatch(text):
        return dt.date(_year(match[3]), _MONTHS.index(match[1][:3]) + 1, int(match[2]))
    raise ValueError(text)


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _bare_date(cell: str) -> str:
    return _TIME.sub("", fold_digits(text_of(cell))).strip()


def _short(cell: str) -> str:
    text = text_of(cell)
    return text if len(text) <= 40 else f"{text[:39]}…"
