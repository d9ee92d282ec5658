"""Signing in by password or code: nobody is told who has an account, nobody is locked out by a stranger."""

import datetime as dt
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.hashers import get_hasher
from django.test import Client

from shops.models import User
from tests.accounts.phones import (
    PASSWORD,
    ask_code,
    code_of,
    is_signed_in,
    messages_to,
    sign_in,
    type_code,
    wrong,
)
from tests.cast import make_user

pytestmark = pytest.mark.django_db
ASHA, NOBODY = "+919811100033", "+919811100044"
CONFIRM = "/accounts/login/code/confirm/"


@pytest.fixture
def asha() -> User:
    return make_user("Asha", phone=ASHA)


def test_phone_and_password_sign_in(client: Client, asha: User) -> None:
    assert sign_in(client, "98111 00033").url == "/"
    assert client.session.get_expiry_age() >= 59 * 86_400


def test_a_code_signs_in(client: Client, asha: User) -> None:
    assert ask_code(client, "०९८१११०००३३").url == CONFIRM
    page = client.get(CONFIRM)
    assert b'autocomplete="one-time-code"' in page.content
    assert b'inputmode="numeric"' in page.content
    assert type_code(client, code_of(ASHA)).url == "/"
    assert is_signed_in(client)


def test_the_password_page_hands_its_number_to_the_code_page(client: Client, asha: User) -> None:
    assert client.post("/accounts/login/code/", {"login": "98111 00033", "password": ""}).url == CONFIRM
    assert code_of(ASHA)


def test_the_code_page_shows_the_way_to_the_demo_outbox(client: Client, asha: User) -> None:
    ask_code(client, ASHA)
    assert b'href="/outbox/"' in client.get(CONFIRM).content


def test_an_unknown_number_is_answered_like_a_known_one_all_the_way(client: Client, asha: User) -> None:
    stranger = Client()

    def walk(browser: Client, phone: str) -> list[object]:
        asked = ask_code(browser, phone)
        page = browser.get(CONFIRM)
        again = browser.post(CONFIRM, {"action": "resend"})
        tries = [type_code(browser, wrong(code_of(ASHA))) for _ in range(3)]
        return [
            (asked.status_code, asked.url, sorted(asked.cookies)),
            page.status_code,
            page.content.count(b"<form"),
            (again.status_code, again.url),
            [(answer.status_code, answer.get("Location")) for answer in tries],
        ]

    assert walk(client, ASHA) == walk(stranger, NOBODY)
    assert "no account" in messages_to(NOBODY)[0]


def test_a_code_can_be_sent_again_and_only_the_newest_works(client: Client, asha: User) -> None:
    ask_code(client, ASHA)
    first = code_of(ASHA)
    client.post(CONFIRM, {"action": "resend"})
    second = code_of(ASHA)
    assert len(messages_to(ASHA)) == 2
    if first != second:
        assert type_code(client, first).status_code == 200
    assert type_code(client, second).url == "/"


def test_after_three_wrong_codes_the_right_one_is_refused(client: Client, asha: User) -> None:
    ask_code(client, ASHA)
    code = code_of(ASHA)
    assert [type_code(client, wrong(code)).status_code for _ in range(3)] == [200, 200, 302]
    type_code(client, code)
    assert not is_signed_in(client)


def test_guesses_that_arrive_at_the_same_moment_count_too(client: Client, asha: User) -> None:
    """Parallel requests each read the session of before: put it back as they would see it."""
    ask_code(client, ASHA)
    code, before = code_of(ASHA), dict(client.session.items())
    for _ in range(3):
        type_code(client, wrong(code))
        session = client.session
        session.update(before)
        session.save()
    type_code(client, code)
    assert not is_signed_in(client)


def test_a_code_works_for_five_minutes(client: Client, asha: User) -> None:
    start = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(start, tick=False) as clock:
        ask_code(client, ASHA)
        clock.shift(301)
        type_code(client, code_of(ASHA))
        assert not is_signed_in(client)
        ask_code(client, ASHA)
        clock.shift(290)
        type_code(client, code_of(ASHA))
        assert is_signed_in(client)


def test_a_mistyped_number_can_be_typed_again(client: Client, asha: User) -> None:
    ask_code(client, NOBODY)
    assert client.get("/accounts/login/code/").status_code == 200
    assert ask_code(client, ASHA).url == CONFIRM
    type_code(client, code_of(ASHA))
    assert is_signed_in(client)


def test_who_waits_for_a_code_may_use_the_password_after_all(client: Client, asha: User) -> None:
    ask_code(client, ASHA)
    assert client.get("/accounts/login/").status_code == 200
    assert sign_in(client, ASHA).url == "/"


def test_a_code_works_only_in_the_browser_that_asked(client: Client, asha: User) -> None:
    ask_code(client, ASHA)
    ask_code(Client(), ASHA)
    type_code(client, code_of(ASHA))  # the second browser's code
    assert not is_signed_in(client)


@pytest.mark.parametrize("who", [ASHA, NOBODY, "code only"])
def test_a_wrong_password_hashes_once_whoever_it_is(client: Client, asha: User, who: str) -> None:
    if who == "code only":
        User.objects.create_user("+919811100055", None, phone_verified=True)
        who = "+919811100055"
    hasher = type(get_hasher("default"))
    with patch.object(hasher, "encode", autospec=True, side_effect=hasher.encode) as encode:
        page = sign_in(client, who, "not the password")
    assert page.status_code == 200
    assert encode.call_count == 1
    assert "do not fit together" in page.content.decode()


def test_the_sixth_bad_password_from_one_place_is_refused_unhashed(client: Client, asha: User) -> None:
    for _ in range(5):
        sign_in(client, ASHA, "wrong")
    hasher = type(get_hasher("default"))
    with patch.object(hasher, "encode", autospec=True, side_effect=hasher.encode) as encode:
        page = sign_in(client, ASHA)
    assert "Too many tries" in page.content.decode()
    assert encode.call_count == 0
    assert not is_signed_in(client)


def test_a_stranger_elsewhere_does_not_lock_the_owner_out(client: Client, asha: User) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(12):
        sign_in(stranger, ASHA, "wrong")
        ask_code(stranger, ASHA)
    assert sign_in(client, ASHA).url == "/"
    by_code = Client()
    assert ask_code(by_code, ASHA).url == CONFIRM
    type_code(by_code, code_of(ASHA))
    assert is_signed_in(by_code)


def test_many_strangers_may_close_a_number_but_not_the_owners_own_browser(client: Client, asha: User) -> None:
    sign_in(client, ASHA)
    client.post("/accounts/logout/")
    for host in range(1, 8):
        stranger = Client(REMOTE_ADDR=f"203.0.113.{host}")
        for _ in range(5):
            sign_in(stranger, ASHA, "wrong")
            ask_code(stranger, ASHA)
    newcomer = Client(REMOTE_ADDR="198.51.100.7")
    assert "Too many tries" in sign_in(newcomer, ASHA).content.decode()
    assert ask_code(newcomer, ASHA).status_code == 200
    assert ask_code(client, ASHA).url == CONFIRM
    type_code(client, code_of(ASHA))
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert sign_in(client, ASHA).url == "/"


def test_one_persons_bad_passwords_do_not_count_for_another(client: Client, asha: User) -> None:
    other = make_user("Dev", phone=NOBODY)
    for _ in range(5):
        sign_in(client, ASHA, "wrong")
    assert sign_in(client, other.phone).url == "/"


def test_a_device_cookie_of_one_person_is_worth_nothing_for_another(client: Client, asha: User) -> None:
    make_user("Dev", phone=NOBODY)
    sign_in(client, NOBODY)
    client.post("/accounts/logout/")
    for _ in range(5):
        sign_in(client, ASHA, "wrong")
    assert "Too many tries" in sign_in(client, ASHA).content.decode()


def test_a_forged_device_cookie_is_ignored(client: Client, asha: User) -> None:
    client.cookies["khata_device"] = "eyJ1IjoxfQ:forged:cookie"
    assert sign_in(client, ASHA).url == "/"


def test_right_passwords_use_up_no_tries(asha: User) -> None:
    for _ in range(7):
        browser = Client()
        assert sign_in(browser, ASHA).url == "/"


def test_the_fifth_code_an_hour_from_one_place_is_refused(client: Client, asha: User) -> None:
    assert [ask_code(Client(), ASHA).status_code for _ in range(5)] == [302] * 4 + [200]
    assert len(messages_to(ASHA)) == 4


def test_sending_again_counts_as_asking(client: Client, asha: User) -> None:
    ask_code(client, ASHA)
    for _ in range(2):
        client.post(CONFIRM, {"action": "resend"})
    ask_code(Client(), ASHA)
    ask_code(Client(), ASHA)
    assert len(messages_to(ASHA)) == 4


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "http:evil.example"],
)
def test_next_never_leads_away(client: Client, asha: User, target: str) -> None:
    answer = client.post("/accounts/login/", {"login": ASHA, "password": PASSWORD, "next": target})
    assert answer.url == "/"
    by_code = Client()
    by_code.post("/accounts/login/code/", {"phone": ASHA, "next": target})
    assert type_code(by_code, code_of(ASHA), next=target).url == "/"


def test_next_leads_back_to_where_one_was(client: Client, asha: User) -> None:
    asked = client.get("/start/")
    assert asked.url == "/accounts/login/?next=/start/"
    assert 'name="next" value="/start/"' in client.get(asked.url).content.decode()
    assert client.post(asked.url, {"login": ASHA, "password": PASSWORD, "next": "/start/"}).url == "/start/"


def test_an_inactive_person_is_told_only_after_the_right_password(client: Client, asha: User) -> None:
    User.objects.update(is_active=False)
    assert "do not fit" in sign_in(client, ASHA, "wrong").content.decode()
    assert sign_in(client, ASHA).url == "/accounts/inactive/"
    assert client.get("/accounts/inactive/").status_code == 200
    assert not is_signed_in(client)


def test_admin_takes_phone_and_password_behind_the_same_limits(client: Client) -> None:
    boss = User.objects.create_superuser("+919811100066", PASSWORD)
    login = "/admin/login/?next=/admin/"
    data = {"username": "98111 00066", "password": PASSWORD}
    assert client.post(login, data).url == "/admin/"
    assert client.get("/admin/").status_code == 200
    guesser = Client(REMOTE_ADDR="203.0.113.10")
    for _ in range(5):
        guesser.post(login, data | {"password": "wrong"})
    assert guesser.post(login, data).status_code == 200
    assert not is_signed_in(guesser)
    assert "Too many tries" in sign_in(guesser, boss.phone).content.decode()


def test_behind_a_proxy_callers_are_told_apart(client: Client, asha: User, settings: object) -> None:
    settings.PROXY_COUNT = 1  # type: ignore[attr-defined]
    for _ in range(6):
        sign_in(client, ASHA, "wrong", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9")
    assert sign_in(client, ASHA, HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.1").url == "/"


def test_without_a_proxy_the_header_is_not_believed(client: Client, asha: User) -> None:
    for number in range(6):
        sign_in(client, ASHA, "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert "Too many tries" in sign_in(client, ASHA).content.decode()


def test_signing_out_takes_a_post(client: Client, asha: User) -> None:
    sign_in(client, ASHA)
    assert client.get("/accounts/logout/").status_code == 200
    assert is_signed_in(client)
    assert client.post("/accounts/logout/").url == "/"
    assert not is_signed_in(client)


def test_codes_and_phones_stay_out_of_the_log(
    client: Client, asha: User, caplog: pytest.LogCaptureFixture
) -> None:
    ask_code(client, ASHA)
    type_code(client, wrong(code_of(ASHA)))
    type_code(client, code_of(ASHA))
    assert code_of(ASHA) not in caplog.text
    assert "98111" not in caplog.text


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_limits_hold_across_processes(asha: User) -> None:
    from tests.processes import together

    said = together(*[("guess", ASHA, 6)] * 2)
    assert sorted(line for lines in said for line in lines) == ["refused"] * 7 + ["tried"] * 5
