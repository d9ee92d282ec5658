"""The quick line: ``ramesh 500 chawal``, ``सुरेश ने 200 दिए``, ``ramesh se 200 mila``.

Reading is two steps. ``read_line`` takes the text apart without looking at any book: an amount, a
direction if the words say one, the words before and after. ``understand`` looks the name up. It
never guesses on money. A question is asked where two amounts stand, or a number that is not plainly
rupees (``1.5 lakh``, ``12/5``, ``-200``); two parties that fit, or a name that is not written out;
words that speak of a direction without settling it, and any word that is not known at all.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from django.db.models import Q
from rapidfuzz import fuzz

from core.limits import MAX_AMOUNT_PAISE, MAX_QUICK_CHARS
from core.money import MoneyError, evaluate_paise, fold_digits, parse_paise
from ledger import quick_words as known
from ledger.models import Direction, Entry, Khata
from parties.models import NameWord, Party
from parties.search import roman, search, skeleton
from parties.spelling import is_written_in, words_of
from shops.models import Shop

_MARK = r"(?:₹|rs\.?|inr|रु\.?)?"
_AMOUNT = re.compile(_MARK + r"[\d(][\d,.()+*/×÷x−-]*(?:/-)?", re.IGNORECASE)
_LONE_MARK = re.compile(r"(?<!\S)₹\s+(?=[\d(])")
_SUM = re.compile(r"[+*/×÷x−(-]", re.IGNORECASE)
_INDIAN = re.compile(r"\D*\d{1,2}(,\d{2})*,\d{3}(?!\d|,).*")  # 500,200 may be two amounts without a space
_NUMERAL = re.compile(_MARK + r"[\d(][\d,.()+*/×÷x−:-]*", re.IGNORECASE)
_ATTACHED = re.compile(r"([\d₹(][^₹]*?)([^\W\d_][^\d]*|%|₹)")  # 2kg, 500rs, 1.5lakh, 5%
_DATE = re.compile(r"(\d{1,2})[-−/](\d{1,2})|\d{1,4}([-−/])\d{1,2}\3\d{1,4}")
_TIME = re.compile(r"\d{1,2}:\d{2}")
_PHONE = re.compile(r"(?:\+?91|0)?[6-9]\d{9}")
_ORDINALS = {"st", "nd", "rd", "th"}
_MINUS_PLUS, _SIGNS = set("-–—−+"), set("*/÷×@xX")
_TAIL = ",;:.?!।="
MAX_OFFERED = 6  # amounts
MAX_SUGGESTED = 5  # parties that only sound like the name, and others that the note may name
MAX_NAMED = 200  # that sound like a strange word, and are looked at
RECENT_KHATAS, RECENT_ENTRIES = 60, 8  # whose notes, and how many of each, teach words


@dataclass(frozen=True)
class QuickLine:
    """What the text says by itself. ``amounts_paise`` has one value, or the line needs a question."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    amounts_paise: tuple[int, ...] = ()
    direction: str = ""
    is_unclear: bool = False  # words speak of a direction, and not of one alone
    grammar: tuple[str, ...] = ()  # those words
    is_firm: bool = False  # the verb has its subject: no other word changes the direction
    is_doubted: bool = False  # the amount: scaled, dated, or one of a sum
    odd: tuple[str, ...] = ()  # words with digits that are no amount, quantity, time or phone
    is_search: bool = True  # no number at all


@dataclass(frozen=True)
class Understood:
    """A reading against one shop's parties; ``question`` is empty when it is sure.

    ``question``: "" | "search" (no number in it) | "amount" | "who" | "direction" | "new" (nobody of that name).
    """

    question: str
    parties: list[Party] = field(default_factory=list)
    name: str = ""
    direction: str = ""
    amount_paise: int = 0
    note: str = ""
    is_sure: bool = True  # that one of the parties is meant, and nobody new
    amounts_paise: tuple[int, ...] = ()  # what may be meant


# --- the text by itself ------------------------------------------------------------------------


def read_line(text: str) -> QuickLine:
    """Take the text apart. Text without a number is a search."""
    words = _LONE_MARK.sub("₹", fold_digits(unicodedata.normalize("NFC", text[:MAX_QUICK_CHARS]))).split()
    parts = _Parts(words)
    before, after = tuple(parts.before), tuple(parts.after)
    said = _direction([word.lower() for word in before], [word.lower() for word in after])
    is_phone = bool(_PHONE.fullmatch(re.sub(r"[-\s()]", "", " ".join(words))))
    return QuickLine(
        before=tuple(word for word in before if word.lower() not in said.grammar),
        after=tuple(word for word in after if word.lower() not in said.grammar),
        amounts_paise=parts.amounts_and_total(),
        direction=said.direction,
        is_unclear=said.is_unclear or parts.is_signed,
        grammar=said.grammar,
        is_firm=said.is_firm,
        is_doubted=parts.is_doubted or len(parts.amounts) > 1,
        odd=tuple(parts.odd),
        is_search=is_phone or not (parts.amounts or parts.has_numbers),
    )


class _Parts:
    """The words of a line sorted into amounts and the words before and after them. One use."""

    def __init__(self, words: list[str]) -> None:
        self.before: list[str] = []
        self.after: list[str] = []
        self.amounts: list[int] = []
        self.also: list[int] = []
        self.odd: list[str] = []
        self.is_doubted = self.is_scaled = self.is_signed = self.has_numbers = False
        place = 0
        while place < len(words):
            previous = words[place - 1] if place else ""
            following = words[place + 1] if place + 1 < len(words) else ""
            place += 1 + self._take(words[place], previous, following)

    def amounts_and_total(self) -> tuple[int, ...]:
        """What may be meant, each once. Of “1 lakh 50 hazaar” that is all of it, before its parts."""
        total = sum(self.amounts)
        first = [total] if self.is_scaled and 0 < total <= MAX_AMOUNT_PAISE else []
        return tuple(dict.fromkeys([*first, *self.amounts, *self.also]))[:MAX_OFFERED]

    def _take(self, word: str, previous: str, following: str) -> int:
        """Sort one word in. Returns how many of the words behind it belong to it."""
        if not _has_digit(word):
            self._take_word(word, previous, following)
            return 0
        bare = word.rstrip(_TAIL)
        if known.is_goods(bare) or _PHONE.fullmatch(bare.replace("-", "")) or _TIME.fullmatch(bare):
            self._keep(word)
            return 0
        number, suffix = _number_and_suffix(bare)
        unit = suffix or (following if bare == word else "")
        self.has_numbers = self.has_numbers or not bare[0].isalpha() or bool(_AMOUNT.fullmatch(number))
        scale = known.SCALES.get(known.fold(unit))
        if known.is_unit(unit) and _NUMERAL.fullmatch(number):
            self._keep(word)
            return 0
        if scale and _NUMERAL.fullmatch(number):
            self._take_scaled(word, number, scale)
            return 0 if suffix else 1
        self._take_number(word, number, suffix)
        near = (known.fold(previous), known.fold(unit))
        self.is_doubted |= _looks_dated(number) or (_is_day(number) and any(each in known.DATES for each in near))
        return 0

    def _take_scaled(self, word: str, number: str, scale: str) -> None:
        self._add(_scaled(number, scale), word)
        self.is_doubted = self.is_scaled = True
        money = _amount(number) if scale == known.PAISE else None
        if money is not None:
            self.also.append(money)  # “200 paise diye” is what many say of 200 rupees

    def _take_number(self, word: str, number: str, suffix: str) -> None:
        is_money = not suffix or known.fold(suffix) in known.RUPEES
        self._add(None if suffix.lower() in _ORDINALS else _amount(number), word)
        self.is_doubted |= not is_money or ("," in number and not _INDIAN.fullmatch(number))
        if not is_money and word not in self.odd:
            self._keep(suffix)

    def _take_word(self, word: str, previous: str, following: str) -> None:
        is_before_number = _has_digit(following)
        if word in _MINUS_PLUS and is_before_number:
            self.is_signed = True
        elif word in _SIGNS and is_before_number:
            self.is_doubted = True
            if word in "xX" and not _has_digit(previous):
                self._keep(word)
        elif word == "&" or not known.is_noise(word):
            self.is_doubted |= bool(self.amounts) and known.is_scale(word)
            is_of_amount = self.amounts or _amount(following.rstrip(_TAIL)) is not None
            if not (known.fold(word) in known.RUPEES and is_of_amount):
                self._keep(word)

    def _add(self, paise: int | None, word: str) -> None:
        if paise is None:
            self.odd.append(word)
            self.is_signed = self.is_signed or word[0] in _MINUS_PLUS
            self._keep(word)
        else:
            self.amounts.append(paise)

    def _keep(self, word: str) -> None:
        (self.after if self.amounts else self.before).append(word)


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _number_and_suffix(word: str) -> tuple[str, str]:
    """“2kg” is 2 and kg, “500/-” is all a number."""
    attached = None if _AMOUNT.fullmatch(word) else _ATTACHED.fullmatch(word)
    return (attached[1], attached[2]) if attached else (word, "")


def _amount(word: str) -> int | None:
    """What is written is taken as it is; only a sum is computed, and rounded."""
    if not _AMOUNT.fullmatch(word):
        return None
    try:
        return evaluate_paise(word) if _SUM.search(word.removesuffix("/-")) else parse_paise(word)
    except MoneyError:
        return None


def _scaled(number: str, scale: str) -> int | None:
    try:
        return evaluate_paise(f"({number}){scale}")
    except MoneyError:
        return None


def _looks_dated(number: str) -> bool:
    """12/5 and 5-12-24 are days before they are sums; 500-200 and 100/4 are none."""
    found = _DATE.fullmatch(number)
    if not found or found[1] is None:
        return bool(found)
    low, high = sorted((int(found[1]), int(found[2])))
    return 1 <= low <= 12 and high <= 31


def _is_day(number: str) -> bool:
    return number.isdecimal() and (1 <= int(number) <= 31 or 1900 <= int(number) <= 2100)


@dataclass(frozen=True)
class _Said:
    """What the words say of a direction, and which words those are."""

    direction: str
    is_unclear: bool
    grammar: tuple[str, ...]
    is_firm: bool = False


def _direction(before: list[str], after: list[str]) -> _Said:
    words = before + after
    spoken = {word: known.CLASS_OF[known.plain(word)] for word in words if known.plain(word) in known.CLASS_OF}
    kinds = set(spoken.values())
    if not kinds & {"returned", "got", "gave"}:  # elsewhere “ki” is a part of the note
        kinds -= {"done"}
    if not kinds & {"got", "gave", "came", "coming"}:
        kinds -= {"gone"}
    grammar = sorted(word for word, kind in spoken.items() if kind in kinds - known.KEPT_IN_NOTE)
    said = frozenset(kinds) if kinds == {"means"} else frozenset(kinds - {"means"})
    if known.SUBJECT_FIRST & {
        known.plain(word) for word in before[1:]
    }:  # “ramesh gave 500” is not “gave ramesh 500”
        return _Said("", True, tuple(grammar))
    is_firm = bool(said & known.PARTICLES)
    direction = ""
    if said in known.GOT_SETS:
        direction = Direction.GOT.value
    elif said in known.GAVE_SETS and (is_firm or "means" not in kinds):  # “credit upi” is a bank's word
        direction = Direction.GAVE.value
    return _Said(direction, bool(said) and not direction, tuple(grammar), bool(direction) and is_firm)


# --- against the shop's book -------------------------------------------------------------------


def understand(shop: Shop, text: str) -> Understood:
    """Read the line against the shop's parties. Writes nothing."""
    line = read_line(text)
    if line.is_search:
        return Understood("search", name=" ".join(line.before))
    if not line.amounts_paise or not {*line.before, *line.after, *line.grammar} - set(line.odd):
        return Understood("amount")  # with what to write: there is nobody, or nothing, to choose from
    who = _who(shop, line)
    is_plain = not line.is_doubted and not set(line.odd) & {*who.left, *who.rest}
    amount_paise = line.amounts_paise[0] if is_plain else 0
    others = _others(shop, who)
    direction = _which_way(shop, line, who, bool(others) or not amount_paise)
    parties, is_sure = [*who.parties, *others], who.is_sure and not others
    question = _question(parties, amount_paise, direction, is_sure)
    note = " ".join((*who.left, *who.rest))
    return Understood(question, parties, who.name, direction, amount_paise, note, is_sure, line.amounts_paise)


def _question(parties: list[Party], amount_paise: int, direction: str, is_sure: bool) -> str:
    if not parties:
        return "new"
    if not amount_paise:
        return "amount"
    if not direction:
        return "direction"
    return "" if is_sure and len(parties) == 1 else "who"


@dataclass(frozen=True)
class _Who:
    """Who may be meant. ``is_sure``: by spelling, and no word is left that may belong to the name."""

    parties: list[Party]
    name: str
    left: tuple[str, ...] = ()  # words behind the name, on its side of the amount
    rest: tuple[str, ...] = ()  # words on the other side
    is_sure: bool = False
    strange: tuple[str, ...] = ()  # words of both that nobody knows

    @property
    def party_ids(self) -> list[int]:
        return [party.pk for party in self.parties]


def _who(shop: Shop, line: QuickLine) -> _Who:
    """The parties that fit, the name as written, and what is left for the note."""
    name_words, rest = (line.before, line.after) if line.before else (line.after or line.grammar, ())
    for size in range(min(len(name_words), 5), 0, -1):
        name, left = " ".join(name_words[:size]), name_words[size:]
        spelled, alike = matching_parties(shop, name)
        if spelled or alike:
            of_name = _may_be_names(left)
            strange = (*of_name, *(word for word in rest if not _is_known(word)))
            name = " ".join(name_words) if of_name else name
            is_sure = bool(spelled) and not of_name
            return _Who(spelled or alike[:MAX_SUGGESTED], name, left, rest, is_sure, strange)
    # Nobody fits. Before the amount it is all the name; after it, the first word is.
    size = len(name_words) if line.before else 1
    return _Who([], " ".join(name_words[:size]), name_words[size:], rest)


def _may_be_names(left: tuple[str, ...]) -> tuple[str, ...]:
    """Words behind a name that may be a part of it: “mohd salim 500” where only Mohd Rafiq has a khata."""
    return tuple(word for place, word in enumerate(left) if _may_be_a_name(word, left[place - 1] if place else ""))


def _may_be_a_name(word: str, previous: str) -> bool:
    if known.fold(word) in known.TITLES:
        return bool(previous)  # “ramesh ke bhai” is not “ramesh bhai”
    if known.is_unit(word):
        return not _has_digit(previous)  # “ramesh l”, not “tel 2 l”
    return not _is_known(word)


def _is_neutral(word: str) -> bool:
    return known.is_neutral(word) or _has_digit(word)  # which numbers are odd is known by then


def _is_known(word: str) -> bool:
    return _is_neutral(word) or known.is_goods(word)


def _others(shop: Shop, who: _Who) -> list[Party]:
    """Other parties that a strange word names in full: “ramesh 500 suresh”."""
    if not who.parties or not who.strange:
        return []
    words = [word for text in who.strange for word in words_of(text)]
    sounds = {skeleton(part) for text in who.strange for part in roman(text).split()}
    rows = (
        NameWord.objects.for_shop(shop)
        .filter(skeleton__in=sounds, party__archived_at=None)
        .order_by("skeleton", "party")
        .select_related("party")[:MAX_NAMED]
    )
    parties = {row.party_id: row.party for row in rows if row.party_id not in who.party_ids}
    named = [
        party
        for party in parties.values()
        if any(is_written_in(word, held) for word in words for held in words_of(party.name))
    ]
    return named[:MAX_SUGGESTED]


def _which_way(shop: Shop, line: QuickLine, who: _Who, is_asked_anyway: bool) -> str:
    """The direction, or "": where words leave it open, or one is there that nobody knows."""
    if line.is_unclear or _is_in_a_name(line.grammar, who.parties):
        return ""
    if line.is_firm or not who.parties:
        return line.direction or Direction.GAVE.value
    behind = who.rest if line.before else (*who.left, *who.rest)  # a surname before the amount asks who
    if line.direction == Direction.GOT:  # “chawal mila” may be what he got
        is_strange = any(known.is_goods(word) for word in who.left) or not all(map(_is_neutral, behind))
        return "" if is_strange else line.direction
    strange = [word for word in behind if word in who.strange]
    if strange and (is_asked_anyway or not _has_learned(shop, who.parties[0], strange)):
        return ""
    return Direction.GAVE.value  # a khata line without a verb is credit


def _has_learned(shop: Shop, party: Party, words: list[str]) -> bool:
    """The shop has written each of these words with a gave lately, and never with a got."""
    khatas = Khata.objects.for_shop(shop).values_list("pk", "entry_count")
    recent = dict(khatas.order_by("-last_entry_at", "-pk")[:RECENT_KHATAS]) | dict(khatas.filter(party=party))
    latest = Q()
    for khata_id, count in recent.items():
        latest |= Q(khata=khata_id, position__gt=count - RECENT_ENTRIES)
    # By khata and position alone: with the shop, or with what was taken back, as a condition too,
    # SQLite would walk through every entry of the shop.
    entries = Entry.objects.unscoped("within khatas of this shop").filter(latest)
    rows = list(entries.values_list("pk", "reverses_id", "direction", "note"))
    undone = {reverses for _, reverses, _, _ in rows}
    seen: dict[str, set[str]] = {}
    for pk, reverses, direction, note in rows:
        for word in note.split() if reverses is None and pk not in undone else ():
            seen.setdefault(known.fold(word), set()).add(direction)
    return all(seen.get(known.fold(word)) == {Direction.GAVE.value} for word in words)


def _is_in_a_name(grammar: tuple[str, ...], parties: list[Party]) -> bool:
    """“jama masjid 500”: with Jama Masjid Store in the book, jama says nothing of a direction."""
    return any(set(words_of(word)) & set(words_of(party.name)) for word in grammar for party in parties)


def matching_parties(shop: Shop, name: str) -> tuple[list[Party], list[Party]]:
    """Parties that are written like ``name`` word by word, and those it begins or only sounds like."""
    if not roman(name):
        return [], []
    # More than a page: whoever is spelled so must be seen, or two that fit would look like one.
    ids = [hit.party_id for hit in search(shop, name, limit=200)]
    parties = {party.pk: party for party in Party.objects.for_shop(shop).filter(pk__in=ids)}
    found = [parties[pk] for pk in ids if pk in parties]
    spelled = [party for party in found if _is_spelled(name, party)]
    wanted = roman(name).split()
    alike = [party for party in found if _sounds(wanted, party.roman.split())]
    alike.sort(key=lambda party: not _begins(wanted, party.roman.split()))
    return spelled, alike


def _is_spelled(name: str, party: Party) -> bool:
    typed, held = words_of(name), words_of(party.name)
    for word in typed:
        fitting = [other for other in held if is_written_in(word, other)]
        if not fitting:
            return False
        held.remove(fitting[0])  # “ram ram” is more than Ram
    return bool(typed)


def _sounds(wanted: list[str], words: list[str]) -> bool:
    return all(any(_alike(word, other) for other in words) for word in wanted)


def _begins(wanted: list[str], words: list[str]) -> bool:
    return all(any(other.startswith(word) for other in words) for word in wanted)


def _alike(word: str, other: str) -> bool:
    if word == other or (len(word) >= 3 and other.startswith(word)):
        return True
    return skeleton(word) == skeleton(other) and fuzz.ratio(word, other) >= 60
