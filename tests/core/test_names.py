"""What is left of a name when nobody can see the rest."""

import pytest

from core.names import NameField, clean_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Ramesh \t Kumar\n", "Ramesh Kumar"),
        ("\u202eevil", "evil"),
        ("Ra\u200bmesh\u200b", "Ramesh"),
        ("\ufeffRamesh\u00ad", "Ramesh"),
        ("Ramesh\u2800\u3164Kumar", "Ramesh Kumar"),
        ("Ra\x00mesh\x07", "Ramesh"),
        ("क्\u200dष", "क्\u200dष"),  # a joiner shapes the letters around it
        ("नमी\u200cदान", "नमी\u200cदान"),
        ("\u200dRamesh\u200c \u200d Kumar", "Ramesh Kumar"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("🙂", "🙂"),
        ("7", "7"),
        ("S.K. D'Souza & Sons", "S.K. D'Souza & Sons"),
        ("\u200f محمد", "محمد"),
    ],
)
def test_what_can_be_seen_stays(typed: str, name: str) -> None:
    assert clean_name(typed) == name
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "\u200b", "\u00a0", "\u2800", "\u202e ", "\u3164", "\u200d", "\u0301", "\ufe0f", "\U000e0041"],
)
def test_what_cannot_be_seen_is_no_name(typed: str) -> None:
    assert clean_name(typed) == ""


def test_the_length_counts_what_is_left() -> None:
    assert NameField(max_length=6).clean("R\u200ba\u200bm\u200be\u200bs\u200bh") == "Ramesh"
    assert NameField(required=False).clean(None) == ""
