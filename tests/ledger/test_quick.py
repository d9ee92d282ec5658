"""The quick line reads what shopkeepers write, asks when it is not sure, and never guesses on money."""

import re

import pytest

from ledger import quick
from ledger.models import Entry
from parties.services import archive_party
from tests.cast import Cast, client_of, make_khata
from tests.parties.test_spelling import NEAR, NEAR_HINDI, letters


@pytest.mark.parametrize(
    ("text", "before", "after", "amounts", "direction"),
    [
        ("ramesh 500 chawal", ("ramesh",), ("chawal",), (500_00,), ""),
        ("500 ramesh", (), ("ramesh",), (500_00,), ""),
        ("ramesh se 200 mila", ("ramesh",), (), (200_00,), "got"),
        ("सुरेश ने 200 दिए", ("सुरेश",), (), (200_00,), "got"),
        ("सुरेश ने 200 लिए", ("सुरेश",), (), (200_00,), "gave"),
        ("ramesh ko 200 diye", ("ramesh",), (), (200_00,), "gave"),
        ("ramesh 12*40", ("ramesh",), (), (480_00,), ""),
        ("ramesh 12x40+65", ("ramesh",), (), (545_00,), ""),
        ("ramesh ५०० दाल", ("ramesh",), ("दाल",), (500_00,), ""),
        ("ramesh ௫௦௦", ("ramesh",), (), (500_00,), ""),
        ("ramesh ۵۰۰ jama", ("ramesh",), (), (500_00,), "got"),
        ("ramesh ₹ 1,250.50 paid", ("ramesh",), (), (1250_50,), "got"),
        ("ramesh rs 500/- tel", ("ramesh",), ("tel",), (500_00,), ""),
        ("ramesh 500 dal 2 kg", ("ramesh",), ("dal", "2", "kg"), (500_00,), ""),
        ("ramesh 500 tel 2kg", ("ramesh",), ("tel", "2kg"), (500_00,), ""),
        ("ramesh", ("ramesh",), (), (), ""),
        ("ramesh 20 30", ("ramesh",), (), (20_00, 30_00), ""),
        ("", (), (), (), ""),
    ],
)
def test_a_line_is_taken_apart(text, before, after, amounts, direction):
    line = quick.read_line(text)
    assert (line.before, line.after, line.amounts_paise, line.direction) == (before, after, amounts, direction)


def test_words_that_say_both_directions_are_a_question(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    assert quick.understand(cast.shop, "ramesh 200 udhaar jama").question == "direction"


def test_a_verb_without_a_particle_is_a_question(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    assert quick.understand(cast.shop, "ramesh 200 diye").question == "direction"


def test_it_asks_when_two_parties_fit(cast: Cast):
    make_khata(cast.shop, "Ramesh Kumar")
    make_khata(cast.shop, "रमेश यादव")
    meant = quick.understand(cast.shop, "ramesh 500")
    assert meant.question == "who"
    assert {party.name for party in meant.parties} == {"Ramesh Kumar", "रमेश यादव"}


def test_a_full_name_tells_two_of_the_same_first_name_apart(cast: Cast):
    make_khata(cast.shop, "Ramesh Kumar")
    make_khata(cast.shop, "रमेश यादव")
    meant = quick.understand(cast.shop, "ramesh yadav 500 chawal")
    assert (meant.question, [party.name for party in meant.parties], meant.note) == ("", ["रमेश यादव"], "chawal")


def test_words_between_the_name_and_the_amount_are_the_note(cast: Cast):
    make_khata(cast.shop, "Ramesh Kumar")
    meant = quick.understand(cast.shop, "ramesh chawal 500")
    assert (meant.question, meant.note, meant.amount_paise) == ("", "chawal", 500_00)


# --- which way: sure only where everyday Hindi leaves no doubt ---------------------------------


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("ramesh kumar 500 chawal", "gave"),
        ("रमेश कुमार 500 चावल", "gave"),
        ("ramesh kumar 500 udhaar", "gave"),
        ("ramesh kumar ko 500 diye", "gave"),
        ("रमेश कुमार को 500 दिए", "gave"),
        ("ramesh kumar ko 500 lautaye", "gave"),
        ("ramesh kumar ne 500 liye", "gave"),
        ("रमेश कुमार ने 500 उधार लिए", "gave"),
        ("gave ramesh kumar 500", "gave"),
        ("ramesh kumar ne 500 lautaye", "got"),
        ("रमेश कुमार ने 500 लौटाए", "got"),
        ("ramesh kumar ne 500 lauta diye", "got"),
        ("ramesh kumar ne 500 wapas kiye", "got"),
        ("रमेश कुमार ने 500 वापस किए", "got"),
        ("ramesh kumar ne 500 wapas diye", "got"),
        ("ramesh kumar ne 500 diye", "got"),
        ("रमेश कुमार ने 500 दिये", "got"),
        ("ramesh kumar ne 500 cash diye", "got"),
        ("ramesh kumar se 500 mile", "got"),
        ("रमेश कुमार से 500 मिले", "got"),
        ("ramesh kumar se 500 liye", "got"),
        ("रमेश कुमार से 500 लिए", "got"),
        ("got 500 from ramesh kumar", "got"),
        ("ramesh kumar 500 jama", "got"),
        ("Ramesh Kumar NE 500 DIYE.", "got"),
    ],
)
def test_a_direction_that_nobody_could_mistake_is_understood(cast: Cast, text: str, direction: str):
    for name in ("Ramesh Kumar", "रमेश कुमार"):
        party = make_khata(cast.shop, name).party
        meant = quick.understand(cast.shop, text)
        assert (meant.question, meant.direction, meant.amount_paise) == ("", direction, 500_00)
        archive_party(party=party, actor=None)


@pytest.mark.parametrize(
    "text",
    [
        "ramesh kumar se 500",
        "रमेश कुमार से 500",
        "ramesh kumar ne 500",
        "रमेश कुमार ने 500",
        "ramesh kumar ko 500",
        "रमेश कुमार को 500",
        "ramesh kumar 500 wapas",
        "ramesh kumar 500 vapas",
        "रमेश कुमार 500 वापस",
        "ramesh kumar 500 lautaye",
        "रमेश कुमार 500 लौटाए",
        "ramesh kumar se 500 wapas",
        "ramesh kumar ne 500 gulabjamun",
        "ramesh kumar ko 500 mile",
        "रमेश कुमार को 500 मिले",
        "ramesh kumar ko 500 liye",
        "ramesh kumar se 500 diye",
        "ramesh kumar se 500 udhaar liye",
        "ramesh kumar ne 500 udhaar diye",
        "ramesh kumar ne suresh ko 500 diye",
        "ramesh kumar ne 500 nahi diye",
        "रमेश कुमार ने 500 नहीं दिए",
        "ramesh kumar 500 dega",
        "ramesh kumar 500 udhaar jama",
        "ramesh kumar 500 chukaye",
        "ramesh kumar 500 upi",
        "ramesh kumar gave 500",
        "ramesh kumar got 500",
        "paid 500 to ramesh kumar",
        "500 ramesh kumar wapas",
    ],
)
def test_a_direction_in_doubt_is_asked_and_nothing_is_written(cast: Cast, text: str):
    khata = make_khata(cast.shop, "Ramesh Kumar")
    meant = quick.understand(cast.shop, text)
    assert (meant.question, meant.direction, meant.amount_paise) == ("direction", "", 500_00)
    assert meant.parties == [khata.party]
    page = _send(cast, text)
    assert "Gave ₹500 to Ramesh Kumar" in page.text
    assert "Got ₹500 from Ramesh Kumar" in page.text
    assert not Entry.objects.for_shop(cast.shop).exists()


def test_the_answer_to_gave_or_got_carries_all_that_was_written(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh Kumar")
    page = _send(cast, "ramesh kumar se 500 chawal ka")
    forms = re.findall(r"<form[^>]*data-once>.*?</form>", page.text, re.DOTALL)
    assert len(forms) == 2
    for form in forms:  # plain forms with a button each: no JavaScript, and Tab reaches them
        assert "<button" in form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', forms[1]))
    assert (fields["line"], fields["party"], fields["direction"], fields["amount"], fields["note"]) == (
        "ramesh kumar se 500 chawal ka",
        khata.party.code,
        "got",
        "500.00",
        "chawal ka",
    )
    for _ in range(2):
        client_of(cast.bilal).post(f"/s/{cast.shop.code}/quick/", fields)
    other = dict(re.findall(r'name="(\w+)" value="([^"]*)"', forms[0]))
    client_of(cast.bilal).post(f"/s/{cast.shop.code}/quick/", other)  # back, and the other button
    entry = Entry.objects.for_shop(cast.shop).get()
    assert (entry.direction, entry.amount_paise, entry.note) == ("got", 500_00, "chawal ka")


def test_two_amounts_without_a_direction_are_offered_both_ways(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    page = _send(cast, "ramesh se 500 200")
    for shown in ("Gave ₹500 to", "Got ₹500 from", "Gave ₹200 to", "Got ₹200 from"):
        assert shown in page.text


def test_a_word_of_the_name_says_nothing_of_a_direction(cast: Cast):
    make_khata(cast.shop, "Jama Masjid Store")
    assert quick.understand(cast.shop, "jama masjid 500").question == "direction"
    make_khata(cast.shop, "Mili")
    meant = quick.understand(cast.shop, "mili 500")
    assert (meant.question, [party.name for party in meant.parties]) == ("direction", ["Mili"])


# --- who: the name as it is written, or a question ---------------------------------------------


@pytest.mark.parametrize(
    ("held", "typed"),
    [
        ("Karan", "kiran"),
        ("Karan", "किरण"),
        ("करण", "kiran"),
        ("करण", "किरण"),
        ("करण", "karn"),
        ("Raja Traders", "raju"),
        ("राजा ट्रेडर्स", "raju"),
        ("Raja Traders", "राजू"),
        ("राजा ट्रेडर्स", "राजू"),
        ("Salim", "salma"),
        ("सलीम", "salma"),
        ("Salim", "सलमा"),
        ("सलीम", "सलमा"),
        ("कमल", "kamala"),
        ("Mohd Rafiq", "mohammed"),
        ("मोहम्मद", "mohammed"),
        ("Sunita", "suneeta"),
        ("सुनीता", "सुनिता"),
        ("Rames", "ramesh"),
        ("کرن", "karan"),  # Urdu writes Karan and Kiran with the same letters
        ("பாபு", "papu"),  # and Tamil Babu and Papu
    ],
)
def test_a_name_that_only_sounds_alike_is_suggested_and_never_taken(cast: Cast, held: str, typed: str):
    make_khata(cast.shop, held)
    for line in (f"{typed} 500", f"500 {typed}", f"{typed} 500 chawal", f"{typed} ne 500 diye"):
        meant = quick.understand(cast.shop, line)
        assert meant.question in {"who", "new"}, line
    if held.isascii() or typed.isascii() is held.isascii():
        assert [party.name for party in meant.parties] == [held]


def test_the_question_who_offers_the_one_that_sounds_alike_and_a_new_khata(cast: Cast):
    khata = make_khata(cast.shop, "Karan")
    page = _send(cast, "kiran 500")
    assert "Gave ₹500 to Karan" in page.text
    assert "/parties/new/?name=kiran" in page.text
    assert not Entry.objects.for_shop(cast.shop).exists()
    _send(cast, "kiran 500", party=khata.party.code, direction="gave", amount="500")
    assert Entry.objects.for_shop(cast.shop).get().khata_id == khata.pk


@pytest.mark.parametrize(
    ("held", "typed"),
    [
        ("Ramesh", "ramesh"),
        ("Ramesh", "रमेश"),
        ("रमेश", "ramesh"),
        ("रमेश", "rames"),
        ("रमेश", "રમેશ"),
        ("రమేష్", "रमेश"),
        ("Ramesh Kumar", "kumar"),
        ("Sunita", "सुनीता"),
        ("सुनीता", "sunita"),
        ("सुनीता", "suneeta"),
        ("ज़ाकिर", "zakir"),
        ("ज़ाकिर", "जाकिर"),
        ("लक्ष्मी", "laxmi"),
        ("José", "jose"),
    ],
)
def test_the_same_name_in_another_script_is_sure(cast: Cast, held: str, typed: str):
    make_khata(cast.shop, held)
    make_khata(cast.shop, "Dharmendra")
    meant = quick.understand(cast.shop, f"{typed} 500 chawal")
    assert (meant.question, [party.name for party in meant.parties]) == ("", [held])


def test_who_is_written_so_is_taken_beside_one_who_only_sounds_so(cast: Cast):
    make_khata(cast.shop, "Karan")
    make_khata(cast.shop, "Kiran")
    for typed, held in (("karan", "Karan"), ("किरण", "Kiran")):
        meant = quick.understand(cast.shop, f"{typed} 500")
        assert (meant.question, [party.name for party in meant.parties]) == ("", [held])


def test_a_beginning_of_a_name_is_suggested_and_never_taken(cast: Cast):
    book = ("Ramesh Yadav", "Anandi", "Deepa", "Sitaram", "Mohd Salim", "रमेश गुप्ता")
    for held in book:
        make_khata(cast.shop, held)
    for typed, held in (
        ("ram", "Ramesh Yadav"),
        ("anand", "Anandi"),
        ("deep", "Deepa"),
        ("sita", "Sitaram"),
        ("sal", "Mohd Salim"),
        ("mohd sal", "Mohd Salim"),
        ("रमे", "रमेश गुप्ता"),
    ):
        for line in (f"{typed} 500", f"500 {typed}", f"{typed} 500 chawal", f"{typed} ne 500 diye"):
            meant = quick.understand(cast.shop, line)
            assert (meant.question, meant.is_sure, meant.name) == ("who", False, typed), line
            assert held in [party.name for party in meant.parties], line
    page = _send(cast, "anand 500")
    assert "Gave ₹500 to Anandi" in page.text
    assert "/parties/new/?name=anand" in page.text
    assert not Entry.objects.for_shop(cast.shop).exists()


def test_whoever_has_the_whole_word_is_taken_beside_those_whose_name_it_begins(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    ram = make_khata(cast.shop, "Ram Lal")
    meant = quick.understand(cast.shop, "ram 500")
    assert (meant.question, meant.parties) == ("", [ram.party])


def test_those_whose_name_begins_so_are_suggested_before_those_who_sound_so(cast: Cast):
    for name in ("Karun", "Karen", "Kurin", "Kirin", "Koran", "Karanveer"):
        make_khata(cast.shop, name)
    assert quick.understand(cast.shop, "karan 500").parties[0].name == "Karanveer"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("ramesh yadav 500", "who"),
        ("रमेश यादव 500", "who"),
        ("ram ramesh 500", "who"),
        ("ramesh l 500", "who"),
        ("ramesh khanna 500", "who"),
        ("ramesh ke bhai 500", "who"),
        ("ramesh chawal yadav 500", "who"),
        ("500 ramesh yadav", "direction"),  # behind the amount it may be a word of direction as well
    ],
)
def test_a_word_left_over_that_may_be_a_surname_is_a_question(cast: Cast, text: str, question: str):
    khata = make_khata(cast.shop, "Ramesh Kumar")
    meant = quick.understand(cast.shop, text)
    assert (meant.question, meant.parties, meant.is_sure) == (question, [khata.party], False)


def test_another_partys_name_behind_the_amount_is_a_question(cast: Cast):
    ramesh, suresh = make_khata(cast.shop, "Ramesh Yadav").party, make_khata(cast.shop, "सुरेश").party
    make_khata(cast.other_shop, "Mahesh")
    for text, question in (
        ("ramesh 500 suresh", "direction"),
        ("ramesh 500 सुरेश ke liye", "direction"),
        ("500 ramesh suresh", "direction"),
        ("ramesh suresh 500", "who"),
        ("ramesh ne 500 suresh ke liye diye", "direction"),  # ne, liye and diye say two things
        ("ramesh ne 500 diye suresh", "who"),
    ):
        meant = quick.understand(cast.shop, text)
        assert (meant.question, meant.parties) == (question, [ramesh, suresh]), text
    page = _send(cast, "ramesh 500 suresh")
    for shown in ("Gave ₹500 to Ramesh Yadav", "Got ₹500 from Ramesh Yadav", "Gave ₹500 to सुरेश"):
        assert shown in page.text
    archive_party(party=suresh, actor=None)
    assert quick.understand(cast.shop, "ramesh 500 suresh").parties == [ramesh]
    assert quick.understand(cast.shop, "ramesh 500 mahesh").parties == [ramesh]


def test_a_picture_fits_nobody(cast: Cast):
    make_khata(cast.shop, "Slightly Smiling Face")
    assert quick.understand(cast.shop, "🙂 500").question != ""
    assert quick.understand(cast.shop, "\u2060 500").question == "new"  # a mark that nobody sees


@pytest.mark.parametrize("names", [NEAR, NEAR_HINDI], ids=["latin", "hindi"])
def test_no_near_name_is_ever_posted_in_silence(cast: Cast, names: list[str]):
    for held in names[::3]:
        party = make_khata(cast.shop, held).party
        for typed in names:
            meant = quick.understand(cast.shop, f"{typed} 500")
            assert meant.question or letters(held) == letters(typed), (typed, held)
        archive_party(party=party, actor=None)


def test_nobody_of_that_name_is_a_question_and_another_shops_party_is_nobody(cast: Cast):
    make_khata(cast.other_shop, "Ramesh")
    assert quick.understand(cast.shop, "ramesh 500").question == "new"


def _send(cast: Cast, line: str, **data: str):
    client = client_of(cast.bilal)
    return client.post(f"/s/{cast.shop.code}/quick/", {"line": line, "key": "form:one", **data})


def test_a_sure_line_is_posted_and_can_be_undone(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    answer = _send(cast, "ramesh 12*40 chawal")
    assert answer.headers["Location"] == f"/s/{cast.shop.code}/k/{khata.party.code}/?saved=1"
    entry = Entry.objects.for_shop(cast.shop).get()
    assert (entry.amount_paise, entry.direction, entry.note, entry.source) == (480_00, "gave", "chawal", "quick")
    page = client_of(cast.bilal).get(answer.headers["Location"])
    assert f"/e/{entry.position}/reverse/" in page.text


def test_the_same_line_sent_twice_is_one_entry(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    _send(cast, "ramesh 500")
    _send(cast, "ramesh 500")
    assert Entry.objects.for_shop(cast.shop).count() == 1


def test_a_question_writes_nothing_and_its_answer_posts_once(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh Kumar")
    make_khata(cast.shop, "Ramesh Yadav")
    page = _send(cast, "ramesh 500 chawal")
    assert "Ramesh Yadav" in page.text
    assert not Entry.objects.for_shop(cast.shop).exists()
    _send(cast, "ramesh 500 chawal", party=khata.party.code, direction="gave", amount="500.00", note="chawal")
    assert Entry.objects.for_shop(cast.shop).get().khata_id == khata.pk


def test_an_answer_with_another_shops_party_is_not_found(cast: Cast):
    stranger = make_khata(cast.other_shop, "Ramesh")
    answer = _send(cast, "ramesh 500", party=stranger.party.code, direction="gave", amount="500")
    assert answer.status_code == 404


def test_a_line_without_an_amount_is_a_search(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    answer = _send(cast, "रमेश")
    assert answer.status_code == 302
    assert "Ramesh" in client_of(cast.bilal).get(answer.headers["Location"]).text


def test_two_amounts_are_asked_about(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    page = _send(cast, "ramesh 500 200")
    assert "Gave ₹500 to Ramesh" in page.text
    assert "Gave ₹200 to Ramesh" in page.text
    assert not Entry.objects.for_shop(cast.shop).exists()
