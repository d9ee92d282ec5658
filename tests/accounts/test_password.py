"""Setting, changing and forgetting the password."""

import datetime as dt

import pytest
from django.test import Client

from core import clock
from shops.models import User
from tests.accounts.phones import PASSWORD, ask_code, code_of, is_signed_in, sign_in, type_code
from tests.cast import client_of, make_shop, make_user

pytestmark = pytest.mark.django_db
CHANGE, SET = "/accounts/password/change/", "/accounts/password/set/"
AGAIN = "/accounts/reauthenticate/"
NEXT = "quite another one"


def test_changing_it_asks_for_the_old_one() -> None:
    asha = make_user("Asha")
    client = client_of(asha)
    assert client.get(CHANGE).status_code == 200
    assert client.post(CHANGE, {"password1": NEXT}).status_code == 200
    assert client.post(CHANGE, {"oldpassword": "wrong", "password1": NEXT}).status_code == 200
    assert client.post(CHANGE, {"oldpassword": PASSWORD, "password1": NEXT}).url == "/"
    asha.refresh_from_db()
    assert asha.check_password(NEXT)


def test_changing_it_signs_other_browsers_out_and_this_one_not(client: Client) -> None:
    asha = make_user("Asha")
    here, there = client_of(asha), client_of(asha)
    here.post(CHANGE, {"oldpassword": PASSWORD, "password1": NEXT})
    assert here.get(CHANGE).status_code == 200
    assert there.get(CHANGE).status_code == 302


def test_who_forgot_it_signs_in_by_code_and_sets_a_new_one(client: Client) -> None:
    asha = make_user("Asha")
    ask_code(client, asha.phone)
    type_code(client, code_of(asha.phone))
    assert b"oldpassword" not in client.get(CHANGE).content
    client.post(CHANGE, {"password1": NEXT})
    assert sign_in(Client(), asha.phone, NEXT).url == "/"


def test_who_has_none_sets_one(client: Client) -> None:
    asha = User.objects.create_user("+919811100077", None, phone_verified=True)
    ask_code(client, asha.phone)
    type_code(client, code_of(asha.phone))
    assert client.get(CHANGE).url == SET
    assert client.get(SET).status_code == 200
    assert client.post(f"{SET}?next=/start/", {"password1": NEXT, "next": "/start/"}).url == "/start/"
    assert is_signed_in(client)
    assert sign_in(Client(), asha.phone, NEXT).url == "/"


def test_a_session_of_weeks_ago_makes_no_first_password() -> None:
    asha = User.objects.create_user("+919811100078", None, phone_verified=True)
    client = client_of(asha)
    User.objects.filter(pk=asha.pk).update(last_login=clock.now() - dt.timedelta(minutes=11))
    for answer in (client.get(SET), client.post(SET, {"password1": NEXT})):
        assert (answer.status_code, answer.url) == (302, "/")
    asha.refresh_from_db()
    assert not asha.has_usable_password()


def test_signing_out_takes_the_pages_of_the_book_out_of_the_browser() -> None:
    asha = make_user("Asha")
    client = client_of(asha)
    assert client.get(f"/s/{make_shop(asha).code}/")["Cache-Control"] == "private, no-cache"
    assert client.post("/accounts/logout/")["Clear-Site-Data"] == '"cache"'


def test_the_password_once_more() -> None:
    client = client_of(make_user("Asha"))
    assert client.get(AGAIN).status_code == 200
    assert client.post(AGAIN, {"password": "wrong"}).status_code == 200
    assert client.post(AGAIN, {"password": PASSWORD}).status_code == 302


def test_five_guesses_at_the_password_are_all_there_are_on_every_page_together() -> None:
    asha = make_user("Asha")
    shop, client = make_shop(asha), client_of(asha)
    for guess in range(2):
        assert "not your password" in client.post(AGAIN, {"password": f"guess {guess}"}).content.decode()
        page = client.post(CHANGE, {"oldpassword": f"guess {guess}", "password1": NEXT})
        assert "not your password" in page.content.decode()
    upi = f"/s/{shop.code}/upi/"
    page = client.post(upi, {"upi_id": "asha@okaxis", "password": "a guess"})
    assert "not your password" in page.content.decode()
    for where, data in (
        (AGAIN, {"password": PASSWORD}),
        (CHANGE, {"oldpassword": PASSWORD, "password1": NEXT}),
        (upi, {"upi_id": "asha@okaxis", "password": PASSWORD}),
    ):
        assert "Too many tries. Nothing was changed" in client.post(where, data).content.decode()
    asha.refresh_from_db()
    assert asha.check_password(PASSWORD)


def test_guesses_at_one_password_leave_another_person_theirs() -> None:
    guesser = client_of(make_user("Asha"))
    for guess in range(6):
        guesser.post(AGAIN, {"password": f"guess {guess}"})
    assert client_of(make_user("Dev")).post(AGAIN, {"password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("page", [CHANGE, SET, AGAIN])
def test_nobody_gets_to_these_pages(client: Client, page: str) -> None:
    assert client.get(page).url == f"/accounts/login/?next={page}"
