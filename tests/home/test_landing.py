"""The way in: welcome, last shop, onboarding to the first entry, the menu."""

import re

import pytest
from django.test import Client

from home import services
from ledger.models import Khata
from payments.models import ProviderAccount
from shops.models import Member, Role, Shop
from tests.accounts.phones import code_of, sign_up, type_code
from tests.cast import Cast, client_of, make_shop, make_user

pytestmark = pytest.mark.django_db
GOOD = {"key": "one-form", "name": "Nayi Dukaan", "trade": "Kirana", "language": "hi", "upi_id": "nayi@okaxis"}


def fail(shop: Shop) -> None:
    raise RuntimeError("cut")


def test_a_visitor_sees_what_khata_is_and_two_ways_in(client: Client) -> None:
    page = client.get("/").content.decode()
    assert '"/accounts/login/"' in page
    assert '"/accounts/signup/"' in page
    assert 'value="hi"' in page


def test_a_person_goes_to_the_shop_they_were_in_last(cast: Cast) -> None:
    second = make_shop(cast.asha, "Zaika Sweets")
    client = client_of(cast.asha)
    assert client.get("/").url == f"/s/{cast.shop.code}/"
    client.get(f"/s/{second.code}/more/")
    assert client.get("/").url == f"/s/{second.code}/"
    client.get(f"/s/{cast.shop.code}/more/")
    assert client.get("/").url == f"/s/{cast.shop.code}/"


def test_a_last_shop_that_was_lost_is_forgotten(cast: Cast) -> None:
    client = client_of(cast.bilal)
    client.get(f"/s/{cast.shop.code}/more/")
    Member.objects.for_shop(cast.shop).filter(user=cast.bilal).delete()
    assert client.get("/").url == "/start/"


def test_parts_of_pages_do_not_change_the_last_shop(cast: Cast) -> None:
    second = make_shop(cast.asha, "Zaika Sweets")
    client = client_of(cast.asha)
    client.get(f"/s/{cast.shop.code}/more/")
    client.get(f"/s/{second.code}/more/", headers={"HX-Request": "true"})
    assert client.get("/").url == f"/s/{cast.shop.code}/"


def test_from_sign_up_to_the_first_entry(client: Client) -> None:
    sign_up(client, "98111 00110")
    type_code(client, code_of("+919811100110"), "/accounts/phone/verify/")
    assert client.get("/").url == "/start/"
    key = client.get("/start/").context["form"]["key"].value()
    answer = client.post("/start/", GOOD | {"key": key})
    shop = Shop.objects.get()
    assert answer.url == f"/s/{shop.code}/parties/new/"
    assert (shop.name, shop.trade, shop.language, shop.upi_id) == ("Nayi Dukaan", "Kirana", "hi", "nayi@okaxis")
    assert ProviderAccount.objects.for_shop(shop).count() == 1
    page = client.get(answer.url)
    assert page.status_code == 200
    form = {"name": "Ramesh", "opening": "500", "opening_way": "get", "key": page.context["form"]["key"].value()}
    client.post(answer.url, form | {"kind": "customer"})
    assert Khata.objects.for_shop(shop).get().balance_paise == 500_00


def test_onboarding_speaks_the_chosen_language_from_then_on() -> None:
    user = make_user("Nayi")
    client = client_of(user)
    answer = client.post("/start/", GOOD)
    assert answer.cookies["khata_language"].value == "hi"
    user.refresh_from_db()
    assert user.language == "hi"


def test_two_taps_open_one_shop() -> None:
    client, good = client_of(make_user("Nayi")), GOOD | {"language": "en"}
    first, second = client.post("/start/", good), client.post("/start/", good)
    assert Shop.objects.count() == 1
    assert first.url == second.url == f"/s/{Shop.objects.get().code}/parties/new/"
    assert "“Nayi Dukaan” is open already." in client.get(second.url).content.decode()


def test_a_form_that_the_back_key_brought_again_asks_before_it_opens_another_shop() -> None:
    client, good = client_of(make_user("Nayi")), GOOD | {"language": "en"}
    client.post("/start/", good)
    page = client.post("/start/", good | {"name": "Doosri Dukaan"})
    assert page.status_code == 422
    assert "already opened the shop “Nayi Dukaan”" in page.content.decode()
    assert Shop.objects.count() == 1
    shown = page.context["form"]
    again = {name: shown[name].value() for name in GOOD}
    assert again["name"] == "Doosri Dukaan"
    answer = client.post("/start/", again)
    assert answer.url == f"/s/{Shop.objects.get(name='Doosri Dukaan').code}/parties/new/"


def test_the_same_key_of_two_people_opens_two_shops() -> None:
    for name in ("Nayi", "Doosri"):
        client_of(make_user(name)).post("/start/", GOOD)
    assert Shop.objects.count() == 2


def test_after_a_failure_the_same_form_opens_the_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(make_user("Nayi"))
    with monkeypatch.context() as broken:
        broken.setattr("home.services.ensure_sandbox", fail)
        with pytest.raises(RuntimeError, match="cut"):
            client.post("/start/", GOOD)
    assert client.post("/start/", GOOD).url == f"/s/{Shop.objects.get().code}/parties/new/"


def test_the_slower_of_two_taps_gets_the_shop_of_the_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither has seen a shop when both begin; the database lets one through."""
    nayi = make_user("Nayi")
    first = client_of(nayi).post("/start/", GOOD)
    plain, blind = services.opened_with, iter([True, False])
    monkeypatch.setattr("home.views.opened_with", lambda *who: None)
    monkeypatch.setattr(services, "opened_with", lambda *who: None if next(blind) else plain(*who))
    assert client_of(nayi).post("/start/", GOOD).url == first.url
    assert Shop.objects.count() == 1


def test_taps_on_an_open_form_use_up_none_of_the_days_shops() -> None:
    client = client_of(make_user("Nayi"))
    for _ in range(12):
        client.post("/start/", GOOD)
    client.post("/start/", GOOD | {"key": "another-form"})
    assert Shop.objects.count() == 2


def test_another_form_opens_another_shop() -> None:
    client = client_of(make_user("Nayi"))
    client.post("/start/", GOOD)
    client.post("/start/", GOOD | {"key": "another-form"})
    assert Shop.objects.count() == 2


def test_one_person_opens_ten_shops_a_day_at_most() -> None:
    client = client_of(make_user("Nayi"))
    for number in range(11):
        client.post("/start/", GOOD | {"key": f"form-{number}"})
    assert Shop.objects.count() == 10


def test_a_shop_that_could_not_be_made_whole_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("home.services.ensure_sandbox", fail)
    client = client_of(make_user("Nayi"))
    with pytest.raises(RuntimeError, match="cut"):
        client.post("/start/", GOOD)
    assert not Shop.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("upi_id", "asha@gmail.com"),
        ("upi_id", "asha"),
        ("language", "xx"),
        ("key", ""),
    ],
)
def test_what_makes_no_shop_opens_none(field: str, value: str) -> None:
    answer = client_of(make_user("Nayi")).post("/start/", GOOD | {field: value})
    assert answer.status_code == 422
    assert not Shop.objects.exists()


def test_only_the_name_is_needed() -> None:
    client_of(make_user("Nayi")).post("/start/", {"key": "k", "name": "Dukaan", "language": "en"})
    assert Shop.objects.get().upi_id == ""


def test_an_unknown_handle_warns_and_does_not_stop_anybody() -> None:
    client = client_of(make_user("Nayi"))
    page = client.post("/start/", GOOD | {"upi_id": "nayi@newbank"}, follow=True)
    assert "@newbank" in page.content.decode()
    assert Shop.objects.get().upi_id == "nayi@newbank"


def test_onboarding_is_for_people_who_signed_in(client: Client) -> None:
    assert client.post("/start/", GOOD).url.startswith("/accounts/login/")
    assert not Shop.objects.exists()


def menu(cast: Cast, role: Role) -> str:
    return client_of(cast.holder_of(role)).get(f"/s/{cast.shop.code}/more/").content.decode()


def test_the_menu_shows_what_the_role_may_open(cast: Cast) -> None:
    assert "/settings/" in menu(cast, Role.OWNER)
    assert "/members/" in menu(cast, Role.OWNER)
    assert "/settings/" not in menu(cast, Role.MANAGER)
    assert "/activity/" in menu(cast, Role.MANAGER)
    assert "/activity/" not in menu(cast, Role.CASHIER)
    assert "/rules/" not in menu(cast, Role.VIEWER)
    assert "/admin/" not in menu(cast, Role.OWNER)


def test_everything_in_the_menu_opens(cast: Cast) -> None:
    for role in Role:
        client = client_of(cast.holder_of(role))
        for link in set(re.findall(r'href="(/s/[^"]+)"', menu(cast, role))):
            assert client.get(link).status_code == 200, (role, link)


def test_the_menu_lists_my_other_shops_and_nobody_elses(cast: Cast) -> None:
    second = make_shop(cast.asha, "Zaika Sweets")
    page = menu(cast, Role.OWNER)
    assert f"/s/{second.code}/" in page
    assert cast.other_shop.code not in page
    assert second.code not in menu(cast, Role.MANAGER)


def test_a_stranger_finds_no_menu(cast: Cast) -> None:
    assert client_of(cast.dev).get(f"/s/{cast.shop.code}/more/").status_code == 404
    assert client_of(cast.dev).get("/s/no-such-shop/more/").status_code == 404
