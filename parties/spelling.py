"""Are two words written the same, in the same script or in another?

Search is generous: it hears Karan in ``kiran``. Money is not: an entry is posted without a question
only where this module says that the words are the same. Where a script leaves room for doubt (Urdu
writes no short vowels, Tamil one letter for b and p) the answer is no, and the person is asked.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

from core.money import fold_digits

LATIN, OTHER = -1, -2  # else the number of an Indic block: Devanagari is 0, Tamil is _TAMIL
_FIRST, _LAST, _BLOCK = 0x0900, 0x0D7F, 0x80  # nine scripts, each letter at the same place of its block
_TAMIL = 5
_NUKTA, _VIRAMA = "\u093c", "\u094d"

_I, _U = ("i", "ee", "ii"), ("u", "oo", "uu")
_SIGNS = {
    "ा": ("a", "aa"), "ि": _I, "ी": _I, "ु": _U, "ू": _U, "ृ": ("ri", "ru"), "ॅ": ("e",), "ॆ": ("e",),
    "े": ("e",), "ै": ("ai",), "ॉ": ("o",), "ॊ": ("o",), "ो": ("o",), "ौ": ("au", "ou"),
}  # fmt: skip
_VOWELS = {
    "अ": ("a",), "आ": _SIGNS["ा"], "इ": _I, "ई": _I, "उ": _U, "ऊ": _U, "ऋ": ("ri", "ru"), "ऍ": ("e",),
    "ऎ": ("e",), "ए": ("e",), "ऐ": ("ai",), "ऑ": ("o",), "ऒ": ("o",), "ओ": ("o",), "औ": ("au", "ou"),
}  # fmt: skip
_CONSONANTS = {
    "क": ("k", "q"), "ख": ("kh",), "ग": ("g",), "घ": ("gh",), "ङ": ("n",),
    "च": ("ch",), "छ": ("chh", "ch"), "ज": ("j", "z"), "झ": ("jh",), "ञ": ("n",),
    "ट": ("t",), "ठ": ("th",), "ड": ("d",), "ढ": ("dh",), "ण": ("n",),
    "त": ("t",), "थ": ("th",), "द": ("d",), "ध": ("dh",), "न": ("n",),
    "प": ("p",), "फ": ("ph", "f"), "ब": ("b",), "भ": ("bh",), "म": ("m",),
    "य": ("y",), "र": ("r",), "ल": ("l",), "ळ": ("l",), "व": ("v", "w"),
    "श": ("sh", "s"), "ष": ("sh", "s"), "स": ("s",), "ह": ("h",),
}  # fmt: skip
_DOTTED = {"ड": ("d", "r"), "ढ": ("dh", "rh")}
_CODAS = {"ँ": ("n", "m", ""), "ं": ("n", "m", "ng"), "ः": ("h", "")}
_KSHA, _KSHA_LETTERS = "क्ष", ("ksh", "ks", "x")

Piece = tuple[str, ...]  # the ways in which Latin letters write one sound


@dataclass(frozen=True)
class Word:
    """One word of a name: its letters without case and nukta, and the script they are of."""

    text: str
    script: int


def words_of(name: str) -> list[Word]:
    """The words of a name as they are written."""
    text = unicodedata.normalize("NFC", fold_digits(name)).replace("\u200c", "").replace("\u200d", "")
    spaced = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text)
    return [_word(part) for part in spaced.split()]


def _word(part: str) -> Word:
    scripts = {_script(letter) for letter in part if not letter.isdigit()} or {LATIN}
    script = scripts.pop() if len(scripts) == 1 else OTHER
    if script == LATIN:
        return Word(anyascii(part).lower(), LATIN)
    return Word(part.casefold(), script)


def _script(letter: str) -> int:
    if _FIRST <= ord(letter) <= _LAST:
        return (ord(letter) - _FIRST) // _BLOCK
    # A loose accent (U+0300…) belongs to the Latin letter before it.
    return LATIN if ord(letter) < 0x0370 or 0x1E00 <= ord(letter) < 0x1F00 else OTHER


def is_written_in(typed: Word, held: Word) -> bool:
    """``typed`` is the whole word ``held``, in the same script or in another.

    A beginning is not enough: ram is somebody else than Ramesh, and Anand than Anandi.
    """
    if typed.script == held.script:
        return _plain(held) == _plain(typed)
    if typed.script == LATIN:
        return _spells(typed.text, _pieces(held))
    if held.script == LATIN:
        return _spells(held.text, _pieces(typed))
    ours, theirs = _pieces(typed), _pieces(held)
    return bool(ours) and _bare(ours) == _bare(theirs)


def usual(word: Word) -> str:
    """How Latin letters usually write an Indic word: रमेश is ``ramesh``. "" where a letter leaves doubt."""
    return "".join(piece[0] for piece in _pieces(word))


def _plain(word: Word) -> str:
    """Nuktas are left out by many who write: ज़ाकिर is जाकिर."""
    if word.script < 0:
        return word.text
    return word.text.replace(chr(ord(_NUKTA) + word.script * _BLOCK), "")


def _bare(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Without the last a that nobody says: రమేష్ writes that there is none, रमेश does not."""
    return pieces[:-1] if pieces[-1:] == (("", "a"),) else pieces


def _spells(letters: str, pieces: tuple[Piece, ...]) -> bool:
    """These Latin letters are one way to write all the pieces. No pieces: nobody can know."""
    reached = {0} if pieces else set()
    for piece in pieces:
        reached = {at + len(way) for at in reached for way in piece if letters.startswith(way, at)}
    return len(letters) in reached


@lru_cache(maxsize=5_000)
def _pieces(word: Word) -> tuple[Piece, ...]:
    """The sounds of an Indic word, each with its Latin spellings; nothing where a letter leaves doubt."""
    syllables = _syllables(word)
    pieces: list[Piece] = []
    for (sound, vowel), unwritten in zip(syllables, _unwritten(syllables), strict=True):
        pieces += [sound, unwritten if vowel is None else vowel]
    if pieces and pieces[-1] == _I:
        pieces[-1] = (*_I, "y")  # चौधरी is Chaudhary
    return tuple(piece for piece in pieces if piece not in ((), ("",)))


Syllable = tuple[Piece, Piece | None]  # a consonant and its vowel: None is the unwritten a, () is none


def _syllables(word: Word) -> list[Syllable]:
    if word.script < 0:
        return []
    # Every Indic block is laid out as Devanagari is: one table serves them all.
    text = "".join(
        chr(ord(letter) - word.script * _BLOCK) if ord(letter) >= _FIRST else letter for letter in word.text
    )
    if word.script == _TAMIL and set(text) & set("कचटतप"):
        return []  # ப is p and b, த is t and d: பாபு may be Babu
    found: list[Syllable] = []
    place = 0
    while place < len(text):
        letter = text[place]
        if text.startswith(_KSHA, place):
            found.append((_KSHA_LETTERS, None))
            place += len(_KSHA)
            continue
        place += 1
        last = found[-1] if found else None
        if letter in _CONSONANTS:
            found.append((_CONSONANTS[letter], None))
        elif letter in _VOWELS:
            found.append(((), _VOWELS[letter]))
        elif letter in _CODAS and last:
            found.append((_CODAS[letter], ()))
        elif letter == _NUKTA and last:
            found[-1] = (_DOTTED.get(text[place - 2], last[0]), last[1])
        elif (letter == _VIRAMA or letter in _SIGNS) and last and last[1] is None:
            found[-1] = (last[0], _SIGNS.get(letter, ()))
        else:
            return []
    return found


def _unwritten(syllables: list[Syllable]) -> list[Piece]:
    """Where the unwritten a is said: करण is Karan and never Karn, सलमा is Salma, यादव is Yadav.

    The last one is silent (कमल is Kamal; Kamala is somebody else), save after two consonants, where
    both are written: मित्र is Mitr and Mitra. Inside, it may be silent between two syllables that are heard.
    """
    ways: list[Piece] = [("a",)] * len(syllables)
    for at in range(len(syllables) - 1, -1, -1):
        if at == len(syllables) - 1:
            ways[at] = ("", "a") if at == 0 or syllables[at - 1][1] == () else ("",)
            continue
        next_vowel = syllables[at + 1][1]
        next_is_heard = bool(next_vowel) or (next_vowel is None and ways[at + 1] == ("a",))
        if at > 0 and syllables[at - 1][1] != () and next_is_heard:
            ways[at] = ("", "a")
    return ways
