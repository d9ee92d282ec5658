"""The shop's side: links, the Payments page, claims; and who may do what."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments import services
from payments.links import find_link, link_url, token_of
from payments.models import Claim, PayLink, ProviderEvent
from payments.services import draw_stale_qrs, ensure_sandbox, make_claim, make_link
from shops.models import AuditEvent, Role
from tests.cast import Cast, client_of, make_khata, make_user, post
from tests.payments.making import deliver, event_body, got, make_checkout

pytestmark = pytest.mark.django_db
UTR = "412355678812"


def ready(cast: Cast) -> PayLink:
    """Ramesh owes Asha's shop ₹500 and has a link."""
    cast.shop.upi_id = "asha@okhdfcbank"
    cast.shop.save(update_fields=["upi_id"])
    khata = make_khata(cast.shop, "Ramesh Kumar", phone="+919876543210")
    post(khata, 500_00)
    khata.refresh_from_db()
    return make_link(shop=cast.shop, khata=khata, actor=cast.asha)


def url(link: PayLink, name: str) -> str:
    return reverse(f"payments:{name}", args=[link.shop.code, link.khata.party.code])


def claimed(link: PayLink, utr: str = UTR) -> Claim:
    claim = make_claim(link=link, amount_paise=500_00, utr=utr).claim
    assert claim is not None
    return claim


LADDER = [None, Role.VIEWER, Role.CASHIER, Role.MANAGER, Role.OWNER]


@pytest.mark.parametrize("role", LADDER)
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("home", Role.VIEWER),
        ("link", Role.VIEWER),
        ("make_link", Role.CASHIER),
        ("revoke_link", Role.MANAGER),
        ("rotate_link", Role.MANAGER),
        ("confirm_claim", Role.MANAGER),
        ("reject_claim", Role.MANAGER),
    ],
)
def test_who_may_do_what(cast: Cast, name: str, least: Role, role: Role | None) -> None:
    link = ready(cast)
    last = {"home": [], "confirm_claim": [claimed(link).pk], "reject_claim": [claimed(link).pk]}
    address = reverse(f"payments:{name}", args=[cast.shop.code, *last.get(name, [link.khata.party.code])])
    client = client_of(cast.holder_of(role))
    answer = client.get(address) if name in {"home", "link"} else client.post(address, {"link": link.pk})
    if role is None:
        assert answer.status_code == 404
    elif role.rank < least.rank:
        assert answer.status_code == 403
    else:
        assert answer.status_code == (200 if name in {"home", "link"} else 302)
    assert client_of(None).get(address).status_code in {302, 405}


def test_a_link_is_made_shown_and_sent(cast: Cast) -> None:
    cast.shop.upi_id = "asha@okhdfcbank"
    cast.shop.save(update_fields=["upi_id"])
    khata = make_khata(cast.shop, "Ramesh Kumar", phone="+919876543210")
    post(khata, 500_00)
    client = client_of(cast.bilal)
    address = reverse("payments:link", args=[cast.shop.code, khata.party.code])
    assert "No pay link yet" in client.get(address).content.decode()
    for _ in range(2):
        assert client.post(address + "make/").status_code == 302
    link = PayLink.objects.for_shop(cast.shop).select_related("shop", "khata__party").get()
    assert link.created_by == cast.bilal
    text = client.get(address).content.decode()
    assert link_url(link) in text
    assert "being made" in text
    share = re.search(r'href="(https://wa\.me/[^"]+)"', text)
    assert share
    assert urlsplit(share.group(1)).path == "/919876543210"
    words = parse_qs(urlsplit(share.group(1).replace("&amp;", "&")).query)["text"][0]
    assert "₹" not in words, "a link is handed over; asking is for the rules of courtesy"
    assert link_url(link) in words
    draw_stale_qrs()
    assert "<svg xmlns" in client.get(address).content.decode()
    assert "New address" not in text  # a cashier may not


def test_making_a_link_nudges_the_worker(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    nudges: list[int] = []
    monkeypatch.setattr("payments.views.shop.nudge", lambda: nudges.append(1))
    khata = make_khata(cast.shop)
    client_of(cast.asha).post(reverse("payments:make_link", args=[cast.shop.code, khata.party.code]))
    assert nudges == [1]


def test_a_qr_that_the_shop_looks_at_is_drawn_next(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    nudges: list[int] = []
    monkeypatch.setattr("payments.views.drawing.nudge", lambda: nudges.append(1))
    link = ready(cast)
    client_of(cast.chitra).get(url(link, "link"))  # sees no QR
    assert nudges == []
    client_of(cast.bilal).get(url(link, "link"))
    assert nudges == [1]
    assert PayLink.everything.get(pk=link.pk).qr_stale_since == services.FIRST_IN_LINE
    draw_stale_qrs()
    assert "<svg xmlns" in client_of(cast.bilal).get(url(link, "link")).content.decode()
    assert nudges == [1]


def test_a_link_for_one_amount_and_some_days(cast: Cast) -> None:
    link = ready(cast)
    client = client_of(cast.bilal)
    last_day = cast.shop.today().isoformat()
    for _ in range(2):
        answer = client.post(url(link, "make_link"), {"amount": "1,250.50", "last_day": last_day})
        assert answer.status_code == 302
    own = PayLink.objects.for_shop(cast.shop).get(amount_paise=1250_50)
    assert own.expires_at is not None
    assert own.expires_at.astimezone(cast.shop.zoneinfo).strftime("%H:%M") == "00:00"
    assert find_link(token_of(own)) == own
    assert "₹1,250.50" in client.get(url(link, "link")).content.decode()


@pytest.mark.parametrize(
    "form", [{"amount": "-5"}, {"amount": "free"}, {"last_day": "2001-01-01"}, {"last_day": "x"}]
)
def test_a_link_with_a_mistake_is_not_made(cast: Cast, form: dict[str, str]) -> None:
    link = ready(cast)
    answer = client_of(cast.asha).post(url(link, "make_link"), form)
    assert answer.status_code == 422
    assert PayLink.objects.for_shop(cast.shop).count() == 1


def test_ending_and_rotating_a_link(cast: Cast) -> None:
    link = ready(cast)
    first = token_of(link)
    client = client_of(cast.meena)
    client.post(url(link, "rotate_link"), {"link": link.pk})
    link.refresh_from_db()
    second = token_of(link)
    assert (find_link(first), find_link(second)) == (None, link)
    client.post(url(link, "revoke_link"), {"link": link.pk})
    assert find_link(second) is None
    actions = AuditEvent.objects.for_shop(cast.shop).filter(action__startswith="link.")
    assert sorted(actions.values_list("action", flat=True)) == ["link.made", "link.revoked", "link.rotated"]


@pytest.mark.parametrize("wrong", ["", "abc", "9" * 30, "٣"])
def test_a_link_that_is_none_cannot_be_ended(cast: Cast, wrong: str) -> None:
    link = ready(cast)
    assert client_of(cast.asha).post(url(link, "revoke_link"), {"link": wrong}).status_code == 404


def test_another_shops_rows_are_not_found_through_ours(cast: Cast) -> None:
    link = ready(cast)
    claim = claimed(link)
    theirs = make_khata(cast.other_shop, "Theirs")
    dev = client_of(cast.dev)
    code, party = cast.other_shop.code, theirs.party.code
    assert dev.post(reverse("payments:revoke_link", args=[code, party]), {"link": link.pk}).status_code == 404
    assert dev.post(reverse("payments:rotate_link", args=[code, party]), {"link": link.pk}).status_code == 404
    assert dev.post(reverse("payments:confirm_claim", args=[code, claim.pk])).status_code == 404
    assert dev.post(reverse("payments:reject_claim", args=[code, claim.pk])).status_code == 404
    assert dev.get(reverse("payments:link", args=[code, link.khata.party.code])).status_code == 404
    assert find_link(token_of(link)) == link


def test_an_empty_payments_page_says_what_to_do(cast: Cast) -> None:
    text = client_of(cast.chitra).get(reverse("payments:home", args=[cast.shop.code])).content.decode()
    assert "No payment has arrived by itself yet" in text


def test_a_claim_is_confirmed_with_one_tap_by_a_manager_only(cast: Cast) -> None:
    link = ready(cast)
    claim = claimed(link)
    home = reverse("payments:home", args=[cast.shop.code])
    for looks in (cast.chitra, cast.bilal):
        text = client_of(looks).get(home).content.decode()
        assert UTR in text
        assert "It is there" not in text
    manager = client_of(cast.meena)
    assert "It is there" in manager.get(home).content.decode()
    address = reverse("payments:confirm_claim", args=[cast.shop.code, claim.pk])
    for _ in range(2):
        assert manager.post(address).status_code == 302
    assert got(link.khata) == [500_00]
    assert "is in the khata" in manager.get(home).content.decode()


def test_a_claim_that_cannot_be_decided_again_says_why(cast: Cast) -> None:
    link = ready(cast)
    claim = claimed(link)
    client = client_of(cast.asha)
    client.post(reverse("payments:reject_claim", args=[cast.shop.code, claim.pk]))
    page = client.post(reverse("payments:confirm_claim", args=[cast.shop.code, claim.pk]), follow=True)
    assert "marked as not found before" in page.content.decode()
    assert got(link.khata) == []
    other = claimed(link)
    client.post(reverse("payments:confirm_claim", args=[cast.shop.code, other.pk]))
    page = client.post(reverse("payments:reject_claim", args=[cast.shop.code, other.pk]), follow=True)
    assert "stands in the khata" in page.content.decode()


def test_what_arrived_and_what_is_stuck_is_on_the_payments_page(cast: Cast) -> None:
    link = ready(cast)
    account = ensure_sandbox(cast.shop)
    assert account is not None
    checkout = make_checkout(link, account)
    deliver(account, event_body(checkout))
    deliver(account, event_body(checkout, amount=1, id="pay_2"))
    text = client_of(cast.asha).get(reverse("payments:home", args=[cast.shop.code])).content.decode()
    assert "Ramesh Kumar" in text
    assert "+ ₹500" in text
    assert "₹0.01" in text
    assert "waits for a person" in text


def test_the_payments_page_costs_the_same_at_ten_and_at_thirty(cast: Cast) -> None:
    link = ready(cast)
    account = ensure_sandbox(cast.shop)
    assert account is not None
    client, counts = client_of(cast.asha), []
    client.get(reverse("payments:home", args=[cast.shop.code]))  # the first visit renews the session
    for batch in range(2):
        for number in range(10):
            claimed(link, utr=f"{batch * 10 + number + 1:012d}")
            khata = make_khata(cast.shop, f"Party {batch} {number}")
            own = make_checkout(make_link(shop=cast.shop, khata=khata, actor=None), account)
            deliver(account, event_body(own, id=f"pay_{batch}_{number}", rrn=f"9{batch * 10 + number:011d}"))
        with CaptureQueriesContext(connection) as queries:
            text = client.get(reverse("payments:home", args=[cast.shop.code])).content.decode()
        counts.append(len(queries))
        assert text.count("+ ₹500") == 10 * (batch + 1)
    assert counts[0] == counts[1]


def test_operators_see_money_and_change_none_and_release_what_is_stuck(cast: Cast) -> None:
    link = ready(cast)
    account = ensure_sandbox(cast.shop)
    assert account is not None
    deliver(account, event_body(make_checkout(link, account), amount=1))
    services.draw_stale_qrs()
    operator = make_user("Operator", is_staff=True, is_superuser=True)
    client = client_of(operator)
    ours = [model for model in site._registry if model._meta.app_label == "payments"]
    assert len(ours) == 7
    for model in ours:
        base = f"admin:payments_{model._meta.model_name}"
        assert client.get(reverse(f"{base}_changelist") + "?q=x").status_code == 200
        assert client.get(reverse(f"{base}_add")).status_code == 403
        row = model._base_manager.first()
        if row is not None:
            page = client.get(reverse(f"{base}_change", args=[row.pk]))
            assert page.status_code == 200
            assert 'name="_save"' not in page.content.decode()
            assert client.post(reverse(f"{base}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    event = ProviderEvent.objects.for_shop(cast.shop).get()
    changelist = reverse("admin:payments_providerevent_changelist")
    client.post(changelist, {"action": "retry", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("new", 0)
    services.process_left_events()
    client.post(changelist, {"action": "ignore", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert event.state == "ignored"
    assert AuditEvent.objects.for_shop(cast.shop).filter(actor=operator).count() == 2


def test_an_operator_who_may_only_look_decides_nothing(cast: Cast) -> None:
    link, account = ready(cast), ensure_sandbox(cast.shop)
    assert account is not None
    deliver(account, event_body(make_checkout(link, account), amount=1))
    operator = make_user("Operator", is_staff=True)
    operator.user_permissions.add(Permission.objects.get(codename="view_providerevent"))
    page = reverse("admin:payments_providerevent_changelist")
    client = client_of(operator)
    assert client.get(page).status_code == 200
    event = ProviderEvent.objects.for_shop(cast.shop).get()
    client.post(page, {"action": "ignore", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert event.state == "stuck"


def test_a_khata_with_too_many_links_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    link = ready(cast)
    monkeypatch.setattr("payments.services.MAX_OPEN_LINKS", 0)
    answer = client_of(cast.asha).post(url(link, "make_link"), {"amount": "5"})
    assert answer.status_code == 422
    assert "too many links" in answer.content.decode()


def test_a_settled_khata_is_shared_without_an_amount(cast: Cast) -> None:
    link = ready(cast)
    post(link.khata, 500_00, "got")
    text = client_of(cast.asha).get(url(link, "link")).content.decode()
    assert "Nothing is owed now" in text
    share = re.search(r'href="(https://wa\.me/[^"]+)"', text)
    assert share
    assert "%E2%82%B9" not in share.group(1)


def test_who_may_only_look_sees_that_there_is_a_link_and_never_its_address(cast: Cast) -> None:
    link = ready(cast)
    own = make_link(shop=cast.shop, khata=link.khata, actor=cast.asha, amount_paise=70_00)
    draw_stale_qrs()
    for headers in ({}, {"HX-Request": "true"}):
        text = client_of(cast.chitra).get(url(link, "link"), headers=headers).content.decode()
        assert "There is a pay link" in text
        assert "₹70" in text
        for secret in (token_of(link), token_of(own), "wa.me", "/p/", "<svg xmlns"):
            assert secret not in text
    text = client_of(cast.bilal).get(url(link, "link")).content.decode()
    assert token_of(link) in text
    assert token_of(own) in text
