"""For operators: find a customer or supplier of any shop. Read-only; shops edit their own."""

from django.contrib import admin

from parties.models import Consent, Party
from shops.operators import ReadOnlyAdmin


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    """Search by name (also in Latin letters), code, phone or shop."""

    list_display = ("code", "name", "kind", "phone", "shop", "archived_at")
    list_filter = ("kind",)
    list_select_related = ("shop",)
    search_fields = ("name", "roman", "=code", "phone", "=shop__code", "shop__name")
    ordering = ("-id",)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What a party agreed to, and where."""

    list_display = ("created_at", "shop", "party", "channel", "given", "source")
    list_filter = ("channel", "given")
    list_select_related = ("shop", "party")
    search_fields = ("party__name", "=party__code", "party__phone", "=shop__code")
    ordering = ("-id",)
