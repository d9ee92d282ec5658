"""People of a shop: added by phone, given a role, taken out at once; an owner always stays."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shops import services
from shops.models import AuditEvent, Member, Role, Shop, User
from tests.cast import PASSWORD, Cast, client_of, make_member, make_shop, make_user
from tests.processes import together

NEW = "+919811100099"


def page(shop: Shop, member: Member | None = None, what: str = "") -> str:
    return f"/s/{shop.code}/members/" + (f"{member.pk}/{what}/" if member else "")


def seat(shop: Shop, user: User) -> Member:
    return Member.objects.for_shop(shop).get(user=user)


def test_the_owner_adds_a_cashier_by_phone(cast: Cast) -> None:
    client = client_of(cast.asha)
    answer = client.post(page(cast.shop), {"phone": "98111 00099", "name": "Farid", "role": "cashier"})
    assert answer.url == page(cast.shop)
    farid = User.objects.get(phone=NEW)
    assert (seat(cast.shop, farid).role, farid.name, farid.has_usable_password()) == ("cashier", "Farid", False)
    assert AuditEvent.objects.for_shop(cast.shop).get(action="member.added").is_alarm
    assert "Farid" in client.get(page(cast.shop)).content.decode()


@pytest.mark.parametrize("role", ["manager", "owner"])
def test_a_seat_that_moves_money_asks_for_the_password(cast: Cast, role: str) -> None:
    client = client_of(cast.asha)
    data = {"phone": NEW, "name": "Farid", "role": role}
    assert client.post(page(cast.shop), data).status_code == 422
    assert client.post(page(cast.shop), data | {"password": "wrong"}).status_code == 422
    assert not User.objects.filter(phone=NEW).exists()
    client.post(page(cast.shop), data | {"password": PASSWORD})
    assert seat(cast.shop, User.objects.get(phone=NEW)).role == role


def test_adding_somebody_twice_says_so(cast: Cast) -> None:
    client = client_of(cast.asha)
    answer = client.post(page(cast.shop), {"phone": cast.bilal.phone, "role": "viewer"})
    assert "already a member" in answer.content.decode()
    assert seat(cast.shop, cast.bilal).role == "cashier"


def test_a_row_that_an_unfinished_sign_up_left_gets_the_name_that_the_owner_gives(cast: Cast) -> None:
    User.objects.create_user(NEW, None)
    client_of(cast.asha).post(page(cast.shop), {"phone": NEW, "name": "Farid", "role": "cashier"})
    assert User.objects.get(phone=NEW).name == "Farid"


def test_another_shops_people_keep_their_name_and_password(cast: Cast) -> None:
    client_of(cast.asha).post(page(cast.shop), {"phone": cast.dev.phone, "name": "Thief", "role": "viewer"})
    cast.dev.refresh_from_db()
    assert cast.dev.name == "Dev"
    assert cast.dev.check_password(PASSWORD)


def test_a_phone_tells_the_shop_nothing_about_who_has_an_account(cast: Cast) -> None:
    """Dev has an account and a name; nobody has the other number. Asha is told the same of both."""
    client, said = client_of(cast.asha), []
    for phone in (cast.dev.phone, NEW):
        answer = client.post(page(cast.shop), {"phone": phone, "role": "viewer"}, follow=True)
        added = Member.objects.for_shop(cast.shop).get(user__phone=phone)
        alone = client.get(page(cast.shop, added, "role")).content.decode()
        activity = client.get(f"/s/{cast.shop.code}/activity/").content.decode()
        assert not {"Dev", "Dev Medicals"} & set(re.findall(r"[\w ]+", answer.content.decode() + alone + activity))
        assert f"…{phone[-4:]} is in." in answer.content.decode()
        rows = re.findall(r"<li>.*?</li>", answer.content.decode(), re.DOTALL)
        row = next(row for row in rows if f"/members/{added.pk}/" in row)
        assert "not here yet" in row
        said.append(re.sub(r"\d", "", row))
    assert said[0] == said[1]


def test_the_shop_sees_its_own_word_until_the_person_comes(cast: Cast) -> None:
    client = client_of(cast.asha)
    client.post(page(cast.shop), {"phone": cast.dev.phone, "name": "Medicine man", "role": "viewer"})
    before = client.get(page(cast.shop)).content.decode()
    assert "Medicine man" in before
    assert "not here yet" in before
    assert client_of(cast.dev).get(f"/s/{cast.shop.code}/more/").status_code == 200
    after = client.get(page(cast.shop)).content.decode()
    assert "<b>Dev</b>" in after
    assert "not here yet" not in after


def test_a_seat_in_a_strangers_shop_moves_nobody_there(cast: Cast) -> None:
    cast.shop.name = "AAA first by name"
    cast.shop.save(update_fields=["name"])
    services.add_member(shop=cast.shop, actor=cast.asha, phone=cast.dev.phone, role=Role.OWNER)
    dev = client_of(cast.dev)
    assert dev.get("/").url == f"/s/{cast.other_shop.code}/"
    menu = dev.get(f"/s/{cast.other_shop.code}/more/").content.decode()
    assert "AAA first by name" in menu
    assert '<span class="tag">new</span>' in menu
    dev.get(f"/s/{cast.shop.code}/more/")
    assert '<span class="tag">new</span>' not in dev.get(f"/s/{cast.other_shop.code}/more/").content.decode()


def test_who_has_no_other_shop_lands_in_the_one_that_took_them_in(cast: Cast) -> None:
    farid = make_user("Farid")
    services.add_member(shop=cast.shop, actor=cast.asha, phone=farid.phone, role=Role.CASHIER)
    assert client_of(farid).get("/").url == f"/s/{cast.shop.code}/"


def test_a_new_role_asks_for_the_password_and_alarms(cast: Cast) -> None:
    client, where = client_of(cast.asha), page(cast.shop, seat(cast.shop, cast.bilal), "role")
    assert client.get(where).status_code == 200
    assert client.post(where, {"role": "manager"}).status_code == 422
    assert client.post(where, {"role": "manager", "password": "wrong"}).status_code == 422
    assert seat(cast.shop, cast.bilal).role == "cashier"
    assert client.post(where, {"role": "manager", "password": PASSWORD}).url == page(cast.shop)
    assert seat(cast.shop, cast.bilal).role == "manager"
    event = AuditEvent.objects.for_shop(cast.shop).get(action="member.role_changed")
    assert (event.is_alarm, event.before["role"], event.after["role"]) == (True, "cashier", "manager")


def test_a_revoked_members_open_session_sees_nothing_from_that_moment(cast: Cast) -> None:
    bilal, asha = client_of(cast.bilal), client_of(cast.asha)
    more = f"/s/{cast.shop.code}/more/"
    assert bilal.get(more).status_code == 200
    asha.post(page(cast.shop, seat(cast.shop, cast.bilal), "revoke"))
    assert bilal.get(more).status_code == 404
    assert bilal.get("/").url == "/start/"
    assert AuditEvent.objects.for_shop(cast.shop).get(action="member.revoked").is_alarm


def test_a_revoked_seat_is_taken_up_again_with_its_new_role(cast: Cast) -> None:
    asha = client_of(cast.asha)
    asha.post(page(cast.shop, seat(cast.shop, cast.bilal), "revoke"))
    asha.post(page(cast.shop), {"phone": cast.bilal.phone, "role": "viewer", "password": PASSWORD})
    assert client_of(cast.bilal).get(f"/s/{cast.shop.code}/more/").status_code == 200
    assert seat(cast.shop, cast.bilal).role == "viewer"


def test_who_comes_back_in_the_same_role_needs_no_password(cast: Cast) -> None:
    asha = client_of(cast.asha)
    asha.post(page(cast.shop, seat(cast.shop, cast.bilal), "revoke"))
    answer = asha.post(page(cast.shop), {"phone": cast.bilal.phone, "role": "cashier"})
    assert answer.status_code == 302
    assert seat(cast.shop, cast.bilal).revoked_at is None


def test_a_role_is_not_changed_in_two_steps_without_the_password(cast: Cast) -> None:
    asha = client_of(cast.asha)
    asha.post(page(cast.shop, seat(cast.shop, cast.bilal), "revoke"))
    answer = asha.post(page(cast.shop), {"phone": cast.bilal.phone, "role": "viewer"})
    assert answer.status_code == 422
    assert seat(cast.shop, cast.bilal).revoked_at is not None


def test_revoking_twice_is_revoking_once(cast: Cast) -> None:
    member = seat(cast.shop, cast.bilal)
    first = services.revoke_member(member=member, actor=cast.asha).revoked_at
    assert services.revoke_member(member=member, actor=cast.asha).revoked_at == first
    assert AuditEvent.objects.for_shop(cast.shop).filter(action="member.revoked").count() == 1


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OWNER])
def test_who_moves_money_is_taken_out_only_with_the_password(cast: Cast, role: Role) -> None:
    other = make_member(cast.shop, role, name="Omar")
    client, where = client_of(cast.asha), page(cast.shop, seat(cast.shop, other), "revoke")
    assert client.post(where).status_code == 422
    assert client.post(where, {"revoke-password": "wrong"}).status_code == 422
    assert seat(cast.shop, other).revoked_at is None
    assert client.post(where, {"revoke-password": PASSWORD}).url == page(cast.shop)
    assert seat(cast.shop, other).revoked_at is not None


def test_the_last_owner_stays(cast: Cast) -> None:
    client, member = client_of(cast.asha), seat(cast.shop, cast.asha)
    answer = client.post(page(cast.shop, member, "role"), {"role": "viewer", "password": PASSWORD})
    assert "at least one owner" in answer.content.decode()
    answer = client.post(page(cast.shop, member, "revoke"), {"revoke-password": PASSWORD})
    assert "at least one owner" in answer.content.decode()
    assert seat(cast.shop, cast.asha).role == "owner"
    assert seat(cast.shop, cast.asha).revoked_at is None


@pytest.mark.parametrize("why", ["never came", "switched off"])
def test_the_last_owner_who_can_come_in_stays(cast: Cast, why: str) -> None:
    """Asha mistyped a number, or an operator switched Omar off: without her nobody has the shop."""
    omar = make_member(cast.shop, Role.OWNER, name="Omar")
    if why == "never came":
        Member.everything.filter(user=omar).update(entered_at=None)
    else:
        User.objects.filter(pk=omar.pk).update(is_active=False)
    client, member = client_of(cast.asha), seat(cast.shop, cast.asha)
    answer = client.post(page(cast.shop, member, "revoke"), {"revoke-password": PASSWORD})
    assert "at least one owner" in answer.content.decode()
    answer = client.post(page(cast.shop, member, "role"), {"role": "viewer", "password": PASSWORD})
    assert "at least one owner" in answer.content.decode()
    assert seat(cast.shop, cast.asha).role == "owner"
    client.post(page(cast.shop, seat(cast.shop, omar), "revoke"), {"revoke-password": PASSWORD})
    assert seat(cast.shop, omar).revoked_at is not None


def test_an_owner_may_step_down_when_another_stays(cast: Cast) -> None:
    make_member(cast.shop, Role.OWNER, name="Omar")
    client = client_of(cast.asha)
    where = page(cast.shop, seat(cast.shop, cast.asha), "role")
    answer = client.post(where, {"role": "cashier", "password": PASSWORD})
    assert client.get(answer.url).status_code == 200
    assert client.get(page(cast.shop)).status_code == 403


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_owners_who_take_each_other_out_at_once_leave_one() -> None:
    asha, omar = make_user("Asha"), make_user("Omar")
    shop = make_shop(asha)
    make_member(shop, Role.OWNER, user=omar)
    said = together(("revoke", seat(shop, omar).pk, asha.pk), ("revoke", seat(shop, asha).pk, omar.pk))
    assert sorted(line for lines in said for line in lines) == ["gone", "refused"]
    assert Member.objects.for_shop(shop).filter(revoked_at=None, role=Role.OWNER).count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_person_added_by_many_hands_at_once_has_one_seat() -> None:
    asha = make_user("Asha")
    shop = make_shop(asha)
    said = together(*[("seat", shop.pk, asha.pk, NEW)] * 3)
    assert sorted(line for lines in said for line in lines) == ["added", "refused", "refused"]
    assert User.objects.filter(phone=NEW).count() == 1


@pytest.mark.parametrize("what", ["", "role", "revoke"])
@pytest.mark.parametrize(
    ("role", "status"), [(Role.MANAGER, 403), (Role.CASHIER, 403), (Role.VIEWER, 403), (None, 404)]
)
def test_only_owners_rule_over_people(cast: Cast, what: str, role: Role | None, status: int) -> None:
    where = page(cast.shop, seat(cast.shop, cast.bilal) if what else None, what)
    data = {"role": "owner", "phone": NEW, "password": PASSWORD, "revoke-password": PASSWORD}
    assert client_of(cast.holder_of(role)).post(where, data).status_code == status
    assert seat(cast.shop, cast.bilal).role == "cashier"
    assert seat(cast.shop, cast.bilal).revoked_at is None


@pytest.mark.parametrize("what", ["role", "revoke"])
def test_an_owner_of_another_shop_reaches_no_member_of_mine(cast: Cast, what: str) -> None:
    mine = seat(cast.shop, cast.bilal)
    where = page(cast.other_shop, mine, what)
    assert client_of(cast.dev).post(where, {"role": "owner", "password": PASSWORD}).status_code == 404
    assert seat(cast.shop, cast.bilal).revoked_at is None


def test_a_script_for_a_name_is_only_letters(cast: Cast) -> None:
    client = client_of(cast.asha)
    client.post(page(cast.shop), {"phone": NEW, "name": "<script>alert(1)</script>", "role": "cashier"})
    for where in (page(cast.shop), f"/s/{cast.shop.code}/activity/"):
        content = client.get(where).content.decode()
        assert "<script>alert" not in content
        assert "&lt;script&gt;" in content


def test_a_role_of_no_such_name_changes_nothing(cast: Cast) -> None:
    where = page(cast.shop, seat(cast.shop, cast.bilal), "role")
    answer = client_of(cast.asha).post(where, {"role": "god", "password": PASSWORD})
    assert answer.status_code == 422
    assert seat(cast.shop, cast.bilal).role == "cashier"


def test_the_list_costs_the_same_for_many_members(cast: Cast) -> None:
    client = client_of(cast.asha)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(page(cast.shop))
        return len(queries)

    cost()  # the first visit also remembers the shop
    before = cost()
    for _ in range(20):
        make_member(cast.shop, Role.VIEWER)
    assert cost() == before
