"""The quick line: ``ramesh 500 chawal``, ``सुरेश ने 200 दिए``, ``ramesh se 200 mila``.

Reading is two steps. ``read_line`` takes the text apart without looking at any book: an amount, a
direction if the words say one, the words before and after. ``understand`` looks the name up. It
never guesses on money: two amounts, two parties that fit, a name that only sounds like a party's, or
words that speak of a direction without settling it mean a question.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from core.limits import MAX_QUICK_CHARS
from core.money import MoneyError, evaluate_paise, fold_digits
from ledger.models import Direction
from parties.models import Party
from parties.search import roman, search, skeleton
from parties.spelling import is_written_in, words_of
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
# Words that take part in saying who gave. What they say together stands in _GOT_SETS and _GAVE_SETS.
_CLASSES: dict[str, set[str]] = {
    "ne": {"ne", "ने"},
    "se": {"se", "from", "से"},
    "ko": {"ko", "to", "को"},
    "given": {
        "diya", "diye", "die", "di", "de", "dia", "diyaa", "deya", "deye", "bheja", "bheje", "bheji",
        "chukaya", "chukaye", "chukae", "chukaai", "chukai", "दिया", "दिए", "दिये", "दी", "दे", "भेजा", "भेजे",
        "भेजी", "चुकाया", "चुकाए", "चुकाये", "चुकाई", "given", "sent",
    },
    "taken": {"liya", "liye", "lia", "lie", "li", "le", "लिया", "लिए", "लिये", "ली", "ले", "took", "taken"},
    "came": {
        "mila", "mile", "mili", "aaya", "aaye", "aya", "aye", "aae", "मिला", "मिले", "मिली", "आया", "आए", "आये",
    },
    "returned": {
        "wapas", "vapas", "wapis", "vapis", "waapas", "vaapas", "waapis", "vaapis", "wapasi", "wapsi", "vapsi",
        "वापस", "वापिस", "वापसी", "back", "return", "returned", "refund",
    },
    "handed back": {
        "lauta", "lautaya", "lautaye", "lautae", "lautai", "lautayi", "lotaya", "lotaye", "lotae", "lautaaye",
        "lautaaya", "laute", "लौटा", "लौटाया", "लौटाए", "लौटाये", "लौटाई", "लौटायी", "लौटाऐ",
    },
    "got": {"jama", "received", "recd", "got", "paid", "जमा"},
    "gave": {"gave", "udhaar", "udhar", "udhari", "credit", "उधार", "उधारी", "बाकी", "baki", "baaki"},
    # How it came says nothing of whose it was: alone it is a question, beside a verb it is a note.
    "means": {
        "cash", "nakad", "nagad", "नकद", "नगद", "upi", "gpay", "phonepe", "paytm", "online", "cheque",
        "चेक", "transfer", "यूपीआई",
    },
    # Not yet, not at all, or money on its way: always a question.
    "maybe": {
        "lena", "dena", "lene", "dene", "लेना", "देना", "लेने", "देने", "lega", "lege", "lenge", "legi", "dega",
        "denge", "degi", "dunga", "lunga", "लेगा", "लेंगे", "लेगी", "देगा", "देंगे", "देगी", "दूंगा", "लूंगा",
        "nahi", "nahin", "nhi", "nai", "na", "mat", "not", "नहीं", "नही", "ना", "न", "मत", "pay", "payment",
        "bhugtan", "भुगतान", "chukta", "चुकता", "चुक्ता", "advance", "karz", "karza", "कर्ज", "कर्जा", "credited",
        "debit", "debited", "settled", "bhejna", "lautana", "lautayega", "लौटाना", "लौटाएगा", "लौटायेगा",
    },
}  # fmt: skip
_DONE = {"kiya", "kiye", "kie", "ki", "kar", "kari", "किया", "किए", "किये", "की", "कर"}  # wapas *kiye*
_KEPT_IN_NOTE = {"means", "maybe"}
_SUBJECT_FIRST = {"gave", "got", "received", "recd"}  # “ramesh gave 500” is not “gave ramesh 500”


def _sets(*texts: str) -> set[frozenset[str]]:
    return {frozenset(text.split(" + ")) for text in texts}


# Only what is unmistakable. Everything else that has one of these words in it is a question.
_GOT_SETS = _sets(
    "ne + given", "ne + handed back", "ne + handed back + given", "ne + returned + handed back",
    "ne + returned + given", "ne + returned + done", "ne + got", "ne + got + done",
    "se + came", "se + taken", "se + returned + came", "se + returned + taken", "se + got",
    "came", "got", "came + got", "got + done",
)  # fmt: skip
_GAVE_SETS = _sets(
    "ko + given", "ko + handed back", "ko + handed back + given", "ko + returned + handed back",
    "ko + returned + given", "ko + returned + done", "ko + gave", "ko + gave + given",
    "ne + taken", "ne + gave + taken", "gave", "gave + done",
)  # fmt: skip
# After a name and before the amount: a note, and no part of a name. Any other word there may be a
# surname (“mohd salim 500” where only Mohd Rafiq has a khata), and that is a question.
_NOTE_WORDS = {
    "ji", "bhai", "bhaiya", "bhaiyya", "didi", "uncle", "aunty", "sahab", "saab", "ka", "ke", "ki", "aaj", "kal",
    "chawal", "dal", "daal", "tel", "atta", "aata", "maida", "besan", "suji", "rava", "chini", "cheeni", "shakkar",
    "gud", "namak", "masala", "haldi", "mirch", "doodh", "dudh", "milk", "dahi", "ghee", "ghi", "paneer",
    "makkhan", "anda", "ande", "bread", "biscuit", "chai", "chaipatti", "coffee", "sabun", "soap", "surf",
    "shampoo", "sabzi", "aloo", "pyaz", "pyaaz", "kirana", "ration", "rashan", "saman", "samaan", "kapda", "dawai",
    "dava", "medicine", "recharge", "rice", "oil", "sugar", "salt", "flour", "gas", "petrol", "diesel", "cement",
    "khad", "beej", "जी", "भाई", "भैया", "दीदी", "साहब", "का", "के", "की", "आज", "कल", "चावल", "दाल", "तेल", "आटा",
    "मैदा", "बेसन", "सूजी", "चीनी", "शक्कर", "गुड", "नमक", "मसाला", "हल्दी", "मिर्च", "दूध", "दही", "घी", "मक्खन", "पनीर",
    "अंडा", "अंडे", "ब्रेड", "बिस्कुट", "चाय", "साबुन", "सब्जी", "आलू", "प्याज", "किराना", "राशन", "सामान",
    "कपडा", "दवा", "दवाई", "रिचार्ज", "गैस", "पेट्रोल", "डीजल", "सीमेंट", "खाद", "बीज",
}  # fmt: skip
MAX_ALIKE = 5  # suggestions that only sound like the name


@dataclass(frozen=True)
class QuickLine:
    """What the text says by itself. ``amounts_paise`` has one value, or the line needs a question."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    amounts_paise: tuple[int, ...] = ()
    direction: str = ""
    is_unclear: bool = False  # words speak of a direction, and not of one alone
    grammar: tuple[str, ...] = ()  # those words


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
    is_sure: bool = True  # that one of the parties is meant, and nobody new


def read_line(text: str) -> QuickLine:
    """Take the text apart. Text without an amount is a search: ``amounts_paise`` is empty."""
    words = fold_digits(unicodedata.normalize("NFC", text[:MAX_QUICK_CHARS])).replace("₹ ", "₹").split()
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
    lowered = [word.lower() for word in before], [word.lower() for word in after]
    direction, is_unclear, grammar = _direction(*lowered)
    return QuickLine(
        before=tuple(word for word in before if word.lower() not in grammar),
        after=tuple(word for word in after if word.lower() not in grammar),
        amounts_paise=tuple(amounts),
        direction=direction,
        is_unclear=is_unclear,
        grammar=grammar,
    )


def _amount(word: str) -> int | None:
    if not _AMOUNT.match(word):
        return None
    try:
        return evaluate_paise(word)
    except MoneyError:
        return None


def _plain(word: str) -> str:
    """As the lists above hold it: without the nukta that half the writers leave out."""
    return word.lower().strip(".,!?।").replace("\u093c", "")


def _direction(before: list[str], after: list[str]) -> tuple[str, bool, tuple[str, ...]]:
    """The direction that the words say, whether they leave it open, and which words those are."""
    words = before + after
    spoken = {word: kind for word in words for kind, known in _CLASSES.items() if _plain(word) in known}
    kinds = set(spoken.values())
    grammar = {word for word, kind in spoken.items() if kind not in _KEPT_IN_NOTE}
    done = {word for word in words if _plain(word) in _DONE}
    if done and kinds & {"returned", "got", "gave"}:  # elsewhere “ki” is a part of the note
        kinds.add("done")
        grammar |= done
    said = frozenset(kinds) if kinds == {"means"} else frozenset(kinds - {"means"})
    if _SUBJECT_FIRST & set(before[1:]):
        return "", True, tuple(sorted(grammar))
    direction = Direction.GOT.value if said in _GOT_SETS else Direction.GAVE.value if said in _GAVE_SETS else ""
    return direction, bool(said) and not direction, tuple(sorted(grammar))


def understand(shop: Shop, text: str) -> Understood:
    """Read the line against the shop's parties. Writes nothing."""
    line = read_line(text)
    if not line.amounts_paise:
        return Understood("amount", name=" ".join(line.before))
    who = _who(shop, line)
    direction = line.direction
    if not (line.is_unclear or direction):
        direction = Direction.GAVE.value  # a khata line without a verb is credit
    if line.is_unclear or _is_in_a_name(line.grammar, who.parties):
        direction = ""
    amount_paise = line.amounts_paise[0] if len(line.amounts_paise) == 1 else 0
    question = _question(who, amount_paise, direction)
    return Understood(question, who.parties, who.name, direction, amount_paise, who.note, who.is_sure)


def _question(who: "_Who", amount_paise: int, direction: str) -> str:
    if not who.parties:
        return "new"
    if not amount_paise:
        return "amount"
    if not direction:
        return "direction"
    return "" if who.is_sure and len(who.parties) == 1 else "who"


def _is_in_a_name(grammar: tuple[str, ...], parties: list[Party]) -> bool:
    """“jama masjid 500”: with Jama Masjid Store in the book, jama says nothing of a direction."""
    return any(set(words_of(word)) & set(words_of(party.name)) for word in grammar for party in parties)


@dataclass(frozen=True)
class _Who:
    """Who may be meant. ``is_sure``: by spelling, and no word is left that may belong to the name."""

    parties: list[Party]
    name: str
    note: str
    is_sure: bool = False


def _who(shop: Shop, line: QuickLine) -> _Who:
    """The parties that fit, the name as written, and what is left for the note."""
    name_words, rest = (line.before, line.after) if line.before else (line.after or line.grammar, ())
    for size in range(min(len(name_words), 5), 0, -1):
        name, left = " ".join(name_words[:size]), name_words[size:]
        spelled, alike = matching_parties(shop, name)
        if spelled or alike:
            is_left = bool(left) and _may_be_a_name(left[0])
            name = " ".join(name_words) if is_left else name
            return _Who(
                spelled or alike[:MAX_ALIKE], name, " ".join((*left, *rest)), bool(spelled) and not is_left
            )
    # Nobody fits. Before the amount it is all the name; after it, the first word is.
    size = len(name_words) if line.before else 1
    return _Who([], " ".join(name_words[:size]), " ".join((*name_words[size:], *rest)))


def _may_be_a_name(word: str) -> bool:
    known = _NOTE_WORDS | _UNITS | _CLASSES["means"] | _CLASSES["maybe"]
    return _plain(word) not in known and not any(letter.isdigit() for letter in word)


def matching_parties(shop: Shop, name: str) -> tuple[list[Party], list[Party]]:
    """Parties that are written like ``name`` word by word, and those that only sound like it."""
    if not roman(name):
        return [], []
    # More than a page: whoever is spelled so must be seen, or two that fit would look like one.
    ids = [hit.party_id for hit in search(shop, name, limit=200)]
    parties = {party.pk: party for party in Party.objects.for_shop(shop).filter(pk__in=ids)}
    found = [parties[pk] for pk in ids if pk in parties]
    spelled = [party for party in found if _is_spelled(name, party)]
    alike = [party for party in found if _sounds(roman(name).split(), party.roman.split())]
    return spelled, alike


def _is_spelled(name: str, party: Party) -> bool:
    typed, held = words_of(name), words_of(party.name)
    for word in typed:
        fitting = [other for other in held if is_written_in(word, other)]
        if not fitting:
            return False
        held.remove(word if word in fitting else fitting[0])  # “ram ramesh” is more than Ramesh
    return bool(typed)


def _sounds(wanted: list[str], words: list[str]) -> bool:
    return all(any(_alike(word, other) for other in words) for word in wanted)


def _alike(word: str, other: str) -> bool:
    if word == other or (len(word) >= 3 and other.startswith(word)):
        return True
    return skeleton(word) == skeleton(other) and fuzz.ratio(word, other) >= 60
