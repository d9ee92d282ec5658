"""Every route × everybody, as the table of roles says. A new route without a line fails here.

And the sweep: no address of another shop opens, whoever asks.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core import clock
from ledger.models import Entry
from shops.models import Role, Shop, User
from tests.cast import Cast, client_of, make_khata, make_user, post
from tests.contracts.world import World, make_world

PUBLIC, SIGNED_IN = "public", "signed in"
Who = Role | str


@dataclass(frozen=True)
class Line:
    """Who may come in, by which methods.

    ``names``: rows that a form names in its body. ``steps``: a page that sends on when it has
    nothing to do.
    """

    who: Who
    methods: str
    names: str = ""
    steps: bool = False


ROUTES = {
    # the project
    "healthz": Line(PUBLIC, "GET"),
    "set_language": Line(PUBLIC, "POST"),
    "account_login": Line(PUBLIC, "GET POST", steps=True),
    "account_signup": Line(PUBLIC, "GET POST", steps=True),
    "account_logout": Line(PUBLIC, "GET POST", steps=True),
    "account_request_login_code": Line(PUBLIC, "GET POST", steps=True),
    "account_confirm_login_code": Line(PUBLIC, "GET POST", steps=True),
    "account_verify_phone": Line(PUBLIC, "GET POST", steps=True),
    "account_inactive": Line(PUBLIC, "GET", steps=True),
    "account_reauthenticate": Line(SIGNED_IN, "GET POST"),
    "account_change_password": Line(SIGNED_IN, "GET POST"),
    "account_set_password": Line(SIGNED_IN, "GET POST"),
    # pages made of many apps
    "home:landing": Line(PUBLIC, "GET"),
    "home:start": Line(SIGNED_IN, "GET POST"),
    "home:codes": Line(PUBLIC, "GET"),
    "home:more": Line(Role.VIEWER, "GET"),
    "home:outbox": Line(Role.MANAGER, "GET"),
    "home:upi": Line(Role.OWNER, "GET POST"),
    # the shop
    "shops:settings": Line(Role.OWNER, "GET POST"),
    "shops:members": Line(Role.OWNER, "GET POST"),
    "shops:role": Line(Role.OWNER, "GET POST"),
    "shops:revoke": Line(Role.OWNER, "POST"),
    "shops:activity": Line(Role.MANAGER, "GET"),
    # the book
    "ledger:home": Line(Role.VIEWER, "GET"),
    "ledger:ageing": Line(Role.VIEWER, "GET"),
    "ledger:khata": Line(Role.VIEWER, "GET"),
    "ledger:pulse": Line(Role.VIEWER, "GET"),
    "ledger:entry_detail": Line(Role.VIEWER, "GET"),
    "ledger:quick": Line(Role.CASHIER, "POST"),
    "ledger:new_khata": Line(Role.CASHIER, "GET POST"),
    "ledger:edit": Line(Role.CASHIER, "GET POST"),
    "ledger:entry": Line(Role.CASHIER, "GET POST"),
    "ledger:reverse": Line(Role.CASHIER, "POST"),  # a cashier: own entries of today, see below
    "ledger:terms": Line(Role.MANAGER, "POST"),
    "ledger:archive": Line(Role.MANAGER, "POST"),
    # money arriving
    "payments:home": Line(Role.VIEWER, "GET"),
    "payments:link": Line(Role.VIEWER, "GET"),
    "payments:make_link": Line(Role.CASHIER, "POST"),
    "payments:revoke_link": Line(Role.MANAGER, "POST", names="link"),
    "payments:rotate_link": Line(Role.MANAGER, "POST", names="link"),
    "payments:confirm_claim": Line(Role.MANAGER, "POST"),
    "payments:reject_claim": Line(Role.MANAGER, "POST"),
    # asking
    "reminders:collect": Line(Role.VIEWER, "GET"),
    "reminders:start_run": Line(Role.MANAGER, "POST"),
    "reminders:run": Line(Role.MANAGER, "GET"),
    "reminders:stop_run": Line(Role.MANAGER, "POST"),
    "reminders:remind": Line(Role.MANAGER, "GET POST"),
    "reminders:tapped": Line(Role.MANAGER, "POST"),
    "reminders:messages": Line(Role.MANAGER, "GET"),
    "reminders:decide": Line(Role.MANAGER, "POST"),
    "reminders:rules": Line(Role.MANAGER, "GET"),
    "reminders:new_rule": Line(Role.MANAGER, "GET POST"),
    "reminders:rule": Line(Role.MANAGER, "GET POST"),
    "reminders:switch_rule": Line(Role.MANAGER, "POST"),
    # the customer's own pages: by token, nobody signs in
    "pay:page": Line(PUBLIC, "GET"),
    "pay:claim": Line(PUBLIC, "POST"),
    "pay:checkout": Line(PUBLIC, "POST"),
    "pay:stop": Line(PUBLIC, "POST"),
    "pay:qr_svg": Line(PUBLIC, "GET"),
    "pay:qr_png": Line(PUBLIC, "GET"),
    "pay:receipt": Line(PUBLIC, "GET"),
    "pay:hook": Line(PUBLIC, "POST"),
    "pay:sandbox": Line(PUBLIC, "GET POST"),
}


def walk(resolver: Any = None, space: str = "") -> Iterator[tuple[str, URLPattern, list[str]]]:
    """(name, pattern, parameters) of every route but Django admin's own."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                outer = list(pattern.pattern.converters)
                for name, route, parameters in walk(pattern, inner):
                    yield name, route, outer + parameters
        else:
            yield f"{space}{pattern.name}", pattern, list(pattern.pattern.converters)


FOUND = {name: (route, parameters) for name, route, parameters in walk()}
BY_ROLE = [name for name, line in ROUTES.items() if isinstance(line.who, Role)]


def ask(user: User | None, method: str, url: str, data: dict[str, Any] | None = None) -> HttpResponse:
    """The answer of one request, whose writes are undone: each meets the same world."""
    client = Client()
    if user is not None:  # signed in once per person and test: a session costs three writes
        if not hasattr(user, "cookie"):
            user.cookie = client_of(user).cookies[settings.SESSION_COOKIE_NAME].value  # type: ignore[attr-defined]
        client.cookies[settings.SESSION_COOKIE_NAME] = user.cookie  # type: ignore[attr-defined]
    client.raise_request_exception = False
    with transaction.atomic():
        answer: HttpResponse = client.post(url, data) if method == "POST" else client.get(url)
        transaction.set_rollback(True)
    return answer


def to_login(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(reverse(settings.LOGIN_URL))


def body(name: str, world: World) -> dict[str, Any]:
    """What a form of this route must name: rows by id, and a channel."""
    return {"channel": "sms"} | {field: world.common[field] for field in ROUTES[name].names.split()}


def address(name: str, world: World) -> str:
    return reverse(name, kwargs=world.fill(name, FOUND[name][1]))


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.shop, cast.asha, cast.bilal)


@pytest.fixture
def their_world(cast: Cast) -> World:
    return make_world(cast.other_shop, cast.dev)


def test_every_route_has_its_line_and_every_line_its_route() -> None:
    assert set(FOUND) == set(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_the_door_of_each_route_is_the_one_in_the_table(name: str) -> None:
    view = FOUND[name][0].callback
    line = ROUTES[name]
    assert getattr(view, "min_role", None) == (line.who if isinstance(line.who, Role) else None)
    assert getattr(view, "login_required", True) == (line.who != PUBLIC)
    assert ("shop_code" in FOUND[name][1]) == isinstance(line.who, Role)


@pytest.mark.django_db
@pytest.mark.parametrize("name", BY_ROLE)
def test_a_shops_route_opens_to_its_role_and_those_above(name: str, cast: Cast, world: World) -> None:
    line, url, data = ROUTES[name], address(name, world), body(name, world)
    assert isinstance(line.who, Role)
    for method in ("GET", "POST"):
        allowed = method in line.methods.split()
        assert to_login(ask(None, method, url, data)), (method, "nobody")
        assert ask(cast.dev, method, url, data).status_code == (404 if allowed else 405), (method, "stranger")
        for role in Role:
            status = ask(cast.holder_of(role), method, url, data).status_code
            told = f"{method} {url} as {role}: {status}"
            if not allowed:
                assert status == 405, told
            elif role.rank < line.who.rank:
                assert status == 403, told
            else:
                assert status < 500, told
                assert status not in {403, 404, 405}, told


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in ROUTES if name not in BY_ROLE])
def test_a_route_of_no_shop_opens_to_whom_the_table_says(name: str, cast: Cast, world: World) -> None:
    line, url = ROUTES[name], address(name, world)
    for user in (None, cast.dev, cast.chitra, cast.asha):
        for method in ("GET", "POST"):
            answer = ask(user, method, url)
            told = f"{method} {url} as {user}: {answer.status_code}"
            assert answer.status_code < 500, told
            if line.who == SIGNED_IN and user is None:
                assert to_login(answer), told
            elif method not in line.methods.split():
                assert answer.status_code == 405, told
            else:
                assert answer.status_code not in {403, 405}, told
                assert line.steps or not to_login(answer), told
                if name.startswith("pay:") and method == "GET" and name != "pay:receipt":
                    assert answer.status_code == 200, told


@pytest.mark.django_db
def test_a_revoked_member_is_a_stranger_at_once(cast: Cast, world: World) -> None:
    from shops.models import Member
    from shops.services import revoke_member

    client = client_of(cast.bilal)
    url = address("ledger:home", world)
    assert client.get(url).status_code == 200
    revoke_member(member=Member.everything.get(shop=cast.shop, user=cast.bilal), actor=cast.asha)
    assert client.get(url).status_code == 404


@pytest.mark.django_db
def test_a_cashier_reverses_own_entries_of_today_only(cast: Cast, world: World) -> None:
    khata = make_khata(cast.shop, "Suresh")
    with time_machine.travel(clock.now() - dt.timedelta(days=1)):
        old = post(khata, actor=cast.bilal).entry
    others, own = post(khata, actor=cast.meena).entry, post(khata, actor=cast.bilal).entry
    for user, entry, may in (
        (cast.bilal, old, False),
        (cast.bilal, others, False),
        (cast.bilal, own, True),
        (cast.meena, old, True),
    ):
        kwargs = {"shop_code": cast.shop.code, "party_code": khata.party.code, "position": entry.position}
        client_of(user).post(reverse("ledger:reverse", kwargs=kwargs))
        assert Entry.everything.filter(reverses=entry.pk).exists() is may, (user, entry)


@pytest.mark.django_db
@pytest.mark.parametrize("name", BY_ROLE)
def test_no_row_of_another_shop_opens_through_ones_own(
    name: str, cast: Cast, world: World, their_world: World
) -> None:
    """Asha owns A: with B's code, and with A's code and B's ids, every answer is 404."""
    parameters = FOUND[name][1]
    theirs = their_world.fill(name, parameters)
    mixed = theirs | {"shop_code": cast.shop.code}
    data = body(name, their_world)
    for method in ROUTES[name].methods.split():
        assert ask(cast.asha, method, reverse(name, kwargs=theirs), data).status_code == 404
        if set(parameters) & {"party_code", "pk"}:
            assert ask(cast.asha, method, reverse(name, kwargs=mixed), data).status_code == 404
        if ROUTES[name].names:  # her own page, but their row in the form
            assert ask(cast.asha, method, address(name, world), data).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in FOUND if "token" in FOUND[name][1]])
def test_a_forged_token_opens_nothing(name: str, world: World) -> None:
    token = world.common["token"]
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), token.split(".")[0], "x" * 45, token + "A"):
        kwargs = world.fill(name, FOUND[name][1]) | {"token": forged}
        for method in ROUTES[name].methods.split():
            assert ask(None, method, reverse(name, kwargs=kwargs)).status_code == 404


@pytest.mark.django_db
def test_one_shops_receipt_does_not_open_through_anothers_link(world: World, their_world: World) -> None:
    kwargs = {"token": world.common["token"], "reference": their_world.common["reference"]}
    assert ask(None, "GET", reverse("pay:receipt", kwargs=kwargs)).status_code == 404


@pytest.mark.django_db
def test_admin_is_for_operators_only(cast: Cast, world: World) -> None:
    operator = make_user("Operator", is_staff=True, is_superuser=True)
    urls = [reverse("admin:index")] + [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]
    for url in urls:
        for user in (None, cast.dev, cast.asha):
            answer = ask(user, "GET", url)
            assert answer.status_code == 302, (url, user)
            assert "login" in answer["Location"]
        assert ask(operator, "GET", url).status_code == 200, url


@pytest.mark.django_db
def test_what_is_no_address_is_a_plain_404(cast: Cast) -> None:
    assert Shop.objects.count() == 2
    for url in ("/nowhere", "/s/", "/s/AAAAAAAA/", f"/s/{cast.shop.code}/k/../", "/s/%00/"):
        assert ask(cast.asha, "GET", url).status_code == 404, url
