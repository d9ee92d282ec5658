"""Finding strings, keeping translations, compiling: without the system's gettext."""

import os
from pathlib import Path

import polib
import pytest

from khata import translations
from khata.translations import Message


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small house with one app, one template and a Hindi file to come."""
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(translations, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(translations, "APPS", ("ledger",))
    (tmp_path / "locale" / "hi" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "ledger").mkdir()
    (tmp_path / "templates").mkdir()
    return tmp_path


def test_python_strings_of_every_kind_are_found(house: Path) -> None:
    (house / "ledger" / "views.py").write_text(
        'a = _("one" " string")\nb = ngettext("%(n)s day", "%(n)s days", n)\nc = pgettext("verb", "book")\n'
        'd = gettext_lazy("later")\ne = _(variable)\nf = _(f"never {x}")\n'
    )
    assert set(translations.extract()) == {
        Message("one string", "", ""),
        Message("%(n)s day", "%(n)s days", ""),
        Message("book", "", "verb"),
        Message("later", "", ""),
    }


def test_template_strings_of_every_kind_are_found(house: Path) -> None:
    (house / "templates" / "page.html").write_text(
        '{% translate "Save" %} {% translate "Book" context "noun" %} {{ _("All")|upper }}'
        "{% blocktranslate trimmed with name=party.name %}\n  {{ name }} owes\n  this\n{% endblocktranslate %}"
        "{% blocktranslate count n=days %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}"
        "{# {% translate 'not this' %} #}"
    )
    assert set(translations.extract()) == {
        Message("Save", "", ""),
        Message("Book", "", "noun"),
        Message("All", "", ""),
        Message("%(name)s owes this", "", ""),
        Message("%(n)s day", "%(n)s days", ""),
    }


def test_a_text_that_is_also_counted_stands_once(house: Path) -> None:
    (house / "ledger" / "views.py").write_text('a = _("day")\nb = ngettext("day", "days", n)\n')
    assert list(translations.extract()) == [Message("day", "days", "")]


def test_updating_keeps_translations_and_drops_what_is_gone(house: Path) -> None:
    source = house / "ledger" / "views.py"
    source.write_text('a = _("You gave")\nb = _("Old words")\n')
    translations.update_all()
    po = translations.read_po("hi")
    po.find("You gave").msgstr = "आपने दिए"
    po.find("Old words").msgstr = "पुराने शब्द"
    po.save(str(translations.po_path("hi")))
    source.write_text('a = _("You gave")\nc = _("New words")\n')
    assert translations.update_all() == ["hi: 2 strings, 1 new, 1 dropped, 1 without a translation"]
    after = translations.read_po("hi")
    assert after.find("You gave").msgstr == "आपने दिए"
    assert after.find("Old words", include_obsolete_entries=True) is None


def test_moving_code_changes_no_line_of_the_file(house: Path) -> None:
    source = house / "ledger" / "views.py"
    source.write_text('a = _("You gave")\nb = _("You got")\n')
    translations.update_all()
    before = translations.po_path("hi").read_text()
    source.write_text('\n\n\nb = _("You got")\n\n\na = _("You gave")\n')
    translations.update_all()
    assert translations.po_path("hi").read_text() == before


def test_compiling_is_done_once_and_again_when_the_file_is_newer(house: Path) -> None:
    (house / "ledger" / "views.py").write_text('a = _("You gave")\n')
    translations.update_all()
    po_path = translations.po_path("hi")
    assert translations.compile_all() == [po_path.with_suffix(".mo")]
    assert translations.compile_all() == []
    po = translations.read_po("hi")
    po.find("You gave").msgstr = "आपने दिए"
    po.save(str(po_path))
    later = po_path.with_suffix(".mo").stat().st_mtime_ns + 1_000_000
    os.utime(po_path, ns=(later, later))
    assert translations.compile_all() == [po_path.with_suffix(".mo")]
    assert polib.mofile(str(po_path.with_suffix(".mo"))).find("You gave").msgstr == "आपने दिए"
    assert not list(po_path.parent.glob("*.part"))


@pytest.mark.parametrize(
    ("source", "translated", "faults"),
    [
        ("%(name)s owes %(amount)s", "%(amount)s %(name)s", 0),
        ("%(name)s owes %(amount)s", "%(naam)s %(amount)s", 1),
        ("%(name)s owes", "बाकी है", 1),
        ("50%% off", "50%% छूट", 0),
        ("50%% of it", "%s", 1),
    ],
)
def test_a_translation_with_other_placeholders_is_a_fault(source: str, translated: str, faults: int) -> None:
    entry = polib.POEntry(msgid=source, msgstr=translated)
    assert len(translations.placeholder_faults(entry)) == faults


def test_a_guess_is_not_a_translation() -> None:
    assert not translations.is_translated(polib.POEntry(msgid="Save", msgstr="सहेजें", flags=["fuzzy"]))
    assert not translations.is_translated(
        polib.POEntry(msgid="day", msgid_plural="days", msgstr_plural={0: "दिन", 1: ""})
    )


def test_what_is_borrowed_is_still_said_by_its_library() -> None:
    """A library that rewords a sentence would leave Hindi readers with English again."""
    import allauth
    import django

    from khata import borrowed

    texts = [*borrowed.SIGN_IN, *borrowed.PASSWORDS, *borrowed.FORMS, *borrowed.DATES]
    said = "".join(
        path.read_text(encoding="utf-8")
        for package, folder in (
            (allauth, "account"),
            (django, "contrib/auth"),
            (django, "core"),
            (django, "forms"),
            (django, "utils"),
        )
        for path in sorted((Path(package.__file__ or "").parent / folder).rglob("*.py"))
    )
    unknown = [text for text in texts if f'"{text}"' not in said]
    assert not unknown


def test_borrowed_strings_are_extracted() -> None:
    found = translations.extract()
    assert Message("Incorrect code.", "", "") in found
    assert any(message.text.startswith("This password is too short.") and message.plural for message in found)
