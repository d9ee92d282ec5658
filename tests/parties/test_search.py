"""Finding people as they are typed: across scripts, spellings, and 10,000 of them."""

import csv
import random
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from parties import search as engine
from parties.models import NameWord, Party
from parties.search import roman, search, skeleton, skeletons
from parties.services import archive_party
from shops.models import Shop
from tests.cast import Cast, make_khata, unique

NAMES = Path(settings.BASE_DIR).parent / "shared" / "data" / "names" / "indian_full_names_shuffled.csv"


def fill(shop: Shop, names: list[str]) -> None:
    """Parties in bulk, indexed as the service does it."""
    parties = Party.everything.bulk_create(
        [Party(shop=shop, code=unique("c"), name=name, roman=roman(name)) for name in names], batch_size=2000
    )
    NameWord.everything.bulk_create(
        [
            NameWord(shop=shop, party=party, skeleton=word)
            for party in parties
            for word in sorted(skeletons(party.name))
        ],
        batch_size=5000,
    )


def found(shop: Shop, text: str, **options: Any) -> list[str]:
    pks = [hit.party_id for hit in search(shop, text, **options)]
    names = dict(Party.everything.filter(pk__in=pks).values_list("pk", "name"))
    return [names[pk] for pk in pks]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "alike",
    [
        ["रमेश", "ramesh", "rames", "Ramesh", "RAMESH"],
        ["लक्ष्मी", "laxmi", "lakshmi", "Lakshmee"],
        ["सुरेश", "suresh", "sures"],
        ["মোহন", "mohan", "मोहन"],
        ["ਗੁਰਪ੍ਰੀਤ", "gurpreet", "gurprit"],
        ["ज़ोया", "zoya", "joya"],
        ["चौधरी", "chaudhary", "choudhury"],
        ["विष्णु", "vishnu", "wishnu"],
        ["फ़ातिमा", "fatima", "phatima"],
    ],
    ids=lambda alike: alike[1],
)
def test_each_spelling_finds_every_other(shop: Shop, alike: list[str]) -> None:
    fill(shop, [*alike, "Dharmendra", "Kavita"])
    for text in alike:
        assert set(alike) <= set(found(shop, text)), text


@pytest.mark.django_db
def test_what_is_typed_so_far_finds_the_name_and_the_exact_one_stands_first(shop: Shop) -> None:
    fill(shop, ["Rameshwar Prasad", "Ramesh Kumar", "Ramesh", "Suresh"])
    assert found(shop, "ramesh")[0] == "Ramesh"
    for text in ("ram", "rame", "rames", "ramesh"):
        assert {"Ramesh", "Ramesh Kumar", "Rameshwar Prasad"} <= set(found(shop, text))
    assert found(shop, "prasad") == ["Rameshwar Prasad"]
    assert found(shop, "kumar ramesh")[0] == "Ramesh Kumar"


@pytest.mark.django_db
def test_phone_digits_find_however_they_are_typed(shop: Shop) -> None:
    khata = make_khata(shop, "Ramesh", phone="+919812345678")
    make_khata(shop, "Suresh", phone="+919900000000")
    for text in ("9812345678", "98123 45678", "+91 98123-45678", "098123 45678", "5678", "९८१२३"):
        assert found(shop, text) == ["Ramesh"], text
    assert [hit.party_id for hit in search(shop, khata.party.code.lower())] == [khata.party_id]


@pytest.mark.django_db
def test_a_strange_text_finds_nothing_and_harms_nothing(shop: Shop) -> None:
    fill(shop, ["Ramesh", "!!!", "<script>alert(1)</script>"])
    for text in ("", "   ", "%", "_", "'; DROP TABLE", "\x00", "0000", "🙂", "क्", "x" * 500):
        search(shop, text)
    assert "Ramesh" not in found(shop, "qqqq")
    assert found(shop, "script")[0] == "<script>alert(1)</script>"


@pytest.mark.django_db
def test_the_archived_are_found_only_when_asked_for(shop: Shop) -> None:
    khata = make_khata(shop, "Ramesh", phone="+919812345678")
    archive_party(party=khata.party, actor=None)
    for text in ("ramesh", "98123", khata.party.code):
        assert found(shop, text) == []
        assert found(shop, text, include_archived=True) == ["Ramesh"]


@pytest.mark.django_db
def test_another_shops_people_are_not_found(cast: Cast) -> None:
    theirs = make_khata(cast.other_shop, "Ramesh", phone="+919812345678")
    for text in ("ramesh", "98123", theirs.party.code):
        assert found(cast.shop, text) == []


def test_a_word_of_vowels_keeps_its_first_letter() -> None:
    assert skeleton("aai") == "a"
    assert skeletons("!!!") == {"-"}
    assert skeletons("Om Om") == {"m", "zom"}


def test_the_index_holds_each_word_by_its_sound_and_behind_a_z_by_its_spelling() -> None:
    assert skeletons("Rohit शंकर") == {"rt", "zrohit", "smkr", "snkr", "zshankar"}
    assert len(max(skeletons("Ramesh" * 30), key=len)) == 64


def real_names() -> list[str]:
    """Distinct names of people, where the data is at hand."""
    if not NAMES.exists():
        pytest.skip(f"no {NAMES.name} here")
    with NAMES.open(encoding="utf-8") as file:
        return sorted({row["name"].strip() for row in csv.DictReader(file) if row["name"].strip()})


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda name: name,
    "the first word": lambda name: name.split()[0],
    "the first four letters": lambda name: name[:4],
    "sh as s": lambda name: name.replace("sh", "s"),
    "no aspirates": lambda name: re.sub(r"(?<=[kgcjtdpb])h", "", name),
    "ee for i, oo for u": lambda name: name.replace("i", "ee").replace("u", "oo"),
    "w for v, z for j": lambda name: name.replace("v", "w").replace("j", "z"),
    "double letters": lambda name: re.sub(r"([ltnmk])(?=[aeiou])", r"\1\1", name),
    "no a inside": lambda name: re.sub(r"(?<=\w)a(?=\w)", "", name),
    "last word first": lambda name: " ".join(reversed(name.split())),
}
# Measured 1.00 for every spelling of a whole name, 0.93 for a first word and 0.91 for four letters
# (20 are shown, of more that fit as well); the slack is for other data.
FLOOR = {"the first word": 0.85, "the first four letters": 0.82}


@pytest.mark.slow
@pytest.mark.django_db
def test_two_thousand_real_names_are_found_in_any_spelling(shop: Shop, record_property: Any) -> None:
    names = real_names()
    fill(shop, names)
    sample = random.Random(7).sample(names, 150)
    for spelling, change in SPELLINGS.items():
        hits = sum(name in found(shop, change(name)) for name in sample)
        recall = hits / len(sample)
        record_property(f"recall, {spelling}", round(recall, 3))
        assert recall >= FLOOR.get(spelling, 0.97), f"{spelling}: {recall:.3f}"


@pytest.mark.slow
@pytest.mark.django_db
def test_among_ten_thousand_the_index_is_searched_and_not_the_table(shop: Shop) -> None:
    dice = random.Random(7)
    parts = [
        "ra",
        "me",
        "sh",
        "su",
        "ka",
        "vi",
        "ta",
        "mo",
        "han",
        "la",
        "xmi",
        "go",
        "pal",
        "de",
        "v",
        "ja",
        "na",
    ]
    words = ["".join(dice.choices(parts, k=3)) for _ in range(2_000)]
    fill(shop, [" ".join(dice.choices(words, k=2)) for _ in range(10_000)])
    seen: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with connection.execute_wrapper(listen):
        assert all(engine._candidates(shop, "ramesh", False))
        engine._candidates(shop, "ramesh suta", False)
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    for sql, params in seen:
        with connection.cursor() as cursor:
            cursor.execute(explain + sql, params)
            plan = " ".join(str(part) for row in cursor.fetchall() for part in row)
        assert "name_word_prefix" in plan, plan
        assert "Seq Scan on parties_nameword" not in plan
        assert "SCAN parties_nameword" not in plan
    assert len(seen) <= 6


@pytest.mark.django_db
def test_a_word_costs_two_queries_however_many_there_are(
    shop: Shop, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for names in (["Rohit"] * 3, ["Rohit Rai"] * 50):
        fill(shop, names)
        with django_assert_num_queries(2):
            search(shop, "rohi")


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["roh", "rohi", "rohit", "रोहि", "रोहित"])
def test_a_common_name_is_found_while_it_is_typed_though_hundreds_sound_so(shop: Shop, typed: str) -> None:
    """A vowel or an h at the end adds nothing to the consonants: ``rohi`` sounds like every r there is."""
    others = [f"{first} {last}" for first in ("Rahul", "Raj", "Rekha", "Rupa") for last in ("Rai", "Shah")]
    fill(shop, others * 100 + ["Rohit Sharma", "रोहित वर्मा"] * 10 + others * 20)
    assert set(found(shop, typed)) == {"Rohit Sharma", "रोहित वर्मा"}


@pytest.mark.django_db
def test_a_later_word_is_found_while_it_is_typed_too(shop: Shop) -> None:
    fill(shop, ["Anil Rai"] * 700 + ["Anil Rohatgi", "Sunil Rohilla"])
    assert set(found(shop, "roh")[:2]) == {"Anil Rohatgi", "Sunil Rohilla"}
    assert found(shop, "anil roh")[0] == "Anil Rohatgi"
    assert found(shop, "roh anil")[0] == "Anil Rohatgi"


@pytest.mark.django_db
def test_who_is_spelled_as_typed_comes_before_who_only_sounds_so(shop: Shop) -> None:
    fill(shop, ["Maheshwari Devi", "Muhesh", "Mahesh Rao", "Mahesh"])
    assert found(shop, "mahesh") == ["Mahesh", "Mahesh Rao", "Maheshwari Devi", "Muhesh"]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["z", "zz", "zub", "oz", "9", "q9", "Ż"])
def test_the_end_of_the_alphabet_is_a_beginning_too(shop: Shop, typed: str) -> None:
    fill(shop, ["Zubin", "Zz Top", "Ozair", "9 Star", "Q9", "Żaneta", "Asha"])
    assert any(word.lower().startswith(typed.lower()) for name in found(shop, typed) for word in name.split())


@pytest.mark.slow
@pytest.mark.django_db
def test_every_beginning_of_a_first_name_finds_somebody_who_begins_so(shop: Shop) -> None:
    names = real_names()
    dice = random.Random(3)
    firsts, lasts = [name.split()[0] for name in names], [name.split()[-1] for name in names]
    fill(shop, [f"{dice.choice(firsts)} {dice.choice(lasts)}" for _ in range(10_000)])
    held = {word for name in Party.everything.values_list("roman", flat=True) for word in name.split()[:1]}
    asked = {word[:size] for word in dice.sample(sorted(held), 250) for size in range(3, len(word) + 1)}
    lost = [
        text
        for text in sorted(asked)
        if not any(word.startswith(text) for name in found(shop, text) for word in roman(name).split())
    ]
    assert len(asked) > 500
    assert lost == []


def test_the_first_vowel_typed_finds_the_names_that_begin_with_it(shop: Shop) -> None:
    wanted = {make_khata(shop, name).party_id for name in ("Asha Devi", "आरती", "Anil")}
    make_khata(shop, "Ramesh")
    assert {hit.party_id for hit in search(shop, "a")} == wanted


@pytest.mark.django_db
def test_names_of_an_older_book_get_their_spellings_once(shop: Shop) -> None:
    make_khata(shop, "Rohit रमेश")
    NameWord.everything.filter(skeleton__startswith="z").delete()
    migration = import_module("parties.migrations.0003_spellings_in_the_index")
    for _ in range(2):
        migration.add_spellings(apps, None)
        assert set(NameWord.everything.values_list("skeleton", flat=True)) == {"rt", "rms", "zrohit", "zramesh"}


def test_a_name_that_is_long_in_latin_letters_is_kept_as_far_as_there_is_room(shop: Shop) -> None:
    """﷽ is one letter, and 29 in Latin: PostgreSQL refuses what is longer than its column."""
    for name in ("🙏" * 100, "﷽" * 100, "क" * 120):
        khata = make_khata(shop, name)
        khata.party.refresh_from_db()
        assert khata.party.name == name
        assert len(khata.party.roman) <= 240
        assert khata.party_id in [hit.party_id for hit in search(shop, name)]
