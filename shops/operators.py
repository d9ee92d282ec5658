"""What operators' pages have in common: they see every shop, and money and people's rows only to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class OperatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of every shop, counted only as far as a page needs."""

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = getattr(self.model, "objects", self.model._default_manager).all()
        rows = rows.unscoped("operators") if hasattr(rows, "unscoped") else rows
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows


class ReadOnlyAdmin(OperatorAdmin):
    """Nothing can be added, changed or deleted here: the services do that, and write it down."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
