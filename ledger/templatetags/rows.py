"""The two hot lists as text: the khatas of home, the entries of a khata.

A page of fifty rows took 15 to 20 ms as template nodes, nine tenths of the whole request; built
here it takes one. Every value that a person typed goes through ``escape``.
"""

import datetime as dt
from collections.abc import Iterable

from django import template
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core.money import format_paise
from core.templatetags.khata import ago, entry_word, late, owes, source_word
from ledger.models import Direction, Source
from ledger.selectors import EntryFacts, Row, StatementRow

register = template.Library()

_NOTE_CHARS = 30


@register.simple_tag
def khata_rows(rows: Iterable[Row], here: str) -> SafeString:
    """The lines of the home list; ``here`` is the address of home."""
    words: dict[str, str] = {"gave": escape(_("gave")), "got": escape(_("got"))}
    supplier, no_entry = escape(_("supplier")), escape(_("no entry yet"))
    return mark_safe("".join(_khata_row(row, here, words, supplier, no_entry) for row in rows))  # noqa: S308


def _khata_row(row: Row, here: str, words: dict[str, str], supplier: str, no_entry: str) -> str:
    parts = [supplier] if row.kind == "supplier" else []
    if row.last_direction:
        paise = format_paise(row.last_paise, decimals=False)
        parts.append(f'<span class="num">{paise}</span> {words[row.last_direction]}')
        if row.last_note:
            note = row.last_note.partition(" · ")[0]  # of “UPI · ref 4123 …” the reference is for the khata's page
            parts.append(escape(note if len(note) <= _NOTE_CHARS else f"{note[: _NOTE_CHARS - 1]}…"))
        parts.append(escape(ago(row.last_entry_at)))
    else:
        parts.append(no_entry)
    colour = " got" if row.balance_paise < 0 else " gave" if row.balance_paise else ""
    state: str = escape(owes(row.balance_paise, row.kind))
    if row.overdue_days:
        state = f"{state} · {escape(late(row.overdue_days))}"
    # Two lines, each with its own two ends: a long "will give · 43 days late" must not cut the name above it.
    return (
        f'<li><a class="row" href="{here}k/{row.code}/">'
        f'<span class="face" aria-hidden="true">{escape(row.initials)}</span><span class="lines">'
        f'<span class="line"><b>{escape(row.name)}</b>'
        f'<b class="num{colour}">{format_paise(abs(row.balance_paise), decimals=False)}</b></span>'
        f'<span class="line muted"><span>{" · ".join(parts)}</span>'
        f"<span{' class=late' if row.overdue_days else ''}>{state}</span></span></span></a></li>\n"
    )


@register.simple_tag
def entry_rows(rows: Iterable[StatementRow], here: str) -> SafeString:
    """The lines of a khata under their days; ``here`` is the khata's address."""
    balance, gave = escape(_("balance")), escape(_("gave"))
    html, day = [], None
    for row in rows:
        if row.entry.occurred_on != day:
            day = row.entry.occurred_on
            html.append(f'<h2 class="day">{_day(day)}</h2>')
        html.append(_entry_row(row, here, balance, gave))
    return mark_safe("".join(html))  # noqa: S308


def _day(day: dt.date) -> str:
    return escape(date_format(day, "l, j F Y"))


def _entry_row(row: StatementRow, here: str, balance: str, gave: str) -> str:
    entry = row.entry
    sign = "+ " if entry.direction == Direction.GOT else f'<span class="sr">{gave} </span>'
    after = "" if row.balance_paise is None else f"{balance} {format_paise(row.balance_paise, symbol=False)}"
    return (
        f'<a class="entry{" is-reversed" if entry.is_reversed else ""}" href="{here}e/{entry.position}/">'
        f'<span class="what">{escape(entry.note or entry_word(entry.kind))}</span>'
        f'<b class="num {entry.direction}">{sign}{format_paise(entry.amount_paise)}</b>'
        f'<span class="muted">{localtime(entry.created_at):%H:%M} · {_who(entry)}</span>'
        f'<span class="muted num">{after}</span></a>\n'
    )


def _who(entry: EntryFacts) -> str:
    if entry.source == Source.PROVIDER:
        who = _("came by itself")
    elif entry.by_name:
        who = _("by %(name)s") % {"name": entry.by_name}
    else:
        who = source_word(entry.source)
    return escape(f"{who} · {_('deleted')}" if entry.is_reversed else who)
