"""Posting, reversing, terms: what the book takes, what it refuses, what it does twice (nothing)."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError

from core.limits import MAX_AMOUNT_PAISE, MAX_KEY_CHARS, MAX_NOTE_CHARS
from ledger import services as ledger
from ledger.models import Direction, Entry, Khata, Kind, Source
from ledger.services import AlreadyReversed, KeyReused, LedgerError, OverLimit
from parties.models import Party, PartyKind
from shops.models import AuditEvent, Shop
from tests import oracle
from tests.cast import Cast, make_khata, make_shop, make_user, post

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 11, 20)
NOON = dt.datetime(2026, 11, 20, 6, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _on_one_day() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


def test_goods_on_credit_raise_the_balance_and_a_payment_lowers_it(khata: Khata) -> None:
    assert post(khata, 500_00).balance_paise == 500_00
    posting = post(khata, 200_00, Direction.GOT)
    assert posting.balance_paise == 300_00
    assert posting.entry.signed_paise == -200_00
    assert not posting.is_replay
    assert not posting.is_over_limit
    lines = oracle.check(khata.pk)
    assert [line.kind for line in lines] == [Kind.SALE, Kind.PAYMENT]
    assert lines[1].pk == posting.entry.pk
    assert bytes(lines[1].digest) == posting.entry.digest


def test_the_entry_returned_is_the_entry_stored(khata: Khata, shop: Shop) -> None:
    user = make_user()
    posting = post(khata, 12_34, note="  चावल 5kg ", items=[{"name": "rice", "qty": 5}], actor=user)
    stored = Entry.everything.get(pk=posting.entry.pk)
    for field in ("position", "direction", "amount_paise", "occurred_on", "due_on", "note", "items", "created_at"):
        assert getattr(stored, field) == getattr(posting.entry, field), field
    assert stored.note == "चावल 5kg"
    assert stored.created_by == user
    assert stored.source == Source.SCREEN
    assert str(stored) == "gave 1234 paise at 1"
    oracle.check(khata.pk)


def test_more_paid_than_owed_is_an_advance_that_nobody_is_asked_for(khata: Khata) -> None:
    post(khata, 100_00)
    assert post(khata, 150_00, Direction.GOT).balance_paise == -50_00
    khata.refresh_from_db()
    assert khata.oldest_due_on is None
    assert post(khata, 50_00).balance_paise == 0
    oracle.check(khata.pk)


# --- the same key ----------------------------------------------------------------------------


def test_a_form_sent_four_times_posts_once(khata: Khata) -> None:
    first = post(khata, 100_00, key="form-1", note="rice")
    for _ in range(3):
        again = post(khata, 100_00, key="form-1", note=" rice ")
        assert again.is_replay
        assert again.entry.pk == first.entry.pk
        assert again.balance_paise == 100_00
    assert len(oracle.check(khata.pk)) == 1


def test_a_replay_says_where_the_khata_stands_now(khata: Khata) -> None:
    post(khata, 100_00, key="form-1")
    post(khata, 50_00)
    assert post(khata, 100_00, key="form-1").balance_paise == 150_00


@pytest.mark.parametrize(
    "other",
    [
        {"amount_paise": 101_00},
        {"direction": Direction.GOT, "kind": Kind.OPENING},
        {"kind": Kind.FEE},
        {"note": "sugar"},
        {"items": [{"name": "sugar"}]},
        {"occurred_on": DAY - dt.timedelta(days=1)},
        {"due_on": DAY},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_same_key_with_other_content_is_refused_and_nothing_is_written(
    khata: Khata, other: dict[str, Any]
) -> None:
    content = {"amount_paise": 100_00, "kind": Kind.SALE, "note": "rice", "key": "form-1"}
    post(khata, **content)
    with pytest.raises(KeyReused):
        post(khata, **content | other)
    assert len(oracle.check(khata.pk)) == 1


def test_the_same_key_on_another_khata_is_refused(khata: Khata, shop: Shop) -> None:
    other = make_khata(shop, "Suresh")
    post(khata, key="form-1")
    with pytest.raises(KeyReused):
        post(other, key="form-1")
    assert oracle.check(other.pk) == []


def test_two_shops_may_use_the_same_key(khata: Khata) -> None:
    other = make_khata(make_shop())
    post(khata, key="form-1")
    assert not post(other, key="form-1").is_replay


def test_a_replay_after_midnight_is_still_the_same_entry(khata: Khata) -> None:
    first = post(khata, key="form-1")
    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        again = post(khata, key="form-1")
    assert again.is_replay
    assert again.entry.occurred_on == first.entry.occurred_on == DAY


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_paise": 0},
        {"amount_paise": -1},
        {"amount_paise": MAX_AMOUNT_PAISE + 1},
        {"amount_paise": 1.5},
        {"amount_paise": True},
        {"direction": "lent", "kind": "sale"},
        {"kind": "gift"},
        {"occurred_on": DAY + dt.timedelta(days=1)},
        {"occurred_on": dt.date(1989, 12, 31)},
        {"due_on": dt.date(1, 1, 1)},
        {"due_on": dt.date(9999, 12, 31)},
        {"due_on": DAY - dt.timedelta(days=1)},
        {"due_on": DAY + dt.timedelta(days=3661)},
        {"kind": "opening", "due_on": dt.date(1989, 12, 31)},
        {"note": "x" * (MAX_NOTE_CHARS + 1)},
        {"note": "rice\0oil"},
        {"key": ""},
        {"key": "k" * (MAX_KEY_CHARS + 1)},
        {"source": "telepathy"},
    ],
    ids=str,
)
def test_what_the_book_does_not_take_is_refused_and_nothing_is_written(
    khata: Khata, wrong: dict[str, Any]
) -> None:
    with pytest.raises(LedgerError) as refused:
        post(khata, **wrong)
    assert str(refused.value)
    assert oracle.check(khata.pk) == []


def test_a_date_too_far_back_is_not_called_future(khata: Khata) -> None:
    with pytest.raises(LedgerError) as refused:
        post(khata, occurred_on=dt.date(1989, 12, 31))
    assert "future" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "only"),
    [
        (Kind.SALE, Direction.GAVE),
        (Kind.ORDER, Direction.GAVE),
        (Kind.FEE, Direction.GAVE),
        (Kind.PURCHASE, Direction.GOT),
    ],
)
def test_a_kind_that_goes_one_way_does_not_go_the_other(khata: Khata, kind: Kind, only: Direction) -> None:
    post(khata, direction=only, kind=kind)
    with pytest.raises(LedgerError):
        post(khata, direction=ledger.OPPOSITE[only], kind=kind)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    "kind", [Kind.PAYMENT, Kind.OPENING, Kind.DISCOUNT, Kind.RETURN, Kind.WRITE_OFF, Kind.REFUND]
)
def test_the_other_kinds_go_either_way(khata: Khata, kind: Kind, direction: Direction) -> None:
    post(khata, direction=direction, kind=kind)
    oracle.check(khata.pk)


def test_another_shops_khata_is_refused(khata: Khata, cast: Cast) -> None:
    with pytest.raises(LedgerError):
        post(khata, shop=cast.other_shop)
    assert oracle.check(khata.pk) == []


def test_the_largest_amount_is_taken(khata: Khata) -> None:
    assert post(khata, MAX_AMOUNT_PAISE).balance_paise == MAX_AMOUNT_PAISE


# --- words of the trade ----------------------------------------------------------------------


def test_the_words_follow_the_party() -> None:
    assert ledger.default_kind(Direction.GAVE, PartyKind.CUSTOMER) == Kind.SALE
    assert ledger.default_kind(Direction.GOT, PartyKind.CUSTOMER) == Kind.PAYMENT
    assert ledger.default_kind(Direction.GOT, PartyKind.SUPPLIER) == Kind.PURCHASE
    assert ledger.default_kind(Direction.GAVE, PartyKind.SUPPLIER) == Kind.PAYMENT


def test_a_suppliers_goods_are_got_and_paying_him_is_gave(shop: Shop) -> None:
    khata = make_khata(shop, "Gupta Traders", kind=PartyKind.SUPPLIER)
    assert post(khata, 900_00, Direction.GOT, kind=Kind.PURCHASE).balance_paise == -900_00
    assert post(khata, 400_00, Direction.GAVE, kind=Kind.PAYMENT).balance_paise == -500_00
    khata.refresh_from_db()
    assert khata.oldest_due_on is None
    oracle.check(khata.pk)


# --- dates -----------------------------------------------------------------------------------


def test_the_due_date_is_the_khatas_days_else_the_shops(shop: Shop) -> None:
    shop.credit_days = 30
    usual, quick = make_khata(shop, "Usual"), make_khata(shop, "Quick", credit_days=0)
    assert post(usual, shop=shop).entry.due_on == DAY + dt.timedelta(days=30)
    assert post(quick, shop=shop).entry.due_on == DAY
    assert post(usual, shop=shop, due_on=DAY + dt.timedelta(days=3)).entry.due_on == DAY + dt.timedelta(days=3)
    assert post(usual, 1, Direction.GOT, due_on=DAY).entry.due_on is None  # a payment is never due


def test_a_named_due_date_lies_between_the_entry_and_ten_years_after_it(khata: Khata) -> None:
    for days in (0, 3660):
        assert post(khata, due_on=DAY + dt.timedelta(days=days)).entry.due_on == DAY + dt.timedelta(days=days)
    assert post(khata, direction=Direction.GOT, due_on=dt.date(1, 1, 1)).entry.due_on is None  # it is not asked
    oracle.check(khata.pk)


def test_an_opening_may_have_been_due_before_the_book_began(khata: Khata) -> None:
    late = DAY - dt.timedelta(days=200)
    assert post(khata, kind=Kind.OPENING, due_on=late).entry.due_on == late
    khata.refresh_from_db()
    assert khata.oldest_due_on == late
    oracle.check(khata.pk)


def test_a_replay_may_leave_the_due_date_to_us(khata: Khata) -> None:
    first = post(khata, key="form-1", due_on=DAY + dt.timedelta(days=3))
    again = post(khata, key="form-1")
    assert again.is_replay
    assert again.entry.due_on == first.entry.due_on


def test_an_entry_of_an_earlier_day_counts_from_its_own_day(khata: Khata) -> None:
    post(khata, 100_00)
    khata.refresh_from_db()
    assert khata.oldest_due_on == DAY + dt.timedelta(days=30)
    earlier = DAY - dt.timedelta(days=50)
    post(khata, 100_00, occurred_on=earlier)
    khata.refresh_from_db()
    assert khata.oldest_due_on == earlier + dt.timedelta(days=30)
    assert khata.latest_on == DAY
    oracle.check(khata.pk)


def test_a_payment_dated_back_pays_the_oldest_like_any_other(khata: Khata) -> None:
    post(khata, 100_00, occurred_on=DAY - dt.timedelta(days=40))
    post(khata, 100_00)
    post(khata, 100_00, Direction.GOT, occurred_on=DAY - dt.timedelta(days=60))
    khata.refresh_from_db()
    assert khata.oldest_due_on == DAY + dt.timedelta(days=30)
    oracle.check(khata.pk)


def test_a_gave_dated_back_under_an_advance_leaves_the_newest_unpaid(khata: Khata) -> None:
    post(khata, 150_00, Direction.GOT)
    post(khata, 100_00)
    post(khata, 100_00, occurred_on=DAY - dt.timedelta(days=10))
    lines = oracle.check(khata.pk)
    assert oracle.unpaid_of(lines) == [(2, DAY + dt.timedelta(days=30), 50_00)]


def test_the_business_day_is_the_shops_own(khata: Khata) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 20, 18, 45, tzinfo=dt.UTC), tick=False):
        assert post(khata).entry.occurred_on == dt.date(2026, 11, 21)


def test_a_restore_keeps_the_instant_it_was_first_recorded(khata: Khata) -> None:
    then = dt.datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=dt.UTC)
    posting = post(khata, recorded_at=then, occurred_on=dt.date(2026, 3, 1))
    assert Entry.everything.get(pk=posting.entry.pk).created_at == then
    oracle.check(khata.pk)


# --- limits ----------------------------------------------------------------------------------


def test_over_the_limit_the_shop_is_warned_and_the_entry_stands(shop: Shop) -> None:
    khata = make_khata(shop, credit_limit_paise=100_00)
    assert not post(khata, 100_00).is_over_limit  # up to it is within it
    posting = post(khata, 1)
    assert posting.is_over_limit
    assert posting.balance_paise == 100_01
    assert not post(khata, 1, Direction.GOT).is_over_limit


def test_a_shop_that_blocks_refuses_and_nothing_is_written() -> None:
    khata = make_khata(make_shop(blocks_over_limit=True), credit_limit_paise=100_00)
    with pytest.raises(OverLimit) as refused:
        post(khata, 100_01, key="form-1", override_reason="   ")
    assert refused.value.limit_paise == 100_00
    assert refused.value.would_be_paise == 100_01
    assert "₹100.01" in str(refused.value)
    assert oracle.check(khata.pk) == []
    assert post(khata, 100_00, key="form-1").balance_paise == 100_00  # the key is still free


def test_a_payment_is_never_blocked() -> None:
    khata = make_khata(make_shop(blocks_over_limit=True), credit_limit_paise=0, opening_paise=500_00)
    assert post(khata, 100_00, Direction.GOT).balance_paise == 400_00


def test_the_owner_may_pass_the_limit_with_a_reason_and_it_is_audited() -> None:
    owner = make_user()
    shop = make_shop(owner, blocks_over_limit=True)
    khata = make_khata(shop, credit_limit_paise=100_00)
    posting = post(khata, 150_00, override_reason=" wedding ", actor=owner, key="form-1")
    assert posting.is_over_limit
    event = AuditEvent.objects.for_shop(shop).get(action="khata.limit_overridden")
    assert event.actor == owner
    assert event.after == {"balance_paise": 150_00, "reason": "wedding"}
    assert post(khata, 150_00, override_reason="wedding", actor=owner, key="form-1").is_replay
    assert AuditEvent.objects.for_shop(shop).filter(action="khata.limit_overridden").count() == 1


def test_imports_may_pass_a_blocking_limit() -> None:
    khata = make_khata(make_shop(blocks_over_limit=True), credit_limit_paise=0)
    assert post(khata, 100_00, enforce_limit=False).is_over_limit


# --- reversal --------------------------------------------------------------------------------


def reverse(posting: ledger.Posting, **fields: Any) -> ledger.Posting:
    shop = Shop.objects.get(pk=posting.entry.shop_id)
    return ledger.reverse_entry(shop=shop, entry=posting.entry, actor=None, **fields)


def test_a_reversal_brings_back_the_balance_and_both_lines_stay(khata: Khata) -> None:
    post(khata, 100_00)
    wrong = post(khata, 700_00, occurred_on=DAY - dt.timedelta(days=5), kind=Kind.FEE)
    undone = reverse(wrong, reason=" typed 700 for 70 ")
    assert undone.balance_paise == 100_00
    assert undone.entry.direction == Direction.GOT
    assert undone.entry.kind == Kind.FEE
    assert undone.entry.occurred_on == wrong.entry.occurred_on  # statements read as if it had not been
    assert undone.entry.note == "typed 700 for 70"
    assert undone.entry.reverses_id == wrong.entry.pk
    assert len(oracle.check(khata.pk)) == 3


def test_a_reversed_payment_makes_the_old_due_old_again(khata: Khata) -> None:
    old = DAY - dt.timedelta(days=90)
    post(khata, 100_00, occurred_on=old)
    paid = post(khata, 100_00, Direction.GOT)
    post(khata, 50_00)
    reverse(paid)
    khata.refresh_from_db()
    assert khata.oldest_due_on == old + dt.timedelta(days=30)
    oracle.check(khata.pk)


def test_an_entry_is_reversed_once(khata: Khata) -> None:
    wrong = post(khata, 100_00)
    reverse(wrong)
    with pytest.raises(AlreadyReversed):
        reverse(wrong)
    with pytest.raises(AlreadyReversed):
        reverse(wrong, key="another-form")
    assert len(oracle.check(khata.pk)) == 2


def test_a_reversal_sent_twice_by_one_form_is_done_once_and_both_are_told_so(khata: Khata) -> None:
    wrong = post(khata, 100_00)
    first = reverse(wrong, key="form-1")
    again = reverse(wrong, key="form-1")
    assert again.is_replay
    assert again.entry.pk == first.entry.pk
    assert again.balance_paise == 0
    assert len(oracle.check(khata.pk)) == 2


def test_a_reversal_under_the_key_of_another_entry_is_refused(khata: Khata) -> None:
    wrong, other = post(khata, 100_00, key="form-1"), post(khata, 50_00, key="form-2")
    with pytest.raises(KeyReused):
        reverse(wrong, key="form-2")
    reverse(other, key="form-3")
    with pytest.raises(KeyReused):
        reverse(wrong, key="form-3")
    assert len(oracle.check(khata.pk)) == 3


def test_a_reversal_is_not_reversed(khata: Khata) -> None:
    undone = reverse(post(khata, 100_00))
    with pytest.raises(LedgerError):
        reverse(undone)
    assert len(oracle.check(khata.pk)) == 2


def test_another_shops_entry_is_not_found(khata: Khata, cast: Cast) -> None:
    posting = post(khata, 100_00)
    with pytest.raises(Entry.DoesNotExist):
        ledger.reverse_entry(shop=cast.other_shop, entry=posting.entry, actor=cast.dev)
    assert len(oracle.check(khata.pk)) == 1


def test_a_reversal_passes_any_limit() -> None:
    khata = make_khata(make_shop(blocks_over_limit=True), credit_limit_paise=0)
    paid = post(khata, 100_00, Direction.GOT)
    post(khata, 100_00)
    assert reverse(paid).balance_paise == 100_00


# --- new khatas and terms --------------------------------------------------------------------


def test_a_new_khata_stands_with_its_opening_due(shop: Shop) -> None:
    actor = make_user()
    khata = ledger.new_khata(
        shop=shop, actor=actor, name=" Ramesh  Kumar ", opening_paise=500_00, opening_on=DAY - dt.timedelta(days=9)
    )
    assert khata.balance_paise == 500_00
    (line,) = oracle.check(khata.pk)
    assert (line.kind, line.direction, line.occurred_on) == (Kind.OPENING, Direction.GAVE, DAY - dt.timedelta(9))
    assert khata.party.name == "Ramesh Kumar"
    assert str(khata) == f"khata of {khata.party_id}"


def test_an_opening_may_be_an_advance_and_is_not_blocked() -> None:
    shop = make_shop(blocks_over_limit=True)
    assert make_khata(shop, opening_paise=-70_00).balance_paise == -70_00
    assert make_khata(shop, opening_paise=70_00, credit_limit_paise=0).balance_paise == 70_00


def test_the_form_of_a_new_khata_sent_twice_makes_one(shop: Shop) -> None:
    first = make_khata(shop, key="form-1", opening_paise=100_00)
    again = make_khata(shop, key="form-1", opening_paise=100_00)
    assert again.pk == first.pk
    assert Party.objects.for_shop(shop).count() == 1
    assert len(oracle.check(first.pk)) == 1


def test_a_new_khata_with_a_bad_opening_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(LedgerError):
        make_khata(shop, opening_paise=100_00, opening_on=DAY + dt.timedelta(days=1))
    assert not Party.objects.for_shop(shop).exists()
    assert not Khata.objects.for_shop(shop).exists()


def test_terms_change_and_are_audited_once(khata: Khata, shop: Shop) -> None:
    changes = {"credit_limit_paise": 500_00, "collect_on": DAY, "credit_days": None}
    changed = ledger.set_terms(khata=khata, actor=None, changes=changes)
    assert (changed.credit_limit_paise, changed.collect_on) == (500_00, DAY)
    ledger.set_terms(khata=khata, actor=None, changes=changes)
    event = AuditEvent.objects.for_shop(shop).get(action="khata.terms_changed")
    assert event.before == {"credit_limit_paise": None, "collect_on": None}
    assert event.after == {"credit_limit_paise": 500_00, "collect_on": "2026-11-20"}


def test_the_balance_is_no_term(khata: Khata) -> None:
    with pytest.raises(LedgerError):
        ledger.set_terms(khata=khata, actor=None, changes={"balance_paise": 0})


def test_a_refusal_that_no_key_explains_is_told_in_words(khata: Khata, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise IntegrityError("a constraint of tomorrow")

    monkeypatch.setattr(ledger.post, "append", refuse)
    with pytest.raises(LedgerError, match="Nothing was written"):
        post(khata)
    assert oracle.check(khata.pk) == []
