"""The shop's settings, and its UPI ID behind the password."""

import datetime as dt

import pytest
from django.test import Client

from reminders.courtesy import opens
from shops.models import AuditEvent, Member, Role, Shop, User
from shops.services import ShopError, change_settings
from tests.cast import PASSWORD, Cast, client_of, make_member

GOOD = {
    "name": "Asha & Sons",
    "trade": "Kirana",
    "language": "hi",
    "credit_days": "45",
    "blocks_over_limit": "on",
    "weekly_cap": "3",
    "quiet_until": "08:00",
    "quiet_from": "19:00",
}


def settings_page(shop: Shop) -> str:
    return f"/s/{shop.code}/settings/"


def upi_page(shop: Shop) -> str:
    return f"/s/{shop.code}/upi/"


def test_the_owner_changes_settings_and_it_is_written_down(cast: Cast) -> None:
    client = client_of(cast.asha)
    assert client.get(settings_page(cast.shop)).status_code == 200
    assert client.post(settings_page(cast.shop), GOOD).url == settings_page(cast.shop)
    cast.shop.refresh_from_db()
    assert (cast.shop.name, cast.shop.credit_days, cast.shop.blocks_over_limit) == ("Asha & Sons", 45, True)
    assert not cast.shop.sends_receipts  # an empty box is a no
    event = AuditEvent.objects.for_shop(cast.shop).get(action="shop.settings_changed")
    assert event.before["credit_days"] == 30
    assert event.after["credit_days"] == 45
    assert not event.is_alarm


def test_saving_the_same_twice_writes_one_line(cast: Cast) -> None:
    client = client_of(cast.asha)
    for _ in range(2):
        client.post(settings_page(cast.shop), GOOD)
    assert AuditEvent.objects.for_shop(cast.shop).filter(action="shop.settings_changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", "a\x00b"),
        ("credit_days", "-1"),
        ("credit_days", "731"),
        ("weekly_cap", "8"),
        ("language", "xx"),
    ],
)
def test_what_makes_no_sense_changes_nothing(cast: Cast, field: str, value: str) -> None:
    answer = client_of(cast.asha).post(settings_page(cast.shop), GOOD | {field: value})
    assert answer.status_code == 422
    assert Shop.objects.get(pk=cast.shop.pk).credit_days == 30


@pytest.mark.parametrize(
    ("first", "last"), [("07:59", "19:00"), ("08:00", "19:01"), ("22:00", "06:00"), ("12:00", "12:00"), ("", "")]
)
def test_the_hours_of_asking_are_only_made_shorter(cast: Cast, first: str, last: str) -> None:
    answer = client_of(cast.asha).post(settings_page(cast.shop), GOOD | {"quiet_until": first, "quiet_from": last})
    assert answer.status_code == 422
    shop = Shop.objects.get(pk=cast.shop.pk)
    assert (shop.quiet_until, shop.quiet_from, shop.credit_days) == (dt.time(8), dt.time(19), 30)


def test_a_shop_that_asks_in_fewer_hours_is_quiet_in_the_others(cast: Cast) -> None:
    client = client_of(cast.asha)
    assert 'value="19:00"' in client.get(settings_page(cast.shop)).content.decode()
    client.post(settings_page(cast.shop), GOOD | {"quiet_until": "10:30", "quiet_from": "17:00"})
    shop = Shop.objects.get(pk=cast.shop.pk)
    noon = dt.datetime(2026, 11, 18, 12, 0, tzinfo=shop.zoneinfo)
    assert opens(shop, noon) is None
    assert opens(shop, noon.replace(hour=10)) == noon.replace(hour=10, minute=30)
    assert opens(shop, noon.replace(hour=17)) == noon.replace(day=19, hour=10, minute=30)
    event = AuditEvent.objects.for_shop(shop).get(action="shop.settings_changed")
    assert (event.before["quiet_from"], event.after["quiet_from"]) == ("19:00", "17:00")
    assert "last hour of reminders from 19:00 to 17:00" in client.get(f"/s/{shop.code}/activity/").content.decode()


def test_no_caller_of_the_service_widens_the_hours(cast: Cast) -> None:
    with pytest.raises(ShopError, match="08:00"):
        change_settings(shop=cast.shop, actor=cast.asha, changes={"quiet_until": dt.time(6)})
    assert Shop.objects.get(pk=cast.shop.pk).quiet_until == dt.time(8)


def test_settings_do_not_change_the_upi_id_behind_the_password(cast: Cast) -> None:
    client_of(cast.asha).post(settings_page(cast.shop), GOOD | {"upi_id": "thief@okaxis"})
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == ""


@pytest.mark.parametrize("page", [settings_page, upi_page])
@pytest.mark.parametrize(
    ("role", "status"), [(Role.MANAGER, 403), (Role.CASHIER, 403), (Role.VIEWER, 403), (None, 404)]
)
def test_only_the_owner_comes_here(cast: Cast, page: object, role: Role | None, status: int) -> None:
    client = client_of(cast.holder_of(role))
    where = page(cast.shop)  # type: ignore[operator]
    assert client.get(where).status_code == status
    assert client.post(where, GOOD | {"upi_id": "thief@okaxis", "password": PASSWORD}).status_code == status
    assert Shop.objects.get(pk=cast.shop.pk).name == "Asha Kirana"


def test_a_new_upi_id_asks_for_the_password_and_alarms_every_owner(cast: Cast) -> None:
    client = client_of(cast.asha)
    assert client.post(upi_page(cast.shop), {"upi_id": "asha@okaxis"}).status_code == 422
    assert client.post(upi_page(cast.shop), {"upi_id": "asha@okaxis", "password": "wrong"}).status_code == 422
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == ""
    answer = client.post(upi_page(cast.shop), {"upi_id": " Asha@OKAXIS ", "password": PASSWORD})
    assert answer.url == settings_page(cast.shop)
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == "asha@okaxis"
    event = AuditEvent.objects.for_shop(cast.shop).get(action="shop.upi_changed")
    assert (event.actor, event.is_alarm, event.before, event.after) == (
        cast.asha,
        True,
        {"upi_id": ""},
        {"upi_id": "asha@okaxis"},
    )


def test_the_password_may_be_guessed_five_times_in_ten_minutes(cast: Cast) -> None:
    client = client_of(cast.asha)
    for _ in range(5):
        client.post(upi_page(cast.shop), {"upi_id": "thief@okaxis", "password": "wrong"})
    answer = client.post(upi_page(cast.shop), {"upi_id": "thief@okaxis", "password": PASSWORD})
    assert "Too many tries" in answer.content.decode()
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == ""


def test_who_has_no_password_is_sent_to_set_one(cast: Cast) -> None:
    coder = User.objects.create_user("+919811100088", None, phone_verified=True)
    make_member(cast.shop, Role.OWNER, user=coder)
    client = client_of(coder)
    page = client.get(upi_page(cast.shop)).content.decode()
    assert f"/accounts/password/set/?next=/s/{cast.shop.code}/upi/" in page
    assert client.post(upi_page(cast.shop), {"upi_id": "x@okaxis", "password": ""}).status_code == 422
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == ""


def test_an_unknown_handle_warns_and_is_saved(cast: Cast) -> None:
    client = client_of(cast.asha)
    page = client.post(upi_page(cast.shop), {"upi_id": "asha@newbank", "password": PASSWORD}, follow=True)
    assert "We do not know “@newbank”" in page.content.decode()
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == "asha@newbank"


@pytest.mark.parametrize(
    "typed", ["asha", "asha@gmail.com", "a@", "@okaxis", "as ha@okaxis", "a@b&am=1", "x" * 60]
)
def test_what_is_no_upi_id_is_refused(cast: Cast, typed: str) -> None:
    answer = client_of(cast.asha).post(upi_page(cast.shop), {"upi_id": typed, "password": PASSWORD})
    assert answer.status_code == 422
    assert Shop.objects.get(pk=cast.shop.pk).upi_id == ""


def test_a_script_in_the_shops_name_is_only_letters(cast: Cast) -> None:
    evil = "<script>alert(1)</script>"
    client = client_of(cast.asha)
    client.post(settings_page(cast.shop), GOOD | {"name": evil})
    for page in ("settings/", "members/", "activity/", "more/", "upi/"):
        content = client.get(f"/s/{cast.shop.code}/{page}").content.decode()
        assert "<script>alert" not in content
        assert "&lt;script&gt;" in content


def test_a_form_from_another_site_changes_nothing(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.asha, backend="khata.accounts.ActiveUserBackend")
    assert client.post(settings_page(cast.shop), GOOD).status_code in {403, 419}
    assert Member.objects.for_shop(cast.shop).exists()
    assert Shop.objects.get(pk=cast.shop.pk).name == "Asha Kirana"
