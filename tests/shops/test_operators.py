"""The commands with which an operator lets the first people in."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from shops.models import User
from tests.cast import PASSWORD

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
