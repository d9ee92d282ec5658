"""What must not be read by who reads a log or holds a copy of the database.

A real server and worker, as ``make run`` starts them, are led through everything that touches a
phone, a code, a link's token or a webhook's address, also where it goes wrong; then their output
is searched. The database is searched row by row, and on SQLite the file byte by byte.
"""

import base64
import re
import socket
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_q.tasks import async_task

from khata.logs import blot
from ledger.models import Khata
from payments.links import token_of
from payments.models import PayLink, ProviderAccount, ProviderEvent
from payments.providers.base import webhook_secrets
from payments.providers.sandbox.signature import EVENT_ID, SIGNATURE, sign
from payments.services import ensure_sandbox, make_link, rotate_webhook_secret
from reminders.models import Message
from shops.models import Shop, User
from tests.accounts.phones import code_of
from tests.cast import PASSWORD, make_shop, make_user, post
from tests.house import House, wait_until
from tests.payments.making import event_body, make_checkout
from tests.reminders.people import make_debtor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

OWNER, CUSTOMER, STRANGER, UTR = "+919811100033", "+919811100044", "+919811100055", "412355678899"
PROVIDER_SECRET = "the secret that Asha's gateway gave her"


class Story:
    """A shop, a customer with a link, a gateway; and everything about them that is nobody's business."""

    def __init__(self) -> None:
        self.owner: User = make_user("Asha", phone=OWNER)
        self.shop: Shop = make_shop(
            self.owner, upi_id="asha@okaxis", quiet_from="08:00", quiet_until="08:00", sends_entries=True
        )
        self.khata: Khata = make_debtor(self.shop, phone=CUSTOMER)
        self.link: PayLink = make_link(shop=self.shop, khata=self.khata, actor=None)
        account = ensure_sandbox(self.shop)
        assert account is not None
        self.account: ProviderAccount = rotate_webhook_secret(
            account=account, actor=self.owner, secret=PROVIDER_SECRET
        )
        self.token = token_of(self.link)
        self.codes: list[str] = []

    def secrets(self) -> list[str]:
        """Every text that must stay in the house. The halves of a token open nothing, but are it."""
        phones = [phone.removeprefix("+91") for phone in (OWNER, CUSTOMER, STRANGER)]
        spaced = [f"{phone[:5]} {phone[5:]}" for phone in phones] + [phone[5:] for phone in phones]
        return [
            *phones,
            *spaced,
            *self.codes,
            *self.token.split("."),
            self.account.hook,
            *webhook_secrets(self.account),
            PASSWORD,
            UTR,
        ]


class Visitor:
    """A browser that fills in the hidden fields, and does not mind what it is answered."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=40, trust_env=False)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, page: str = "", **form: str) -> httpx.Response:
        hidden = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page).text) if page else []
        return self.http.post(path, data=form | {"csrfmiddlewaretoken": hidden[0] if hidden else "none"})


def sign_in_by_code(story: Story, visitor: Visitor) -> None:
    ask, confirm, login = "/accounts/login/code/", "/accounts/login/code/confirm/", "/accounts/login/"
    visitor.post(login, login, login=OWNER, password="not the password")
    visitor.post(ask, ask, phone=STRANGER)
    visitor.post(ask, ask, phone="98111 00033")
    story.codes.append(code_of(OWNER))
    visitor.post(confirm, confirm, action="verify", code="000000")
    assert visitor.post(confirm, confirm, action="verify", code=story.codes[0]).headers["Location"] == "/"
    assert visitor.get(f"/s/{story.shop.code}/?q={quote(CUSTOMER)}").status_code == 200
    assert visitor.get(f"/s/{story.shop.code}/k/{CUSTOMER}/").status_code == 404


def open_links(story: Story, visitor: Visitor) -> None:
    page = f"/p/{story.token}/"
    assert visitor.get(page).status_code == 200
    assert visitor.get(f"{page}nothing/").status_code == 404
    assert visitor.get(f"/p/{story.token[:-1]}/").status_code == 404
    assert visitor.get(f"/p/{story.token.split('.')[0]}/").status_code == 404
    assert visitor.post(f"{page}claim/", amount="5", utr=UTR).status_code == 419  # without the form's own field
    assert visitor.post(f"{page}claim/", page, amount="5", utr="12").status_code == 422
    assert visitor.post(f"{page}claim/", page, amount="5", utr=UTR).status_code == 302
    checkout = visitor.post(f"{page}checkout/", page, amount="200").headers["Location"]
    assert visitor.post(checkout, checkout, method="upi").status_code == 302


def deliver(story: Story, visitor: Visitor, body: bytes, *, event_id: str = "e", **changes: str) -> int:
    hook, secret = changes.get("hook", story.account.hook), changes.get("secret", PROVIDER_SECRET)
    headers = {EVENT_ID: event_id, SIGNATURE: sign(secret, body), "Content-Type": "application/json"}
    return visitor.http.post(f"/hooks/sandbox/{hook}/", content=body, headers=headers).status_code


def hear_webhooks(story: Story, visitor: Visitor) -> None:
    body = event_body(make_checkout(story.link, story.account, 100_00), contact=CUSTOMER)
    assert deliver(story, visitor, body, event_id="good") == 200
    assert deliver(story, visitor, body, secret="forged") == 400
    assert deliver(story, visitor, body, hook=story.account.hook[:-1] + "x") == 404
    assert deliver(story, visitor, body + b" " * 300_000) == 413
    assert (
        deliver(story, visitor, f'{{"event": "payment.captured", "{CUSTOMER}": 1}}'.encode(), event_id="odd")
        == 200
    )
    assert visitor.get(f"/hooks/sandbox/{story.account.hook}/").status_code == 405


def break_the_house(story: Story, visitor: Visitor) -> None:
    """Errors that nobody foresaw, with a token in the address and a phone in the form."""
    Shop.objects.filter(pk=story.shop.pk).update(zone="Asia/Atlantis")
    page = f"/p/{story.token}/"
    assert visitor.get(page).status_code == 500
    assert visitor.get(f"/s/{story.shop.code}/?q={quote(CUSTOMER)}").status_code == 500
    new = f"/s/{story.shop.code}/parties/new/"
    visitor.post(new, new, name="Sunita", phone=STRANGER, key="k", kind="customer", opening="100")
    body = event_body(make_checkout(story.link, story.account, 300_00), id="pay_2", rrn=UTR)
    assert deliver(story, visitor, body, event_id="late") == 200  # stored; acting on it failed
    Shop.objects.filter(pk=story.shop.pk).update(zone="Asia/Kolkata")
    sealed = bytes(story.account.sealed)
    accounts = ProviderAccount.everything.filter(pk=story.account.pk)
    accounts.update(sealed=b"x")
    assert deliver(story, visitor, body) == 503
    accounts.update(sealed=sealed)


def speak_no_http(story: Story, address: str) -> None:
    """What gunicorn turns away by itself never reaches Django, nor the log."""
    at = urlsplit(address)
    assert at.hostname is not None
    lines = (
        f"GET /p/{story.token}/?phone={quote(CUSTOMER)} HTTP/9.9",
        f"GET /p/{story.token}/{'x' * 5000} HTTP/1.1",
        f"FETCH\x01 /p/{story.token}/ HTTP/1.1\r\nHost: x",
        f"GET /p/{story.token}/ HTTP/1.1\r\nX-Phone {CUSTOMER}\r\nHost: x",
    )
    for line in lines:
        with socket.create_connection((at.hostname, at.port or 80), timeout=20) as raw, suppress(OSError):
            raw.sendall(f"{line}\r\n\r\n".encode())
            while raw.recv(4096):
                pass


def test_nothing_that_server_and_worker_say_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story()
    with House(tmp_path, monkeypatch) as house:
        visitor = Visitor(house.address)
        sign_in_by_code(story, visitor)
        open_links(story, visitor)
        hear_webhooks(story, visitor)
        break_the_house(story, visitor)
        speak_no_http(story, house.address)
        story.codes.append(visitor.http.cookies[settings.SESSION_COOKIE_NAME])

        def is_over() -> bool:
            async_task("reminders.tasks.tick_soon")
            waiting = Message.everything.filter(state__in=["queued", "sending"]).exists()
            return not waiting and not ProviderEvent.everything.filter(state="new").exists()

        wait_until(is_over, "the worker to say everything")
    said = house.said()
    for expected in ("Internal Server Error: /", "Not Found: /", "Forbidden (", "cannot be opened", "failed"):
        assert expected in said, f"{expected!r} was not logged, so this test proves nothing"
    for secret in story.secrets():
        at = said.find(secret)
        assert at < 0, f"{secret!r} was logged: {said[max(0, at - 300) : at + 100]!r}"


@pytest.mark.parametrize(
    "shape",
    [
        "{}",
        "phone={}",
        "('{}',)",
        "?q=%2B91{}&",
        "?q=%20{}",
        "Key (phone)=(+91{}) exists",
        "{{'to': '+91{}'}}",
        "tel:+91{}",
    ],
)
def test_a_phone_is_blotted_however_it_is_written(shape: str) -> None:
    """The filter stands before every handler (tests/khata/test_logs.py)."""
    assert CUSTOMER[-5:] not in blot(f"broke: {shape.format(CUSTOMER[-10:])}")


def test_a_number_in_an_address_is_blotted_in_both_halves() -> None:
    line = blot("Error handling request /s/ABC/?q=98111%2000044&show=all")
    assert "98111" not in line
    assert "00044" not in line


# --- at rest ----------------------------------------------------------------------------------


def plain_bytes(value: Any) -> bytes:
    """A column's value as bytes; what a session packs is unpacked."""
    data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    head = data.split(b":")[0]
    if head[:1] == b".":  # django.core.signing packs like this
        with suppress(ValueError, zlib.error):
            data += zlib.decompress(base64.urlsafe_b64decode(head[1:] + b"=" * (-len(head[1:]) % 4)))
    else:
        with suppress(ValueError):
            data += base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4))
    return data


def cells() -> Iterator[tuple[str, bytes]]:
    """Every value of every table: ``table.column`` and its bytes."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield from (
                    (f"{table}.{name}", plain_bytes(value)) for name, value in zip(names, row, strict=True)
                )


def where(secret: bytes) -> set[str]:
    return {name for name, data in cells() if secret in data}


def live_a_day(story: Story) -> None:
    """Everything that shows a link's token to somebody, in one process."""
    from reminders.services import remind
    from reminders.tick import run_tick

    client = Client()
    page = reverse("pay:page", args=[story.token])
    client.force_login(story.owner, backend="khata.accounts.ActiveUserBackend")
    client.get(page)
    client.post(reverse("pay:claim", args=[story.token]), {"amount": "5", "utr": UTR})
    back = client.post(reverse("pay:checkout", args=[story.token]), {"amount": "200"})["Location"]
    client.post(back, {"method": "card"})
    client.get(reverse("payments:link", args=[story.shop.code, story.khata.party.code]))
    client.get(reverse("reminders:remind", args=[story.shop.code, story.khata.party.code]))
    post(story.khata, 50_00, actor=story.owner)
    post(story.khata, 20_00, "got", actor=story.owner)
    remind(khata=story.khata, actor=story.owner, channel="sms", key="remind")
    run_tick()
    assert Message.everything.filter(text__isnull=False).count() >= 3


def test_no_column_holds_a_links_token_or_a_providers_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.services.deliver_sandbox_due", lambda: 0)
    story = Story()
    live_a_day(story)
    told = Message.everything.exclude(purpose="code").values_list("text", flat=True)
    assert any(story.token in text for text in told), "nobody was sent the link, so this test proves nothing"
    assert where(OWNER.encode()) >= {"shops_user.phone"}  # the search finds what is there
    assert where(story.account.hook.encode()) == {"payments_provideraccount.hook"}  # how a webhook is found
    assert where(story.token.split(".")[1].encode()) == set()
    for secret in webhook_secrets(story.account):
        assert where(secret.encode()) == set()
    assert where(PASSWORD.encode()) == set()


def test_the_database_file_shows_no_providers_secret() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's files belong to PostgreSQL; the row is searched above")
    story = Story()
    name = Path(connection.settings_dict["NAME"])
    # By another process: closing a file of the database here would drop SQLite's own locks on it.
    files = [
        subprocess.run(["cat", path], capture_output=True, check=True).stdout
        for path in (name, name.with_name(f"{name.name}-wal"))
        if path.exists()
    ]
    assert any(OWNER.encode() in data for data in files)
    for secret in webhook_secrets(story.account):
        assert not any(secret.encode() in data for data in files)
