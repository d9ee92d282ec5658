"""What must never start: combinations of settings that would lose money or leak data."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def local_secret(var_dir: Path, name: str, production: bool) -> str:
    """A secret of this installation: made on first use in demo mode, never in production.

    Returns "" in production, which ``refuse_unsafe`` then names. Two processes that start at
    once agree on it.
    """
    if production:
        return ""
    path = var_dir / name
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(48))
    if value := path.read_text().strip():
        return value
    raise ImproperlyConfigured(f"{path} is empty: put the lost secret back, or delete the file to have a new one.")


def _write_once(path: Path, value: str) -> None:
    """Written whole under another name, then linked: whoever is second finds the first one's, complete."""
    handle, aside = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(value)
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    os.unlink(aside)


def refuse_unsafe(
    *,
    production: bool,
    mode: str,
    debug: bool,
    secrets: dict[str, str],
    allowed_hosts: list[str],
    base_url: str,
    sandbox_gateway: bool,
    demo_outbox: bool,
    code_channel: str,
    code_address: str,
    email_host: str,
    q_cluster: dict[str, Any],
    database: dict[str, Any],
) -> None:
    """Raise ImproperlyConfigured, naming every reason at once, or return quietly."""
    reasons = []
    if mode not in {"demo", "production"}:
        reasons.append(f"KHATA_MODE is {mode!r}; it is either demo or production.")
    if not q_cluster["timeout"] < q_cluster["retry"]:
        reasons.append("The worker would run one task twice: its timeout must be under its retry.")
    if "sqlite" in database["ENGINE"] and "memory" in str(database["NAME"]):
        reasons.append("A book kept in memory is lost at the next restart.")
    if production:
        reasons += _production_reasons(
            debug,
            secrets,
            allowed_hosts,
            base_url,
            sandbox_gateway,
            demo_outbox,
            code_channel,
            code_address,
            email_host,
        )
    if reasons:
        raise ImproperlyConfigured("Khata will not start like this:\n- " + "\n- ".join(reasons))


def _production_reasons(
    debug: bool,
    secrets: dict[str, str],
    allowed_hosts: list[str],
    base_url: str,
    sandbox_gateway: bool,
    demo_outbox: bool,
    code_channel: str,
    code_address: str,
    email_host: str,
) -> list[str]:
    reasons = [
        f"{name} is missing or shorter than 32 characters." for name, value in secrets.items() if len(value) < 32
    ]
    if len(set(secrets.values())) != len(secrets):
        reasons.append("SECRET_KEY, KHATA_DATA_KEYS and KHATA_LINK_KEYS must differ from each other.")
    if debug:
        reasons.append("DEBUG is on: error pages would show customers' data to anyone.")
    if not allowed_hosts or "*" in allowed_hosts:
        reasons.append("ALLOWED_HOSTS must name your own host names.")
    if not base_url.startswith("https://"):
        reasons.append("BASE_URL must be https://: pay links and sign-in codes travel over it.")
    if sandbox_gateway:
        reasons.append("The sandbox gateway is on: anyone could mark a due as paid without paying.")
    if demo_outbox:
        reasons.append("The demo outbox is on: sign-in codes would be shown on a page.")
    if code_channel not in {"email"}:
        reasons.append("KHATA_CODE_CHANNEL must name how sign-in codes leave (email).")
    if code_channel == "email" and not email_host:
        reasons.append("EMAIL_HOST is missing: sign-in codes could not leave.")
    if code_channel == "email" and not _is_address_pattern(code_address):
        reasons.append("KHATA_CODE_ADDRESS must be a pattern like {phone}@sms-gateway.example: codes go there.")
    return reasons


def _is_address_pattern(pattern: str) -> bool:
    local, at, domain = pattern.partition("@")
    return (
        bool(at and domain) and local.count("{phone}") == 1 and not set("{}") & set(pattern.replace("{phone}", ""))
    )


def refuse_demo_data() -> None:
    """Raise ImproperlyConfigured where the demo was tried out in the database of a production.

    Looked at once per start, never per request: the demo's password is published, so everybody
    could enter. A database that does not answer or has no tables yet serves nobody either.
    """
    from django.db import DatabaseError, connection  # settings import this module

    try:
        reasons = _demo_reasons()
    except DatabaseError:
        return
    finally:
        connection.close()  # gunicorn forks after this, and a connection must not be shared
    if reasons:
        raise ImproperlyConfigured(
            "Khata will not start in production on a database in which the demo was tried out:\n- "
            + "\n- ".join(reasons)
            + "\nStart with an empty database (another DATABASE_URL, or another KHATA_VAR). Or keep this one with"
            " the shops of your own in it: back it up, then run once\n"
            "    .venv/bin/python manage.py prepare --end-demo\n"
            "It closes the demo logins and the demo shop for good; every entry is kept."
        )


def _demo_reasons() -> list[str]:
    from home.demo import LOGINS, PASSWORD
    from shops.models import Shop, User

    people = User.objects.in_bulk([login.phone for login in LOGINS], field_name="phone")
    known = [
        f"{login.phone[3:8]} {login.phone[8:]} ({login.word})"
        for login in LOGINS
        if login.phone in people and people[login.phone].check_password(PASSWORD)
    ]
    shops = Shop.objects.filter(is_demo=True).order_by("pk")
    reasons = [f"{', '.join(known)} can sign in with the demo's published password."] if known else []
    return reasons + [f"The shop {shop.name} ({shop.code}) is a demo shop." for shop in shops]
