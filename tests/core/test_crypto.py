"""What we sealed comes back; what we did not, or what was touched, is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import crypto
from core.crypto import SealBroken


def test_credentials_survive_a_key_rotation_and_die_with_the_last_key(settings: Any) -> None:
    settings.DATA_KEYS = ["old"]
    sealed = crypto.encrypt({"webhook_secrets": ["a webhook secret"]})
    assert b"webhook" not in sealed
    settings.DATA_KEYS = ["new", "old"]
    assert crypto.decrypt(sealed) == {"webhook_secrets": ["a webhook secret"]}
    assert crypto.decrypt(memoryview(crypto.encrypt({"a": 1}))) == {"a": 1}  # as PostgreSQL hands it out
    settings.DATA_KEYS = ["new"]
    with pytest.raises(SealBroken):
        crypto.decrypt(sealed)


def test_a_mac_holds_under_any_current_key_and_one_purpose_only(settings: Any) -> None:
    settings.LINK_KEYS = ["old"]
    given = crypto.mac("link", b"message")
    settings.LINK_KEYS = ["new", "old"]
    assert crypto.mac_matches("link", b"message", given)
    assert crypto.mac_matches("link", b"message", given[:16])
    assert not crypto.mac_matches("link", b"message", given[:15])  # too short to mean anything
    assert not crypto.mac_matches("link", b"massage", given)
    assert not crypto.mac_matches("cursor", b"message", given)
    settings.LINK_KEYS = ["new"]
    assert not crypto.mac_matches("link", b"message", given)


@given(st.binary(max_size=64))
def test_base64_comes_back_and_has_one_spelling(data: bytes) -> None:
    text = crypto.b64(data)
    assert crypto.unb64(text) == data
    assert "=" not in text
    with pytest.raises(SealBroken):
        crypto.unb64(text + "=")


@pytest.mark.parametrize("text", ["a", "ab\n", "a b", "é", "AB", "+/+/", "%%%%"])
def test_what_is_not_our_base64_is_refused(text: str) -> None:
    with pytest.raises(SealBroken):
        crypto.unb64(text)


JSON = st.lists(st.none() | st.integers() | st.text(max_size=20), max_size=5)


@given(JSON)
def test_a_cursor_comes_back_as_it_left(values: list[object]) -> None:
    assert crypto.open_cursor("page", crypto.seal_cursor("page", values)) == values


@given(JSON, st.data())
def test_a_cursor_with_any_letter_changed_is_refused(values: list[object], data: st.DataObject) -> None:
    text = crypto.seal_cursor("page", values)
    at = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123-_."))
    forged = text[:at] + letter + text[at + 1 :]
    if forged != text:
        with pytest.raises(SealBroken):
            crypto.open_cursor("page", forged)


@pytest.mark.parametrize("text", ["", ".", "abc", "abc.", ".abc", "W10.", "W10.AAAA"])
def test_a_cursor_without_its_seal_is_refused(text: str) -> None:
    with pytest.raises(SealBroken):
        crypto.open_cursor("page", text)


def test_a_cursor_of_another_page_is_refused() -> None:
    with pytest.raises(SealBroken):
        crypto.open_cursor("khata", crypto.seal_cursor("home", [1]))


def test_a_short_code_can_be_read_aloud() -> None:
    codes = {crypto.short_code(8) for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code) == 8 and set(code) <= set(crypto.CODE_ALPHABET) for code in codes)
    assert not set("01OILU") & set(crypto.CODE_ALPHABET)
