"""Names as people see them: what cannot be seen is no part of a name."""

import unicodedata
from typing import Any

from django import forms

from core.limits import MAX_NAME_CHARS

_JOINERS = {"\u200c", "\u200d"}  # they shape letters: क्‍ष, نمی‌دانم; and faces of many
# Letters and signs of Unicode that draw nothing: fillers, the blank of Braille, a joiner of marks.
_BLANKS = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_HIDDEN = {"Cf", "Cc", "Cs"}  # marks of format, of control, half a letter


def clean_name(text: str) -> str:
    """The name without marks of direction, breaks and blanks that nobody sees; "" where none is left.

    Two names that look the same would be two khatas, and a turned text reads as another one.
    """
    kept = "".join(" " if letter in _BLANKS or letter.isspace() else letter for letter in text)
    kept = "".join(letter for letter in kept if letter in _JOINERS or unicodedata.category(letter) not in _HIDDEN)
    words = (word.strip("".join(_JOINERS)) for word in kept.split())
    name = " ".join(word for word in words if word)
    return name if any(unicodedata.category(letter)[0] in "LNSP" for letter in name) else ""


class NameField(forms.CharField):
    """The name of a person or a shop, as ``clean_name`` leaves it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_NAME_CHARS)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text if "\x00" in text else clean_name(text)  # no hand types that: the field refuses it
