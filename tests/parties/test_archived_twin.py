"""Who was put aside is still in the book: a second khata of theirs is warned of."""

import pytest
from django.urls import reverse

from parties.models import Party
from parties.selectors import look_alikes
from parties.services import archive_party
from shops.models import Shop
from tests.cast import Cast, client_of, make_khata

pytestmark = pytest.mark.django_db
PHONE = "+919812345678"


@pytest.mark.parametrize(
    "typed", [{"name": "रमेश"}, {"name": "Ramesh"}, {"name": "Someone", "phone": "98123 45678"}]
)
def test_a_new_khata_of_somebody_put_aside_is_warned_of_and_never_refused(
    cast: Cast, typed: dict[str, str]
) -> None:
    khata = make_khata(cast.shop, "Ramesh", phone=PHONE, opening_paise=500_00)
    archive_party(party=khata.party, actor=None)
    client, form = client_of(cast.bilal), reverse("ledger:new_khata", args=[cast.shop.code])
    page = client.post(form, typed | {"key": "k", "kind": "customer"}).content.decode()
    assert "Put aside. Open it to take it up again." in page
    assert reverse("ledger:khata", args=[cast.shop.code, khata.party.code]) in page
    assert Party.everything.count() == 1
    client.post(form, typed | {"key": "k", "kind": "customer", "anyway": "1"})
    assert Party.everything.count() == 2


def test_who_is_not_put_aside_is_not_said_to_be(cast: Cast) -> None:
    make_khata(cast.shop, "Ramesh")
    form = reverse("ledger:new_khata", args=[cast.shop.code])
    page = client_of(cast.bilal).post(form, {"name": "Ramesh", "key": "k", "kind": "customer"}).content.decode()
    assert 'name="anyway"' in page
    assert "Put aside" not in page


def test_those_put_aside_come_after_the_others(shop: Shop) -> None:
    aside = make_khata(shop, "Ramesh").party
    archive_party(party=aside, actor=None)
    live = make_khata(shop, "Ramesh").party
    assert look_alikes(shop, name="ramesh") == [live, aside]
    assert look_alikes(shop, name="Someone else") == []


def test_one_who_only_sounds_so_is_not_pushed_out_by_those_put_aside(shop: Shop) -> None:
    for _ in range(3):
        archive_party(party=make_khata(shop, "Ramesh").party, actor=None)
    live = make_khata(shop, "रमेश").party
    assert look_alikes(shop, name="Ramesh")[0] == live
    assert len(look_alikes(shop, name="Ramesh")) == 3
