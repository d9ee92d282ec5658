"""Reads about parties."""

import re
from itertools import zip_longest

from django.db.models import F

from core.phones import e164 as e164  # shops need it too, and may not look up here
from parties.models import Party
from parties.search import roman, skeleton
from shops.models import Shop

MAX_TWINS = 3
MAX_CANDIDATES = 300
_VOWELS = re.compile("[aeiou]+")
# Many write one for the other: Muhammad, Mohammed.
_SAME_VOWEL = str.maketrans({"e": "a", "u": "o"})


def look_alikes(shop: Shop, *, name: str, phone: str = "", but_not: int | None = None) -> list[Party]:
    """Parties with the same name (in any script) or phone: worth a warning, never a refusal.

    Also those put aside, after the others: their khata can be taken up again, with what it holds.
    """
    live_first = (F("archived_at").asc(nulls_first=True), "pk")
    rows = Party.objects.for_shop(shop).exclude(pk=but_not).order_by(*live_first)
    wanted = roman(name)
    same = list(rows.filter(roman=wanted)[:MAX_TWINS]) if wanted else []
    words = sorted({skeleton(word) for word in wanted.split()}, key=len, reverse=True)
    if words and sum(party.archived_at is None for party in same) < MAX_TWINS:
        alike = rows.exclude(pk__in=[party.pk for party in same])
        for word in words[:3]:  # whoever has them all: “kumar” alone fits too many
            alike = alike.filter(words__skeleton=word)
        sounding = (party for party in alike[:MAX_CANDIDATES] if _sounds(wanted, party.roman))
        same = sorted([*same, *sounding], key=lambda party: party.archived_at is not None)[:MAX_TWINS]
    if phone:
        same += [party for party in rows.filter(phone=phone)[:MAX_TWINS] if party not in same]
    return same


def _sounds(one: str, other: str) -> bool:
    """Word for word, in any order of the words: Kumar Ramesh is रमेश कुमार."""
    ours, theirs = sorted(one.split(), key=skeleton), sorted(other.split(), key=skeleton)
    return all(_word_sounds(a, b) for a, b in zip_longest(ours, theirs, fillvalue=""))


def _word_sounds(one: str, other: str) -> bool:
    """The consonants are the same, and so are the vowels save a, which Indic scripts leave unwritten.

    So रमेश is Ramesh, and Karan is not Kiran. Of three vowels one may differ: Chaudhary, Choudhury.
    """
    if skeleton(one) != skeleton(other):
        return False
    ours, theirs = _vowels(one), _vowels(other)
    if len(ours) == len(theirs) >= 3:
        return sum(a != b for a, b in zip(ours, theirs, strict=True)) <= 1
    return [vowel for vowel in ours if vowel != "a"] == [vowel for vowel in theirs if vowel != "a"]


def _vowels(word: str) -> list[str]:
    """One letter for each vowel heard: ``geeta`` → i, a. A y after a consonant is an i."""
    plain = re.sub(r"(?<=[^aeiouy])y\b", "i", word).replace("ee", "i").replace("oo", "u").replace("ou", "o")
    return [run.translate(_SAME_VOWEL)[0] for run in _VOWELS.findall(plain.replace("au", "o"))]
