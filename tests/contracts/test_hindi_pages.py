"""Whoever chose Hindi reads no English: every page is walked, and every Latin word on it is looked at."""

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from core import clock
from khata import views
from ledger.models import Direction
from parties.models import Party
from payments.models import Checkout, Claim, ProviderAccount, ProviderEvent
from reminders import compose
from reminders.models import Message, Purpose, Rule, Via
from shops import words
from shops.models import AuditEvent, Role, Shop, User
from tests.accounts.phones import ask_code, code_of, sign_up, type_code
from tests.cast import PASSWORD, Cast, client_of, make_khata, make_user, post, unique
from tests.contracts.test_routes import PUBLIC, ROUTES, address, body
from tests.contracts.world import World, make_world

# The brand, and what stands on every Indian's phone in Latin letters.
BRANDS = {"Khata", "UPI", "ID", "QR", "UTR", "SMS", "WhatsApp"}
# A language in its own words; a key of the keyboard; how payment apps call the number they show.
QUOTED = {"English", "N", "transaction"}
# The people and shops of the cast are called what they are called.
NAMES = {"Asha", "Kirana", "Meena", "Bilal", "Chitra", "Dev", "Medicals", "Guest", "Ramesh", "ramesh", "Somebody"}
ALLOWED = BRANDS | QUOTED | NAMES
READ_ALOUD = {"alt", "aria-label", "placeholder", "title", "data-done", "data-save", "label"}
UNREAD = {"script", "style", "code"}
VOID = {"br", "hr", "img", "input", "link", "meta", "use", "rect", "circle", "path", "source", "wbr"}
# An address, a mail or UPI address, the code of a khata or shop (some have letters only): no words.
NO_WORD = re.compile(r"\S*(?:://|[@/_0-9])\S*|\b(?:[A-Z]{5}|[A-Z]{8})\b")
WORD = re.compile(r"[A-Za-z]+")


class Page(HTMLParser):
    """What a person sees or hears of a page, but for what is marked as English itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.skipped: list[str] = []  # the open elements inside one that is not read
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_initials = given.get("class") == "face"
        if self.skipped or tag in UNREAD or given.get("lang") == "en" or is_initials:
            if tag not in VOID:
                self.skipped.append(tag)
            return
        self.texts += [value or "" for name, value in attrs if name in READ_ALOUD]
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self.texts.append(given.get("value") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.skipped:
            self.texts += [value or "" for name, value in attrs if name in READ_ALOUD]

    def handle_endtag(self, tag: str) -> None:
        if self.skipped and tag == self.skipped[-1]:
            self.skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.texts.append(data)


def english(text: str) -> list[str]:
    """The Latin words of ``text`` that Hindi has words for."""
    return [word for word in WORD.findall(NO_WORD.sub(" ", text)) if word not in ALLOWED]


def assert_hindi(answer: HttpResponse, told: str) -> None:
    if not answer.headers.get("Content-Type", "").startswith("text/html") or not answer.content:
        return
    html = answer.content.decode()
    if "<html" in html:
        assert '<html lang="hi"' in html, told
    left = [text.strip() for text in Page(html).texts if english(text)]
    assert not left, f"{told}: English on a Hindi page: {left}"


def hindi_client(user: User | None = None) -> Client:
    client = client_of(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    client.raise_request_exception = False
    return client


def in_hindi(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(language="hi")
    shop.refresh_from_db()


@pytest.fixture
def world(cast: Cast) -> World:
    in_hindi(cast.shop)
    world = make_world(cast.shop, cast.asha, cast.bilal)
    Party.everything.filter(shop=cast.shop).update(language="hi")
    Rule.everything.filter(shop=cast.shop).update(name="एक हफ़्ते बाद")
    Message.everything.filter(shop=cast.shop).update(text="₹500 बाकी हैं।", language="hi")
    return world


@pytest.fixture
def busy(cast: Cast, world: World) -> World:
    """More of everything: late, over the limit, a supplier, an archived one, alarms, stuck notices."""
    shop = cast.shop
    late = make_khata(shop, "सुरेश", phone="+919812300001", credit_days=1, credit_limit_paise=100_00, language="hi")
    with time_machine.travel(clock.now() - dt.timedelta(days=50)):
        post(late, 900_00, note="चावल")
    make_khata(shop, "थोक बाज़ार", kind="supplier", opening_paise=-500_00)
    paid = make_khata(shop, "मीना", opening_paise=100_00)
    post(paid, 400_00, Direction.GOT)
    Party.everything.filter(pk=make_khata(shop, "पुराना").party_id).update(archived_at=clock.now())
    ProviderEvent.everything.create(
        shop=shop,
        account=ProviderAccount.everything.get(shop=shop),
        event_id=unique("event"),
        body=b"{}",
        signature_ok=True,
        state=ProviderEvent.State.STUCK,
        error="—",
    )
    for state in Message.State.values:
        Message.everything.create(
            shop=shop,
            party=late.party,
            purpose=Purpose.REMINDER,
            channel=Via.WHATSAPP,
            recipient="+919812300001",
            text="नमस्ते",
            language="hi",
            state=state,
            dedupe_key=unique("message"),
        )
    return world


def test_the_reader_of_pages_finds_english_and_leaves_hindi_alone() -> None:
    page = Page(
        '<p title="Close">खाता <b lang="en">English</b><input placeholder="Name"><br/></p>'
        "<script>var word</script><a href='/more'>https://khata.in/p/x</a> UPI name@okaxis 12:30 GYHVE"
    )
    assert [word for text in page.texts for word in english(text)] == ["Close", "Name"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_no_page_says_english_in_hindi(name: str, cast: Cast, world: World) -> None:
    url, line = address(name, world), ROUTES[name]
    for user in (None, cast.asha) if line.who == PUBLIC else (cast.asha,):
        for method in line.methods.split():
            with transaction.atomic():
                client = hindi_client(user)
                data = body(name, world) if method == "POST" else None
                answer = client.generic(method, url) if data is None else client.post(url, data, follow=True)
                assert answer.status_code < 500
                assert_hindi(answer, f"{method} {url} as {user}")
                transaction.set_rollback(True)


BUSY = [
    ("ledger:home", "?show=overdue"),
    ("ledger:home", "?show=over_limit"),
    ("ledger:home", "?show=suppliers"),
    ("ledger:home", "?show=archived"),
    ("ledger:ageing", ""),
    ("reminders:collect", "?show=due"),
    ("reminders:messages", ""),
    ("reminders:rules", ""),
    ("payments:home", ""),
    ("shops:activity", ""),
    ("home:more", ""),
    ("home:outbox", ""),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "query"), BUSY)
def test_full_lists_say_no_english(name: str, query: str, cast: Cast, busy: World) -> None:
    assert_hindi(hindi_client(cast.asha).get(address(name, busy) + query), name + query)


@pytest.mark.django_db
def test_the_last_steps_of_an_entry_and_the_questions_say_no_english(cast: Cast, busy: World) -> None:
    client = hindi_client(cast.asha)
    entry = reverse("ledger:entry", args=[cast.shop.code, busy.common["party_code"], "gave"])
    answers = [
        client.post(entry, {"key": unique("k"), "amount": text}, follow=True)
        for text in ("500", "0", "abc", "1/0", "9" * 30, "1.234")
    ]
    quick = reverse("ledger:quick", args=[cast.shop.code])
    answers += [
        client.post(quick, {"key": unique("k"), "line": line}, follow=True)
        for line in (
            "",
            "नया 500",
            "ramesh",
            "ramesh 500 600",
            "सुरेश 5000",
            "500",
            "ramesh 12 चावल",
            "(((",
            "ramesh से 500",
            "ramesh से 500 600",
            "रुमेश 500",
        )
    ]
    for answer in answers:
        assert_hindi(answer, str(answer.request["PATH_INFO"]))
    reversing = reverse(
        "ledger:reverse", args=[cast.shop.code, busy.common["party_code"], busy.common["position"]]
    )
    for _ in range(2):
        assert_hindi(client.post(reversing, follow=True), "reversing")


@pytest.mark.django_db
def test_the_customers_page_says_no_english_whatever_was_tried(cast: Cast, busy: World) -> None:
    client, token = hindi_client(), busy.common["token"]
    for utr in ("", "123", "412355678899", "412355678899"):
        answer = client.post(reverse("pay:claim", args=[token]), {"amount": "50", "utr": utr}, follow=True)
        assert_hindi(answer, f"claim {utr}")
    Claim.everything.filter(utr="412355678899").update(state="rejected", decided_at=clock.now())
    assert_hindi(client.get(reverse("pay:page", args=[token])), "a claim not found")
    assert_hindi(client.post(reverse("pay:checkout", args=[token]), {"amount": "x"}, follow=True), "checkout")
    receipt = reverse("pay:receipt", args=[token, busy.common["reference"]])
    for state in Checkout.State.values:
        Checkout.everything.filter(reference=busy.common["reference"]).update(state=state)
        assert_hindi(client.get(receipt), f"receipt, {state}")
        assert_hindi(client.get(reverse("pay:sandbox", args=[busy.common["reference"]])), f"sandbox, {state}")


@pytest.mark.django_db
def test_signing_up_and_in_says_no_english() -> None:
    phone = "+919811100011"
    client = hindi_client()
    for typed, password in (("", ""), ("12", "x"), (phone, "short"), (phone, "12345678"), (phone, "password")):
        answer = client.post(
            "/accounts/signup/", {"phone": typed, "name": "आशा", "password1": password, "password": password}
        )
        assert_hindi(answer, f"sign-up {typed} {password}")
    sign_up(client, phone, PASSWORD)
    verify = "/accounts/phone/verify/"
    assert_hindi(client.get(verify), verify)
    assert_hindi(client.post(verify, {"action": "verify", "code": "000000"}), "a wrong code")
    assert_hindi(client.post(verify, {"action": "resend"}, follow=True), "send again")
    assert_hindi(client.post(verify, {"action": "verify", "code": code_of(phone)}, follow=True), "onboarding")
    for data in (
        {},
        {"name": "आशा किराना", "language": "hi", "upi_id": "wrong"},
        {"name": "आशा किराना", "language": "hi"},
    ):
        assert_hindi(client.post("/start/", data, follow=True), f"opening a shop {data}")

    other = hindi_client()
    for login, password in (("", ""), (phone, "wrong"), ("12", "x")):
        assert_hindi(other.post("/accounts/login/", {"login": login, "password": password}), f"login {login}")
    ask_code(other, phone)
    confirm = "/accounts/login/code/confirm/"
    assert_hindi(other.get(confirm), confirm)
    assert_hindi(other.get("/outbox/"), "the codes of the demo")
    assert_hindi(type_code(other, "000000"), "a wrong code")
    assert_hindi(type_code(other, ""), "no code")
    assert_hindi(other.post(confirm, {"action": "resend"}, follow=True), "send again")
    assert_hindi(other.post(confirm, {"action": "verify", "code": code_of(phone)}, follow=True), "signed in")
    assert_hindi(other.post("/accounts/logout/", follow=True), "signed out")


@pytest.mark.django_db
def test_passwords_that_are_refused_say_no_english(cast: Cast) -> None:
    client = hindi_client(cast.asha)
    for old, new in (
        ("", ""),
        ("wrong", "a good new password"),
        (PASSWORD, "123"),
        (PASSWORD, "password"),
        (PASSWORD, "1" * 20),
    ):
        answer = client.post("/accounts/password/change/", {"oldpassword": old, "password": new, "password1": new})
        assert_hindi(answer, f"password {old} {new}")
    User.objects.filter(pk=cast.bilal.pk).update(password="!")
    client = hindi_client(User.objects.get(pk=cast.bilal.pk))
    for new in ("", "123", "password"):
        answer = client.post("/accounts/password/set/", {"password": new, "password1": new}, follow=True)
        assert_hindi(answer, f"set {new}")


@pytest.mark.django_db
def test_pages_of_errors_say_no_english(cast: Cast, world: World) -> None:
    assert_hindi(hindi_client().get("/nowhere/"), "404")
    assert_hindi(hindi_client(cast.chitra).get(address("shops:settings", world)), "403")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    assert_hindi(strict.post("/accounts/login/", {}), "419")
    with translation.override("hi"):
        request = RequestFactory().get("/")
        request.user = make_user()
        for page in (views.too_many(request), views.server_error(request)):
            assert_hindi(page, str(page.status_code))
        assert_hindi(views.bad_request(request, Exception()), "400")


@pytest.mark.django_db
def test_every_sentence_of_the_audit_trail_is_hindi(cast: Cast, world: World) -> None:
    with translation.override("hi"):
        for event in AuditEvent.everything.filter(shop=cast.shop):
            assert not english(words.sentence(event)), event.action
        for action, said in words._SENTENCES.items():
            if not callable(said):
                assert not english(str(said)), action
        assert not english(" ".join(str(role.label) for role in Role))


@pytest.mark.django_db
def test_messages_to_a_hindi_reader_are_hindi_and_polite(cast: Cast, world: World) -> None:
    party = Party.everything.get(shop=cast.shop)
    link = "https://khata.example/p/abc"
    said = [
        compose.reminder(shop_name="आशा किराना", party=party, balance_paise=1_00_000_00, url=link),
        compose.link(shop_name="आशा किराना", party=party, url=link),
        *(
            compose.receipt(shop_name="आशा किराना", party=party, amount_paise=500_00, balance_paise=left, url=link)
            for left in (0, 100_00, -100_00)
        ),
    ]
    for text in said:
        assert not english(text), text
        assert "Ramesh जी" in text
        assert len(text) <= compose.MAX_CHARS
    assert "₹1,00,000" in said[0]


@pytest.mark.django_db
def test_dates_are_hindi_and_amounts_keep_latin_digits_and_indian_commas(cast: Cast) -> None:
    khata = make_khata(cast.shop, "रमेश")
    with time_machine.travel(dt.datetime(2026, 11, 26, 6, 0, tzinfo=dt.UTC)):
        post(khata, 1_00_000_00)
        page = hindi_client(cast.asha).get(reverse("ledger:khata", args=[cast.shop.code, khata.party.code]))
        home = hindi_client(cast.asha).get(reverse("ledger:home", args=[cast.shop.code]))
    html = page.content.decode()
    assert "गुरुवार, 26 नवंबर 2026" in html
    assert "₹1,00,000.00" in html
    assert "11:30" in html
    assert "गुरुवार, 26 नवंबर" in home.content.decode()
    assert not re.search("[०-९]", html)
