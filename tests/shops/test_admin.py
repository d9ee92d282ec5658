"""What operators change about people, and who hears of it."""

from typing import Any

import pytest
from django.http import HttpResponse

from reminders.models import Message, Purpose
from reminders.services import queue_alarms
from shops.models import AuditEvent, Role, User
from tests.cast import Cast, client_of, make_member, make_shop, make_user

OTHER = "+919899999999"


def change(person: User, **fields: Any) -> HttpResponse:
    operator = make_user("Op", is_staff=True, is_superuser=True)
    form = {"phone": person.phone, "name": person.name, "language": person.language}
    form |= {"is_active": "on", "phone_verified": "on"} | fields
    return client_of(operator).post(f"/admin/shops/user/{person.pk}/change/", form)


def test_an_owner_who_gets_another_phone_alarms_every_shop_they_own(cast: Cast) -> None:
    second, third = make_shop(cast.asha, "Zaika Sweets"), make_shop(cast.dev, "Dev Cycles")
    make_member(third, Role.MANAGER, user=cast.asha)
    assert change(cast.asha, phone=OTHER).status_code == 302
    cast.asha.refresh_from_db()
    assert cast.asha.phone == OTHER
    alarms = AuditEvent.everything.filter(action="operator.phone_changed", is_alarm=True)
    assert set(alarms.values_list("shop", flat=True)) == {cast.shop.pk, second.pk}
    omar = make_member(cast.shop, Role.OWNER, name="Omar")
    queue_alarms()
    told = Message.everything.filter(shop=cast.shop, purpose=Purpose.ALERT)
    assert set(told.values_list("recipient", flat=True)) == {OTHER, omar.phone}
    assert "An operator changed the phone number with which Asha signs in." in told.first().text


def test_the_old_number_is_told_of_the_new_one_without_naming_it(cast: Cast) -> None:
    was = cast.asha.phone
    change(cast.asha, phone=OTHER, language="hi")
    text = Message.everything.get(recipient=was).text
    assert "Khata" in text
    assert OTHER[-4:] not in text


def test_sessions_end_with_the_phone_and_with_nothing_less(cast: Cast) -> None:
    asha, page = client_of(cast.asha), f"/s/{cast.shop.code}/more/"
    change(cast.asha, name="Asha Devi")
    assert asha.get(page).status_code == 200
    assert not Message.everything.exists()
    assert not AuditEvent.everything.filter(action="operator.phone_changed").exists()
    change(cast.asha, phone=OTHER)
    assert asha.get(page).url.startswith("/accounts/login/")


@pytest.mark.parametrize("typed", ["98999 99999", "+91 98999-99999", "९८९९९९९९९९"])
def test_a_number_is_kept_as_sign_in_looks_for_it(cast: Cast, typed: str) -> None:
    assert change(cast.asha, phone=typed).status_code == 302
    cast.asha.refresh_from_db()
    assert cast.asha.phone == OTHER


@pytest.mark.parametrize("typed", ["12345", "hello", "+91 02345 67890", "9" * 16])
def test_a_number_that_is_none_is_refused(cast: Cast, typed: str) -> None:
    assert change(cast.asha, phone=typed).status_code == 200
    cast.asha.refresh_from_db()
    assert cast.asha.phone != typed
