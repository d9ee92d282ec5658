"""A form that is sent again: twice, with other content, after an undo. What is said, what is written."""

import datetime as dt
from typing import Any

import pytest

from ledger import services as ledger
from ledger.models import Entry, Khata
from ledger.services import Draft, KeyReused, Undone
from parties.models import Party
from parties.services import edit_party
from shops.models import Shop
from tests import oracle
from tests.cast import Cast, client_of, make_khata, make_shop, post

pytestmark = pytest.mark.django_db


# --- an entry that was undone ----------------------------------------------------------------


def undo(khata: Khata, position: int = 1) -> None:
    entry = Entry.everything.get(khata=khata, position=position)
    ledger.reverse_entry(shop=khata.shop, entry=entry, actor=None)


def test_a_form_sent_again_after_its_entry_was_undone_is_asked_about_and_writes_nothing(khata: Khata) -> None:
    post(khata, 500_00, key="form-1")
    assert post(khata, 500_00, key="form-1").is_replay
    undo(khata)
    with pytest.raises(Undone, match="undone"):
        post(khata, 500_00, key="form-1")
    with pytest.raises(KeyReused) as refused:
        post(khata, 50_00, key="form-1")
    assert not isinstance(refused.value, Undone)
    assert len(oracle.check(khata.pk)) == 2


def test_a_batch_sent_again_does_not_undo_a_correction(khata: Khata, shop: Shop) -> None:
    drafts = [Draft(khata.pk, "gave", 500_00, "sale", "line-1")]
    ledger.post_many(shop=shop, drafts=drafts, actor=None)
    undo(khata)
    assert ledger.post_many(shop=shop, drafts=drafts, actor=None) == 0
    assert oracle.balance_of(oracle.check(khata.pk)) == 0


def test_undo_then_back_and_save_says_so_and_the_next_save_writes_it(cast: Cast) -> None:
    khata = make_khata(cast.shop)
    client, at = client_of(cast.bilal), f"/s/{cast.shop.code}/k/{khata.party.code}/"
    form = {"amount": "500", "note": "chawal", "key": "form:once"}
    client.post(f"{at}gave/", form)
    client.post(f"{at}e/1/reverse/")
    again = client.post(f"{at}gave/", form)
    assert again.status_code == 422
    assert "undone" in again.text
    assert (again.context["form"]["amount"].value(), again.context["form"]["note"].value()) == ("500", "chawal")
    key = again.context["form"]["key"].value()
    assert key != "form:once"
    assert f'value="{key}"' in again.text
    for _double_tap in range(2):
        assert client.post(f"{at}gave/", form | {"key": key}).status_code == 302
    assert oracle.balance_of(oracle.check(khata.pk)) == 500_00
    assert Entry.everything.filter(khata=khata).count() == 3


def test_a_form_saved_with_other_content_comes_back_with_a_key_that_can_be_saved(cast: Cast) -> None:
    khata = make_khata(cast.shop)
    client, address = client_of(cast.bilal), f"/s/{cast.shop.code}/k/{khata.party.code}/gave/"
    client.post(address, {"amount": "50", "key": "form:a"})
    refused = client.post(address, {"amount": "70", "key": "form:a"})
    assert refused.status_code == 422
    assert "press Save once more" in refused.text
    assert Entry.everything.filter(khata=khata).count() == 1
    key = refused.context["form"]["key"].value()
    assert client.post(address, {"amount": "70", "key": key}).status_code == 302
    assert oracle.balance_of(oracle.check(khata.pk)) == 120_00


def test_a_form_over_the_limit_keeps_its_key(cast: Cast) -> None:
    cast.shop.blocks_over_limit = True
    cast.shop.save()
    khata = make_khata(cast.shop, credit_limit_paise=10_00)
    data = {"amount": "50", "key": "form:a"}
    answer = client_of(cast.bilal).post(f"/s/{cast.shop.code}/k/{khata.party.code}/gave/", data)
    assert answer.context["form"]["key"].value() == "form:a"


# --- a new khata -----------------------------------------------------------------------------

NEW: dict[str, Any] = {"name": "Mohan Lal", "phone": "+919812345678", "opening_paise": 500_00, "key": "form-1"}


def test_the_same_form_of_a_new_khata_gives_the_first_also_after_entries_and_new_terms(shop: Shop) -> None:
    first = make_khata(shop, **NEW)
    post(first, 70_00)
    ledger.set_terms(khata=first, actor=None, changes={"credit_days": 3})
    today = shop.today()
    assert make_khata(shop, **NEW).pk == make_khata(shop, **NEW, opening_on=today, credit_days=9).pk == first.pk
    assert len(oracle.check(first.pk)) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Zubeda Begum"},
        {"phone": ""},
        {"kind": "supplier"},
        {"opening_paise": 0},
        {"opening_paise": 501_00},
        {"opening_paise": -500_00},
        {"opening_on": dt.date(2020, 1, 1)},
    ],
    ids=str,
)
def test_the_key_of_a_new_khata_with_other_content_is_refused_and_nothing_is_written(
    shop: Shop, other: dict[str, Any]
) -> None:
    first = make_khata(shop, **NEW)
    with pytest.raises(KeyReused):
        make_khata(shop, **NEW | other)
    assert Party.objects.for_shop(shop).count() == Khata.objects.for_shop(shop).count() == 1
    assert oracle.balance_of(oracle.check(first.pk)) == 500_00


def test_an_opening_that_the_first_form_did_not_have_is_refused(shop: Shop) -> None:
    first = make_khata(shop, **NEW | {"opening_paise": 0})
    with pytest.raises(KeyReused):
        make_khata(shop, **NEW)
    assert oracle.check(first.pk) == []


def test_two_shops_may_use_the_same_key_for_other_people(shop: Shop) -> None:
    make_khata(shop, **NEW)
    assert make_khata(make_shop(), **NEW | {"name": "Zubeda Begum"}).party.name == "Zubeda Begum"


def test_another_name_under_a_used_form_is_never_said_to_be_in_the_book(cast: Cast) -> None:
    client, address = client_of(cast.bilal), f"/s/{cast.shop.code}/parties/new/"
    form = {"name": "Mohan Lal", "phone": "", "opening": "", "opening_way": "get", "kind": "customer"}
    client.post(address, form | {"key": "form:a"})
    other = form | {"name": "Zubeda Begum", "opening": "500"}
    refused = client.post(address, other | {"key": "form:a"})
    assert refused.status_code == 422
    assert "Zubeda Begum is in the book" not in refused.text
    assert refused.context["form"]["name"].value() == "Zubeda Begum"
    assert Party.objects.for_shop(cast.shop).count() == 1
    key = refused.context["form"]["key"].value()
    done = client.post(address, other | {"key": key}, follow=True)
    assert "Zubeda Begum is in the book." in done.text
    khata = Khata.objects.for_shop(cast.shop).get(party__name="Zubeda Begum")
    assert khata.balance_paise == 500_00


def test_the_double_tap_of_a_new_khata_is_no_twin_of_itself(cast: Cast) -> None:
    client, address = client_of(cast.bilal), f"/s/{cast.shop.code}/parties/new/"
    form = {"name": "Mohan Lal", "kind": "customer", "opening": "500", "key": "form:a"}
    first, again = client.post(address, form), client.post(address, form)
    assert first.headers["Location"] == again.headers["Location"]
    assert Party.objects.for_shop(cast.shop).count() == 1


def test_a_form_of_a_khata_whose_party_was_renamed_since_says_so(cast: Cast) -> None:
    client, address = client_of(cast.bilal), f"/s/{cast.shop.code}/parties/new/"
    form = {"name": "Mohan Lal", "kind": "customer", "key": "form:a"}
    client.post(address, form)
    edit_party(party=Party.objects.for_shop(cast.shop).get(), actor=None, changes={"name": "Sohan Lal"})
    assert client.post(address, form).status_code == 422
    assert Party.objects.for_shop(cast.shop).get().name == "Sohan Lal"
