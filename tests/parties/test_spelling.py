"""Two words are the same, in one script or two, only where nobody could doubt it."""

import itertools

from parties.spelling import is_written_in, words_of

NEAR = [
    "karan",
    "kiran",
    "karn",
    "karina",
    "karuna",
    "kiron",
    "keran",
    "raja",
    "raju",
    "raj",
    "rajo",
    "rajee",
    "salim",
    "salma",
    "salama",
    "saloma",
    "sulema",
    "selim",
    "ramesh",
    "remesh",
    "rimesh",
    "ramsha",
    "rameshwar",
    "romesh",
    "suresh",
    "saroj",
    "siresh",
    "sonu",
    "sona",
    "soni",
    "sunil",
    "sunila",
    "sanil",
    "anil",
    "anila",
    "mohan",
    "mohini",
    "mahan",
    "mihin",
    "ravi",
    "reva",
    "riva",
    "rava",
    "geeta",
    "gita",
    "gota",
    "gata",
    "sita",
    "sata",
    "seeta",
    "kamal",
    "kamala",
    "kamil",
    "komal",
    "vijay",
    "vijaya",
    "vajay",
    "deepak",
    "dipak",
    "dipika",
    "amit",
    "amita",
    "amrit",
    "umit",
    "farida",
    "faridha",
    "harish",
    "hiresh",
]
NEAR_HINDI = [
    "करण",
    "किरण",
    "कर्ण",
    "करीना",
    "करुणा",
    "राजा",
    "राजू",
    "राज",
    "सलीम",
    "सलमा",
    "सुलेमा",
    "रमेश",
    "रामेश",
    "रिमेश",
    "रमशा",
    "सुरेश",
    "सरोज",
    "सोनू",
    "सोना",
    "सोनी",
    "सुनील",
    "सुनिला",
    "अनिल",
    "अनिला",
    "मोहन",
    "मोहिनी",
    "महान",
    "रवि",
    "रेवा",
    "रीवा",
    "गीता",
    "गोटा",
    "सीता",
    "सता",
    "कमल",
    "कमला",
    "कामिल",
    "कोमल",
    "विजय",
    "विजया",
    "दीपक",
    "दीपिका",
    "अमित",
    "अमिता",
    "अमृत",
    "फ़रीदा",
    "हरीश",
    "हीरेश",
]


def letters(name: str) -> str:
    return "".join(letter for letter in name if letter != "\u093c")


def test_in_one_script_a_name_fits_only_itself():
    for names in (NEAR, NEAR_HINDI):
        for typed, held in itertools.product(names, names):
            [ours], [theirs] = words_of(typed), words_of(held)
            assert is_written_in(ours, theirs) is (letters(typed) == letters(held)), (typed, held)


def test_across_scripts_a_name_fits_only_its_own_spellings():
    """Many against many: whatever two Hindi names one Latin spelling fits differ in length of a vowel alone."""
    same_latin = {("रमेश", "रामेश")}  # both are Ramesh to who writes Latin letters: two fit, so it is asked
    for typed in NEAR:
        fits = [held for held in NEAR_HINDI if is_written_in(words_of(typed)[0], words_of(held)[0])]
        assert len(fits) <= 1 or tuple(fits) in same_latin, (typed, fits)
    for typed in NEAR_HINDI:
        fits = [held for held in NEAR if is_written_in(words_of(typed)[0], words_of(held)[0])]
        vowels = {held.replace("ee", "i").replace("salama", "salma") for held in fits}  # सलमा is read both ways
        assert len(vowels) <= 1, (typed, fits)
