"""The screens of asking: who may, what they show, that no other shop is reachable."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from reminders import selectors
from reminders.asking import save_rule
from reminders.models import Message, Rule, Run
from reminders.outbox import queue_code
from reminders.runs import work_run
from reminders.sending import send_due
from shops.models import AuditEvent, Shop
from tests.cast import Cast, client_of, make_user, post
from tests.reminders.people import NOON, make_debtor, make_reminder

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def _noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def overdue(shop: Shop, days: int, name: str = "Ramesh", paise: int = 500_00, **fields: Any) -> Any:
    khata = make_debtor(shop, name, opening_paise=0, **fields)
    post(khata, paise, due_on=TODAY - dt.timedelta(days=days), occurred_on=TODAY - dt.timedelta(days=days + 5))
    khata.refresh_from_db()
    return khata


def page(cast: Cast, view: str, *args: object, user: Any = None, **query: str) -> Any:
    return client_of(user or cast.asha).get(reverse(f"reminders:{view}", args=[cast.shop.code, *args]), query)


def send(cast: Cast, view: str, *args: object, user: Any = None, **data: Any) -> Any:
    return client_of(user or cast.asha).post(reverse(f"reminders:{view}", args=[cast.shop.code, *args]), data)


# --- collect ----------------------------------------------------------------------------------


def test_collect_sorts_debtors_into_buckets(cast: Cast) -> None:
    days = (0, 1, 30, 31, 60, 61, 90, 91, 400, -1)
    for late in days:
        overdue(cast.shop, late)
    chips = {chip.which: (chip.count, chip.paise) for chip in selectors.collect_chips(cast.shop, TODAY)}
    assert chips == {
        "due": (9, 9 * 500_00),
        "today": (1, 500_00),
        "d1_30": (2, 1000_00),
        "d31_60": (2, 1000_00),
        "d61_90": (2, 1000_00),
        "d90_plus": (2, 1000_00),
        "over_limit": (0, 0),
        "collect_today": (0, 0),
    }
    for which, (count, _paise) in chips.items():
        assert len(selectors.collect_page(cast.shop, TODAY, which=which).rows) == count
        assert len(selectors.collect_ids(cast.shop, TODAY, which)) == count


def test_collect_pages_without_gap_or_double(cast: Cast) -> None:
    for number in range(7):
        overdue(cast.shop, number % 3 + 1, f"Party {number}")
    seen, cursor = [], ""
    while True:
        part = selectors.collect_page(cast.shop, TODAY, cursor=cursor, size=2)
        seen += [row.party_id for row in part.rows]
        cursor = part.next_cursor
        if not cursor:
            break
    assert seen == selectors.collect_ids(cast.shop, TODAY, "due")
    assert len(seen) == 7


def test_collect_costs_the_same_for_ten_and_for_thirty(cast: Cast, django_assert_num_queries: Any) -> None:
    for _ in range(10):
        overdue(cast.shop, 5)
    with django_assert_num_queries(2):
        selectors.collect_chips(cast.shop, TODAY)
        selectors.collect_page(cast.shop, TODAY)
    for _ in range(20):
        overdue(cast.shop, 5)
    with django_assert_num_queries(2):
        selectors.collect_chips(cast.shop, TODAY)
        selectors.collect_page(cast.shop, TODAY)


def test_the_cashier_sees_whom_but_no_totals(cast: Cast) -> None:
    overdue(cast.shop, 5, "Ramesh", paise=12_345_00)
    overdue(cast.shop, 5, "Suresh", paise=1_00)
    assert "₹12,346" in page(cast, "collect").content.decode()
    seen = page(cast, "collect", user=cast.bilal).content.decode()
    assert "Ramesh" in seen
    assert "₹12,346" not in seen
    assert 'name="party"' not in seen


def test_a_changed_cursor_or_list_goes_back_to_the_start(cast: Cast) -> None:
    for query in ({"after": "forged"}, {"show": "nonsense"}):
        assert page(cast, "collect", **query).status_code == 302
    assert page(cast, "messages", after="forged").status_code == 302
    assert page(cast, "messages", show="nonsense").status_code == 302


# --- runs -------------------------------------------------------------------------------------


def test_remind_many_shows_how_far_it_is_and_who_was_left_out(cast: Cast) -> None:
    good, silent = overdue(cast.shop, 5, "Good"), overdue(cast.shop, 5, "Silent", consent_source="")
    form = {"key": "k", "which": "due", "channel": "sms", "party": [good.party_id, silent.party_id]}
    answer = send(cast, "start_run", **form)
    run = Run.everything.get()
    assert answer.url == reverse("reminders:run", args=[cast.shop.code, run.pk])
    assert send(cast, "start_run", **form).url == answer.url
    waiting = page(cast, "run", run.pk).content.decode()
    assert "every 1s" in waiting
    work_run(run.pk)
    send_due()
    done = page(cast, "run", run.pk).content.decode()
    assert "every 1s" not in done
    assert "Silent" in done
    assert "there is no consent for SMS" in done
    facts = selectors.run_facts(Run.everything.get())
    assert (facts.sent, facts.refused_count, facts.done_count, facts.is_over) == (1, 1, 2, True)


def test_remind_all_takes_the_whole_list(cast: Cast) -> None:
    for _ in range(3):
        overdue(cast.shop, 5)
    overdue(cast.shop, 40)
    send(cast, "start_run", key="k", which="d1_30", channel="sms", everyone="on")
    assert len(Run.everything.get().party_ids) == 3


def test_many_ticks_are_taken_and_too_many_are_refused_in_words(cast: Cast) -> None:
    one = overdue(cast.shop, 5)
    many = [one.party_id, *range(10_000_000, 10_002_000)]
    form = {"key": "k", "which": "due", "channel": "sms"}
    assert send(cast, "start_run", **form, party=many).status_code == 302
    assert Run.everything.get().party_ids == [one.party_id]
    answer = send(cast, "start_run", **(form | {"key": "k2"}), party=[*range(1, 5_001)])
    assert answer.status_code == 413
    assert "Tick fewer names" in answer.content.decode()
    assert Run.everything.count() == 1


@pytest.mark.parametrize(
    "form", [{"key": "k", "which": "due", "channel": "sms"}, {}, {"key": "k", "which": "due", "party": ["x"]}]
)
def test_an_empty_or_broken_form_starts_nothing(cast: Cast, form: dict[str, Any]) -> None:
    assert send(cast, "start_run", **form).status_code == 302
    assert not Run.everything.exists()


def test_a_run_can_be_stopped(cast: Cast) -> None:
    khata = overdue(cast.shop, 5)
    send(cast, "start_run", key="k", which="due", channel="sms", party=[khata.party_id])
    run = Run.everything.get()
    send(cast, "stop_run", run.pk)
    run.refresh_from_db()
    assert run.state == "stopped"
    assert "Stopped" in page(cast, "run", run.pk).content.decode()


# --- one reminder -----------------------------------------------------------------------------


def test_the_preview_is_in_the_partys_language_and_says_why_not(cast: Cast) -> None:
    khata = overdue(cast.shop, 5, "Ramesh", language="hi", email="")
    seen = page(cast, "remind", khata.party.code).content.decode()
    assert 'lang="hi"' in seen
    assert f"https://wa.me/{khata.party.phone[1:]}?text=" in seen
    assert f"sms:{khata.party.phone}?body=" in seen
    assert "There is no email address of this party." in seen


def test_send_now_queues_once_and_a_second_ask_is_refused_in_words(cast: Cast) -> None:
    khata = overdue(cast.shop, 5)
    for _ in range(2):
        assert send(cast, "remind", khata.party.code, channel="sms", key="k").status_code == 302
    assert Message.everything.count() == 1
    send_due()
    again = send(cast, "remind", khata.party.code, channel="sms", key="k2")
    assert again.status_code == 422
    assert "already reminded by SMS today" in again.content.decode()


def test_a_tap_is_written_down(cast: Cast) -> None:
    khata = overdue(cast.shop, 5)
    url = reverse("reminders:tapped", args=[cast.shop.code, khata.party.code])
    assert (
        client_of(cast.asha).post(url, {"channel": "whatsapp"}, headers={"HX-Request": "true"}).status_code == 204
    )
    assert client_of(cast.asha).post(url, {"channel": "whatsapp"}).status_code == 302
    assert client_of(cast.asha).post(url, {"channel": "email"}).status_code == 404
    assert Message.everything.get().backend == "tap"


def test_a_name_that_is_markup_harms_no_page_and_no_mail(cast: Cast) -> None:
    khata = overdue(cast.shop, 5, "<script>alert(1)</script>")
    for name, args in (("collect", []), ("remind", [khata.party.code]), ("messages", [])):
        assert "<script>alert" not in page(cast, name, *args).content.decode()
    send(cast, "remind", khata.party.code, channel="sms", key="k")
    send_due()
    assert "<script>alert" not in page(cast, "messages").content.decode()
    outbox = client_of(cast.asha).get(reverse("home:outbox", args=[cast.shop.code])).content.decode()
    assert "&lt;script&gt;" in outbox
    assert "<script>alert" not in outbox


# --- messages and rules -----------------------------------------------------------------------


def test_a_doubtful_message_is_decided_by_a_person(cast: Cast) -> None:
    message = make_reminder(make_debtor(cast.shop))
    for what, state in (("retry", "queued"), ("arrived", "sent"), ("cancel", "cancelled")):
        Message.everything.update(state="unknown")
        assert "It arrived" in page(cast, "messages", show="unknown").content.decode()
        send(cast, "decide", message.pk, what, user=cast.meena)
        message.refresh_from_db()
        assert message.state == state
    assert send(cast, "decide", message.pk, "explode").status_code == 404
    assert AuditEvent.everything.filter(actor=cast.meena, target=f"message:{message.pk}").count() == 3


def test_a_rule_is_added_changed_and_switched(cast: Cast) -> None:
    form = {
        "name": "Weekly",
        "days_after_due": "3",
        "every_days": "7",
        "min_amount_paise": "₹ 1,000",
        "channel": "sms",
        "enabled": "on",
    }
    assert send(cast, "new_rule", **form | {"every_days": "0"}).status_code == 422
    assert send(cast, "new_rule", **form).status_code == 302
    rule = Rule.everything.get()
    assert (rule.min_amount_paise, rule.enabled) == (1000_00, True)
    assert 'value="1000"' in page(cast, "rule", rule.pk).content.decode()
    send(cast, "rule", rule.pk, **form | {"name": "Gentle"})
    send(cast, "switch_rule", rule.pk, enabled="0")
    rule.refresh_from_db()
    assert (rule.name, rule.enabled) == ("Gentle", False)
    assert "Gentle" in page(cast, "rules").content.decode()


# --- doors ------------------------------------------------------------------------------------


def test_other_shops_rows_are_not_found(cast: Cast) -> None:
    khata = overdue(cast.other_shop, 5)
    message = make_reminder(khata)
    rule = save_rule(shop=cast.other_shop, actor=None, values={"name": "x"})
    run = Run.everything.create(shop=cast.other_shop, party_ids=[], key="k")
    client, code = client_of(cast.asha), cast.shop.code
    for name, args in (("run", [run.pk]), ("rule", [rule.pk]), ("remind", [khata.party.code])):
        assert client.get(reverse(f"reminders:{name}", args=[code, *args])).status_code == 404
    for name, args in (
        ("stop_run", [run.pk]),
        ("switch_rule", [rule.pk]),
        ("rule", [rule.pk]),
        ("decide", [message.pk, "cancel"]),
        ("tapped", [khata.party.code]),
        ("remind", [khata.party.code]),
    ):
        assert client.post(reverse(f"reminders:{name}", args=[code, *args])).status_code == 404
    for name in ("collect", "messages", "rules"):
        assert client_of(cast.dev).get(reverse(f"reminders:{name}", args=[code])).status_code == 404


@pytest.mark.parametrize("name", ["messages", "rules", "new_rule"])
def test_cashier_and_viewer_may_not_ask(cast: Cast, name: str) -> None:
    for user in (cast.bilal, cast.chitra):
        assert page(cast, name, user=user).status_code == 403
        assert page(cast, "collect", user=user).status_code == 200
        assert send(cast, "start_run", user=user).status_code == 403
    assert page(cast, name, user=cast.meena).status_code == 200


# --- the demo outbox --------------------------------------------------------------------------


def test_the_outbox_shows_messages_with_links_and_only_to_those_who_ask(cast: Cast) -> None:
    khata = overdue(cast.shop, 5, "Ramesh")
    send(cast, "remind", khata.party.code, channel="sms", key="k")
    send_due()
    url = reverse("home:outbox", args=[cast.shop.code])
    seen = client_of(cast.meena).get(url).content.decode()
    assert "Ramesh" in seen
    assert '<a href="http' in seen
    assert client_of(cast.bilal).get(url).status_code == 403
    assert client_of(cast.dev).get(url).status_code == 404


def test_codes_are_shown_for_a_quarter_of_an_hour_in_the_demo_only(
    cast: Cast, settings: Any, _noon: time_machine.Traveller
) -> None:
    queue_code(phone="+919812345678", text="123456 is your Khata code", lifetime_s=300)
    make_reminder(make_debtor(cast.shop), text="not a code")
    nobody, url = client_of(None), reverse("home:codes")
    seen = nobody.get(url).content.decode()
    assert "123456" in seen
    assert "not a code" not in seen
    _noon.move_to(NOON + dt.timedelta(minutes=16))
    assert "123456" not in nobody.get(url).content.decode()
    settings.DEMO_OUTBOX = False
    assert nobody.get(url).status_code == 404
    assert client_of(cast.asha).get(reverse("home:outbox", args=[cast.shop.code])).status_code == 404


# --- operators --------------------------------------------------------------------------------


def test_operators_retry_release_and_cancel_with_an_audit_row(cast: Cast) -> None:
    operator = make_user("Op", is_staff=True, is_superuser=True)
    client = client_of(operator)
    url = reverse("admin:reminders_message_changelist")
    message = make_reminder(make_debtor(cast.shop))
    for action, state in (("arrived", "sent"), ("retry", "queued"), ("cancel", "cancelled")):
        Message.everything.update(state="unknown")
        client.post(url, {"action": action, "_selected_action": [message.pk]})
        message.refresh_from_db()
        assert message.state == state
    client.post(url, {"action": "release", "_selected_action": [message.pk]})
    actions = set(AuditEvent.everything.filter(actor=operator).values_list("action", flat=True))
    assert actions == {"message.retried", "message.confirmed", "message.cancelled", "messages.released"}
    detail = client.get(reverse("admin:reminders_message_change", args=[message.pk]))
    assert detail.status_code == 200
    assert 'name="text"' not in detail.content.decode()


def test_operators_never_see_a_code(cast: Cast) -> None:
    client = client_of(make_user("Op", is_staff=True, is_superuser=True))
    message = queue_code(phone="+919812345678", text="987001 is your code", lifetime_s=300)
    seen = client.get(reverse("admin:reminders_message_change", args=[message.pk])).content.decode()
    assert "987001" not in seen
