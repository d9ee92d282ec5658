"""Finding रमेश when one types ``rames``.

Names are romanised (any script to Latin letters) and each word folded to its consonant skeleton:
spellings differ in vowels, aspirates and doubled letters, rarely in the consonants. An index finds
candidates by the skeleton's prefix, the same on both databases; rapidfuzz ranks them by the
romanised text.
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
from parties.models import PARTY_CODE_CHARS, NameWord, Party

MAX_CANDIDATES = 600
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
    return " ".join(_WORDS.findall(text))


@lru_cache(maxsize=20_000)
def skeleton(word: str) -> str:
    """The consonants of one romanised word, folded: ``ramesh`` and ``ramesa`` → ``rms``.

    A word of vowels alone keeps its first letter, so that it can be found at all.
    """
    folded = word
    for old, new in _FOLDS:
        folded = folded.replace(old, new)
    bare = _REPEATS.sub(r"\1", _DROPPED.sub("", folded))
    return (bare or word[:1])[:64]


def skeletons(name: str) -> set[str]:
    """The skeletons of every word of a name: what the index holds."""
    return {skeleton(word) for word in roman(name).split()} or {"-"}


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
        found = _by_name(shop, roman(text), limit, include_archived)
    return [*coded, *(hit for hit in found if hit not in coded)][:limit]


def _by_name(shop: Any, query: str, limit: int, include_archived: bool) -> list[Found]:
    if not query:
        return []
    rows = _candidates(shop, query, include_archived)
    ranked = sorted(
        ((_score(query, name), party_id) for party_id, name in rows), key=lambda row: (-row[0], row[1])
    )
    return [Found(party_id, score) for score, party_id in ranked[:limit] if score >= 45]


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


def _candidates(shop: Any, query: str, include_archived: bool) -> list[tuple[int, str]]:
    """Parties that share the longest skeleton as a prefix; with few, the other words' too.

    A first vowel typed (``a`` of Asha) has no skeleton yet: there the name's own beginning serves.
    """
    if not _DROPPED.sub("", query.replace(" ", "")):
        parties = Party.objects.for_shop(shop).filter(roman__startswith=query)
        if not include_archived:
            parties = parties.filter(archived_at=None)
        return list(parties.order_by("roman").values_list("pk", "roman")[:MAX_CANDIDATES])
    words = sorted({skeleton(word) for word in query.split()}, key=len, reverse=True)
    seen: dict[int, str] = {}
    if len(words) > 1:  # who has all of them: a word like "kumar" alone fits more than we may look at
        rows = NameWord.objects.for_shop(shop).filter(skeleton__gte=words[0], skeleton__lt=f"{words[0]}z")
        for word in words[1:3]:
            rows = rows.filter(party__words__skeleton__gte=word, party__words__skeleton__lt=f"{word}z")
        if not include_archived:
            rows = rows.filter(party__archived_at=None)
        seen.update(rows.order_by("skeleton").values_list("party_id", "party__roman")[:MAX_CANDIDATES])
    for word in words[:3] if len(seen) < 20 else ():
        # Skeletons never hold a z (folded to j), so this range is the prefix in any collation.
        rows = NameWord.objects.for_shop(shop).filter(skeleton__gte=word, skeleton__lt=f"{word}z")
        if not include_archived:
            rows = rows.filter(party__archived_at=None)
        seen.update(rows.order_by("skeleton").values_list("party_id", "party__roman")[:MAX_CANDIDATES])
        if len(seen) >= 20:
            break
    return list(seen.items())


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
