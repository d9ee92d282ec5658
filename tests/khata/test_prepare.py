"""``manage.py prepare`` in production: not over a database in which the demo was tried out."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from home import demo
from khata import guard
from khata.management.commands.prepare import Command
from scripts.check import production_environment
from shops.models import AuditEvent, Member, Role, Shop, User
from shops.services import open_shop
from tests.cast import make_member, make_shop, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def _production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Production, as far as ``prepare`` looks at it; the test's connection and files stay as they are."""
    settings.PRODUCTION = True
    monkeypatch.setattr(Command, "_collect_static", lambda self: None)


def make_demo_people() -> tuple[Shop, dict[str, User]]:
    """The demo's shop and logins, without its year of entries."""
    people = {login.word: demo._person(login) for login in demo.LOGINS}
    return open_shop(owner=people["owner"], name=demo.SHOP_NAME, is_demo=True), people


def prepare(*arguments: str) -> None:
    call_command("prepare", *arguments)


@pytest.mark.usefixtures("_production")
def test_production_refuses_the_demo_and_says_what_to_do() -> None:
    shop, _people = make_demo_people()
    with pytest.raises(CommandError) as refusal:
        prepare()
    said = str(refusal.value)
    assert "98765 00009 (admin)" in said
    assert f"{demo.SHOP_NAME} ({shop.code})" in said
    assert "empty database" in said
    assert "manage.py prepare --end-demo" in said
    assert demo.PASSWORD not in said


@pytest.mark.usefixtures("_production")
@pytest.mark.parametrize("login", demo.LOGINS, ids=lambda login: login.word)
def test_one_login_with_the_demo_password_is_enough(login: demo.Login) -> None:
    user = demo._person(login)
    with pytest.raises(CommandError, match="published password"):
        prepare()
    user.set_password("a word of their own")
    user.save()
    guard.refuse_wrong_database(production=True)


@pytest.mark.usefixtures("_production")
def test_a_demo_shop_is_enough_whatever_its_people_did() -> None:
    open_shop(owner=make_user(), name="Tried", is_demo=True)
    with pytest.raises(ImproperlyConfigured, match="Tried .* is a demo shop"):
        guard.refuse_wrong_database(production=True)


@pytest.mark.usefixtures("_production")
def test_ending_the_demo_lets_the_real_shops_start_and_nobody_else_in() -> None:
    shop, people = make_demo_people()
    own = make_shop(make_user("Real owner"), "Real shop")
    make_member(own, Role.CASHIER, user=people["cashier"])
    prepare("--end-demo")
    guard.refuse_wrong_database(production=True)
    for user in User.objects.filter(phone__in=[login.phone for login in demo.LOGINS]):
        assert not (user.is_active or user.is_staff or user.is_superuser or user.has_usable_password())
    assert list(Member.everything.filter(revoked_at=None).values_list("user__name", flat=True)) == ["Real owner"]
    shop.refresh_from_db()
    assert shop.reminders_paused
    assert not (shop.is_demo or shop.sends_receipts or shop.sends_entries)
    own.refresh_from_db()
    assert not own.reminders_paused
    prepare("--end-demo")  # twice is once


@pytest.mark.usefixtures("_production")
def test_ending_the_demo_takes_no_real_shop_from_its_only_owner() -> None:
    _shop, people = make_demo_people()
    own = make_shop(people["owner"], "Real shop")
    with pytest.raises(CommandError, match="Real shop"):
        prepare("--end-demo")
    assert User.objects.get(pk=people["owner"].pk).is_active, "nothing was changed"
    make_member(own, Role.OWNER, name="Real owner")
    prepare("--end-demo")


def test_the_demo_is_not_ended_in_demo_mode(settings: Any) -> None:
    settings.PRODUCTION = False
    _shop, people = make_demo_people()
    with pytest.raises(CommandError, match="KHATA_MODE=production"):
        prepare("--end-demo")
    assert User.objects.get(pk=people["admin"].pk).is_active


@pytest.mark.usefixtures("_production")
def test_a_database_that_does_not_answer_is_not_called_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise DatabaseError("no such table")

    monkeypatch.setattr(guard, "_demo_reasons", broken)
    guard.refuse_wrong_database(production=True)


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=project.BASE_DIR, env=env, capture_output=True, text=True, timeout=100
    )


def test_neither_prepare_nor_the_web_server_starts_over_a_demo(tmp_path: Path) -> None:
    env = production_environment(str(tmp_path))
    load = ("-c", "import khata.wsgi")
    assert run(*load, env=env).returncode == 0, "a database without tables serves nobody"
    assert run("manage.py", "prepare", env=env).returncode == 0
    assert run(*load, env=env).returncode == 0
    with sqlite3.connect(tmp_path / "khata.sqlite3") as book:
        columns = [row[1] for row in book.execute("PRAGMA table_info(shops_shop)")]
        values = {"id": 1, "code": "demo", "name": "Tried", "is_demo": 1, "credit_days": 30, "weekly_cap": 2}
        marks = ", ".join("?" for _ in columns)
        book.execute(
            f"INSERT INTO shops_shop ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
            [values.get(column, "2026-07-21 12:00:00" if column == "created_at" else 0) for column in columns],
        )
    book.close()
    for done in (run("manage.py", "prepare", env=env), run(*load, env=env)):
        assert done.returncode != 0
        assert "Tried (demo) is a demo shop" in done.stderr
        assert "--end-demo" in done.stderr


def test_a_productions_book_is_not_opened_in_demo_mode(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo shows sign-in codes on a page: whoever forgets KHATA_MODE must not open every door."""
    monkeypatch.setattr(Command, "_collect_static", lambda self: None)
    settings.PRODUCTION = True
    prepare()
    prepare()
    assert AuditEvent.everything.filter(action=guard.PRODUCTION_MARK).count() == 1
    settings.PRODUCTION = False
    with pytest.raises(CommandError, match="not start in demo mode on the database of a production"):
        prepare()
    with pytest.raises(ImproperlyConfigured, match="KHATA_MODE=production"):
        guard.refuse_wrong_database(production=False)


def test_a_cache_that_does_not_answer_stops_the_start(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Command, "_collect_static", lambda self: None)
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    with pytest.raises(CommandError, match="The cache does not answer.*REDIS_URL"):
        prepare("--no-demo")
