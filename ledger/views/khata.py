"""One khata: its page, its pulse, its entries, the keypad, reversal."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.crypto import SealBroken
from core.money import format_paise
from core.worker import nudge
from ledger import allocation, selectors
from ledger.forms import EntryForm, ask_once_more, new_key
from ledger.models import Direction, Entry, Khata
from ledger.services import (
    AlreadyReversed,
    KeyReused,
    LedgerError,
    OverLimit,
    Undone,
    default_kind,
    post_entry,
    reverse_entry,
)
from shops.access import Seat, door
from shops.models import Role

UNDO_S = 10


@require_safe
@door(Role.VIEWER)
def khata(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """The balance, what to do about it, and the entries by business date."""
    book = selectors.khata_by_code(seat.shop, party_code)
    show_reversed = request.GET.get("reversed") == "1"
    try:
        page = selectors.statement_page(book, request.GET.get("after", ""), show_reversed=show_reversed)
    except SealBroken:
        return redirect("ledger:khata", seat.shop.code, party_code)
    context = {"khata": book, "party": book.party, "page": page, "show_reversed": show_reversed}
    if request.htmx and request.GET.get("after"):  # type: ignore[attr-defined]
        return render(request, "ledger/khata.html#entries", context)
    today = seat.shop.today()
    buckets = allocation.ageing(book.pk, book.balance_paise, today, upto=book.entry_count)
    context |= {
        "bands": selectors.bands(buckets),
        "initials": selectors.initials(book.party.name),
        "is_over_limit": book.credit_limit_paise is not None and book.balance_paise > book.credit_limit_paise,
        "saved": _just_saved(seat, book, request.GET.get("saved", "")),
        "today": today,
    }
    return render(request, "ledger/khata.html", context)


def _just_saved(seat: Seat, book: Khata, position: str) -> selectors.EntryFacts | None:
    """The entry that can be undone: the person's own, at most ten seconds old (and a little grace)."""
    # No position has more digits than a 64-bit number, and of thousands int() makes none.
    if not position.isdecimal() or len(position) > 19 or not 1 <= int(position) <= book.entry_count:
        return None
    entry = selectors.entry_facts(book, int(position))
    age_s = (clock.now() - entry.created_at).total_seconds()
    is_own = entry.created_by_id == seat.user.pk
    return entry if is_own and not entry.is_reversed and age_s <= UNDO_S + 5 else None


@require_safe
@door(Role.VIEWER)
def pulse(request: HttpRequest, seat: Seat, party_code: str) -> HttpResponse:
    """How many entries the khata has: an open page asks every second and reloads when it grew."""
    book = selectors.khata_by_code(seat.shop, party_code)
    if request.GET.get("count") == str(book.entry_count):
        return HttpResponse(status=204)
    return HttpResponse(str(book.entry_count), content_type="text/plain")


@require_http_methods(["GET", "POST"])
@door(Role.CASHIER)
def entry(request: HttpRequest, seat: Seat, party_code: str, direction: str) -> HttpResponse:
    """The keypad. Enter saves; the same form sent twice is one entry."""
    book = selectors.khata_by_code(seat.shop, party_code)
    asked = {name: request.GET.get(name, "") for name in ("amount", "note")}  # from the quick line
    form = EntryForm(request.POST or None, initial=asked | {"key": new_key(), "occurred_on": seat.shop.today()})
    over = None
    if request.method == "POST" and form.is_valid():
        try:
            return _save(seat, book, direction, form.cleaned_data)
        except OverLimit as error:
            over = error
            form.add_error(None, str(error))
        except KeyReused as error:
            ask_once_more(form, error, hint=not isinstance(error, Undone))
        except LedgerError as error:
            form.add_error(None, str(error))
    context = {
        "khata": book,
        "party": book.party,
        "form": form,
        "direction": direction,
        "is_gave": direction == Direction.GAVE,
        "initials": selectors.initials(book.party.name),
        "asks_override": over is not None and seat.is_owner,
    }
    return render(request, "ledger/entry.html", context, status=422 if form.errors else 200)


def _save(seat: Seat, book: Khata, direction: str, data: dict[str, Any]) -> HttpResponse:
    posting = post_entry(
        shop=seat.shop,
        khata=book,
        actor=seat.user,
        direction=direction,
        amount_paise=data["amount"],
        kind=default_kind(direction, book.party.kind),
        note=data["note"],
        occurred_on=data["occurred_on"],
        due_on=data["due_on"],
        key=data["key"],
        override_reason=data["override_reason"] if seat.is_owner else "",
    )
    if direction == Direction.GOT or seat.shop.sends_entries:
        nudge(after_s=UNDO_S + 3)  # its message waits until it can no longer be undone
    address = reverse("ledger:khata", args=[seat.shop.code, book.party.code])
    return redirect(f"{address}?saved={posting.entry.position}")


@require_safe
@door(Role.VIEWER)
def entry_detail(request: HttpRequest, seat: Seat, party_code: str, position: int) -> HttpResponse:
    """Everything about one entry, and the way to reverse it."""
    book = selectors.khata_by_code(seat.shop, party_code)
    facts = selectors.entry_facts(book, position)
    row = Entry.objects.for_shop(seat.shop).select_related("reverses", "reversed_by").get(pk=facts.pk)
    context = {
        "khata": book,
        "party": book.party,
        "entry": facts,
        "row": row,
        "kind": row.get_kind_display(),
        "digest": bytes(row.digest).hex(),
        "may_reverse": selectors.may_reverse(seat, facts),
    }
    return render(request, "ledger/entry_detail.html", context)


@require_POST
@door(Role.CASHIER)
def reverse_(request: HttpRequest, seat: Seat, party_code: str, position: int) -> HttpResponse:
    """Undo or “delete”: the book gets the opposite entry. A cashier only their own of today."""
    book = selectors.khata_by_code(seat.shop, party_code)
    facts = selectors.entry_facts(book, position)
    address = redirect("ledger:khata", seat.shop.code, party_code)
    if not facts.is_reversed and not selectors.may_reverse(seat, facts):
        messages.error(request, _("Only a manager can delete this entry. Nothing was changed."))
        return address
    row = Entry.objects.for_shop(seat.shop).get(pk=facts.pk)
    try:
        reason = request.POST.get("reason", "").replace("\0", "")  # PostgreSQL keeps no NUL
        posting = reverse_entry(shop=seat.shop, entry=row, actor=seat.user, reason=reason)
    except AlreadyReversed as error:
        messages.info(request, str(error))
    except LedgerError as error:
        messages.error(request, str(error))
    else:
        text = _("Deleted: %(amount)s. The balance is %(balance)s.")
        values = {"amount": format_paise(facts.amount_paise), "balance": format_paise(posting.balance_paise)}
        messages.success(request, text % values)
    return address
