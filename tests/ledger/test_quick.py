"""The quick line reads what shopkeepers write, asks when it is not sure, and never guesses on money."""

import pytest

from ledger import quick
from ledger.models import Entry
from tests.cast import Cast, client_of, make_khata


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
