"""Translations without the system's gettext: find the strings, keep the .po files, compile them.

``make messages`` writes ``locale/<language>/LC_MESSAGES/django.po``: sorted, with the files a string
comes from but no line numbers, so that a change of code changes only the lines it must. The .mo
files are made at set-up and are not in the repository.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import polib
from babel.messages.extract import extract_python

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
APPS = ("core", "shops", "parties", "ledger", "payments", "reminders", "home", "khata")
KEYWORDS: dict[str, object] = {
    name: spec
    for names, spec in (
        (("_", "gettext", "gettext_lazy", "gettext_noop", "because"), None),
        (("ngettext", "ngettext_lazy"), (1, 2)),
        (("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
        (("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
    )
    for name in names
}
PLURALS = {
    "en": "nplurals=2; plural=(n != 1);",
    "hi": "nplurals=2; plural=(n != 1);",  # the same as Django's own Hindi
}
# %(name)s and %s; {name} for str.format. "%%" is a literal percent sign.
PLACEHOLDER = re.compile(r"(?<!%)%(?:\(\w+\)[a-z]|[sd])|\{\w*\}")


class Message(NamedTuple):
    """One string of the sources: ``plural`` and ``context`` are "" where it has none."""

    text: str
    plural: str
    context: str


def sources() -> Iterator[Path]:
    """Every file that may hold a string people see."""
    for app in APPS:
        yield from sorted((ROOT / app).rglob("*.py"))
        yield from sorted((ROOT / app).rglob("templates/**/*.*"))
    yield from sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())


def extract() -> dict[Message, list[str]]:
    """Every translatable string → the files it stands in, sorted."""
    found: dict[Message, set[str]] = {}
    for path in sources():
        if "migrations" in path.parts or path.suffix not in {".py", ".html", ".txt", ".svg", ".xml"}:
            continue
        code = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            code = _as_python(code, path)
        for message in _calls(code):
            found.setdefault(message, set()).add(path.relative_to(ROOT).as_posix())
    # gettext() of a text that is counted elsewhere reads the counted entry: a .po holds each text once.
    for counted in [message for message in found if message.plural]:
        found[counted] |= found.pop(counted._replace(plural=""), set())
    return {message: sorted(files) for message, files in sorted(found.items())}


def _as_python(template: str, path: Path) -> str:
    from django.utils.translation.template import templatize

    # What stands between the strings is no Python: its indentation would be refused as such.
    return "\n".join(map(str.lstrip, templatize(template, origin=str(path)).split("\n")))


def _calls(code: str) -> Iterator[Message]:
    calls = extract_python(BytesIO(code.encode()), tuple(KEYWORDS), (), {"encoding": "utf-8"})
    for _line, name, arguments, _comments in calls:
        given = list(arguments) if isinstance(arguments, (list, tuple)) else [arguments]
        context = given.pop(0) if "pgettext" in name else ""
        text, plural = given[0] if given else None, given[1] if name.startswith("n") else ""
        if text and plural is not None and context is not None:
            yield Message(text, plural, context)


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def languages() -> list[str]:
    """The languages that have a folder."""
    return sorted(path.name for path in LOCALE.iterdir() if (path / "LC_MESSAGES").is_dir())


def read_po(language: str) -> polib.POFile:
    path = po_path(language)
    return polib.pofile(str(path), wrapwidth=100) if path.exists() else polib.POFile(wrapwidth=100)


def update_all() -> list[str]:
    """Write every .po anew from the sources; what is translated is kept, what is gone is dropped.

    Returns one line for each language: what came, what went, what is missing.
    """
    found = extract()
    return [_update(language, found) for language in languages()]


def _update(language: str, found: dict[Message, list[str]]) -> str:
    old = {Message(entry.msgid, entry.msgid_plural, entry.msgctxt or ""): entry for entry in read_po(language)}
    new = polib.POFile(wrapwidth=100)
    new.metadata = {
        "Project-Id-Version": "Khata",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS.get(language, "nplurals=2; plural=(n != 1);"),
    }
    for message, files in found.items():
        new.append(_entry(message, files, old.get(message)))
    path = po_path(language)
    text = str(new).rstrip() + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    untranslated = sum(1 for entry in new if not is_translated(entry))
    return (
        f"{language}: {len(found)} strings, {len(found.keys() - old.keys())} new,"
        f" {len(old.keys() - found.keys())} dropped, {untranslated} without a translation"
    )


def _entry(message: Message, files: list[str], old: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=message.text,
        msgctxt=message.context or None,
        occurrences=[(file, "") for file in files],
    )
    if message.plural:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = old.msgstr_plural if old else {0: "", 1: ""}
    else:
        entry.msgstr = old.msgstr if old else ""
    entry.flags = ["fuzzy"] if old and old.fuzzy else []
    if "%" in message.text and PLACEHOLDER.search(message.text):
        entry.flags.append("python-format")
    entry.tcomment = old.tcomment if old else ""
    return entry


def is_translated(entry: polib.POEntry) -> bool:
    """Whether every form of it has a text, none of them a guess."""
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    return not entry.fuzzy and all(text.strip() for text in texts)


def placeholder_faults(entry: polib.POEntry) -> list[str]:
    """Each form of a translation whose placeholders are not those of its source, in words."""
    wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural or ""))
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    faults = []
    for text in texts:
        has = set(PLACEHOLDER.findall(text))
        # One form of a plural may leave the number out ("a khata"), never invent one.
        if has - wanted or (wanted - has and not entry.msgid_plural):
            faults.append(f"{entry.msgid!r} wants {sorted(wanted)}, {text!r} has {sorted(has)}")
    return faults


def compile_all() -> list[Path]:
    """Make each .mo that is missing or older than its .po; returns those made."""
    made = []
    for language in languages():
        po = po_path(language)
        mo = po.with_suffix(".mo")
        if not po.exists() or (mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns):
            continue
        # Written aside, then renamed: a process that starts meanwhile reads the old or the new one.
        handle, aside = tempfile.mkstemp(dir=mo.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(read_po(language).to_binary())
        os.chmod(aside, 0o644)
        os.replace(aside, mo)
        made.append(mo)
    return made
