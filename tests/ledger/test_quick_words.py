"""Every number and every word of the quick line is understood, or it is a question."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core.limits import MAX_AMOUNT_PAISE
from ledger import quick
from ledger import quick_words as words
from ledger.models import Entry
from ledger.services import reverse_entry
from parties.services import archive_party
from tests.cast import Cast, client_of, make_khata, post


def send(cast: Cast, line: str, **data: str):
    client = client_of(cast.bilal)
    return client.post(f"/s/{cast.shop.code}/quick/", {"line": line, "key": "form:one", **data})


# --- how much: rupees plainly written, or a question -------------------------------------------


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("1.5 lakh", (1_50_000_00,)),
        ("1.5lakh", (1_50_000_00,)),
        ("₹5 lakh chawal", (5_00_000_00,)),
        ("1 lac", (1_00_000_00,)),
        ("1.5 crore", (1_50_00_000_00,)),
        ("5 hazaar", (5_000_00,)),
        ("5 हज़ार", (5_000_00,)),
        ("५ हजार", (5_000_00,)),
        ("5 hajar rupaye", (5_000_00,)),
        ("5 thousand", (5_000_00,)),
        ("5 k", (5_000_00,)),
        ("5k", (5_000_00,)),
        ("5 sau", (500_00,)),
        ("5 સો", (500_00,)),
        ("1 lakh 50 hazaar", (1_50_000_00, 1_00_000_00, 50_000_00)),
        ("9999 crore", ()),  # more than an entry holds
        ("50 paise", (50, 50_00)),  # and what many call rupees
        ("50p", (50, 50_00)),
        ("500 50p", (500_50, 500_00, 50, 50_00)),
        ("500 ke lakh", (500_00,)),
        ("500, 200", (500_00, 200_00)),
        ("500; 200", (500_00, 200_00)),
        ("1, 200", (1_00, 200_00)),
        ("500 500", (500_00,)),
        ("₹500 ₹200", (500_00, 200_00)),
        ("500 -200", (500_00,)),
        ("500 +200", (500_00,)),
        ("12 * 40", (12_00, 40_00)),
        ("12 x 40", (12_00, 40_00)),
        ("x 500", (500_00,)),
        ("2 kg @ 60", (60_00,)),
        ("500 @60", (500_00,)),
        ("500 4x", (500_00,)),
        ("500 a1", (500_00,)),
        ("500chawal", (500_00,)),
        ("500.555", ()),
        ("12·50", ()),
        ("12,34", ()),
        ("500,200", (5_00_200_00,)),  # or two amounts without a space
        ("1.2.3", ()),
        ("500/kg", ()),
        ("12/5", (2_40,)),
        ("12-5", (7_00,)),
        ("12/5/24", (10,)),
        ("2024-12-31", (1981_00,)),
        ("5 July", (5_00,)),
        ("July 5", (5_00,)),
        ("5july", (5_00,)),
        ("31 dec", (31_00,)),
        ("5 tarikh", (5_00,)),
        ("5 तारीख", (5_00,)),
        ("2 din", (2_00,)),
        ("500 5th", (500_00,)),
        ("5th", ()),
        ("²", ()),
        ("500 ²", (500_00,)),
    ],
)
def test_a_number_that_is_not_plainly_rupees_is_asked_and_nothing_is_written(cast: Cast, text: str, offered):
    make_khata(cast.shop, "Ramesh")
    meant = quick.understand(cast.shop, f"ramesh {text}")
    assert (meant.question, meant.amount_paise, meant.amounts_paise) == ("amount", 0, offered)
    page = send(cast, f"ramesh {text}")
    assert "Which amount?" in page.text
    for paise in offered:
        assert f'name="amount" value="{paise // 100}.{paise % 100:02d}"' in page.text
    assert not Entry.objects.for_shop(cast.shop).exists()


QUANTITIES = """
3 packets|12 litres|5 dozens|5 meter|5 quintal|5 strips|5 पाव|2 kg|2kg|500g|1.5 ltr|1/2 kg|3 bori|5 goli|10 am|5pm
5 %|5 પેકેટ|5 কেজি|5 கிலோ|5 కిలో|5 किलो|५ डझन|5 बोतल|3 cylinder|2x5kg|4 nag|3 पुड़िया|6 बजे
"""


def test_a_quantity_an_hour_or_a_share_is_no_amount(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    for text in re.split(r"[|\n]", QUANTITIES.strip()):
        meant = quick.understand(cast.shop, f"ramesh {text}")
        assert (meant.question, meant.amounts_paise) == ("amount", ()), text
        for line in (f"ramesh 120 chawal {text}", f"ramesh {text} chawal 120"):
            meant = quick.understand(cast.shop, line)
            assert (meant.question, meant.amount_paise, meant.direction) == ("", 120_00, "gave"), line
    page = send(cast, "ramesh 3 packets")
    assert "Write an amount after the name" in page.text


def test_what_is_plainly_an_amount_is_posted_at_once(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    for text, paise in (
        ("500", 500_00),
        ("500.", 500_00),
        ("500,", 500_00),
        ("500।", 500_00),
        ("12*40", 480_00),
        ("12*40=", 480_00),
        ("500-200", 300_00),
        ("100/4", 25_00),
        ("(20+5)x4", 100_00),
        ("12.50", 12_50),
        ("1,250.50", 1250_50),
        ("1,23,456", 1_23_456_00),
        ("₹500", 500_00),
        ("₹ 500", 500_00),
        ("500₹ tel", 500_00),
        ("500rs", 500_00),
        ("500 rupaye chawal", 500_00),
        ("500/-", 500_00),
        ("500/- rs", 500_00),
        ("= 500", 500_00),
        ("५०० दाल", 500_00),
        ("௫௦௦", 500_00),
        ("500 - chawal", 500_00),
        ("500 chawal, dal & tel 5%", 500_00),
        ("500 7up", 500_00),
        ("500 chawal 9876543210", 500_00),
        ("500 chawal 10:30", 500_00),
    ):
        meant = quick.understand(cast.shop, f"ramesh {text}")
        assert (meant.question, meant.amount_paise, meant.direction) == ("", paise, "gave"), text


def test_a_name_with_digits_is_a_name(cast: Cast):
    flat = make_khata(cast.shop, "A1 Store").party
    meant = quick.understand(cast.shop, "a1 store 500")
    assert (meant.question, meant.parties, meant.amount_paise) == ("", [flat], 500_00)
    assert quick.understand(cast.shop, "a1 store").question == "search"


@given(st.one_of(st.text(max_size=300), st.text(alphabet="0123456789.,-+*/×₹%()xk²½ kgलाख५p:;", max_size=80)))
def test_hostile_lines_are_read_and_every_amount_offered_is_one(text: str):
    for paise in quick.read_line(text).amounts_paise:
        assert 0 < paise <= MAX_AMOUNT_PAISE


@pytest.mark.parametrize("text", ["500", "500 600", "₹500", "1.5 lakh", "12/5", "500 -200"])
def test_an_amount_without_a_name_says_what_to_write(cast: Cast, text: str):
    make_khata(cast.shop, "Ramesh")
    page = send(cast, text)
    assert "Which amount?" in page.text
    assert "Write an amount after the name, like: ramesh 500." in page.text
    assert "is not in the book" not in page.text


def test_a_phone_number_is_a_search(cast: Cast):
    make_khata(cast.shop, "Ramesh", phone="+919876543210")
    for text in ("9876543210", "98765 43210", "+91 98765 43210", "ramesh 9876543210"):
        assert quick.understand(cast.shop, text).question == "search", text


# --- every word is understood, or it is asked --------------------------------------------------

ASKED = """
500 pd|500 collected|500 deposit|500 repaid|500 clear|500 settle|500 vasool|500 neft|500 imps|500 rtgs|500 bhim
500 bank|500 card|500 chq|500 minus|500 kam|500 maaf|500 chhoot|500 discount|500 cancel|500 credit card
500 credit upi|500 udhaar cash|500 mil gayaa|500 mil jayega|500 ho gaya|500 de gaya|500 ✅|500 👍
500 परत दिले|500 આપ્યા|500 கொடுத்தார்|500 ఇచ్చాడు|500 দিল|500 gulabjamun|500 udhaar gulabjamun
500 paid bijli|500 paid chawal|500 chawal mila|500 chawal mil gaya|500 mila nahi|- 500|+ 500|– 500
"""


def test_a_word_behind_the_amount_that_is_not_understood_asks_the_direction(cast: Cast):
    for name in ("Ramesh", "రమేష్", "ரமேஷ்"):
        party = make_khata(cast.shop, name).party
        for text in re.split(r"[|\n]", ASKED.strip()):
            meant = quick.understand(cast.shop, f"{name} {text}")
            assert (meant.question, meant.direction, meant.amount_paise) == ("direction", "", 500_00), text
            assert meant.parties == [party]
        archive_party(party=party, actor=None)


def test_the_question_for_a_strange_word_keeps_it_in_the_note(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    page = send(cast, "ramesh 500 gulabjamun 2 kg")
    assert "Gave ₹500 to Ramesh" in page.text
    assert "Got ₹500 from Ramesh" in page.text
    assert page.text.count('name="note" value="gulabjamun 2 kg"') == 2
    assert not Entry.objects.for_shop(cast.shop).exists()


GOT = """
500 mila|500 mil gaya|500 mil gaye|500 aa gaye|500 aaye|500 jama|500 jma|500 jamaa|500 jama ho gaya|500 received
500 recieved|500 rcvd|500 recd|500 paid|500 payed|500 paid by upi|500 upi mila|ne 500 diye|ne 500 upi se diye?
se 500 mile|se 500 aa gaye|ne 500 gulabjamun ke diye|500 मिळाले|500 मिल गए|500 जमा
"""


def test_a_receipt_in_words_that_nobody_could_mistake_is_got(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    for text in re.split(r"[|\n]", GOT.strip()):
        meant = quick.understand(cast.shop, f"ramesh {text}")
        if text.endswith("?"):  # “se” is “from” as well
            assert meant.question == "direction", text
        else:
            assert (meant.question, meant.direction, meant.amount_paise) == ("", "got", 500_00), text


SOLD = """
chawal|chaawal|chaval|atta|aata|daal|tel|doodh|dudh|saboon|chini|cheeni|namak|biscuits|medicine|dawai|dawaai|eggs
cement|sariya|paint|paracetamol|syrup|khad|recharge|chai patti|aloo pyaaz|chawal ka|ka tel|ji|bhai|2 kg dal|dal 2kg
चावल|दूध|साबुन|चीनी|नमक|बिस्कुट|दवाई|आलु|सब्ज़ी|पेंट|सीमेंट|દૂધ|চাল|அரிசி|బియ్యం|aaj ka doodh|chawal + dal
"""


def test_what_shops_sell_is_written_at_once_as_gave(cast: Cast):
    make_khata(cast.shop, "Ramesh")
    for text in re.split(r"[|\n]", SOLD.strip()):
        meant = quick.understand(cast.shop, f"ramesh 500 {text}")
        assert (meant.question, meant.direction, meant.amount_paise) == ("", "gave", 500_00), text


def test_a_word_the_shop_has_written_with_a_gave_is_understood_from_then_on(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    send(cast, "ramesh 500 Gulabjamun", party=khata.party.code, direction="gave", amount="500", note="Gulabjamun")
    make_khata(cast.shop, "Suresh")
    for text in ("ramesh 200 gulabjamun", "suresh 200 gulaabjamun, chawal"):
        assert quick.understand(cast.shop, text).question == "", text
    make_khata(cast.other_shop, "Ramesh")
    assert quick.understand(cast.other_shop, "ramesh 200 gulabjamun").question == "direction"
    assert quick.understand(cast.shop, "ramesh 200 gulabjamun rasgulla").question == "direction"
    assert quick.understand(cast.shop, "ramesh gulabjamun 200").question == "who"  # a surname perhaps


def test_a_word_written_with_a_got_too_or_taken_back_teaches_nothing(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    post(khata, note="gulabjamun rasgulla")
    post(khata, direction="got", note="gulabjamun")
    wrong = post(khata, note="ghevar").entry
    reverse_entry(shop=cast.shop, entry=wrong, actor=None, reason="jalebi")
    assert quick.understand(cast.shop, "ramesh 200 rasgulla").question == ""
    for word in ("gulabjamun", "ghevar", "jalebi"):
        assert quick.understand(cast.shop, f"ramesh 200 {word}").question == "direction", word


def test_a_word_of_payment_is_never_learned(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")
    for word in ("neft", "vasool", "discount", "pd"):
        post(khata, note=word)
        assert quick.understand(cast.shop, f"ramesh 200 {word}").question == "direction", word


def test_a_strange_word_costs_the_same_queries_in_a_small_book_and_a_large_one(cast: Cast):
    khata = make_khata(cast.shop, "Ramesh")

    def cost(text: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            quick.understand(cast.shop, text)
        return len(queries)

    first = cost("ramesh 500 gulabjamun"), cost("ramesh 500 chawal")
    for place in range(30):
        post(make_khata(cast.shop, f"Suresh {place}"), note="rasgulla")
        post(khata, note="ghevar")
    assert (cost("ramesh 500 gulabjamun"), cost("ramesh 500 chawal")) == first
    assert first[0] <= first[1] + 4


def test_no_word_sold_is_folded_into_a_word_of_direction():
    folded = {words.fold(word): word for word in words.CLASS_OF}
    for known in (words.GOODS, words.UNITS, words.DATES, set(words.SCALES)):
        assert not known & set(folded), known & set(folded)
    assert words.fold("khana") != words.fold("Khanna")
    assert words.fold("chawal") != words.fold("Chawla")
