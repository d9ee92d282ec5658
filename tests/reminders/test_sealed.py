"""The text of a message opens a customer's page, so it lies sealed in the database."""

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from reminders.models import Message
from reminders.sending import send_due
from shops.models import Shop
from tests.cast import make_shop
from tests.reminders.people import make_debtor, make_reminder, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Shop:
    return make_shop(quiet_from="08:00", quiet_until="08:00")


def column(message: Message) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM reminders_message WHERE id = %s", [message.pk])
        return str(cursor.fetchone()[0])


def write_plainly(message: Message, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reminders_message SET text = %s WHERE id = %s", [text, message.pk])


def test_a_text_is_read_as_written_and_lies_sealed(shop: Shop) -> None:
    message = make_reminder(make_debtor(shop), text="नमस्ते /p/token")
    assert Message.everything.get().text == "नमस्ते /p/token"
    assert list(Message.everything.values_list("text", flat=True)) == ["नमस्ते /p/token"]
    assert "token" not in column(message)
    Message.everything.update(text="another")
    assert "another" not in column(message)
    message.refresh_from_db()
    assert message.text == "another"


def test_texts_from_before_are_readable_and_the_migration_seals_them(shop: Shop) -> None:
    message = make_reminder(make_debtor(shop))
    write_plainly(message, "from before")
    assert Message.everything.get().text == "from before"
    importlib.import_module("reminders.migrations.0004_sealed_texts").seal(apps, None)
    assert "from before" not in column(message)
    assert Message.everything.get().text == "from before"


def test_a_text_whose_key_is_gone_is_not_sent_and_the_others_go_on(shop: Shop) -> None:
    """An empty message would be worse than none."""
    lost, good = make_reminder(make_debtor(shop)), make_reminder(make_debtor(shop))
    sealed = column(lost)
    write_plainly(lost, sealed[:-8] + "AAAAAAA=")
    assert Message.everything.get(pk=lost.pk).text == ""
    send_due()
    assert states(pk=lost.pk) == ["failed"]
    assert states(pk=good.pk) == ["sent"]


def test_a_new_key_in_front_still_opens_what_the_old_one_sealed(shop: Shop, settings: Any) -> None:
    make_reminder(make_debtor(shop), text="kept")
    settings.DATA_KEYS = ["a newer key", *settings.DATA_KEYS]
    assert Message.everything.get().text == "kept"
