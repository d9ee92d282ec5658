"""Histories nobody would think of: whatever happens to a khata, in any order, the book adds up.

Hypothesis picks entries (dated back too), reversals, replays, batches, files imported once and again,
webhooks in any order, refunds, claims of the same money, terms and days that pass. After each step
everything of tests/oracle.py holds: balance, positions, chain, oldest due day.
"""

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.money import plain_rupees
from ledger import services as ledger
from ledger.importing.apply import read_book, write_book
from ledger.models import Direction, Entry, Kind
from payments import services as payments
from payments.models import Checkout, Claim, Payment, ProviderEvent
from tests import oracle
from tests.cast import make_khata, make_shop, make_user, unique
from tests.payments.making import event_body

AMOUNTS = st.integers(min_value=1, max_value=5_000_00)
AGO = st.integers(min_value=0, max_value=120)
DIRECTIONS = st.sampled_from(Direction.values)
NUMBERS = st.integers(min_value=0, max_value=10_000)
# Few amounts and few references, so that a payment and a claim often mean the same money.
PAID = st.sampled_from([100_00, 250_00])
UTRS = st.sampled_from(["412355678811", "412355678812", "412355678813"])
STATUSES = {"failed": 0, "authorized": 1, "captured": 2, "refunded": 3}  # the gateway's word, our rank
ROWS = st.lists(st.tuples(DIRECTIONS, AMOUNTS, AGO, st.sampled_from("ab")), min_size=1, max_size=4)


@dataclass
class Paying:
    """What should be true of one checkout's payment. ``utr``: what its captured events say."""

    checkout: Checkout
    utr: str
    rank: int = -1
    reference: str = ""
    stands: bool = False


@dataclass
class Told:
    """A stored event: its row, and what it says."""

    pk: int
    paying: Paying
    rank: int


def row_of(day: dt.date, direction: str, amount_paise: int, note: str) -> str:
    """A line of a book as other apps export it."""
    rupees = plain_rupees(amount_paise)
    gave, got = (rupees, "") if direction == "gave" else ("", rupees)
    return f"Ramesh,{day.isoformat()},{note},{gave},{got}"


class Histories(RuleBasedStateMachine):
    """One shop with one khata, and a model of what should stand in it: amounts by key."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(dt.datetime(2026, 3, 1, 6, 30, tzinfo=dt.UTC), tick=False)
        self.traveller = self.clock.start()
        self.owner = make_user()
        self.shop = make_shop(self.owner)
        self.khata = make_khata(self.shop)
        self.account = payments.ensure_sandbox(self.shop)
        self.link = payments.make_link(shop=self.shop, khata=self.khata, actor=None)
        self.posted: list[dict[str, Any]] = []  # what was asked for, and stands
        self.wanted_paise = 0
        self.wanted_lines = 0
        self.reversed: set[int] = set()
        self.folder = tempfile.TemporaryDirectory()
        self.files: list[list[str]] = []  # the lines of each imported file
        self.payings: dict[int, Paying] = {}  # by checkout
        self.waiting: list[Told] = []  # stored and not acted upon
        self.stuck: list[Told] = []
        self.claims: dict[str, Claim] = {}  # the newest by UTR

    def teardown(self) -> None:
        self.clock.stop()
        self.folder.cleanup()

    def _stands(self, signed_paise: int, lines: int = 1) -> None:
        self.wanted_paise += signed_paise
        self.wanted_lines += lines

    def _day(self, ago: int) -> dt.date:
        return self.shop.today() - dt.timedelta(days=ago)

    @rule(direction=DIRECTIONS, amount_paise=AMOUNTS, ago=AGO, days=st.none() | st.integers(0, 90))
    def post(self, direction: str, amount_paise: int, ago: int, days: int | None) -> None:
        day = self._day(ago)
        content = {
            "direction": direction,
            "amount_paise": amount_paise,
            "kind": ledger.default_kind(direction, "customer"),
            "occurred_on": day,
            "due_on": None if days is None else day + dt.timedelta(days=days),
            "key": unique("history"),
        }
        limit, blocks = self.khata.credit_limit_paise, self.shop.blocks_over_limit
        after = self.wanted_paise + (amount_paise if direction == "gave" else -amount_paise)
        is_over = limit is not None and direction == "gave" and after > limit
        try:
            posting = ledger.post_entry(shop=self.shop, khata=self.khata, actor=None, **content)
        except ledger.OverLimit:
            assert is_over
            assert blocks
            return
        assert posting.balance_paise == after
        assert posting.is_over_limit == is_over
        assert not (is_over and blocks)
        self.posted.append(content)
        self._stands(after - self.wanted_paise)

    @precondition(lambda self: self.posted)
    @rule(which=NUMBERS, change=st.sampled_from([{}, {"amount_paise": 1}, {"note": "x"}, {"occurred_on": None}]))
    def replay(self, which: int, change: dict[str, Any]) -> None:
        first = self.posted[which % len(self.posted)]
        content = first | change
        same = "note" not in change and content["amount_paise"] == first["amount_paise"]
        if content["occurred_on"] is None:
            content["due_on"] = None
        try:
            posting = ledger.post_entry(
                shop=self.shop, khata=self.khata, actor=None, enforce_limit=False, **content
            )
        except ledger.Undone:
            undone = Entry.everything.get(shop=self.shop, key=first["key"])
            assert same and undone.pk in self.reversed
            return
        except ledger.KeyReused:
            assert not same
            return
        assert same
        assert posting.is_replay
        assert posting.balance_paise == self.wanted_paise

    @rule(drafts=st.lists(st.tuples(DIRECTIONS, AMOUNTS, AGO), min_size=1, max_size=4), twice=st.booleans())
    def post_a_batch(self, drafts: list[tuple[str, int, int]], twice: bool) -> None:
        batch = [
            ledger.Draft(
                khata_id=self.khata.pk,
                direction=direction,
                amount_paise=amount_paise,
                kind=Kind.OPENING,
                key=unique("batch"),
                occurred_on=self._day(ago),
            )
            for direction, amount_paise, ago in drafts
        ]
        assert ledger.post_many(shop=self.shop, drafts=batch, actor=None) == len(batch)
        if twice:
            assert ledger.post_many(shop=self.shop, drafts=batch, actor=None) == 0
        for draft in batch:
            self._stands(draft.amount_paise if draft.direction == "gave" else -draft.amount_paise)

    def _import(self, lines: list[str]) -> int:
        path = Path(self.folder.name) / "book.csv"
        path.write_text("\n".join(["Name,Date,Details,You Gave,You Got", *lines]))
        plan, report = read_book(path, shop=self.shop)
        assert not report.problems
        assert report.known_parties == 1
        *_growing, written = write_book(plan, shop=self.shop, actor=None)
        assert written.new_entries == report.new_entries
        return written.new_entries

    def _lines(self, rows: list[tuple[str, int, int, str]], name: str) -> list[str]:
        for direction, amount_paise, _ago, _note in rows:
            self._stands(amount_paise if direction == "gave" else -amount_paise)
        return [row_of(self._day(ago), direction, paise, name + note) for direction, paise, ago, note in rows]

    @rule(rows=ROWS, repeats_a_line=st.booleans())
    def bring_in_a_file(self, rows: list[tuple[str, int, int, str]], repeats_a_line: bool) -> None:
        """Two equal lines of one file are two entries."""
        rows += rows[:1] * repeats_a_line
        self.files.append(self._lines(rows, unique("file")))
        assert self._import(self.files[-1]) == len(rows)

    @precondition(lambda self: self.files)
    @rule(which=NUMBERS, rows=st.just([]) | ROWS)
    def bring_in_a_file_again(self, which: int, rows: list[tuple[str, int, int, str]]) -> None:
        """The same file, or a later export that has grown: only what is new is written."""
        lines = self.files[which % len(self.files)]
        lines += self._lines(rows, unique("later"))
        assert self._import(lines) == len(rows)

    @precondition(lambda self: self.wanted_lines)
    @rule(which=NUMBERS, key=st.sampled_from(["", "own"]))
    def reverse(self, which: int, key: str) -> None:
        entry = Entry.everything.get(khata=self.khata, position=which % self.wanted_lines + 1)
        key = key and f"undo-{entry.pk}"
        try:
            posting = ledger.reverse_entry(shop=self.shop, entry=entry, actor=None, key=key)
        except ledger.AlreadyReversed:
            assert entry.pk in self.reversed
            return
        except ledger.LedgerError:
            assert entry.reverses_id is not None
            return
        if posting.is_replay:
            assert entry.pk in self.reversed
            return
        assert entry.pk not in self.reversed
        self.reversed.add(entry.pk)
        self._stands(-entry.signed_paise)
        assert posting.balance_paise == self.wanted_paise

    @rule(amount_paise=PAID, utr=UTRS | st.just("") | st.just("own"))
    def customer_opens_a_checkout(self, amount_paise: int, utr: str) -> None:
        checkout = payments.open_checkout(link=self.link, account=self.account, amount_paise=amount_paise)
        utr = f"5{checkout.pk:011d}" if utr == "own" else utr
        self.payings.setdefault(checkout.pk, Paying(checkout, utr))

    @precondition(lambda self: self.payings)
    @rule(which=NUMBERS, status=st.sampled_from(list(STATUSES)), later=st.booleans())
    def gateway_tells(self, which: int, status: str, later: bool) -> None:
        """Any state, any order: captured counts once, a refund takes it back once."""
        pk = sorted(self.payings)[which % len(self.payings)]
        paying = self.payings[pk]
        utr = paying.utr if STATUSES[status] >= 2 else ""
        event = self._store(event_body(paying.checkout, status, id=f"pay-{pk}", rrn=utr))
        self.waiting.append(Told(event.pk, paying, STATUSES[status]))
        if not later:
            self._act_on(self.waiting.pop())

    def _store(self, body: bytes) -> ProviderEvent:
        """Delivered twice, as gateways do: the second time changes nothing."""
        words: dict[str, Any] = {"account": self.account, "event_id": unique("evt"), "headers": {}}
        event, is_new = payments.store_event(raw_body=body, **words)
        assert is_new
        assert event is not None
        assert payments.store_event(raw_body=body, **words) == (None, False)
        return event

    @precondition(lambda self: self.waiting)
    @rule(which=NUMBERS)
    def worker_takes_up_an_event(self, which: int) -> None:
        self._act_on(self.waiting.pop(which % len(self.waiting)))

    @precondition(lambda self: self.stuck)
    @rule(which=NUMBERS)
    def a_person_has_a_stuck_event_tried_again(self, which: int) -> None:
        told = self.stuck.pop(which % len(self.stuck))
        event = ProviderEvent.everything.get(pk=told.pk)
        assert payments.release_event(event=event, actor=self.owner)
        self._act_on(told)

    @precondition(lambda self: self.payings)
    @rule(which=NUMBERS, changes=st.sampled_from([{"amount": 1}, {"order": "nobody's"}, {"currency": "USD"}]))
    def gateway_tells_what_cannot_be(self, which: int, changes: dict[str, Any]) -> None:
        pk = sorted(self.payings)[which % len(self.payings)]
        body = event_body(self.payings[pk].checkout, "captured", **{"id": f"pay-{pk}", "rrn": ""} | changes)
        assert payments.process_event(event_pk=self._store(body).pk) == "stuck"

    def _act_on(self, told: Told) -> None:
        wanted = self._outcome(told)
        for _ in range(2):  # the view and the tick may both come by
            assert payments.process_event(event_pk=told.pk) == wanted
        if wanted == "stuck":
            self.stuck.append(told)

    def _outcome(self, told: Told) -> str:
        """Move the model as this event should move the book."""
        paying = told.paying
        amount_paise, rank = paying.checkout.amount_paise, max(paying.rank, told.rank)
        reference = paying.reference or (paying.utr if told.rank >= STATUSES["captured"] else "")
        if told.rank == STATUSES["refunded"] > paying.rank and paying.stands and not self._lives(paying):
            return "stuck"  # its line was deleted by hand
        if rank >= STATUSES["captured"] and not paying.stands:
            claim = self.claims.get(reference)
            state = ("undone" if self._is_undone(claim) else claim.state) if claim else ""
            is_same = claim is not None and claim.amount_paise == amount_paise
            twin = self._has_arrived(reference) if reference else None
            if twin or (state == "confirmed" and not is_same):
                return "stuck"
            if state != "confirmed":
                self._stands(-amount_paise)
            if claim is not None and is_same and state in {"new", "undone"}:
                claim.state = "confirmed"
            paying.stands = True
        if told.rank == STATUSES["refunded"] > paying.rank:
            self._stands(amount_paise)
        paying.rank, paying.reference = rank, reference
        return "done"

    def _has_arrived(self, utr: str) -> Paying | None:
        arrived = (one for one in self.payings.values() if one.reference == utr and self._lives(one))
        return next(arrived, None)

    def _lives(self, paying: Paying) -> bool:
        """Whether the payment's line stands: nobody has deleted it."""
        entries = Payment.everything.filter(checkout=paying.checkout).values_list("entry", flat=True)
        return paying.stands and entries.get() not in self.reversed

    def _is_undone(self, claim: Claim) -> bool:
        entries = Claim.everything.filter(pk=claim.pk).values_list("entry", flat=True)
        return claim.state == "confirmed" and entries.get() in self.reversed

    @rule(amount_paise=PAID, utr=UTRS)
    def customer_says_paid(self, amount_paise: int, utr: str) -> None:
        """One reference counts once, however often it is told."""
        answer = payments.make_claim(link=self.link, amount_paise=amount_paise, utr=utr)
        known = self.claims.get(utr)
        if self._has_arrived(utr):
            assert answer.claim is None
        elif known is not None and known.state != "rejected" and not self._is_undone(known):
            assert (answer.claim, answer.is_new) == (known, False)
        else:
            assert answer.is_new
            assert answer.claim is not None
            self.claims[utr] = answer.claim

    @precondition(lambda self: self.claims)
    @rule(utr=UTRS, confirms=st.booleans())
    def owner_decides_on_a_claim(self, utr: str, confirms: bool) -> None:
        claim = self.claims.get(utr)
        if claim is None:
            return
        if confirms and self._is_undone(claim):  # it waits for a second word
            assert payments.confirm_claim(claim=claim, actor=self.owner).state == "new"
            claim.state = "new"
            return
        arrived = self._has_arrived(utr)
        refused = claim.state == ("rejected" if confirms else "confirmed")
        # The same money stands under another amount: a person has to look at it first.
        refused |= confirms and claim.state == "new" and arrived is not None
        decide = payments.confirm_claim if confirms else payments.reject_claim
        for _ in range(2):  # the second tap of a double tap
            try:
                decide(claim=claim, actor=self.owner)
            except payments.ClaimError:
                assert refused
            else:
                assert not refused
        if not refused and claim.state == "new":
            claim.state = "confirmed" if confirms else "rejected"
            self._stands(-claim.amount_paise * confirms, lines=int(confirms))

    @rule(limit=st.none() | st.integers(0, 2_000_00), days=st.none() | st.integers(0, 60), blocks=st.booleans())
    def terms_change(self, limit: int | None, days: int | None, blocks: bool) -> None:
        changes = {"credit_limit_paise": limit, "credit_days": days}
        self.khata = ledger.set_terms(khata=self.khata, actor=None, changes=changes)
        self.shop.blocks_over_limit = blocks

    @rule(days=st.integers(1, 40))
    def days_pass(self, days: int) -> None:
        self.traveller.shift(dt.timedelta(days=days))

    @invariant()
    def the_book_adds_up(self) -> None:
        lines = oracle.check(self.khata.pk)
        assert len(lines) == self.wanted_lines
        assert oracle.balance_of(lines) == self.wanted_paise


@pytest.mark.slow
@pytest.mark.django_db  # one transaction, rolled back: no history is kept
def test_the_book_adds_up_after_any_history() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Histories,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
