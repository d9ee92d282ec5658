"""Names on every form that takes one: nothing invisible is kept, and nothing but it is refused."""

import pytest
from django.urls import reverse

from parties.models import Party
from shops.models import Member, Shop, User
from tests.cast import Cast, client_of, make_khata, make_user

pytestmark = pytest.mark.django_db
INVISIBLE = ["\u200b", "\u2800", "\u202e", "\u3164 \u200d"]


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_customer_whose_name_cannot_be_seen_is_not_made(cast: Cast, name: str) -> None:
    khata = make_khata(cast.shop, "Ramesh")
    client, code = client_of(cast.asha), khata.party.code
    answer = client.post(
        reverse("ledger:new_khata", args=[cast.shop.code]), {"key": "k", "name": name, "kind": "customer"}
    )
    assert answer.status_code == 422
    edit = {"name": name, "language": "en", "kind": "customer"}
    assert client.post(reverse("ledger:edit", args=[cast.shop.code, code]), edit).status_code == 422
    assert Party.everything.get().name == "Ramesh"


def test_a_name_is_kept_as_it_is_seen(cast: Cast) -> None:
    client = client_of(cast.asha)
    data = {"key": "k", "name": "\u202eevil \u200b Ra\u00admesh", "kind": "customer"}
    client.post(reverse("ledger:new_khata", args=[cast.shop.code]), data)
    assert Party.everything.get().name == "evil Ramesh"
    twin = {"key": "other", "name": "Evil Ramesh\u200b", "kind": "customer"}
    assert (
        'name="anyway"' in client.post(reverse("ledger:new_khata", args=[cast.shop.code]), twin).content.decode()
    )


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_shop_whose_name_cannot_be_seen_is_not_opened(name: str) -> None:
    answer = client_of(make_user("Nayi")).post("/start/", {"key": "k", "name": name, "language": "en"})
    assert answer.status_code == 422
    assert not Shop.objects.exists()


def test_names_of_people_lose_what_nobody_sees(cast: Cast) -> None:
    client_of(cast.asha).post(
        f"/s/{cast.shop.code}/members/", {"phone": "9811100099", "name": "\u202eFarid", "role": "viewer"}
    )
    assert Member.objects.for_shop(cast.shop).get(user__phone="+919811100099").name == "Farid"
    nayi = make_user("Nayi")
    start = {"key": "k", "name": "Duk\u200baan", "language": "en", "owner_name": "\u2800Nayi \u200f Devi"}
    client_of(nayi).post("/start/", start)
    assert Shop.objects.latest("pk").name == "Dukaan"
    assert User.objects.get(pk=nayi.pk).name == "Nayi Devi"
