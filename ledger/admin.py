"""For operators: find a khata or an entry, and see the nightly check. Money is read-only here."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.money import format_paise
from ledger.models import Entry, Khata, LedgerCheck
from shops.operators import ReadOnlyAdmin


@admin.register(Khata)
class KhataAdmin(ReadOnlyAdmin):
    """Search by party (name, code, phone) or shop."""

    list_display = ("party", "code", "shop", "balance", "entry_count", "oldest_due_on", "last_entry_at")
    list_select_related = ("party", "shop")
    search_fields = ("party__name", "party__roman", "=party__code", "party__phone", "=shop__code", "shop__name")
    ordering = ("-id",)

    @admin.display(description=_("Code"))
    def code(self, khata: Khata) -> str:
        return khata.party.code

    @admin.display(description=_("Balance"), ordering="balance_paise")
    def balance(self, khata: Khata) -> str:
        return format_paise(khata.balance_paise)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Search by ``key``, or by party code and position: ``K7Q2X 12``, ``SHOPCODE K7Q2X 12``."""

    list_display = (
        "created_at",
        "shop",
        "party",
        "position",
        "direction",
        "amount",
        "kind",
        "occurred_on",
        "source",
    )
    list_filter = ("source", "direction")
    list_select_related = ("shop", "khata__party")
    search_fields = ("key",)
    search_help_text = _("Entry key, or party code and position (K7Q2X 12), or shop code")
    ordering = ("-id",)
    exclude = ("text_salt", "text_digest", "digest")
    readonly_fields = ("digest_hex",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """Exact words only: an index answers, also over ten million entries."""
        for word in search_term.split():
            fits = Q(key=word) | Q(khata__party__code=word.upper()) | Q(shop__code=word)
            if word.isascii() and word.isdigit() and len(word) < 19:
                fits |= Q(position=int(word))
            queryset = queryset.filter(fits)
        return queryset, False

    @admin.display(description=_("Party"))
    def party(self, entry: Entry) -> str:
        return f"{entry.khata.party.code} {entry.khata.party.name}"

    @admin.display(description=_("Amount"), ordering="amount_paise")
    def amount(self, entry: Entry) -> str:
        return format_paise(entry.amount_paise)

    @admin.display(description=_("Digest"))
    def digest_hex(self, entry: Entry) -> str:
        return bytes(entry.digest).hex()


@admin.register(LedgerCheck)
class LedgerCheckAdmin(ReadOnlyAdmin):
    """The nightly recomputation of the whole book, newest first."""

    list_display = ("started_at", "clean", "khatas", "entries", "took", "finding")
    ordering = ("-id",)

    @admin.display(description=_("Clean"), boolean=True)
    def clean(self, check: LedgerCheck) -> bool | None:
        return check.is_clean if check.finished_at else None

    @admin.display(description=_("Took"))
    def took(self, check: LedgerCheck) -> Any:
        return check.finished_at - check.started_at if check.finished_at else "…"
