"""The environment decides where rows and limits live."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from scripts.check import production_environment

PRINT = """
import json
from django.conf import settings
d, c = settings.DATABASES["default"], settings.CACHES["default"]
print(json.dumps({
    "engine": d["ENGINE"], "name": str(d["NAME"]), "host": d.get("HOST", ""), "options": d.get("OPTIONS", {}),
    "cache": c["BACKEND"], "location": c["LOCATION"], "workers": settings.Q_CLUSTER["workers"],
    "broker": settings.Q_CLUSTER.get("orm"), "base_url": settings.BASE_URL,
}))
"""


def under(tmp_path: Path, **environment: str) -> dict[str, Any]:
    env = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL", "PORT"}}
    env |= {"KHATA_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "khata.settings"} | environment
    done = subprocess.run(
        [sys.executable, "-c", PRINT], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_sqlite_that_survives_a_power_cut_is_the_default(tmp_path: Path) -> None:
    found = under(tmp_path)
    assert found["engine"] == "core.sqlite"
    assert found["name"] == str(tmp_path / "khata.sqlite3")
    assert "synchronous=FULL" in found["options"]["init_command"]
    assert "journal_mode=WAL" in found["options"]["init_command"]
    assert found["options"]["transaction_mode"] == "IMMEDIATE"
    assert found["cache"].endswith("DatabaseCache"), "shared by all processes"


def test_database_url_and_redis_url_switch(tmp_path: Path) -> None:
    found = under(
        tmp_path, DATABASE_URL="postgres://asha@db.example:5433/books", REDIS_URL="redis://cache.example/3"
    )
    assert found["engine"] == "django.db.backends.postgresql"
    assert (found["host"], found["name"]) == ("db.example", "books")
    assert found["cache"].endswith("RedisCache")
    assert found["location"] == "redis://cache.example/3"
    assert found["broker"] == "default", "the queue stays in the database: Redis loses tasks"


def test_what_the_address_says_of_encryption_is_kept(tmp_path: Path) -> None:
    found = under(tmp_path, DATABASE_URL="postgres://asha@db.example/books?sslmode=verify-full")
    assert found["options"] == {"sslmode": "verify-full", "server_side_binding": True, "prepare_threshold": 2}


def test_a_sqlite_url_gets_the_same_durability(tmp_path: Path) -> None:
    found = under(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite3")
    assert found["name"] == f"{tmp_path}/other.sqlite3"
    assert "synchronous=FULL" in found["options"]["init_command"]


def test_links_follow_the_port(tmp_path: Path) -> None:
    assert under(tmp_path, PORT="8123")["base_url"] == "http://127.0.0.1:8123"
    assert under(tmp_path, BASE_URL="https://khata.example/")["base_url"] == "https://khata.example"


def test_https_is_demanded_of_this_name_alone_unless_the_operator_says_more(tmp_path: Path) -> None:
    production = {
        name: value for name, value in production_environment(str(tmp_path)).items() if value is not None
    }
    header = "strict-transport-security"
    assert answer_of(production)[header] == "max-age=31536000"
    more = production | {"SECURE_HSTS_INCLUDE_SUBDOMAINS": "1", "SECURE_HSTS_PRELOAD": "1"}
    assert answer_of(more)[header] == "max-age=31536000; includeSubDomains; preload"


def answer_of(environment: dict[str, str]) -> dict[str, str]:
    """The headers of an answer over https."""
    ask = """
import django, json
django.setup()
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory
request = RequestFactory().get("/", secure=True, headers={"host": "khata.example"})
answer = SecurityMiddleware(lambda request: HttpResponse())(request)
print(json.dumps({name.lower(): value for name, value in answer.items()}))
"""
    env = environment | {"DJANGO_SETTINGS_MODULE": "khata.settings"}
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=True
    )
    headers: dict[str, str] = json.loads(done.stdout)
    return headers


@pytest.mark.django_db
def test_the_running_database_passes_its_own_checks() -> None:
    from django.core.management import call_command

    call_command("check", databases=["default"])
