"""The customer's own page: what it shows, to whom, and what it lets them do."""

import datetime as dt
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from ledger.models import Khata
from parties.models import Consent
from payments import selectors
from payments.links import token_of
from payments.models import Checkout, Claim, PayLink, ProviderAccount
from payments.services import LinkError, draw_stale_qrs, make_link, open_checkout, revoke_link, rotate_link
from shops.models import Shop
from tests.cast import make_khata, post
from tests.payments.making import deliver, event_body, got, make_checkout

pytestmark = pytest.mark.django_db
UTR = "412355678812"


def url(link: PayLink, name: str = "page", *more: str) -> str:
    return reverse(f"pay:{name}", args=[token_of(link), *more])


def html(link: PayLink, query: str = "", **headers: str) -> str:
    answer = Client().get(url(link) + query, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def app_links(text: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="(upi:[^"]+)"', text)]


def test_the_page_says_what_is_owed_and_how_to_pay(link: PayLink, shop: Shop) -> None:
    text = html(link)
    assert "Ramesh K., you owe" in text
    assert "Ramesh Kumar" not in text
    assert "₹500.00" in text
    assert app_links(text) == [selectors.upi_payload(link)]
    assert f'data-copy="{shop.upi_id}"' in text
    assert "98765" not in text
    assert text.count("<h1") == 1


def test_the_page_is_for_the_customer_only(link: PayLink) -> None:
    answer = Client().get(url(link))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert 'name="robots"' in answer.content.decode()


def test_no_script_or_style_stands_in_the_page(link: PayLink) -> None:
    draw_stale_qrs()
    text = html(link)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text)


def test_revoked_expired_and_unknown_answer_alike(link: PayLink, khata: Khata, shop: Shop) -> None:
    revoked = token_of(link)
    revoke_link(link=link, actor=None)
    expired = make_link(shop=shop, khata=khata, actor=None, amount_paise=5_00)
    PayLink.everything.filter(pk=expired.pk).update(expires_at=expired.created_at)
    unknown = "A" * 22 + "." + "A" * 22
    answers = [
        Client().get(reverse("pay:page", args=[token]))
        for token in (revoked, token_of(expired), unknown, "x", f"{revoked}A")
    ]
    assert {answer.status_code for answer in answers} == {404}
    pages = {
        re.sub(r'(value="/p/|"X-CSRFToken": "|csrfmiddlewaretoken" value=")[^"]*', "", answer.content.decode())
        for answer in answers
    }
    assert len(pages) == 1


def test_every_part_of_a_revoked_link_is_gone(link: PayLink) -> None:
    revoke_link(link=link, actor=None)
    for name in ("page", "qr_svg", "qr_png"):
        assert Client().get(url(link, name)).status_code == 404
    for name in ("claim", "checkout", "stop"):
        assert Client().post(url(link, name)).status_code == 404
    assert Client().get(url(link, "receipt", "abc")).status_code == 404


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "&am=1", '"><img src=x onerror=alert(1)>', "=cmd()"]
)
def test_a_name_is_only_a_name(shop: Shop, name: str) -> None:
    shop.name = name
    shop.save(update_fields=["name"])
    khata = make_khata(shop, f"{name} {name}")
    post(khata, 70_00, note=name)
    link = make_link(shop=shop, khata=khata, actor=None)
    draw_stale_qrs()
    text = html(link)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert [dict(parse_qsl(urlsplit(href).query))["am"] for href in app_links(text)] == ["70.00"]
    link.refresh_from_db()
    assert [field for field, _ in parse_qsl(urlsplit(link.qr_payload).query)] == [
        "pa",
        "pn",
        "am",
        "cu",
        "tn",
        "tr",
    ]


# --- the QR -----------------------------------------------------------------------------------


def test_the_page_waits_for_the_drawing_and_then_shows_it(link: PayLink, khata: Khata) -> None:
    assert 'hx-get="?part=qr"' in html(link)
    draw_stale_qrs()
    link.refresh_from_db()
    text = html(link)
    assert link.qr_svg in text
    assert "?part=qr" not in text
    post(khata, 1_00)
    waiting = html(link, "?part=qr", **{"HX-Request": "true"})
    assert "being made" in waiting
    assert "<h1" not in waiting
    html(link)  # opening the page puts it on the worker's list, even where no tick has seen the entry
    assert PayLink.everything.get(pk=link.pk).qr_stale_since is not None
    draw_stale_qrs()
    link.refresh_from_db()
    assert link.qr_svg in html(link, "?part=qr", **{"HX-Request": "true"})


def test_the_pictures_are_those_of_the_stored_drawing(link: PayLink, khata: Khata) -> None:
    assert Client().get(url(link, "qr_svg")).status_code == 302
    assert Client().get(url(link, "qr_png")).status_code == 302
    draw_stale_qrs()
    link.refresh_from_db()
    svg, picture = Client().get(url(link, "qr_svg")), Client().get(url(link, "qr_png"))
    assert (svg.content.decode(), svg.headers["Content-Type"]) == (link.qr_svg, "image/svg+xml")
    assert picture.content.startswith(b"\x89PNG")
    assert "attachment" in picture.headers["Content-Disposition"]
    post(khata, 1_00)  # a picture with the old amount is worse than none
    assert Client().get(url(link, "qr_png")).status_code == 302


def test_a_shop_without_a_upi_id_says_so_kindly(link: PayLink, shop: Shop) -> None:
    shop.upi_id = ""
    shop.save(update_fields=["upi_id"])
    text = html(link)
    assert app_links(text) == []
    assert "Pay at the counter" in text
    assert "?part=qr" not in text


def test_a_settled_khata_asks_for_nothing(link: PayLink, khata: Khata) -> None:
    post(khata, 800_00, "got")
    text = html(link)
    assert "the shop owes you" in text
    assert "₹300.00" in text
    assert "am=" not in app_links(text)[0]
    assert "Card or net banking" not in text


# --- language, statement, messages ------------------------------------------------------------


def test_the_page_speaks_the_partys_language_until_the_visitor_chooses(link: PayLink) -> None:
    party = link.khata.party
    party.language = "hi"
    party.save(update_fields=["language"])
    answer = Client(headers={"Accept-Language": "en"}).get(url(link))
    assert '<html lang="hi"' in answer.content.decode()
    assert answer.headers["Content-Language"] == "hi"
    client = Client()
    client.post(reverse("set_language"), {"language": "en", "next": url(link)})
    assert '<html lang="en"' in client.get(url(link)).content.decode()


def test_the_statement_pages_with_running_balances(link: PayLink, khata: Khata) -> None:
    for _ in range(60):
        post(khata, 1_00)
    text = html(link)
    assert text.count('class="entry"') == 50
    assert "balance 560.00" in text
    after = re.search(r'href="(\?after=[^"]+)"', text)
    assert after
    rest = html(link, after.group(1))
    assert rest.count('class="entry"') == 11
    part = html(link, after.group(1), **{"HX-Request": "true"})
    assert part.count('class="entry"') == 11
    assert "<h1" not in part
    assert Client().get(url(link) + "?after=forged.AAAA").status_code == 302


def test_what_is_past_its_day_is_said(link: PayLink, khata: Khata) -> None:
    import datetime as dt

    long_ago = khata.shop.today() - dt.timedelta(days=60)
    post(khata, 80_00, occurred_on=long_ago, due_on=long_ago + dt.timedelta(days=10))
    text = html(link)
    assert "₹80 past its day" in text


def test_stopping_messages_withdraws_every_channel_once(link: PayLink) -> None:
    party = link.khata.party
    Consent.everything.create(shop_id=party.shop_id, party=party, channel="sms", given=True, source="counter")
    assert "Stop messages" in html(link)
    for _ in range(3):
        assert Client().post(url(link, "stop")).status_code == 302
    rows = Consent.objects.for_shop(party.shop_id).filter(party=party, given=False)
    assert sorted(rows.values_list("channel", "source")) == [
        ("email", "customer-page"),
        ("sms", "customer-page"),
        ("whatsapp", "customer-page"),
    ]
    assert "sends you no messages" in html(link)


# --- I have paid ------------------------------------------------------------------------------


def test_a_customer_tells_of_a_payment_once(link: PayLink, khata: Khata) -> None:
    for _ in range(2):
        answer = Client().post(url(link, "claim"), {"amount": "₹ 500/-", "utr": "4123 5567 8812"})
        assert answer.status_code == 302
    claim = Claim.objects.for_shop(khata.shop_id).get()
    assert (claim.amount_paise, claim.utr, claim.khata_id) == (500_00, UTR, khata.pk)
    assert "the shop is looking for it" in html(link)
    assert got(khata) == []


@pytest.mark.parametrize("form", [{}, {"amount": "500", "utr": "123"}, {"amount": "five", "utr": UTR}])
def test_a_form_with_a_mistake_keeps_what_was_typed(link: PayLink, form: dict[str, str]) -> None:
    answer = Client().post(url(link, "claim"), form)
    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert not Claim.objects.for_shop(link.shop_id).exists()


def test_telling_too_often_is_slowed_down(link: PayLink) -> None:
    answers = [
        Client().post(url(link, "claim"), {"amount": "5", "utr": f"{number:012d}"}).status_code
        for number in range(1, 14)
    ]
    assert answers == [302] * 10 + [422] * 3


# --- card and net banking ---------------------------------------------------------------------


def test_a_checkout_leads_to_the_gateway_and_back_to_a_receipt(
    link: PayLink, account: ProviderAccount, khata: Khata
) -> None:
    assert "(test money)" in html(link)
    client = Client()
    away = client.post(url(link, "checkout"), {"amount": "500.00"})
    checkout = Checkout.objects.for_shop(khata.shop_id).get()
    assert away["Location"].startswith(reverse("pay:sandbox", args=[checkout.reference]))
    page = client.get(away["Location"])
    assert "No bank is asked" in page.content.decode()
    back = client.post(away["Location"], {"method": "upi"})
    receipt = url(link, "receipt", checkout.reference)
    assert back["Location"] == f"http://testserver{receipt}"
    waiting = client.get(receipt).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert "Waiting for the bank" in waiting
    deliver(account, event_body(checkout))
    done = client.get(receipt, headers={"HX-Request": "true"}).content.decode()
    assert "Paid. Thank you." in done
    assert "4123 5567 8812" in done
    assert "every 1s" not in done
    assert "<h1" not in done
    assert "finished" in client.get(away["Location"]).content.decode()


def test_a_second_tap_gives_the_same_checkout(link: PayLink, account: ProviderAccount) -> None:
    places = {Client().post(url(link, "checkout"), {"amount": "500"})["Location"].split("?")[0] for _ in range(3)}
    assert len(places) == 1
    assert Checkout.objects.for_shop(link.shop_id).count() == 1


def test_a_link_for_one_amount_takes_that_amount_only(shop: Shop, khata: Khata, account: ProviderAccount) -> None:
    link = make_link(shop=shop, khata=khata, actor=None, amount_paise=70_00)
    assert "please pay" in html(link)
    assert Client().post(url(link, "checkout"), {"amount": "1"})["Location"] == url(link)
    assert not Checkout.objects.for_shop(shop).exists()
    assert "sandbox" in Client().post(url(link, "checkout"), {"amount": "70"})["Location"]


@pytest.mark.parametrize("amount", ["", "0", "-5", "free", "999999999999999"])
def test_a_checkout_for_an_amount_that_cannot_be_says_so(
    link: PayLink, account: ProviderAccount, amount: str
) -> None:
    client = Client()
    assert client.post(url(link, "checkout"), {"amount": amount})["Location"] == url(link)
    assert "Nothing was paid" in client.get(url(link)).content.decode()
    with pytest.raises(LinkError):
        open_checkout(link=link, account=account, amount_paise=0)
    assert not Checkout.objects.for_shop(link.shop_id).exists()


def test_too_many_waiting_claims_are_refused_on_the_page(link: PayLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.claims.MAX_OPEN_CLAIMS", 0)
    answer = Client().post(url(link, "claim"), {"amount": "500", "utr": UTR})
    assert answer.status_code == 422
    assert "ask there directly" in answer.content.decode()


def test_opening_the_page_again_and_again_nudges_the_worker_a_few_times_only(
    link: PayLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudges: list[int] = []
    monkeypatch.setattr("payments.views.drawing.nudge", lambda: nudges.append(1))
    for _ in range(6):
        html(link)
    assert len(nudges) == 3


def test_a_failed_payment_has_its_own_receipt(link: PayLink, account: ProviderAccount) -> None:
    client = Client()
    away = client.post(url(link, "checkout"), {"amount": "500"})
    client.post(away["Location"], {"method": "fail"})
    checkout = Checkout.objects.for_shop(link.shop_id).get()
    deliver(account, event_body(checkout, "failed"))
    assert "did not go through" in client.get(url(link, "receipt", checkout.reference)).content.decode()


def test_a_receipt_of_another_khata_is_not_shown(link: PayLink, account: ProviderAccount, shop: Shop) -> None:
    Client().post(url(link, "checkout"), {"amount": "500"})
    checkout = Checkout.objects.for_shop(shop).get()
    neighbour = make_link(shop=shop, khata=make_khata(shop, "Sunita"), actor=None)
    assert Client().get(url(neighbour, "receipt", checkout.reference)).status_code == 404


def test_without_a_gateway_there_is_no_checkout(link: PayLink, account: ProviderAccount, settings: object) -> None:
    away = Client().post(url(link, "checkout"), {"amount": "500"})["Location"]
    settings.SANDBOX_GATEWAY = False  # type: ignore[attr-defined]
    assert "Card or net banking" not in html(link)
    assert Client().post(url(link, "checkout"), {"amount": "500"}).status_code == 404
    assert Client().get(away).status_code == 404
    assert Client().post(away, {"method": "upi"}).status_code == 404


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Ramesh Kumar", "Ramesh K."),
        ("Ramesh", "Ramesh"),
        ("सुनीता देवी", "सुनीता दे."),
        ("  A  B  C ", "A C."),
        ("", ""),
    ],
)
def test_a_name_is_shortened_as_people_do(name: str, short: str) -> None:
    assert selectors.short_name(name) == short


def test_the_page_costs_the_same_at_ten_and_at_forty_entries(
    link: PayLink, khata: Khata, account: ProviderAccount, django_assert_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for _ in range(2):
        for _ in range(15):
            post(khata, 1_00)
        draw_stale_qrs()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            html(link)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_a_page_of_fifty_entries_is_light(link: PayLink, khata: Khata, account: ProviderAccount) -> None:
    for number in range(60):
        post(khata, 100_00 + number, note=f"chawal {number} kg, dal {number * 7 % 13} kg")
    draw_stale_qrs()
    answer = Client(headers={"Accept-Encoding": "gzip"}).get(url(link))
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.content) <= 12_000


@pytest.mark.parametrize("end", [revoke_link, rotate_link])
def test_who_paid_sees_the_receipt_also_when_the_link_was_ended_meanwhile(
    link: PayLink, account: ProviderAccount, end: Callable[..., PayLink]
) -> None:
    checkout = make_checkout(link, account)
    receipt, page = url(link, "receipt", checkout.reference), url(link)
    end(link=link, actor=None)
    deliver(account, event_body(checkout))
    answer = Client().get(receipt)
    assert "Paid. Thank you." in answer.content.decode()
    assert f'href="{page}"' not in answer.content.decode(), "no way into a khata whose link is dead"
    assert Client().get(page).status_code == 404


def test_a_receipt_left_open_stops_asking(link: PayLink, account: ProviderAccount) -> None:
    checkout = make_checkout(link, account)
    receipt = url(link, "receipt", checkout.reference)
    assert 'hx-trigger="every 1s"' in Client().get(receipt).content.decode()
    Checkout.everything.filter(pk=checkout.pk).update(created_at=clock.now() - dt.timedelta(hours=1))
    later = Client().get(receipt).content.decode()
    assert "every 1s" not in later
    assert "Look again" in later


def test_the_picture_to_save_was_drawn_by_the_worker(link: PayLink, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_stale_qrs()
    monkeypatch.setattr("payments.qr.matrix", lambda payload: pytest.fail("drawn while somebody waits"))
    answer = Client().get(url(link, "qr_png"))
    assert answer.content.startswith(b"\x89PNG")
