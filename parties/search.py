"""Finding रमेश when one types ``rames``.

A name is kept twice, word by word. As it is usually spelled in Latin letters, for who types it so:
there a beginning is enough. And as its consonant skeleton, for everybody else: spellings differ in
vowels, aspirates and doubled letters, rarely in the consonants, but ``rohi`` is still only an ``r``
there, and fits a tenth of the book. An index finds candidates of both kinds by their prefix, the
same on both databases; who is spelled so comes first, and rapidfuzz ranks within each kind.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from anyascii import anyascii
from rapidfuzz import fuzz

from core.crypto import CODE_ALPHABET
from core.money import fold_digits
from parties.models import MAX_ROMAN_CHARS, MAX_WORD_CHARS, PARTY_CODE_CHARS, NameWord, Party
from parties.spelling import usual, words_of

MAX_CANDIDATES = 600
LEAST_SCORE = 45
_FEW = 20
_WORDS_ASKED = 3  # of a longer text the others only rank
# In front of every spelling in the index. Skeletons hold no z (it is folded to j), so neither kind
# lies in a range of the other, in any collation.
SPELLED = "z"
_NUKTAS = re.compile("[\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc]")
_WORDS = re.compile(r"[a-z0-9]+")
# Order matters: digraphs before their letters.
_FOLDS = (
    ("chh", "c"), ("ch", "c"), ("sh", "s"), ("ph", "f"), ("bh", "b"), ("dh", "d"), ("th", "t"), ("gh", "g"),
    ("kh", "k"), ("jh", "j"), ("ck", "k"), ("x", "ks"), ("q", "k"), ("w", "v"), ("z", "j"),
)  # fmt: skip
_DROPPED = re.compile(r"[aeiouyh]")
_REPEATS = re.compile(r"(.)\1+")


def roman(name: str) -> str:
    """The name in small Latin letters and digits, words parted by one space."""
    # Without its nukta ज़ is ज, and z is folded to j anyway; anyascii would split the word at it.
    plain = _NUKTAS.sub("", unicodedata.normalize("NFC", fold_digits(name)))
    text = anyascii(plain).lower()
    return " ".join(_WORDS.findall(text))[:MAX_ROMAN_CHARS].rstrip()


@lru_cache(maxsize=20_000)
def spelt(name: str) -> str:
    """The name as Latin letters usually write it: रमेश is ``ramesh`` here, and only ``rmes`` as ``roman``.

    Where a script leaves that open (Urdu, Tamil) it is ``roman``.
    """
    parts = words_of(name)
    return " ".join(filter(None, (usual(part) or roman(part.text) for part in parts))) or roman(name)


@lru_cache(maxsize=20_000)
def skeleton(word: str) -> str:
    """The consonants of one romanised word, folded: ``ramesh`` and ``ramesa`` → ``rms``.

    A word of vowels alone keeps its first letter, so that it can be found at all.
    """
    folded = word
    for old, new in _FOLDS:
        folded = folded.replace(old, new)
    bare = _REPEATS.sub(r"\1", _DROPPED.sub("", folded))
    return (bare or word[:1])[:MAX_WORD_CHARS]


def skeletons(name: str) -> set[str]:
    """What the index holds of a name: the skeleton of every word, and its spelling behind a z."""
    words = {*roman(name).split(), *spelt(name).split()}  # शंकर: smkr, and shankar
    return {skeleton(word) for word in words} | set(spellings(name)) or {"-"}


def spellings(name: str) -> list[str]:
    """The words of a name, or of what is typed of one, as the index holds their spelling."""
    return [(SPELLED + word)[:MAX_WORD_CHARS] for word in spelt(name).split()]


@dataclass(frozen=True)
class Found:
    """A party that fits, and how well (0-100)."""

    party_id: int
    score: float


def search(shop: Any, text: str, *, limit: int = 20, include_archived: bool = False) -> list[Found]:
    """Parties whose name (any script), phone digits or code fit ``text``, best first."""
    coded = _by_code(shop, text.strip().upper(), include_archived)
    digits = re.sub(r"\D", "", fold_digits(text)).lstrip("0")  # 098… is how many dial it
    if len(digits) >= 4 and not re.search(r"[^\d\s+()-]", fold_digits(text)):
        found = _by_phone(shop, digits, limit, include_archived)
    else:
        found = _by_name(shop, text, limit, include_archived)
    return [*coded, *(hit for hit in found if hit not in coded)][:limit]


def _by_name(shop: Any, text: str, limit: int, include_archived: bool) -> list[Found]:
    query = spelt(text)
    if not query:
        return []
    spelled, alike = _candidates(shop, text, include_archived)
    ranked = _ranked(query, spelled)
    if len(ranked) < limit:
        others = {pk: name for pk, name in alike.items() if pk not in spelled}
        ranked += [hit for hit in _ranked(query, others) if hit.score >= LEAST_SCORE]
    return ranked[:limit]


def _ranked(query: str, names: dict[int, str]) -> list[Found]:
    hits = (Found(pk, _score(query, spelt(name))) for pk, name in names.items())
    return sorted(hits, key=lambda hit: (-hit.score, hit.party_id))


def _by_code(shop: Any, code: str, include_archived: bool) -> list[Found]:
    if len(code) != PARTY_CODE_CHARS or set(code) - set(CODE_ALPHABET):
        return []
    rows = Party.objects.for_shop(shop).filter(code=code)
    if not include_archived:
        rows = rows.filter(archived_at=None)
    return [Found(pk, 100.0) for pk in rows.values_list("pk", flat=True)]


def _by_phone(shop: Any, digits: str, limit: int, include_archived: bool) -> list[Found]:
    rows = Party.objects.for_shop(shop).filter(phone__contains=digits)
    if not include_archived:
        rows = rows.filter(archived_at=None)
    return [Found(pk, 100.0) for pk in rows.order_by("pk").values_list("pk", flat=True)[:limit]]


def _candidates(shop: Any, text: str, include_archived: bool) -> tuple[dict[int, str], dict[int, str]]:
    """Names by party: those spelled as the text begins, and those that sound so.

    Two queries for one word. For several, those whose words fit all of it: a word like "kumar" alone
    fits more than we may look at. Only where they are few, the fits of single words too.
    """
    rows = NameWord.objects.for_shop(shop)
    if not include_archived:
        rows = rows.filter(party__archived_at=None)
    spelled = _with_all(rows, spellings(text))
    words = spelt(text).split()
    # Vowels have no skeleton to begin with; alone they still find the words that are nothing else.
    sounds = [skeleton(word) for word in words if _DROPPED.sub("", word)] or [skeleton(word) for word in words]
    alike = _with_all(rows, sounds)
    for sound in _longest(sounds) if len(words) > 1 else ():
        if len(spelled) + len(alike) >= _FEW:
            break
        alike |= _with_all(rows, [sound])
    return spelled, alike


def _with_all(rows: Any, keys: list[str]) -> dict[int, str]:
    """Parties with a word that begins like each of ``keys``."""
    first, *others = _longest(keys) or [""]
    if not first:
        return {}
    rows = rows.filter(skeleton__gte=first, skeleton__lt=_after(first))
    for key in others:
        rows = rows.filter(party__words__skeleton__gte=key, party__words__skeleton__lt=_after(key))
    return dict(rows.order_by("skeleton").values_list("party_id", "party__name")[:MAX_CANDIDATES])


def _longest(keys: list[str]) -> list[str]:
    return sorted(set(keys), key=lambda key: (-len(key), key))[:_WORDS_ASKED]


def _after(key: str) -> str:
    """The end of the range of what begins with ``key``, in any collation: digits, then letters."""
    stem = key.rstrip("z") or key
    if stem == key == "z" * len(key):
        return key + "zzzz"
    last = stem[-1]
    return stem[:-1] + ("a" if last == "9" else chr(ord(last) + 1))


def _score(query: str, name: str) -> float:
    """Letters as they are written, and how many of the words sound alike: ``laxmi`` is ``lakshmee``."""
    if name == query:
        return 100.0
    words = name.split()
    start = 12.0 if any(word.startswith(query) for word in words) or name.startswith(query) else 0.0
    sounds = [skeleton(word) for word in words]
    asked = [skeleton(word) for word in query.split()]
    heard = sum(1.0 if word in sounds else 0.6 for word in asked if any(s.startswith(word) for s in sounds))
    letters = 0.5 * fuzz.token_set_ratio(query, name) + 0.2 * fuzz.partial_ratio(query, name)
    least = 50.0 if name.startswith(query) else 0.0  # however little is typed, a beginning fits
    return min(99.0, max(least, letters + 30 * heard / len(asked) + start))
