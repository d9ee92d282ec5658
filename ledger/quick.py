"""The quick line: ``ramesh 500 chawal``, ``सुरेश ने 200 दिए``, ``ramesh se 200 mila``.

Reading is two steps. ``read_line`` takes the text apart without looking at any book: an amount, a
direction if the words say one, the words before and after. ``understand`` looks the name up. It
never guesses on money: two amounts, two directions or two parties that fit mean a question.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import fuzz

from core.limits import MAX_QUICK_CHARS
from core.money import MoneyError, evaluate_paise, fold_digits
from ledger.models import Direction
from parties.models import Party
from parties.search import roman, search, skeleton
from shops.models import Shop

_AMOUNT = re.compile(r"^(?:₹|rs\.?|inr)?[\d(][\d,.()+*/×÷x−-]*(?:/-)?$", re.IGNORECASE)
_UNITS = {
    "kg", "kilo", "kgs", "g", "gm", "gms", "gram", "l", "ltr", "litre", "liter", "ml", "pc", "pcs", "piece",
    "packet", "pkt", "dozen", "box", "bag", "bori", "katta", "किलो", "ग्राम", "लीटर", "पैकेट", "दर्जन", "नग", "बोरी",
}  # fmt: skip
_RUPEES = {
    "₹",
    "rs",
    "rs.",
    "rupees",
    "rupaye",
    "rupaya",
    "rupye",
    "rupee",
    "inr",
    "रुपये",
    "रुपए",
    "रुपया",
    "रु",
    "रु.",
    "/-",
}
# Words that take part in saying who gave: particle + verb. Longer notes keep all other words.
_NE, _SE, _KO = {"ne", "ने"}, {"se", "से"}, {"ko", "को"}
_GIVEN = {"diya", "diye", "die", "di", "de", "dia", "दिया", "दिए", "दिये", "दी"}
_TAKEN = {"liya", "liye", "lia", "li", "le", "लिया", "लिए", "लिये", "ली"}
_CAME = {"mila", "mile", "mili", "aaya", "aaye", "aya", "मिला", "मिले", "मिली", "आया", "आए", "आये"}
_GOT = {"jama", "received", "recd", "got", "paid", "जमा"}
_GAVE = {"gave", "udhaar", "udhar", "udhari", "credit", "उधार", "उधारी", "बाकी", "baki"}


@dataclass(frozen=True)
class QuickLine:
    """What the text says by itself. ``amounts_paise`` has one value, or the line needs a question."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    amounts_paise: tuple[int, ...] = ()
    direction: str = ""
    is_contradictory: bool = False


@dataclass(frozen=True)
class Understood:
    """A reading against one shop's parties; ``question`` is empty when it is sure.

    ``question``: "" | "amount" | "who" | "direction" | "new" (nobody of that name).
    """

    question: str
    parties: list[Party] = field(default_factory=list)
    name: str = ""
    direction: str = ""
    amount_paise: int = 0
    note: str = ""


def read_line(text: str) -> QuickLine:
    """Take the text apart. Text without an amount is a search: ``amounts_paise`` is empty."""
    words = fold_digits(text[:MAX_QUICK_CHARS]).replace("₹ ", "₹").split()
    amounts: list[int] = []
    before: list[str] = []
    after: list[str] = []
    for place, word in enumerate(words):
        following = words[place + 1].lower() if place + 1 < len(words) else ""
        amount = None if following in _UNITS else _amount(word)
        if amount is not None:
            amounts.append(amount)
        elif not (word.lower() in _RUPEES and (amounts or _amount(following) is not None)):
            (after if amounts else before).append(word)
    found = _directions({word.lower() for word in before + after})
    is_contradictory = len(found) > 1
    return QuickLine(
        before=tuple(word for word in before if not _is_grammar(word, found)),
        after=tuple(word for word in after if not _is_grammar(word, found)),
        amounts_paise=tuple(amounts),
        direction="" if is_contradictory else next(iter(found), ""),
        is_contradictory=is_contradictory,
    )


def _amount(word: str) -> int | None:
    if not _AMOUNT.match(word):
        return None
    try:
        return evaluate_paise(word)
    except MoneyError:
        return None


def _directions(words: set[str]) -> set[str]:
    """Every direction that the words speak for. One is an answer; two are a question."""
    found = set()
    if words & _NE and words & _GIVEN:
        found.add(Direction.GOT.value)  # Suresh ne 200 diye: he gave, we got
    if words & _NE and words & _TAKEN:
        found.add(Direction.GAVE.value)  # Suresh ne 200 liye: he took, we gave
    if words & _SE and words & (_CAME | _TAKEN):
        found.add(Direction.GOT.value)
    if words & _KO and words & _GIVEN:
        found.add(Direction.GAVE.value)
    if words & (_GOT | _CAME):
        found.add(Direction.GOT.value)
    if words & _GAVE:
        found.add(Direction.GAVE.value)
    return found


def _is_grammar(word: str, found: set[str]) -> bool:
    lowered = word.lower()
    if lowered in _GOT | _GAVE | _CAME:
        return True
    return bool(found) and lowered in _NE | _SE | _KO | _GIVEN | _TAKEN


def understand(shop: Shop, text: str) -> Understood:
    """Read the line against the shop's parties. Writes nothing."""
    line = read_line(text)
    if not line.amounts_paise:
        return Understood("amount", name=" ".join(line.before))
    parties, name, note = _who(shop, line)
    facts: dict[str, Any] = {
        "parties": parties,
        "name": name,
        "note": note,
        "amount_paise": line.amounts_paise[0],
        "direction": line.direction,
    }
    if len(line.amounts_paise) > 1:
        return Understood("amount", **{**facts, "amount_paise": 0})
    if line.is_contradictory or _verb_alone(line):
        return Understood("direction", **{**facts, "direction": ""})
    facts["direction"] = line.direction or Direction.GAVE.value  # a khata line without a verb is credit
    if len(parties) != 1:
        return Understood("who" if parties else "new", **facts)
    return Understood("", **facts)


def _verb_alone(line: QuickLine) -> bool:
    """“ramesh 200 diye”: gave or given? Without a particle nobody can know."""
    words = {word.lower() for word in line.before + line.after}
    return not line.direction and bool(words & (_GIVEN | _TAKEN))


def _who(shop: Shop, line: QuickLine) -> tuple[list[Party], str, str]:
    """The parties that fit, the name as written, and what is left for the note."""
    name_words, rest = (line.before, line.after) if line.before else (line.after, ())
    for size in range(min(len(name_words), 5), 0, -1):
        name = " ".join(name_words[:size])
        if parties := matching_parties(shop, name):
            return parties, name, " ".join((*name_words[size:], *rest))
    # Nobody fits. Before the amount it is all the name; after it, the first word is.
    size = len(name_words) if line.before else 1
    return [], " ".join(name_words[:size]), " ".join((*name_words[size:], *rest))


def matching_parties(shop: Shop, name: str) -> list[Party]:
    """Parties of which every word of ``name`` fits a word: same spelling, same sound, or its start."""
    wanted = roman(name).split()
    if not wanted:
        return []
    ids = [hit.party_id for hit in search(shop, name, limit=40)]
    parties = {party.pk: party for party in Party.objects.for_shop(shop).filter(pk__in=ids)}
    return [parties[pk] for pk in ids if pk in parties and _fits(wanted, parties[pk].roman.split())]


def _fits(wanted: list[str], words: list[str]) -> bool:
    return all(any(_same(word, other) for other in words) for word in wanted)


def _same(word: str, other: str) -> bool:
    if word == other or (len(word) >= 3 and other.startswith(word)):
        return True
    return skeleton(word) == skeleton(other) and fuzz.ratio(word, other) >= 60
