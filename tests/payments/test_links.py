"""Tokens, and links that are made, ended and given another address."""

import datetime as dt

import pytest
import time_machine
from django.conf import settings

from core import clock, crypto
from ledger.models import Khata
from payments.links import find_link, link_url, token_of
from payments.models import PayLink
from payments.services import MAX_OPEN_LINKS, LinkError, make_link, revoke_link, rotate_link
from shops.models import AuditEvent, Shop
from tests.cast import make_khata, make_shop, make_user
from tests.payments.making import at_once


def test_the_same_call_twice_gives_the_same_link(shop: Shop, khata: Khata) -> None:
    first, second = (make_link(shop=shop, khata=khata, actor=None) for _ in range(2))
    assert first == second
    assert AuditEvent.objects.for_shop(shop).filter(action="link.made").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("amount", [None, 500_00])
def test_two_hands_at_once_make_one_link(shop: Shop, khata: Khata, amount: int | None) -> None:
    links = at_once(*[lambda: make_link(shop=shop, khata=khata, actor=None, amount_paise=amount)] * 4)
    assert len({link.pk for link in links}) == 1
    assert PayLink.objects.for_shop(shop).count() == 1


def test_a_token_opens_its_link_and_is_in_no_column(link: PayLink) -> None:
    token = token_of(link)
    assert find_link(token) == link
    assert len(crypto.unb64(token.partition(".")[2])) == 16
    assert link_url(link) == f"{settings.BASE_URL}/p/{token}/"
    stored = [str(value) for value in PayLink.everything.filter(pk=link.pk).values_list()[0]]
    assert not any(token.partition(".")[2] in value for value in stored)


def test_a_changed_token_opens_nothing(link: PayLink) -> None:
    token = token_of(link)
    uid, mac = token.split(".")
    stranger = crypto.b64(bytes(16))
    wrong = ["", ".", uid, f"{uid}.", f"{uid}.{mac[:-2]}", f"{stranger}.{mac}", f"{uid}.{stranger}", token + "A"]
    wrong += [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    assert [text for text in wrong if find_link(text)] == []


def test_a_new_key_first_keeps_old_links_open(link: PayLink, settings: object) -> None:
    token = token_of(link)
    settings.LINK_KEYS = ["another key that is long enough to use", *settings.LINK_KEYS]  # type: ignore[attr-defined]
    assert find_link(token) == link
    assert token_of(link) != token
    settings.LINK_KEYS = settings.LINK_KEYS[:1]  # type: ignore[attr-defined]
    assert find_link(token) is None


def test_a_revoked_link_opens_nothing_and_the_next_is_another(shop: Shop, khata: Khata, link: PayLink) -> None:
    token = token_of(link)
    revoke_link(link=link, actor=None)
    revoke_link(link=link, actor=None)
    assert find_link(token) is None
    assert AuditEvent.objects.for_shop(shop).filter(action="link.revoked").count() == 1
    again = make_link(shop=shop, khata=khata, actor=None)
    assert again != link
    assert find_link(token_of(again)) == again


def test_a_rotated_link_has_another_address(link: PayLink) -> None:
    old = token_of(link)
    rotated = rotate_link(link=link, actor=None)
    assert find_link(old) is None
    assert find_link(token_of(rotated)) == rotated == link


def test_a_link_of_its_own_ends_on_its_day(shop: Shop, khata: Khata) -> None:
    soon = clock.now() + dt.timedelta(days=2)
    link = make_link(shop=shop, khata=khata, actor=None, amount_paise=70_00, expires_at=soon)
    assert make_link(shop=shop, khata=khata, actor=None, amount_paise=70_00, expires_at=soon) == link
    assert find_link(token_of(link)) == link
    with time_machine.travel(soon, tick=False):
        assert find_link(token_of(link)) is None


@pytest.mark.parametrize("amount", [0, -1, 10**15])
def test_a_link_for_an_amount_that_cannot_be_is_refused(shop: Shop, khata: Khata, amount: int) -> None:
    with pytest.raises(LinkError):
        make_link(shop=shop, khata=khata, actor=None, amount_paise=amount)


def test_a_link_that_would_be_over_already_is_refused(shop: Shop, khata: Khata) -> None:
    with pytest.raises(LinkError):
        make_link(shop=shop, khata=khata, actor=None, expires_at=clock.now())


def test_links_of_one_khata_are_bounded(shop: Shop, khata: Khata) -> None:
    for amount in range(1, MAX_OPEN_LINKS + 2):
        make_link(shop=shop, khata=khata, actor=None, amount_paise=amount)
    with pytest.raises(LinkError):
        make_link(shop=shop, khata=khata, actor=None, amount_paise=999)
    assert make_link(shop=shop, khata=khata, actor=None).is_standing


def test_a_link_of_another_shops_khata_is_not_found_under_this_shop(link: PayLink) -> None:
    other = make_shop(make_user("Dev"), "Dev Medicals")
    make_link(shop=other, khata=make_khata(other), actor=None)
    assert PayLink.objects.for_shop(other).filter(pk=link.pk).first() is None


def test_an_ended_link_gets_no_other_address(link: PayLink) -> None:
    nonce = bytes(link.nonce)
    revoke_link(link=link, actor=None)
    assert bytes(rotate_link(link=link, actor=None).nonce) == nonce
    assert not AuditEvent.objects.for_shop(link.shop_id).filter(action="link.rotated").exists()


def test_links_that_ended_by_themselves_make_room_for_others(shop: Shop, khata: Khata) -> None:
    soon = clock.now() + dt.timedelta(days=1)
    for amount in range(1, MAX_OPEN_LINKS + 2):
        make_link(shop=shop, khata=khata, actor=None, amount_paise=amount, expires_at=soon)
    with time_machine.travel(soon, tick=False):
        assert make_link(shop=shop, khata=khata, actor=None, amount_paise=999).amount_paise == 999
