"""Email: text and html, a way to stop, and each fault in its own drawer."""

import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from parties.services import edit_party
from reminders.asking import previews
from reminders.models import Message, Purpose, Via
from reminders.outbox import queue_code
from reminders.sending import send_due
from shops.models import Shop
from tests.cast import make_shop, unique
from tests.reminders.people import make_debtor, make_reminder

pytestmark = pytest.mark.django_db
BROKEN = "tests.reminders.test_email.BrokenBackend"


class BrokenBackend(EmailBackend):
    """Breaks as the test says."""

    on_open: Exception | None = None
    on_send: Exception | None = None

    def open(self) -> bool:
        if self.on_open:
            raise self.on_open
        return True

    def send_messages(self, messages: Any) -> int:
        if self.on_send:
            raise self.on_send
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _email_only(settings: Any) -> None:
    settings.DEMO_OUTBOX = False
    settings.EMAIL_HOST = "mail.example"


@pytest.fixture
def open_shop(db: None) -> Shop:
    return make_shop(quiet_from="08:00", quiet_until="08:00", name="Asha & Sons")


def email_to(shop: Shop, name: str = "Ramesh", **fields: Any) -> Message:
    khata = make_debtor(shop, name, email=f"{unique('party')}@example.org")
    [preview] = [row for row in previews(khata=khata) if row.channel == Via.EMAIL]
    return make_reminder(
        khata, Via.EMAIL, recipient=khata.party.email, purpose=Purpose.RECEIPT, text=preview.text, **fields
    )


def test_an_email_has_text_html_and_a_way_to_stop(open_shop: Shop) -> None:
    message = email_to(open_shop, "<b>Ramesh</b>")
    send_due()
    message.refresh_from_db()
    assert (message.state, message.backend) == ("sent", "email")
    [sent] = mail.outbox
    assert sent.to == [message.recipient]
    assert sent.from_email.startswith('"Asha & Sons" <') or sent.from_email.startswith("Asha & Sons <")
    assert sent.body == message.text
    [(html, kind)] = sent.alternatives
    assert kind == "text/html"
    assert "&lt;b&gt;Ramesh&lt;/b&gt;" in html
    assert "Asha &amp; Sons" in html
    link = message.text.split()[-1]
    assert f'href="{link}"' in html
    assert sent.extra_headers["List-Unsubscribe"] == f"<{link}>"


def test_a_shop_name_with_line_breaks_forges_no_header(open_shop: Shop) -> None:
    Shop.objects.filter(pk=open_shop.pk).update(name="A\nBcc: evil@example.org")
    message = email_to(open_shop)
    send_due()
    message.refresh_from_db()
    for sent in mail.outbox:
        assert "\nBcc:" not in str(sent.message())
    assert message.state in {"sent", "failed"}


def test_sms_is_not_carried_by_email(open_shop: Shop) -> None:
    message = make_reminder(make_debtor(open_shop))
    send_due()
    message.refresh_from_db()
    assert message.rule == "Not sent: no way to send SMS is set up."
    assert mail.outbox == []


def test_a_code_to_a_gateway_is_bare_text(settings: Any) -> None:
    settings.CODE_CHANNEL, settings.CODE_ADDRESS = "email", "{phone}@sms-gateway.example"
    queue_code(phone="+919812345678", text="123456 is your Khata code.", lifetime_s=300)
    send_due()
    [sent] = mail.outbox
    assert (sent.to, sent.body) == (["919812345678@sms-gateway.example"], "123456 is your Khata code.")
    assert sent.alternatives == []


@pytest.mark.parametrize(
    ("on_open", "on_send", "state"),
    [
        (ConnectionRefusedError(), None, "queued"),
        (smtplib.SMTPAuthenticationError(535, b"no"), None, "queued"),
        (None, smtplib.SMTPRecipientsRefused({"a": (550, b"no such user")}), "failed"),
        (None, smtplib.SMTPRecipientsRefused({"a": (450, b"greylisted")}), "queued"),
        (None, smtplib.SMTPDataError(554, b"spam"), "failed"),
        (None, smtplib.SMTPSenderRefused(451, b"later", "us"), "queued"),
        (None, smtplib.SMTPSenderRefused(530, b"log in first", "us"), "queued"),
        (None, smtplib.SMTPHeloError(550, b"who are you"), "queued"),
        (None, smtplib.SMTPRecipientsRefused({"a": (530, b"log in first")}), "queued"),
        (None, smtplib.SMTPServerDisconnected("gone"), "unknown"),
        (None, TimeoutError(), "unknown"),
    ],
)
def test_each_fault_has_its_drawer(
    open_shop: Shop,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    on_open: Exception | None,
    on_send: Exception | None,
    state: str,
) -> None:
    settings.EMAIL_BACKEND = BROKEN
    for backend in (BrokenBackend, _imported()):
        monkeypatch.setattr(backend, "on_open", on_open)
        monkeypatch.setattr(backend, "on_send", on_send)
    message = email_to(open_shop)
    send_due()
    message.refresh_from_db()
    assert message.state == state
    assert message.error
    assert "@" not in message.error


def _imported() -> type[BrokenBackend]:
    """The class as Django imports it by its path (pytest may hold a second copy of this module)."""
    from django.utils.module_loading import import_string

    found: type[BrokenBackend] = import_string(BROKEN)
    return found


def test_an_email_address_can_be_taken_back(open_shop: Shop) -> None:
    khata = make_debtor(open_shop, email="ramesh@example.org")
    edit_party(party=khata.party, actor=None, changes={"email": ""})
    khata.refresh_from_db()
    [preview] = [row for row in previews(khata=khata) if row.channel == Via.EMAIL]
    assert preview.reason == "There is no email address of this party."
