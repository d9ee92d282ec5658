"""The commands with which an operator lets the first people in."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from shops import words
from shops.models import AuditEvent, Member, Role, User
from shops.services import add_member, open_shop
from tests.accounts.phones import ask_code, code_of, type_code
from tests.cast import PASSWORD, Cast, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["98123 45678", "+91 98123-45678", "०९८१२३४५६७८"])
def test_the_first_operator_can_sign_in_with_the_number_as_typed(
    client: Client, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, phone=typed, verbosity=0)
    assert User.objects.get().phone == "+919812345678"
    client.post("/admin/login/", {"username": "98123 45678", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_an_operator_without_a_phone_number_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="not a phone number"):
        call_command("createsuperuser", interactive=False, phone="admin", verbosity=0)
    assert not User.objects.exists()


def test_an_operator_is_not_made_twice_in_two_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, phone="+919812345678", verbosity=0)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", interactive=False, phone="98123 45678", verbosity=0)


def test_a_book_that_was_brought_in_without_an_owner_gets_one(client: Client) -> None:
    shop = open_shop(owner=None, name="Purani Dukaan")
    said = StringIO()
    call_command("add_member", shop.code, "98111 00044", "owner", name="Farid", stdout=said)
    assert "Farid is in Purani Dukaan" in said.getvalue()
    ask_code(client, "+919811100044")
    type_code(client, code_of("+919811100044"))
    assert client.get(f"/s/{shop.code}/members/").status_code == 200
    event = AuditEvent.objects.for_shop(shop).get(action="member.added")
    assert event.is_alarm
    assert words.sentence(event) == "An operator added Farid as Owner."


def test_what_an_owner_does_is_not_said_to_be_an_operators(cast: Cast) -> None:
    add_member(shop=cast.shop, actor=cast.asha, phone=make_user().phone, role=Role.CASHIER, name="Farid")
    event = AuditEvent.objects.for_shop(cast.shop).get(action="member.added")
    assert words.sentence(event) == "Farid was added as Cashier."


@pytest.mark.parametrize(
    ("code", "phone", "role", "reason"),
    [
        ("no-such", "9811100044", "owner", "There is no shop"),
        ("", "12345", "owner", "not a phone number"),
        ("", "9811100044", "emperor", "invalid choice"),
        ("", "bilal", "owner", "already a member"),
    ],
)
def test_a_seat_that_cannot_be_given_changes_nothing(
    cast: Cast, code: str, phone: str, role: str, reason: str
) -> None:
    before = list(Member.everything.values_list("user", "role"))
    number = cast.bilal.phone if phone == "bilal" else phone
    with pytest.raises(CommandError, match=reason):
        call_command("add_member", code or cast.shop.code, number, role)
    assert list(Member.everything.values_list("user", "role")) == before
