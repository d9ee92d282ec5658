"""What must never start, and that each refusal says why."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from khata.guard import Setup, _file_system, database_of, local_secret, own_folder, refuse_unsafe
from scripts.check import production_environment

SECRETS = [f"{letter}-0123456789-abcdefghijklmnopqrstuvwxyz" for letter in "abcd"]
SAFE: dict[str, Any] = {
    "production": True,
    "mode": "production",
    "debug": False,
    "secrets": {"SECRET_KEY": [SECRETS[0]], "KHATA_DATA_KEYS": [SECRETS[1]], "KHATA_LINK_KEYS": SECRETS[2:4]},
    "allowed_hosts": ["khata.example"],
    "base_url": "https://khata.example",
    "ssl_redirect": True,
    "behind_proxy": True,
    "proxy_count": 1,
    "sandbox_gateway": False,
    "demo_outbox": False,
    "code_channel": "email",
    "code_address": "{phone}@sms.khata.example",
    "email_host": "mail.khata.example",
    "email_is_sealed": True,
    "q_cluster": {"timeout": 300, "retry": 360},
    "database": {"ENGINE": "django.db.backends.postgresql", "NAME": "khata"},
}


def with_secrets(**keys: list[str]) -> dict[str, Any]:
    return {"secrets": SAFE["secrets"] | keys}


def manage(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True
    )


def test_a_safe_production_starts() -> None:
    refuse_unsafe(Setup(**SAFE))
    refuse_unsafe(Setup(**SAFE | {"email_host": "localhost", "email_is_sealed": False}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mode": "prod", "production": False}, "KHATA_MODE is 'prod'"),
        ({"q_cluster": {"timeout": 360, "retry": 360}}, "run one task twice"),
        ({"database": {"ENGINE": "core.sqlite", "NAME": ":memory:"}}, "kept in memory"),
        (with_secrets(SECRET_KEY=[""]), "SECRET_KEY is missing"),
        (with_secrets(SECRET_KEY=[" " * 40]), "SECRET_KEY is missing"),
        (with_secrets(SECRET_KEY=["a" * 40]), "SECRET_KEY repeats"),
        (with_secrets(KHATA_DATA_KEYS=["short"]), "KHATA_DATA_KEYS is missing or shorter"),
        (with_secrets(KHATA_LINK_KEYS=[]), "KHATA_LINK_KEYS is missing"),
        (with_secrets(KHATA_LINK_KEYS=[SECRETS[2], "x"]), "KHATA_LINK_KEYS is missing or shorter"),
        (with_secrets(KHATA_LINK_KEYS=[SECRETS[2], ""]), "KHATA_LINK_KEYS is missing or shorter"),
        (with_secrets(KHATA_LINK_KEYS=[SECRETS[0]]), "must differ"),
        (with_secrets(KHATA_LINK_KEYS=[SECRETS[2], SECRETS[0]]), "must differ"),
        ({"debug": True}, "DEBUG is on"),
        ({"allowed_hosts": []}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": ["*"]}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": ["khata.example", ""]}, "ALLOWED_HOSTS must name"),
        ({"allowed_hosts": [".example"]}, "ALLOWED_HOSTS must name"),
        ({"base_url": "https://other.example"}, "BASE_URL is at a host that ALLOWED_HOSTS does not name"),
        ({"base_url": "https://127.0.0.1:8000"}, "BASE_URL is at a host that ALLOWED_HOSTS does not name"),
        ({"behind_proxy": False, "proxy_count": 2, "ssl_redirect": False}, "KHATA_PROXY_COUNT"),
        ({"proxy_count": -1}, "KHATA_PROXY_COUNT"),
        ({"behind_proxy": False, "proxy_count": 0}, "in a circle"),
        ({"email_is_sealed": False}, "EMAIL_USE_TLS is off"),
        ({"base_url": "http://khata.example"}, "BASE_URL must be https"),
        ({"sandbox_gateway": True}, "sandbox gateway is on"),
        ({"demo_outbox": True}, "demo outbox is on"),
        ({"code_channel": "demo"}, "KHATA_CODE_CHANNEL"),
        ({"email_host": ""}, "EMAIL_HOST is missing"),
        ({"code_address": ""}, "KHATA_CODE_ADDRESS must be"),
        ({"code_address": "codes@sms-gateway.example"}, "KHATA_CODE_ADDRESS must be"),
        ({"code_address": "{phone}.{name}@sms-gateway.example"}, "KHATA_CODE_ADDRESS must be"),
        ({"code_address": "asha@khata.example"}, "KHATA_CODE_ADDRESS"),
    ],
)
def test_each_unsafe_setting_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="will not start") as refusal:
        refuse_unsafe(Setup(**SAFE | change))
    assert reason in str(refusal.value)


def test_all_reasons_are_named_at_once() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_unsafe(Setup(**SAFE | {"debug": True, "demo_outbox": True}))
    assert str(refusal.value).count("\n- ") == 2


def test_production_without_secrets_ends_with_reasons_and_no_traceback(tmp_path: Path) -> None:
    env = production_environment(str(tmp_path)) | {"SECRET_KEY": ""}
    done = manage("check", env=env)
    assert done.returncode != 0
    assert "SECRET_KEY is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "production makes no secret of its own"


def test_check_deploy_is_clean_in_production(tmp_path: Path) -> None:
    env = production_environment(str(tmp_path))
    done = manage("check", "--deploy", "--fail-level", "WARNING", env=env)
    assert done.returncode == 0, done.stderr


def test_a_setting_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    done = manage("check", env=production_environment(str(tmp_path)) | {"PORT": "many"})
    assert done.returncode != 0
    assert "PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_processes_that_start_at_once_agree_on_a_secret(tmp_path: Path) -> None:
    for round_number in range(30):
        barrier, seen = threading.Barrier(8), []

        def start(name: str, barrier: threading.Barrier = barrier, seen: list[str] = seen) -> None:
            barrier.wait()
            seen.append(local_secret(tmp_path, name, production=False))

        threads = [threading.Thread(target=start, args=(f"key-{round_number}",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert len(set(seen)) == 1
        assert len(seen[0]) >= 32
    assert len(list(tmp_path.iterdir())) == 30, "nothing is left aside"


def test_a_secret_is_kept_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = local_secret(tmp_path, "key", production=False)
    assert local_secret(tmp_path, "key", production=False) == first
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_an_emptied_secret_is_not_replaced_in_silence(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        local_secret(tmp_path, "key", production=False)


def test_production_never_makes_a_secret(tmp_path: Path) -> None:
    assert local_secret(tmp_path, "key", production=True) == ""
    assert not list(tmp_path.iterdir())


def test_a_book_on_a_disk_of_memory_is_known(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\ntmpfs /fast tmpfs rw 0 0\n")
    assert _file_system("/fast/khata.sqlite3", mounts) == "tmpfs"
    assert _file_system("/home/memory/khata.sqlite3", mounts) == "ext4"
    assert _file_system("/anywhere", tmp_path / "nothing") == ""


@pytest.mark.parametrize(
    "url", ["nonsense", "foo://x/y", "postgres://root@127.0.0.1:abc/x", "mysql://root@127.0.0.1/x", "postgres://"]
)
def test_a_database_url_that_cannot_be_read_gets_one_sentence(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like"):
        database_of(url)


def test_a_folder_that_cannot_be_written_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ImproperlyConfigured, match="cannot write in"):
            own_folder(path)


def test_the_folder_of_the_book_is_its_owners_alone(tmp_path: Path) -> None:
    assert own_folder(tmp_path / "var").stat().st_mode & 0o077 == 0
    assert not list((tmp_path / "var").iterdir())


@pytest.mark.parametrize(
    ("variable", "value"), [("DATABASE_URL", "nonsense"), ("WEB_CONCURRENCY", "abc"), ("KHATA_VAR", "/dev/null")]
)
def test_a_wrong_variable_ends_without_a_traceback(tmp_path: Path, variable: str, value: str) -> None:
    done = manage("check", env=production_environment(str(tmp_path)) | {variable: value})
    assert done.returncode != 0
    assert variable in done.stderr or value in done.stderr
    assert "Traceback" not in done.stderr
