"""The whole book of a shop as text, in pieces: hledger journal, CSV, JSON. Bounded memory.

Each khata comes out whole and summing up to its balance, whatever others post meanwhile (see
ledger/walk.py).
"""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from core.money import plain_rupees
from ledger.models import Entry, Khata, Kind
from ledger.walk import khatas_with_entries
from shops.models import Shop

FORMATS = ("hledger", "csv", "json")
CSV_HEADERS = (
    "Party code", "Name", "Phone", "Position", "Date", "Direction", "Amount", "Kind", "Due date", "Note",
    "Balance after", "Source", "Recorded at", "Reverses position",
)  # fmt: skip
# The other side of each entry in the journal, so that it also works as a book of its own.
_CONTRA = {
    Kind.SALE: "income:sales",
    Kind.ORDER: "income:sales",
    Kind.FEE: "income:fees",
    Kind.PAYMENT: "assets:money",
    Kind.REFUND: "assets:money",
    Kind.PURCHASE: "expenses:purchases",
    Kind.RETURN: "income:returns",
    Kind.DISCOUNT: "expenses:discounts",
    Kind.WRITE_OFF: "expenses:written off",
    Kind.OPENING: "equity:opening balances",
}


def export_book(shop: Shop, form: str) -> Iterator[str]:
    """The book of ``shop`` as one of FORMATS, in pieces of text to write one after another."""
    pieces: dict[str, Callable[[Shop], Iterator[str]]] = {"hledger": _hledger, "csv": _csv, "json": _json}
    return pieces[form](shop)


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: ``=1+1`` becomes ``'=1+1``."""
    return f"'{cell}" if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


def account_name(code: str, name: str) -> str:
    """The party's account in the journal; the code makes it unique, the name makes it readable."""
    return f"receivable:{code} {_safe(name)}".rstrip()


def _hledger(shop: Shop) -> Iterator[str]:
    yield f"; {_safe(shop.name)} ({shop.code}): a positive receivable is what the party owes\n"
    yield "commodity INR 1000.00\n\n"
    for khata, entries in khatas_with_entries(Khata.objects.for_shop(shop)):
        account = account_name(khata.party.code, khata.party.name)
        yield f"account {account}\n\n"
        for entry in entries:
            due = f", due:{entry.due_on}" if entry.due_on else ""
            reverses = f", reverses:{entry.reverses.position}" if entry.reverses else ""
            said = f"{entry.kind} {_safe(entry.note)}".rstrip()
            yield (
                f"{entry.occurred_on} * ({khata.party.code}/{entry.position}) {said}"
                f"  ; source:{entry.source}{due}{reverses}\n"
                f"    {account}  {_inr(entry.signed_paise)}\n"
                f"    {_CONTRA[Kind(entry.kind)]}  {_inr(-entry.signed_paise)}\n\n"
            )


def _inr(paise: int) -> str:
    return f"INR {plain_rupees(paise)}"


def _safe(text: str) -> str:
    """Text that ends no line, opens no comment, account or tag, and holds no double space."""
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Zs", "Cs") else char for char in text)
    for char, instead in ((":", "-"), (";", ","), ("|", "/")):
        plain = plain.replace(char, instead)
    return " ".join(plain.split())


def _csv(shop: Shop) -> Iterator[str]:
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(CSV_HEADERS)
    for khata, entries in khatas_with_entries(Khata.objects.for_shop(shop)):
        party, balance = khata.party, 0
        for entry in entries:
            balance += entry.signed_paise
            writer.writerow(
                (
                    party.code, inert(party.name), inert(party.phone), entry.position, entry.occurred_on,
                    entry.direction, plain_rupees(entry.amount_paise), entry.kind, entry.due_on or "",
                    inert(entry.note), plain_rupees(balance), entry.source, entry.created_at.isoformat(),
                    entry.reverses.position if entry.reverses else "",
                )
            )  # fmt: skip
            if sheet.tell() > 1 << 16:
                yield _drained(sheet)
    yield _drained(sheet)


def _drained(sheet: io.StringIO) -> str:
    text = sheet.getvalue()
    sheet.seek(0)
    sheet.truncate()
    return text


def _json(shop: Shop) -> Iterator[str]:
    """One object; with the uid, the salts and the digests every chain can be verified elsewhere."""
    head = {"format": "khata/1", "shop": {"code": shop.code, "name": shop.name, "zone": shop.zone}}
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "khatas": ['
    between = "\n"
    for khata, entries in khatas_with_entries(Khata.objects.for_shop(shop)):
        yield f"{between}{json.dumps(_khata_dict(khata), ensure_ascii=False)[:-1]}, " + '"entries": ['
        comma = "\n"
        for entry in entries:
            yield comma + json.dumps(_entry_dict(entry), ensure_ascii=False)
            comma = ",\n"
        yield "]}"
        between = ",\n"
    yield "\n]}\n"


def _khata_dict(khata: Khata) -> dict[str, Any]:
    party = khata.party
    return {
        "party": {
            "code": party.code,
            "name": party.name,
            "kind": party.kind,
            "phone": party.phone,
            "email": party.email,
            "language": party.language,
            "note": party.note,
            "archived": party.archived_at is not None,
        },
        "uid": str(khata.uid),
        "balance_paise": khata.balance_paise,
        "entry_count": khata.entry_count,
        "head_digest": bytes(khata.head_digest).hex(),
        "credit_limit_paise": khata.credit_limit_paise,
        "credit_days": khata.credit_days,
        "collect_on": khata.collect_on and khata.collect_on.isoformat(),
    }


def _entry_dict(entry: Entry) -> dict[str, Any]:
    return {
        "position": entry.position,
        "direction": entry.direction,
        "amount_paise": entry.amount_paise,
        "kind": entry.kind,
        "occurred_on": entry.occurred_on.isoformat(),
        "due_on": entry.due_on and entry.due_on.isoformat(),
        "source": entry.source,
        "reverses_position": entry.reverses.position if entry.reverses else None,
        "note": entry.note,
        "items": entry.items,
        "attachments": entry.attachments,
        "text_salt": bytes(entry.text_salt).hex(),
        "text_digest": bytes(entry.text_digest).hex(),
        "created_at": entry.created_at.isoformat(timespec="microseconds"),
        "key": entry.key,
        "digest": bytes(entry.digest).hex(),
    }
