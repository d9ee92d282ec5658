"""Health, language, errors in plain words, and the headers of every page."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from pytest_django.asserts import assertContains, assertRedirects

from khata import views
from khata.urls import urlpatterns as house
from tests.cast import client_of, make_shop, make_user

pytestmark = pytest.mark.django_db


@login_not_required
def _boom(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("something of ours broke")


@login_not_required
def _forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


@login_not_required
def _nonsense(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("nonsense")


# This module is a urlconf too: the house, and three rooms in which things go wrong.
urlpatterns = [path("boom/", _boom), path("forbidden/", _forbidden), path("nonsense/", _nonsense), *house]
handler400, handler403 = views.bad_request, views.forbidden
handler404, handler500 = views.not_found, views.server_error


@pytest.fixture
def broken_house(settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nonsense/", 400, "nothing was saved"),
        ("/forbidden/", 403, "Nothing was changed"),
        ("/no/such/page/", 404, "This page is not here"),
        ("/boom/", 500, "Everything saved before is safe"),
    ],
)
def test_errors_say_what_happened_and_what_was_kept(
    broken_house: Client, address: str, status: int, words: str
) -> None:
    answer = broken_house.get(address, HTTP_ACCEPT_LANGUAGE="en")
    assertContains(answer, words, status_code=status)
    assertContains(answer, "<h1>", count=1, status_code=status)
    for leak in ("Traceback", "RuntimeError", "Exception", "settings"):
        assert leak not in answer.content.decode()


def test_a_form_that_was_open_too_long_says_that_nothing_was_saved() -> None:
    answer = Client(enforce_csrf_checks=True).post("/language/", {"language": "hi"}, HTTP_ACCEPT_LANGUAGE="en")
    assertContains(answer, "was not saved", status_code=419)
    assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies


def test_a_foreign_host_name_is_refused_in_plain_words(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["khata.example"]
    answer = Client(raise_request_exception=False).get("/", HTTP_HOST="evil.example")
    assertContains(answer, "nothing was saved", status_code=400)


def test_the_500_page_stands_without_collected_files(monkeypatch: pytest.MonkeyPatch, rf: RequestFactory) -> None:
    def missing(name: str) -> str:
        raise ValueError("Missing staticfiles manifest entry")

    monkeypatch.setattr(views, "static", missing)
    answer = views.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert b"safe" in answer.content
    assert b"stylesheet" not in answer.content


def test_the_500_page_asks_nothing_of_the_database(rf: RequestFactory, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        views.server_error(rf.get("/"))


def test_healthz_answers_anyone_with_two_queries_at_most(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(2):  # the database, and the cache where that is in the database too
        answer = client.get("/healthz")
    assert answer.json() == {"ok": True}


def test_healthz_says_503_when_the_cache_is_away(client: Client, settings: Any) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)


def test_healthz_says_503_when_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def cursor(self) -> Any:
            raise DatabaseError("gone")

    monkeypatch.setattr(views, "connection", Away())
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["ok"] is False


def test_the_language_switch_is_kept_in_a_cookie(client: Client) -> None:
    answer = client.post("/language/", {"language": "hi", "next": "/healthz"})
    assertRedirects(answer, "/healthz")
    cookie = answer.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert cookie.value == "hi"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    page = client.get("/no/such/page/", HTTP_ACCEPT_LANGUAGE="en")
    assert page["Content-Language"] == "hi"
    assertContains(page, '<html lang="hi"', status_code=404)


def test_the_browser_decides_until_a_person_does(client: Client) -> None:
    assert client.get("/healthz", HTTP_ACCEPT_LANGUAGE="hi-IN,hi;q=0.9")["Content-Language"] == "hi"
    assert client.get("/healthz", HTTP_ACCEPT_LANGUAGE="xx")["Content-Language"] == "en"


def test_an_unknown_language_is_ignored(client: Client) -> None:
    answer = client.post("/language/", {"language": "<script>", "next": "/healthz"})
    assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "../../etc"
    assert client.get("/healthz")["Content-Language"] in dict(settings.LANGUAGES)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_language_switch_leads_nowhere_else(client: Client, elsewhere: str) -> None:
    answer = client.post("/language/", {"language": "hi", "next": elsewhere})
    assert answer.status_code == 302
    assert answer["Location"] == "/"


def test_the_language_switch_is_a_post(client: Client) -> None:
    assert client.get("/language/").status_code == 405


def test_every_page_forbids_inline_script_and_framing(client: Client) -> None:
    answer = client.get("/no/such/page/")
    policy = {part.split()[0]: part.split()[1:] for part in answer["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert not any("unsafe" in source for sources in policy.values() for source in sources)
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_caches_keep_languages_and_people_apart(client: Client) -> None:
    varies = {name.strip() for name in client.get("/no/such/page/")["Vary"].split(",")}
    assert {"Cookie", "Accept-Language"} <= varies


@pytest.mark.parametrize(
    ("address", "above"),
    [
        ("/s/SHOP/quick/", "/s/SHOP/"),
        ("/s/SHOP/collect/run/", "/s/SHOP/collect/"),
        ("/s/SHOP/payments/claims/7/confirm/", "/s/SHOP/payments/"),
        ("/p/token/claim/", "/p/token/"),
        ("/language/", "/"),
    ],
)
def test_a_person_at_an_address_that_only_takes_forms_is_led_to_the_page_above(address: str, above: str) -> None:
    owner = make_user("Asha")
    shop, client = make_shop(owner), client_of(owner)
    answer = client.get(address.replace("SHOP", shop.code), HTTP_ACCEPT="text/html,*/*")
    assertRedirects(answer, above.replace("SHOP", shop.code), fetch_redirect_response=False)


def test_a_program_at_such_an_address_is_told_so() -> None:
    assert Client().get("/language/", HTTP_ACCEPT="application/json").status_code == 405
    assert Client().put("/language/", HTTP_ACCEPT="text/html").status_code == 405


@pytest.mark.django_db
def test_operators_can_choose_their_language_before_they_sign_in(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()
    assert 'name="language"' in page
