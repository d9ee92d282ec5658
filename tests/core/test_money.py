"""Rupees in and out: every form people write, and none that we would have to guess."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.limits import MAX_AMOUNT_PAISE
from core.money import (
    MoneyError,
    evaluate_paise,
    fold_digits,
    format_paise,
    group_indian,
    in_lakh_or_crore,
    parse_paise,
    plain_rupees,
)

AMOUNTS = st.integers(min_value=1, max_value=MAX_AMOUNT_PAISE)


@pytest.mark.parametrize(
    ("text", "paise"),
    [
        ("500", 500_00),
        ("₹ 500/-", 500_00),
        ("Rs. 500", 500_00),
        ("rs500", 500_00),
        ("INR 1,250.50", 1_250_50),
        ("रु. 75", 75_00),
        ("₨ 75/=", 75_00),
        ("1,23,456.7", 1_23_456_70),
        ("123,456", 123_456_00),
        (".5", 50),
        ("0.01", 1),
        ("५००", 500_00),
        ("௫௦௦", 500_00),
        ("۵۰۰", 500_00),
        ("১২.৫০", 12_50),
        (" 5\u00a0", 5_00),
        ("100,00,00,000", MAX_AMOUNT_PAISE),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, paise: int) -> None:
    assert parse_paise(text) == paise


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "form"),
        ("   ", "form"),
        ("abc", "form"),
        ("1e5", "form"),
        ("0x10", "form"),
        ("1.2.3", "form"),
        ("5.", "form"),
        (".", "form"),
        (",500", "form"),
        ("500,", "form"),
        ("1,,000", "form"),
        ("12,34", "form"),
        ("1 250", "form"),
        ("½", "form"),
        ("5²", "form"),
        ("1" * 30, "form"),
        ("12*40", "form"),
        ("NaN", "form"),
        ("inf", "form"),
        ("10.001", "decimals"),
        ("0", "positive"),
        ("0.00", "positive"),
        ("-5", "form"),
        ("100,00,00,000.01", "large"),
    ],
)
def test_what_is_not_surely_an_amount_is_refused(text: str, code: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse_paise(text)
    assert refused.value.code == code
    assert str(refused.value)


@pytest.mark.parametrize(
    ("text", "paise"),
    [
        ("12*40+65", 545_00),
        ("12×40+65=", 545_00),
        ("12x40", 480_00),
        ("1,200 ÷ 3", 400_00),
        ("(20+5)×4", 100_00),
        ("100−25", 75_00),
        ("10/3", 3_33),
        ("20/3", 6_67),
        ("0.005", 1),  # half a paisa goes up
        ("1/3*3", 1_00),  # exact inside, rounded once
        ("₹500 + ₹200", 700_00),
        ("Rs 500 + Rs. 200/-", 700_00),
        ("Rs. 12*40", 480_00),
        ("2*(₹20+₹5)", 50_00),
        ("₹(20+5)×4", 100_00),
        ("१२*४०", 480_00),
        ("500", 500_00),
        ("((((5))))", 5_00),
        ("2-1-1+5", 5_00),
        ("100/10/2", 5_00),
    ],
)
def test_the_keypad_computes_exactly(text: str, paise: int) -> None:
    assert evaluate_paise(text) == paise


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "form"),
        ("5+", "form"),
        ("+5", "form"),
        ("-5", "form"),
        ("5**2", "form"),
        ("5//2", "form"),
        ("(5", "form"),
        ("5)", "form"),
        ("()", "form"),
        ("5+a", "form"),
        ("__import__('os')", "form"),
        ("12 40", "form"),  # a forgotten sign, not 1240
        ("1. 5", "form"),
        ("₹500 ₹200", "form"),  # two amounts, not 5,00,200
        ("500 ₹200", "form"),
        ("12 ₹ 40", "form"),
        ("12₹40", "form"),
        ("12 Rs 40", "form"),
        ("₹₹500", "form"),
        ("5₹00", "form"),
        ("₹", "form"),
        (". 5", "form"),
        ("12·50", "form"),  # a point to some, a sign of multiplication to others
        ("9" * 200, "long"),
        ("1+" * 100 + "1", "long"),
        ("(" * 21 + "5" + ")" * 21, "long"),
        ("5/0", "zero"),
        ("5/(2-2)", "zero"),
        ("5-5", "positive"),
        ("5-6", "positive"),
        ("0.004", "positive"),
        ("99999999*99999999", "large"),
    ],
)
def test_the_keypad_refuses_what_is_no_sum(text: str, code: str) -> None:
    with pytest.raises(MoneyError) as refused:
        evaluate_paise(text)
    assert refused.value.code == code


@given(st.text(max_size=200))
def test_hostile_text_is_an_amount_or_a_money_error_and_never_anything_else(text: str) -> None:
    for read in (parse_paise, evaluate_paise):
        try:
            paise = read(text)
        except MoneyError:
            continue
        assert type(paise) is int
        assert 0 < paise <= MAX_AMOUNT_PAISE


@given(st.text(alphabet="0123456789.+-*/(), ×÷=", max_size=60))
def test_hostile_sums_are_a_sum_or_a_money_error(text: str) -> None:
    with contextlib.suppress(MoneyError):
        assert 0 < evaluate_paise(text) <= MAX_AMOUNT_PAISE


@given(AMOUNTS)
def test_what_we_write_we_read_back(paise: int) -> None:
    assert parse_paise(format_paise(paise)) == paise
    assert parse_paise(format_paise(paise, symbol=False, decimals=False)) == paise
    assert parse_paise(plain_rupees(paise)) == paise
    assert evaluate_paise(format_paise(paise)) == paise


@given(AMOUNTS, st.integers(min_value=1, max_value=1000))
def test_a_price_times_a_count_is_exact(paise: int, count: int) -> None:
    if paise * count <= MAX_AMOUNT_PAISE:
        assert evaluate_paise(f"{plain_rupees(paise)}*{count}") == paise * count


@pytest.mark.parametrize(
    ("paise", "text"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (100_00, "₹100.00"),
        (1_000_00, "₹1,000.00"),
        (1_00_000_00, "₹1,00,000.00"),
        (12_34_567_89, "₹12,34,567.89"),
        (100_00_00_000_00, "₹1,00,00,00,000.00"),
        (-1_250_50, "−₹1,250.50"),
    ],
)
def test_amounts_read_as_in_india(paise: int, text: str) -> None:
    assert format_paise(paise) == text


def test_short_forms_drop_zeros_but_never_paise() -> None:
    assert format_paise(1_000_00, decimals=False) == "₹1,000"
    assert format_paise(1_000_50, decimals=False) == "₹1,000.50"
    assert format_paise(1_000_00, symbol=False) == "1,000.00"


@given(st.integers(min_value=0, max_value=10**15))
def test_grouping_only_adds_commas_three_then_two(number: int) -> None:
    text = group_indian(number)
    assert text.replace(",", "") == str(number)
    groups = text.split(",")
    assert [len(group) for group in groups[1:]] == ([2] * (len(groups) - 2) + [3] if len(groups) > 1 else [])
    assert 1 <= len(groups[0]) <= (2 if len(groups) > 1 else 3)


def test_plain_rupees_keep_the_sign_and_no_commas() -> None:
    assert plain_rupees(12_345_650) == "123456.50"
    assert plain_rupees(-5) == "-0.05"


def test_digits_of_any_script_fold_and_letters_stay() -> None:
    assert fold_digits("क १२ b ౩") == "क 12 b 3"
    assert fold_digits("plain 12") == "plain 12"


@pytest.mark.parametrize(
    ("paise", "expected"),
    [
        (9_99_999_99, None),
        (10_00_000_00, ("₹10", "lakh")),
        (12_45_300_00, ("₹12.45", "lakh")),
        (12_50_000_00, ("₹12.5", "lakh")),
        (99_99_999_99, ("₹100", "lakh")),
        (1_00_00_000_00, ("₹1", "crore")),
        (123_45_67_890_00, ("₹123.46", "crore")),
        (12_34_567_00_00_000_00, ("₹12,34,567", "crore")),
        (-25_00_000_00, ("−₹25", "lakh")),
    ],
)
def test_large_totals_are_said_in_lakh_and_crore(paise, expected):
    assert in_lakh_or_crore(paise) == expected
