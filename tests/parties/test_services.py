"""Parties and what they agreed to."""

from typing import Any

import pytest

from parties.models import Channel, Consent, NameWord, Party, PartyKind
from parties.search import search
from parties.selectors import e164, look_alikes
from parties.services import PartyError, add_party, archive_party, edit_party, has_consent, record_consent
from shops.models import AuditEvent, Shop
from shops.scope import ShopQuerySet
from tests.cast import Cast, make_khata, make_user

pytestmark = pytest.mark.django_db


def add(shop: Shop, name: str = "Ramesh", **fields: Any) -> Party:
    return add_party(shop=shop, actor=None, name=name, **fields)[0]


def test_only_a_name_is_needed(shop: Shop) -> None:
    party = add(shop, "  रमेश   कुमार ")
    assert (party.name, party.kind, party.phone, str(party)) == ("रमेश कुमार", PartyKind.CUSTOMER, "", "रमेश कुमार")
    assert not party.is_supplier
    assert len(party.code) == 5
    assert party.language == shop.language
    with pytest.raises(PartyError):
        add(shop, "   ")


def test_the_same_form_makes_one_party(shop: Shop) -> None:
    first, is_new = add_party(shop=shop, actor=None, name="Ramesh", key="form-1")
    again, is_new_again = add_party(shop=shop, actor=None, name="Ramesh", key="form-1")
    assert (is_new, is_new_again) == (True, False)
    assert again.pk == first.pk
    assert NameWord.objects.for_shop(shop).filter(party=first).count() == 2  # its sound, its spelling


def test_a_form_that_raced_another_hand_gets_the_first_party(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real race, with processes: tests/contracts/test_races.py."""
    first = add(shop, key="form-1")
    plain = ShopQuerySet.first
    answers = iter([None])  # at the first look the other hand had not committed yet
    monkeypatch.setattr(ShopQuerySet, "first", lambda rows: next(answers, plain(rows)))
    again, is_new = add_party(shop=shop, actor=None, name="Ramesh", key="form-1")
    assert not is_new
    assert again.pk == first.pk


def test_two_shops_may_use_the_same_key_and_code(cast: Cast) -> None:
    first = add(cast.shop, key="form-1")
    assert add(cast.other_shop, key="form-1").pk != first.pk


def test_a_code_that_is_taken_is_drawn_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = add(shop).code
    codes = iter([taken, taken, "FREE2"])
    field = Party._meta.get_field("code")
    monkeypatch.setattr(field, "_get_default", lambda: next(codes))
    assert add(shop).code == "FREE2"


def test_a_new_name_is_found_and_the_old_one_is_not(shop: Shop) -> None:
    party = add(shop, "Ramesh")
    edit_party(party=party, actor=None, changes={"name": " Mukesh  Lal "})
    assert [hit.party_id for hit in search(shop, "mukesh")] == [party.pk]
    assert search(shop, "ramesh") == []
    party.refresh_from_db()
    assert party.name == "Mukesh Lal"
    with pytest.raises(PartyError):
        edit_party(party=party, actor=None, changes={"name": "  "})


def test_an_edit_is_audited_by_field_and_never_by_content(shop: Shop) -> None:
    party, actor = add(shop), make_user()
    edit_party(party=party, actor=actor, changes={"phone": "+919812345678", "note": "", "email": "a@example.in"})
    edit_party(party=party, actor=actor, changes={"phone": "+919812345678"})
    event = AuditEvent.objects.for_shop(shop).get(action="party.edited")
    assert event.actor == actor
    assert event.after == {"fields": ["email", "phone"]}
    assert "98123" not in str(event.before) + str(event.after)


def test_what_is_not_editable_is_refused(shop: Shop) -> None:
    with pytest.raises(PartyError):
        edit_party(party=add(shop), actor=None, changes={"code": "AAAAA"})


def test_archiving_keeps_the_khata_and_is_done_once(shop: Shop) -> None:
    khata = make_khata(shop, opening_paise=100_00)
    for _ in range(2):
        archive_party(party=khata.party, actor=None)
    khata.refresh_from_db()
    assert khata.balance_paise == 100_00
    assert Party.everything.get(pk=khata.party_id).archived_at is not None
    for _ in range(2):
        archive_party(party=khata.party, actor=None, archived=False)
    assert Party.everything.get(pk=khata.party_id).archived_at is None
    actions = AuditEvent.objects.for_shop(shop).filter(action__contains="archived").order_by("pk")
    assert [event.action for event in actions] == ["party.archived", "party.unarchived"]


# --- consent: the newest decides --------------------------------------------------------------


def test_nobody_has_agreed_before_saying_so(shop: Shop) -> None:
    assert not has_consent(add(shop, phone="+919812345678"), Channel.SMS)


def test_consent_at_the_counter_holds_for_the_channels_that_reach_the_party(shop: Shop) -> None:
    party = add(shop, phone="+919812345678", consent_source="counter")
    assert [has_consent(party, channel) for channel in Channel] == [True, True, False]


def test_the_newest_word_of_each_channel_decides(shop: Shop) -> None:
    party = add(shop, phone="+919812345678", consent_source="counter")
    record_consent(party=party, channel=Channel.SMS, given=False, source="customer-page", actor=None)
    assert not has_consent(party, Channel.SMS)
    assert has_consent(party, Channel.WHATSAPP)
    record_consent(party=party, channel=Channel.SMS, given=True, source="counter", actor=None)
    assert has_consent(party, Channel.SMS)
    assert Consent.objects.for_shop(shop).filter(party=party, channel=Channel.SMS).count() == 3


def test_an_edit_writes_consent_only_where_it_changes(shop: Shop) -> None:
    party = add(shop, phone="+919812345678", consent_source="counter")
    rows = Consent.objects.for_shop(shop).filter(party=party)
    edit_party(party=party, actor=None, changes={}, consent=True)
    assert rows.count() == 2
    edit_party(party=party, actor=None, changes={"email": "r@example.in"}, consent=False)
    assert [has_consent(party, channel) for channel in Channel] == [False, False, False]
    assert rows.count() == 4


def test_a_new_number_or_email_has_agreed_to_nothing_yet(shop: Shop) -> None:
    party = add(shop, phone="+919812345678", email="r@example.in", consent_source="counter")
    edit_party(party=party, actor=None, changes={"phone": "+919812345679"}, consent=True, consent_shown=True)
    assert [has_consent(party, channel) for channel in Channel] == [False, False, True]
    assert Consent.objects.for_shop(shop).filter(source="new-address", given=False).count() == 2
    edit_party(party=party, actor=None, changes={"email": "new@example.in"})
    assert not has_consent(party, Channel.EMAIL)


def test_a_first_email_of_who_agreed_by_phone_has_not_agreed(shop: Shop) -> None:
    party = add(shop, phone="+919812345678", consent_source="counter")
    edit_party(party=party, actor=None, changes={"email": "r@example.in"}, consent=True, consent_shown=True)
    assert [has_consent(party, channel) for channel in Channel] == [True, True, False]


@pytest.mark.parametrize("said", [{"consent_shown": True, "consent_anew": True}, {"consent_shown": False}])
def test_a_yes_in_the_same_form_holds_for_the_new_number(shop: Shop, said: dict[str, bool]) -> None:
    party = add(shop, phone="+919812345678", consent_source="counter")
    edit_party(party=party, actor=None, changes={"phone": "+919812345679"}, consent=True, **said)
    assert [has_consent(party, channel) for channel in Channel] == [True, True, False]


def test_the_tick_for_a_new_number_says_nothing_of_the_old_one(shop: Shop) -> None:
    """She stopped messages on her own page while the form was open; nothing of hers was changed."""
    party = add(shop, phone="+919812345678", consent_source="counter")
    record_consent(party=party, channel=Channel.SMS, given=False, source="customer-page", actor=None)
    edit_party(party=party, actor=None, changes={}, consent=True, consent_shown=True, consent_anew=True)
    assert not has_consent(party, Channel.SMS)


def test_the_same_number_saved_again_keeps_its_consent(shop: Shop) -> None:
    party = add(shop, phone="+919812345678", consent_source="counter")
    changes = {"phone": "+919812345678", "note": "by the temple"}
    edit_party(party=party, actor=None, changes=changes, consent=True, consent_shown=True)
    assert [has_consent(party, channel) for channel in Channel] == [True, True, False]


# --- duplicates and phones --------------------------------------------------------------------


def test_the_same_name_in_any_script_or_the_same_phone_is_a_look_alike(cast: Cast) -> None:
    first = add(cast.shop, "Ramesh", phone="+919812345678")
    add(cast.other_shop, "Ramesh", phone="+919812345678")
    assert look_alikes(cast.shop, name="RAMESH") == [first]
    assert look_alikes(cast.shop, name="Suresh", phone="+919812345678") == [first]
    assert look_alikes(cast.shop, name="ramesh", phone="+919812345678") == [first]  # once
    assert look_alikes(cast.shop, name="Ramesh", phone="+919812345678", but_not=first.pk) == []
    assert look_alikes(cast.shop, name="Suresh") == []


@pytest.mark.parametrize(
    "names",
    [
        ["Ramesh", "रमेश", "Rames", "રમેશ", "ரமேஷ்", "RAMESH"],
        ["Ramesh Kumar", "रमेश कुमार", "Kumar Ramesh", "Rames Kumaar"],
        ["Sunita", "सुनीता", "Suneeta", "সুনীতা"],
        ["Mohammed", "मोहम्मद", "Muhammad", "Mohd"],
        ["Lakshmi", "लक्ष्मी", "Laxmi"],
        ["Chaudhary", "चौधरी", "Chaudhari"],
        ["Choudhury", "Chaudhary"],
        ["Karan", "करण", "کرن"],
        ["Asha", "आशा", "Aasha"],
    ],
    ids=lambda names: names[0],
)
def test_a_name_looks_like_itself_in_every_script_and_spelling(cast: Cast, names: list[str]) -> None:
    for held in names:
        party = add(cast.shop, held)
        assert [name for name in names if look_alikes(cast.shop, name=name) != [party]] == []
        party.delete()


@pytest.mark.parametrize(
    ("held", "other"),
    [
        ("Karan", "Kiran"),
        ("करण", "Kiran"),
        ("Karan", "किरण"),
        ("Raju", "Raja"),
        ("राजू", "Raja"),
        ("Salim", "Salma"),
        ("Sonu", "Soni"),
        ("Ramesh", "Suresh"),
        ("Ramesh Kumar", "Ramesh"),
        ("Ramesh Kumar", "रमेश यादव"),
        ("!!!", "???"),
    ],
)
def test_another_name_of_the_same_consonants_is_no_look_alike(cast: Cast, held: str, other: str) -> None:
    add(cast.shop, held)
    assert look_alikes(cast.shop, name=other) == []


def test_the_same_name_stands_before_one_that_sounds_alike_and_three_are_enough(cast: Cast) -> None:
    add(cast.shop, "Rames")
    hindi, latin = add(cast.shop, "रमेश"), add(cast.shop, "Ramesh")
    assert look_alikes(cast.shop, name="रमेश")[0] == hindi
    assert look_alikes(cast.shop, name="ramesh")[0] == latin
    add(cast.shop, "Ramesha")
    assert len(look_alikes(cast.shop, name="ramesh")) == 3
    assert look_alikes(cast.other_shop, name="ramesh") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9812345678", "+919812345678"),
        ("98123 45678", "+919812345678"),
        ("098123-45678", "+919812345678"),
        ("+91 98123 45678", "+919812345678"),
        ("0091 98123 45678", "+919812345678"),
        ("९८१२३४५६७८", "+919812345678"),
        ("+971 50 123 4567", "+971501234567"),
        ("12345", None),
        ("0000000000", None),
        ("ramesh", None),
        ("", None),
    ],
)
def test_a_phone_as_people_write_it_becomes_e164(text: str, number: str | None) -> None:
    assert e164(text) == number
