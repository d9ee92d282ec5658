"""What must never start: combinations of settings that would lose money or leak data."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

SHORTEST_SECRET = 32  # characters
LEAST_LETTERS = 8  # different ones in a secret
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


def own_folder(path: Path) -> Path:
    """``KHATA_VAR``, made where it is missing, for its owner's eyes: the book lies in it."""
    try:
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(0o700)
        handle, probe = tempfile.mkstemp(dir=path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"Khata cannot write in {path} ({error.strerror})."
            " Make that folder writable, or name another: KHATA_VAR=…"
        ) from error
    os.close(handle)
    os.unlink(probe)
    return path


def database_of(url: str) -> dict[str, Any]:
    """``DATABASE_URL`` as Django takes it. Raises ImproperlyConfigured for anything else than our two."""
    wanted = "DATABASE_URL must look like postgres://user:password@host/name or sqlite:////path/to/khata.sqlite3"
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{wanted}; this one cannot be read.") from error
    if not any(kind in str(found.get("ENGINE", "")) for kind in ("sqlite", "postgresql")) or not found.get("NAME"):
        raise ImproperlyConfigured(f"{wanted}. Khata keeps its book in SQLite or PostgreSQL.")
    return found


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


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is judged: settings as they would be in force."""

    production: bool
    mode: str
    debug: bool
    secrets: dict[str, list[str]]  # every key of each list: the old ones still open things
    allowed_hosts: list[str]
    base_url: str
    ssl_redirect: bool
    behind_proxy: bool
    proxy_count: int
    sandbox_gateway: bool
    demo_outbox: bool
    code_channel: str
    code_address: str
    email_host: str
    email_is_sealed: bool  # TLS from the first byte or by STARTTLS
    q_cluster: dict[str, Any]
    database: dict[str, Any]


def refuse_unsafe(setup: Setup) -> None:
    """Raise ImproperlyConfigured, naming every reason at once, or return quietly."""
    reasons = []
    if setup.mode not in {"demo", "production"}:
        reasons.append(f"KHATA_MODE is {setup.mode!r}; it is either demo or production.")
    if not setup.q_cluster["timeout"] < setup.q_cluster["retry"]:
        reasons.append("The worker would run one task twice: its timeout must be under its retry.")
    if _is_kept_in_memory(setup.database, setup.production):
        reasons.append("A book kept in memory is lost at the next restart.")
    if setup.production:
        reasons += [
            *_secret_reasons(setup.secrets),
            *_address_reasons(setup),
            *_code_reasons(setup),
        ]
    if reasons:
        raise ImproperlyConfigured("Khata will not start like this:\n- " + "\n- ".join(reasons))


def _is_kept_in_memory(database: dict[str, Any], production: bool) -> bool:
    name = str(database["NAME"])
    if "sqlite" not in database["ENGINE"]:
        return False
    return name == ":memory:" or "mode=memory" in name or (production and _file_system(name) in {"tmpfs", "ramfs"})


def _file_system(path: str, mounts: Path = Path("/proc/mounts")) -> str:
    """The kind of file system that ``path`` lies on; "" where the system does not say (not Linux)."""
    try:
        rows = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    except OSError:
        return ""
    real = Path(path).resolve()
    over = [(len(point), kind) for point, kind in rows if real.is_relative_to(point)]
    return max(over, default=(0, ""))[1]


def _secret_reasons(secrets: dict[str, list[str]]) -> list[str]:
    """Each key must be one that nobody guesses; an old one behind it opens as much as the first."""
    reasons = []
    for name, keys in secrets.items():
        if not keys or any(len(key.strip()) < SHORTEST_SECRET for key in keys):
            reasons.append(f"{name} is missing or shorter than {SHORTEST_SECRET} characters.")
        elif any(len(set(key)) < LEAST_LETTERS for key in keys):
            reasons.append(
                f"{name} repeats the same few characters: make it with the command in docs/operations.md."
            )
    every = [key for keys in secrets.values() for key in keys]
    if len(set(every)) != len(every):
        reasons.append("SECRET_KEY, KHATA_DATA_KEYS and KHATA_LINK_KEYS must differ from each other.")
    return reasons


def _address_reasons(setup: Setup) -> list[str]:
    reasons = []
    if setup.debug:
        reasons.append("DEBUG is on: error pages would show customers' data to anyone.")
    # ".com" would be everybody's: behind a leading dot stands a name of one's own, with a dot in it.
    hosts = setup.allowed_hosts
    if not hosts or any(not host or "*" in host or (host[0] == "." and "." not in host[1:]) for host in hosts):
        reasons.append("ALLOWED_HOSTS must name your own host names.")
    if not setup.base_url.startswith("https://"):
        reasons.append("BASE_URL must be https://: pay links and sign-in codes travel over it.")
    elif not validate_host(urlsplit(setup.base_url).hostname or "", setup.allowed_hosts):
        reasons.append(
            "BASE_URL is at a host that ALLOWED_HOSTS does not name: customers' links would lead elsewhere."
        )
    if setup.proxy_count < 0 or (setup.proxy_count and not setup.behind_proxy):
        reasons.append(
            "KHATA_PROXY_COUNT counts proxies, and KHATA_BEHIND_PROXY is off: anybody could write the address that"
            " rate limits count."
        )
    if setup.ssl_redirect and not setup.behind_proxy:
        reasons.append(
            "KHATA_BEHIND_PROXY is off: Khata speaks http behind a web server that speaks https, and would send"
            " every visitor in a circle."
        )
    if setup.sandbox_gateway:
        reasons.append("The sandbox gateway is on: anyone could mark a due as paid without paying.")
    if setup.demo_outbox:
        reasons.append("The demo outbox is on: sign-in codes would be shown on a page.")
    return reasons


def _code_reasons(setup: Setup) -> list[str]:
    if setup.code_channel != "email":
        return ["KHATA_CODE_CHANNEL must name how sign-in codes leave (email)."]
    reasons = []
    if not setup.email_host:
        reasons.append("EMAIL_HOST is missing: sign-in codes could not leave.")
    elif not setup.email_is_sealed and setup.email_host not in LOCAL_HOSTS:
        reasons.append("EMAIL_USE_TLS is off: sign-in codes would cross the network in the open.")
    if not _is_address_pattern(setup.code_address):
        reasons.append("KHATA_CODE_ADDRESS must be a pattern like {phone}@sms-gateway.example: codes go there.")
    return reasons


def _is_address_pattern(pattern: str) -> bool:
    local, at, domain = pattern.partition("@")
    return (
        bool(at and domain) and local.count("{phone}") == 1 and not set("{}") & set(pattern.replace("{phone}", ""))
    )


PRODUCTION_MARK = "installation.production"  # the audit row that says: this book is in earnest


def refuse_wrong_database(*, production: bool) -> None:
    """Raise ImproperlyConfigured where the mode and the database do not belong together.

    The demo's password is published, so everybody could enter a production that holds it; and the
    demo shows sign-in codes on a page, so everybody could enter a production's book that is opened
    in demo mode. Looked at once per start, never per request. A database that does not answer or
    has no tables yet serves nobody either.
    """
    from django.db import DatabaseError  # settings import this module

    try:
        words = _demo_in_production() if production else _production_in_demo()
    except DatabaseError:
        return
    if words:
        raise ImproperlyConfigured(words)


def mark_production() -> None:
    """Write down, once, that this database is a production's. Nothing takes the mark away."""
    from shops.models import AuditEvent
    from shops.services import audit

    rows = AuditEvent.objects.unscoped("the mark of the installation")
    if not rows.filter(shop=None, action=PRODUCTION_MARK).exists():
        audit(shop=None, actor=None, action=PRODUCTION_MARK)


def _production_in_demo() -> str:
    from shops.models import AuditEvent

    rows = AuditEvent.objects.unscoped("the mark of the installation")
    if not rows.filter(shop=None, action=PRODUCTION_MARK).exists():
        return ""
    return (
        "Khata will not start in demo mode on the database of a production: the demo shows everybody's sign-in"
        " codes on a page, and its messages reach nobody.\nSet KHATA_MODE=production, or name another database"
        " (DATABASE_URL, KHATA_VAR)."
    )


def _demo_in_production() -> str:
    reasons = _demo_reasons()
    if not reasons:
        return ""
    return (
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
