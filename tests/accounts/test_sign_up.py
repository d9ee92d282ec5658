"""Signing up: a phone, a code, and a password that counts only once the phone is proven."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shops.models import Role, User
from shops.services import add_member
from tests.accounts.phones import (
    PASSWORD,
    STRANGERS_PASSWORD,
    ask_code,
    code_of,
    is_signed_in,
    messages_to,
    sign_in,
    sign_up,
    type_code,
    wrong,
)
from tests.cast import Cast, make_user

pytestmark = pytest.mark.django_db
NEW = "+919811100011"
VERIFY = "/accounts/phone/verify/"


@pytest.mark.parametrize(
    "typed", ["98111 00011", "+91 98111-00011", "०९८१११०००११", "919811100011", "098111 00011"]
)
def test_a_phone_in_any_form_is_one_number(client: Client, typed: str) -> None:
    assert sign_up(client, typed).url == VERIFY
    assert User.objects.get().phone == NEW
    assert type_code(client, code_of(NEW), VERIFY).url == "/"
    assert is_signed_in(client)


def test_the_code_may_be_typed_in_the_digits_of_any_script(client: Client) -> None:
    sign_up(client, NEW)
    type_code(client, code_of(NEW).translate(str.maketrans("0123456789", "०१२३४५६७८९")), VERIFY)
    assert is_signed_in(client)


def test_a_new_person_lands_in_onboarding(client: Client) -> None:
    sign_up(client, NEW)
    page = client.post(VERIFY, {"action": "verify", "code": code_of(NEW)}, follow=True)
    assert page.redirect_chain[-1][0] == "/start/"
    assert page.status_code == 200


def test_a_code_needs_no_password_and_a_password_works_afterwards(client: Client) -> None:
    sign_up(client, NEW, PASSWORD)
    type_code(client, code_of(NEW), VERIFY)
    assert User.objects.get().phone_verified
    other = Client()
    assert sign_in(other, "98111 00011").status_code == 302
    assert is_signed_in(other)


def test_the_password_does_not_count_before_the_code_came_back(client: Client) -> None:
    sign_up(client, NEW, PASSWORD)
    assert not User.objects.get().has_usable_password()
    other = Client()
    assert sign_in(other, NEW).status_code == 200
    assert not is_signed_in(other)


def test_a_stranger_who_signs_up_with_my_number_leaves_no_key_behind(client: Client) -> None:
    stranger = Client()
    sign_up(stranger, NEW, STRANGERS_PASSWORD)
    ask_code(client, NEW)
    type_code(client, code_of(NEW))
    assert is_signed_in(client)
    assert sign_in(stranger, NEW, STRANGERS_PASSWORD).status_code in {200, 302}
    assert not is_signed_in(stranger)
    assert not User.objects.get().has_usable_password()


def test_the_password_of_an_unfinished_sign_up_is_forgotten_when_somebody_starts_anew(client: Client) -> None:
    """One browser, two people: a cashier tries the owner's number, the owner signs in there by code."""
    sign_up(client, NEW, STRANGERS_PASSWORD)
    ask_code(client, NEW)
    type_code(client, code_of(NEW))
    assert is_signed_in(client)
    assert not User.objects.get().has_usable_password()


def test_a_second_try_at_signing_up_goes_on_where_the_first_ended(client: Client) -> None:
    sign_up(Client(), NEW, STRANGERS_PASSWORD)
    sign_up(client, NEW, PASSWORD)
    type_code(client, code_of(NEW), VERIFY)
    assert is_signed_in(client)
    assert User.objects.get().check_password(PASSWORD)


def test_a_person_whom_an_owner_added_may_sign_up(client: Client, cast: Cast) -> None:
    add_member(shop=cast.shop, actor=cast.asha, phone=NEW, role=Role.CASHIER, name="Farid")
    sign_up(client, NEW, PASSWORD)
    type_code(client, code_of(NEW), VERIFY)
    assert client.get("/").url == f"/s/{cast.shop.code}/"


def test_a_person_whom_an_owner_added_signs_in_by_code_at_once(client: Client, cast: Cast) -> None:
    add_member(shop=cast.shop, actor=cast.asha, phone=NEW, role=Role.CASHIER, name="Farid")
    ask_code(client, NEW)
    assert type_code(client, code_of(NEW)).url == "/"
    assert client.get("/").url == f"/s/{cast.shop.code}/"
    assert User.objects.get(phone=NEW).phone_verified


def test_a_known_number_is_answered_like_a_new_one_and_told_by_message_only(client: Client) -> None:
    make_user("Asha", phone="+919811100022")
    known = sign_up(client, "+919811100022", PASSWORD)
    fresh = sign_up(Client(), NEW, PASSWORD)
    assert (known.status_code, known.url, set(known.cookies)) == (fresh.status_code, fresh.url, set(fresh.cookies))
    page, other = client.get(VERIFY), client.get(VERIFY)
    assert page.status_code == other.status_code == 200
    assert "already" in messages_to("+919811100022")[-1]
    assert type_code(client, "123456", VERIFY).status_code == 200
    assert client.post(VERIFY, {"action": "resend"}).url == VERIFY


def test_signing_up_with_a_known_number_hashes_as_long_as_with_a_new_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("Asha", phone="+919811100022")
    hashed = []
    monkeypatch.setattr("khata.account_forms.make_password", lambda text: hashed.append(text) or "!")
    monkeypatch.setattr("khata.accounts.make_password", lambda text: hashed.append(text) if text else "!")
    sign_up(client, "+919811100022", PASSWORD)
    assert hashed == [PASSWORD]
    hashed.clear()
    sign_up(Client(), NEW, PASSWORD)
    assert hashed == [PASSWORD]


def test_signing_up_with_a_known_number_writes_as_often_as_with_a_new_one() -> None:
    make_user("Asha", phone="+919811100022")
    writes = []
    for phone in ("+919811100022", NEW):
        with CaptureQueriesContext(connection) as queries:
            sign_up(Client(), phone)
        people = [query["sql"] for query in queries if "shops_user" in query["sql"]]
        writes.append(sum(sql.startswith(("INSERT", "UPDATE")) for sql in people))
    assert writes == [1, 1]


def test_a_number_proven_between_check_and_save_signs_nobody_in(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race: the form looked before the row was verified, and saves after."""
    make_user("Asha", phone=NEW)
    from khata.account_forms import SignUpForm

    monkeypatch.setattr(SignUpForm, "_clean_phone", lambda self: None)
    assert sign_up(client, NEW, PASSWORD).url == VERIFY
    assert not is_signed_in(client)
    assert "already" in messages_to(NEW)[-1]


def test_three_wrong_codes_end_the_try(client: Client) -> None:
    sign_up(client, NEW)
    code = code_of(NEW)
    assert [type_code(client, wrong(code), VERIFY).status_code for _ in range(3)] == [200, 200, 302]
    type_code(client, code, VERIFY)
    assert not is_signed_in(client)


def test_too_many_sign_ups_of_one_number_get_a_plain_page_that_knows_another_way(client: Client) -> None:
    answers = [sign_up(Client(), NEW) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [302] * 6 + [429]
    page = answers[-1].content.decode()
    assert "Sign in with a code instead" in page
    assert 'href="/accounts/login/code/"' in page
    assert ask_code(client, NEW).status_code == 302
    type_code(client, code_of(NEW))
    assert is_signed_in(client)


def test_a_stranger_keeps_nobody_from_signing_up(client: Client) -> None:
    for _ in range(12):
        sign_up(Client(REMOTE_ADDR="10.0.0.7"), NEW)
    assert sign_up(client, NEW, REMOTE_ADDR="10.9.9.9").url == VERIFY
    type_code(client, code_of(NEW), VERIFY)
    assert is_signed_in(client)


def test_a_number_gets_twenty_codes_of_sign_ups_in_an_hour_from_everywhere() -> None:
    answers = [sign_up(Client(REMOTE_ADDR=f"10.0.{place}.7"), NEW).status_code for place in range(22)]
    assert answers == [302] * 20 + [429] * 2


def test_sending_the_code_again_is_counted_too(client: Client) -> None:
    for _ in range(5):
        sign_up(Client(), NEW)
    sign_up(client, NEW)
    before = len(messages_to(NEW))
    assert client.post(VERIFY, {"action": "resend"}).status_code == 429
    assert len(messages_to(NEW)) == before


def test_a_known_number_is_counted_like_a_new_one() -> None:
    make_user("Asha", phone="+919811100022")
    answers = [sign_up(Client(), "+919811100022").status_code for _ in range(7)]
    assert answers == [302] * 6 + [429]


@pytest.mark.parametrize("typed", ["", "12345", "hello", "9" * 500, "<script>alert(1)</script>", "98111\x0000011"])
def test_what_is_no_phone_is_refused_in_plain_words(client: Client, typed: str) -> None:
    page = sign_up(client, typed)
    assert page.status_code == 200
    assert not User.objects.exists()
    assert b"<script>alert" not in page.content


def test_a_short_password_is_refused(client: Client) -> None:
    assert sign_up(client, NEW, "short").status_code == 200
    assert not User.objects.exists()
