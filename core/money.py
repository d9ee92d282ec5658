"""Rupees as people write them, paise as we keep them.

Every amount in Khata is a whole number of paise (``amount_paise: int``). Nothing here ever
touches a float: text becomes a ``Fraction``, is rounded once to paise, and stays an integer.
"""

import re
import unicodedata
from fractions import Fraction

from core.limits import MAX_AMOUNT_PAISE, MAX_EXPRESSION_CHARS

RUPEE = "\u20b9"
# Signs that phones, keypads and pasted text use for the four operations.
_OPERATORS = {"×": "*", "x": "*", "X": "*", "✕": "*", "÷": "/", "−": "-", "–": "-", "—": "-"}
_MAX_DEPTH = 20
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}")
# "12 40" is a forgotten sign, not 1240.
_SPACE_INSIDE = re.compile(r"[0-9.,] +[0-9.,]")
# What may stand before an amount, and before each one of a sum: "Rs. 500 + Rs. 200".
_MARK = re.compile(r"(₹|₨|rs\.?|inr|रु\.?) *", re.IGNORECASE)


class MoneyError(ValueError):
    """The text is not an amount we are sure about. ``code`` says why, in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def fold_digits(text: str) -> str:
    """Any script's decimal digits (५००, ௫௦௦, ۵۰۰) as 0-9; everything else unchanged."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char for char in text)


def parse_paise(text: str) -> int:
    """One written amount as paise: ``1,250.50``, ``₹ 500/-``, ``Rs. 500``, ``५००``.

    Raises MoneyError when it is not exactly one positive amount, has more than two decimals,
    or is larger than a khata may hold. Rounding is never done here: nobody writes half a paisa.
    """
    value = _number(_clean(text))
    paise = value * 100
    if paise.denominator != 1:
        raise MoneyError("decimals", "An amount has at most two digits after the point.")
    return _bounded(paise.numerator)


def evaluate_paise(expression: str) -> int:
    """The keypad's arithmetic: ``12*40+65``, ``1,200 ÷ 3``, ``(20+5)×4`` → paise.

    Exact fractions all the way, rounded once at the end to the nearest paisa, halves up.
    Raises MoneyError for anything that is not arithmetic, divides by zero, is not positive,
    or is too large. It is a parser of its own: no ``eval``, no names, no powers.
    """
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise MoneyError("long", "This sum is too long.")
    text = _without_tail(_MARK.sub(RUPEE, _plain_signs(expression)))
    if _SPACE_INSIDE.search(text):
        raise MoneyError("form", "This is not a sum we can read.")
    value = _Sum(text).value()
    paise = (value * 200 + 1) // 2  # halves up, exactly
    return _bounded(int(paise))


def format_paise(paise: int, *, symbol: bool = True, decimals: bool = True) -> str:
    """Indian grouping: ``12345650`` → ``₹1,23,456.50``. Negative keeps its sign before the ₹.

    The grouping 3-2-2 is forced for every language: CLDR groups some Indian languages as
    1,234,567 (mr, ur, kn, ml, or), which no shopkeeper writes.
    ``decimals=False`` drops ``.00`` but never real paise.
    """
    rupees, rest = divmod(abs(paise), 100)
    text = group_indian(rupees)
    if decimals or rest:
        text = f"{text}.{rest:02d}"
    return f"{'−' if paise < 0 else ''}{RUPEE if symbol else ''}{text}"


LAKH_PAISE = 1_00_000_00
CRORE_PAISE = 1_00_00_000_00


def in_lakh_or_crore(paise: int) -> tuple[str, str] | None:
    """A large total as it is said: ``12_45_300_00`` paise → ``("₹12.45", "lakh")``.

    Two decimals, rounded half up; None below ten lakh, where the digits themselves are read.
    """
    if abs(paise) < 10 * LAKH_PAISE:
        return None
    word, unit = ("crore", CRORE_PAISE) if abs(paise) >= CRORE_PAISE else ("lakh", LAKH_PAISE)
    hundredths = (abs(paise) * 200 + unit) // (2 * unit)
    whole, rest = divmod(hundredths, 100)
    decimals = f".{rest:02d}".rstrip("0").rstrip(".")
    return f"{'−' if paise < 0 else ''}{RUPEE}{group_indian(whole)}{decimals}", word


def group_indian(number: int) -> str:
    """``1234567`` → ``12,34,567``. Expects a whole number that is not negative."""
    digits = str(number)
    if len(digits) <= 3:
        return digits
    head, tail = digits[:-3], digits[-3:]
    first = len(head) % 2
    groups = ([head[:first]] if first else []) + [head[i : i + 2] for i in range(first, len(head), 2)]
    return ",".join([*groups, tail])


def plain_rupees(paise: int) -> str:
    """``12345650`` → ``123456.50``: for files, UPI links and form fields. Keeps a minus sign."""
    rupees, rest = divmod(abs(paise), 100)
    return f"{'-' if paise < 0 else ''}{rupees}.{rest:02d}"


def _clean(text: str) -> str:
    text = _plain_signs(text)
    mark = _MARK.match(text)
    return _without_tail(text[mark.end() :] if mark else text)


def _plain_signs(text: str) -> str:
    text = fold_digits(text).replace("\u00a0", " ").replace("\u202f", " ").strip()
    return "".join(_OPERATORS.get(char, char) for char in text)


def _without_tail(text: str) -> str:
    return text.removesuffix("/-").removesuffix("/=").strip()


def _number(text: str) -> Fraction:
    whole, point, rest = text.partition(".")
    digits = whole.replace(",", "")
    # 1,23,456 and 123,456 group; 12,34 may be meant as a decimal point, and we never guess on money.
    if "," in whole and not _GROUPED.fullmatch(whole):
        raise MoneyError("form", "This is not an amount.")
    if not (digits or rest) or not (digits + rest).isascii() or not (digits + rest).isdigit():
        raise MoneyError("form", "This is not an amount.")
    if len(digits) + len(rest) > 24 or (point and not rest):
        raise MoneyError("form", "This is not an amount.")
    return Fraction(int(digits + rest), 10 ** len(rest))


def _bounded(paise: int) -> int:
    if paise <= 0:
        raise MoneyError("positive", "The amount must be more than zero.")
    if paise > MAX_AMOUNT_PAISE:
        raise MoneyError("large", "This amount is too large for one entry.")
    return paise


class _Sum:
    """A recursive-descent parser over + - * / and brackets. One use, one value."""

    def __init__(self, text: str) -> None:
        self.text = text.replace(" ", "").rstrip("=")
        self.at = 0
        self.depth = 0

    def value(self) -> Fraction:
        result = self._terms()
        if self.at != len(self.text):
            raise MoneyError("form", "This is not a sum we can read.")
        return result

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _terms(self) -> Fraction:
        result = self._factors()
        while (sign := self._peek()) and sign in "+-":
            self.at += 1
            right = self._factors()
            result = result + right if sign == "+" else result - right
        return result

    def _factors(self) -> Fraction:
        result = self._atom()
        while (sign := self._peek()) and sign in "*/":
            self.at += 1
            right = self._atom()
            if sign == "/" and right == 0:
                raise MoneyError("zero", "A sum cannot divide by zero.")
            result = result * right if sign == "*" else result / right
        return result

    def _atom(self) -> Fraction:
        # A mark of money opens an amount and nothing else: "₹500 ₹200" is two amounts and not ₹5,00,200.
        self.at += self._peek() == RUPEE
        if self._peek() == "(":
            self.depth += 1
            if self.depth > _MAX_DEPTH:
                raise MoneyError("long", "This sum is too long.")
            self.at += 1
            inner = self._terms()
            if self._peek() != ")":
                raise MoneyError("form", "A bracket is not closed.")
            self.at += 1
            self.depth -= 1
            return inner
        start = self.at
        while (char := self._peek()) and (char.isascii() and (char.isdigit() or char in ".,")):
            self.at += 1
        return _number(self.text[start : self.at])
