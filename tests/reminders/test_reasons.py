"""The reason beside a message is said in the language of whoever reads it, whenever it was written."""

import pytest
from django.db import connection
from django.utils import translation

from core import clock
from reminders.models import Message, Purpose, Via
from reminders.reasons import Reason, because
from shops.models import Shop
from tests.cast import Cast, client_of
from tests.reminders.people import make_debtor, make_reminder

pytestmark = pytest.mark.django_db
CAP = "Not sent: %(count)s reminders in seven days are enough."
NO_CONSENT = "Not sent: there is no consent for %(channel)s."


def kept(shop: Shop, reason: str) -> Message:
    message = make_reminder(make_debtor(shop), rule=reason)
    return Message.everything.get(pk=message.pk)


def test_a_reason_written_in_hindi_is_read_in_english_and_the_other_way_round(shop: Shop) -> None:
    with translation.override("hi"):
        message = kept(shop, because(CAP, count=3))
        hindi = message.rule
    assert "3" in hindi
    assert hindi != CAP % {"count": 3}
    assert Message.everything.get(pk=message.pk).rule == CAP % {"count": 3}
    with translation.override("hi"):
        assert Message.everything.get(pk=message.pk).rule == hindi


def test_a_channel_is_said_by_its_name(shop: Shop) -> None:
    assert (
        kept(shop, because(NO_CONSENT, channel=Via.WHATSAPP)).rule == "Not sent: there is no consent for WhatsApp."
    )


def test_a_reason_that_is_saved_again_loses_nothing(shop: Shop) -> None:
    message = kept(shop, because(CAP, count=3))
    message.save()
    message.refresh_from_db()
    assert isinstance(message.rule, Reason)
    assert (message.rule.source, message.rule.values) == (CAP, {"count": 3})


@pytest.mark.parametrize("old", ["Sent: said so in another version.", '["cut off', '["no %(such)s", {}]', ""])
def test_what_cannot_be_read_is_shown_as_it_is(shop: Shop, old: str) -> None:
    message = kept(shop, "x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reminders_message SET rule = %s WHERE id = %s", [old, message.pk])
    assert Message.everything.get(pk=message.pk).rule == old


def test_the_page_of_messages_gives_reasons_in_the_readers_hindi(cast: Cast) -> None:
    Message.everything.create(
        shop=cast.shop,
        purpose=Purpose.ALERT,
        channel=Via.SMS,
        recipient=cast.asha.phone,
        text="-",
        state=Message.State.SENT,
        dedupe_key="alert",
        sent_at=clock.now(),
        rule=because("Sign-in codes and alerts go at any hour."),
    )
    asha = client_of(cast.asha)
    asha.cookies["khata_language"] = "hi"
    page = asha.get(f"/s/{cast.shop.code}/messages/").content.decode()
    assert "any hour" not in page
