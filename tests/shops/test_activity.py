"""The audit trail in plain words."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from core.limits import PAGE_ROWS
from shops import words
from shops.models import AuditEvent, Role
from shops.services import audit, change_settings
from tests.cast import Cast, client_of


def said(action: str, before: dict | None = None, after: dict | None = None) -> str:
    return words.sentence(AuditEvent(action=action, before=before or {}, after=after or {}))


def test_sentences_say_what_changed() -> None:
    assert (
        said(
            "shop.settings_changed",
            {"credit_days": 30, "sends_entries": False},
            {"credit_days": 45, "sends_entries": True},
        )
        == "Settings changed: days of credit from 30 to 45; messages for entries from no to yes."
    )
    assert said("member.role_changed", {"role": "cashier"}, {"role": "manager", "name": "Bilal"}) == (
        "Bilal is now Manager, and was Cashier."
    )
    assert said("khata.terms_changed", {"credit_limit_paise": None}, {"credit_limit_paise": 15_000_00}) == (
        "Terms of a khata changed: credit limit from nothing to ₹15,000.00."
    )
    assert said("shop.upi_changed", {"upi_id": ""}, {"upi_id": "a@okaxis"}).startswith(
        "The UPI ID changed from nothing to a@okaxis"
    )
    assert said("run.started", {}, {"people": 1}) == "Reminders to 1 person were started."


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("something.new_here", {}),
        ("member.added", {}),
        ("member.added", {"name": "X", "role": "emperor"}),
        ("link.made", {"amount_paise": "x"}),
    ],
)
def test_an_action_without_words_is_shown_by_its_name(action: str, after: dict) -> None:
    assert action.partition(".")[0] in said(action, {}, after)


def test_every_action_that_the_code_writes_has_words() -> None:
    written = set()
    for app in ("shops", "parties", "ledger", "payments", "reminders", "home", "khata"):
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            written |= set(re.findall(r'action=(?:\(\s*)?"([a-z]+\.[a-z_]+)"', path.read_text()))
    assert written
    assert not {action for action in written if action not in words._SENTENCES}


def test_the_page_is_for_managers_and_owners(cast: Cast) -> None:
    where = f"/s/{cast.shop.code}/activity/"
    assert client_of(cast.asha).get(where).status_code == 200
    assert client_of(cast.meena).get(where).status_code == 200
    assert client_of(cast.bilal).get(where).status_code == 403
    assert client_of(cast.chitra).get(where).status_code == 403
    assert client_of(cast.dev).get(where).status_code == 404


def test_it_shows_who_and_what_and_never_another_shops(cast: Cast) -> None:
    change_settings(shop=cast.shop, actor=cast.asha, changes={"credit_days": 45})
    change_settings(shop=cast.other_shop, actor=cast.dev, changes={"credit_days": 77})
    content = client_of(cast.meena).get(f"/s/{cast.shop.code}/activity/").content.decode()
    assert "days of credit from 30 to 45" in content
    assert "Asha" in content
    content = re.sub(r'"[A-Za-z0-9]{64}"', "", content)  # form tokens hold any letters and digits
    assert "to 77" not in content
    assert "Dev" not in content


def test_it_pages_without_losing_or_doubling_a_line(cast: Cast) -> None:
    for number in range(PAGE_ROWS + 10):
        audit(shop=cast.shop, actor=None, action=f"odd.n{number:03d}")
    client = client_of(cast.asha)
    where = f"/s/{cast.shop.code}/activity/"
    seen, before = [], ""
    while True:
        answer = client.get(where + before)
        seen += [line.text for line in answer.context["lines"]]
        if answer.context["following"] is None:
            break
        before = f"?before={answer.context['following']}"
    assert len(seen) == len(set(seen)) == PAGE_ROWS + 11  # and the opening of the shop


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "٣"])
def test_a_made_up_page_is_the_first_one(cast: Cast, before: str) -> None:
    assert client_of(cast.asha).get(f"/s/{cast.shop.code}/activity/?before={before}").status_code == 200


def test_a_line_of_another_shop_is_no_bookmark(cast: Cast) -> None:
    foreign = audit(shop=cast.other_shop, actor=None, action="odd.thing")
    page = client_of(cast.asha).get(f"/s/{cast.shop.code}/activity/?before={foreign.pk}")
    assert [line.text for line in page.context["lines"]] == ["The shop was opened as “Asha Kirana”."]


def test_roles_are_in_words_everywhere() -> None:
    for role in Role:
        assert str(role.label) in said("member.added", {}, {"name": "X", "role": role.value})
