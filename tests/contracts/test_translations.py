"""Every string a person sees is in every .po, and Hindi says all of it."""

import pytest

from khata import translations
from khata.translations import Message


def entries(language: str) -> dict[Message, object]:
    return {
        Message(entry.msgid, entry.msgid_plural or "", entry.msgctxt or ""): entry
        for entry in translations.read_po(language)
    }


@pytest.mark.parametrize("language", translations.languages())
def test_every_string_of_the_sources_is_in_the_file(language: str) -> None:
    missing = translations.extract().keys() - entries(language).keys()
    assert not missing, f"run `make messages`; {language} lacks: {sorted(missing)}"


@pytest.mark.parametrize("language", translations.languages())
def test_no_string_is_left_that_the_sources_no_longer_say(language: str) -> None:
    obsolete = entries(language).keys() - translations.extract().keys()
    assert not obsolete, f"run `make messages`; {language} still has: {sorted(obsolete)}"


def test_hindi_is_complete() -> None:
    empty = [entry.msgid for entry in translations.read_po("hi") if not translations.is_translated(entry)]
    assert not empty, f"{len(empty)} strings have no Hindi, among them: {empty[:10]}"


@pytest.mark.parametrize("language", translations.languages())
def test_placeholders_are_those_of_the_source(language: str) -> None:
    faults = [
        fault
        for entry in translations.read_po(language)
        if translations.is_translated(entry)
        for fault in translations.placeholder_faults(entry)
    ]
    assert not faults, "\n".join(faults)


def test_both_languages_of_the_switch_have_a_file() -> None:
    from django.conf import settings

    assert {code for code, _ in settings.LANGUAGES} == set(translations.languages())
