"""Operators may look at everything and touch no money; everybody else does not get in."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from ledger.models import Entry, Khata, LedgerCheck
from parties.models import Consent, Party
from shops.models import AuditEvent, Member, Shop, User
from tests.cast import Cast, client_of, make_khata, make_user, post

pytestmark = pytest.mark.django_db
READ_ONLY = (Entry, Khata, LedgerCheck, Party, Consent, Member, AuditEvent, Shop)


def make_operator(**fields: bool) -> User:
    return make_user("Operator", is_staff=True, **fields)


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)  # type: ignore[attr-defined]


@pytest.fixture
def operator(cast: Cast) -> Client:
    """A superuser's browser, beside a shop with something of everything."""
    khata = make_khata(cast.shop, "Ramesh", phone="+919812345678", consent_source="counter")
    post(khata, 123_45, key="the-key")
    LedgerCheck.objects.create(finding="khata K7Q2X: off")
    return client_of(make_operator(is_superuser=True))


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_every_list_and_page_opens_and_nothing_can_be_changed(operator: Client, model: type) -> None:
    manager = getattr(model, "everything", model.objects)  # type: ignore[attr-defined]
    row = manager.first()
    assert operator.get(url(model, "changelist")).status_code == 200
    assert operator.get(url(model, "changelist"), {"q": "ramesh"}).status_code in (200, 302)
    page = operator.get(url(model, "change", row.pk))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert operator.get(url(model, "add")).status_code == 403
    assert operator.post(url(model, "change", row.pk), {"amount_paise": "1"}).status_code == 403
    assert operator.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert manager.filter(pk=row.pk).exists()


def test_an_entry_is_found_by_key_or_by_party_code_and_position(operator: Client) -> None:
    entry = Entry.everything.select_related("khata__party", "shop").get(key="the-key")
    post(make_khata(entry.shop, "Suresh"), 777_00)
    code = entry.khata.party.code
    for words in ("the-key", f"{code} 1", f"{entry.shop.code} {code.lower()} 1"):
        text = operator.get(url(Entry, "changelist"), {"q": words}).content.decode()
        assert "₹123.45" in text and "₹777.00" not in text, words
    nothing = operator.get(url(Entry, "changelist"), {"q": f"{code} 2"}).content.decode()
    assert "₹123.45" not in nothing


def test_a_khata_is_found_by_phone_and_shows_its_balance(operator: Client) -> None:
    assert "₹123.45" in operator.get(url(Khata, "changelist"), {"q": "9812345678"}).content.decode()


def test_an_owner_of_a_shop_is_no_operator(cast: Cast) -> None:
    answer = client_of(cast.asha).get(url(Entry, "changelist"))
    assert answer.status_code == 302 and "login" in answer["Location"]


def test_a_person_is_made_and_changed_by_phone_and_the_trail_says_so(operator: Client) -> None:
    form = {"phone": "+91 98765 43210", "name": "New", "usable_password": "false"}
    assert operator.post(url(User, "add"), form).status_code == 302
    person = User.objects.get(phone="+919876543210")
    assert not person.has_usable_password()
    form = {"phone": person.phone, "name": "Newer", "language": "hi"}  # is_active left out: switched off
    assert operator.post(url(User, "change", person.pk), form).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.is_active) == ("Newer", False)
    said = AuditEvent.everything.filter(target=f"user:{person.pk}", shop=None).order_by("pk")
    assert [event.after["fields"] for event in said] == [["new"], ["is_active", "language", "name"]]
    assert operator.post(url(User, "add"), {**form, "phone": "98765"}).status_code == 200
    assert operator.post(url(User, "delete", person.pk), {"post": "yes"}).status_code == 403


def test_staff_cannot_make_themselves_or_touch_a_superuser(cast: Cast) -> None:
    staff, boss = make_operator(), make_operator(is_superuser=True)
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label="shops"))
    client = client_of(staff)
    assert client.post(url(User, "change", boss.pk), {"name": "x"}).status_code == 403
    assert client.post(url(User, "change", staff.pk), {"name": "x"}).status_code == 403
    form = {"phone": cast.dev.phone, "name": "Dev", "language": "en", "is_active": "on", "is_superuser": "on"}
    assert client.post(url(User, "change", cast.dev.pk), {**form, "is_staff": "on"}).status_code == 302
    cast.dev.refresh_from_db()
    assert not cast.dev.is_superuser and not cast.dev.is_staff
    reset = reverse("admin:auth_user_password_change", args=[boss.pk])
    assert client.post(reset, {"password1": "Stolen-8842", "password2": "Stolen-8842"}).status_code == 403


def test_a_password_set_by_an_operator_is_in_the_trail(operator: Client, cast: Cast) -> None:
    reset = reverse("admin:auth_user_password_change", args=[cast.dev.pk])
    new = {"password1": "Monsoon-8842-rain", "password2": "Monsoon-8842-rain", "usable_password": "true"}
    assert operator.post(reset, new).status_code == 302
    assert AuditEvent.everything.get(target=f"user:{cast.dev.pk}").after == {"fields": ["password"]}
