"""For operators: look, search, and put a stuck event right. Money is read-only here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import services
from payments.models import (
    Checkout,
    Claim,
    PayLink,
    Payment,
    ProviderAccount,
    ProviderEvent,
    SandboxDelivery,
)


class ReadOnly(admin.ModelAdmin):
    """Nothing is added, changed or deleted by hand; the book has services for that."""

    list_per_page = 50
    joined: tuple[str, ...] = ()
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        manager = self.model.objects
        rows = manager.unscoped("operators") if hasattr(manager, "unscoped") else manager.all()
        return rows.select_related(*self.joined)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnly):
    list_display = ("provider_payment_id", "shop", "amount_paise", "state", "method", "reference", "arrived_at")
    list_filter = ("state", "method")
    search_fields = ("provider_payment_id", "reference", "shop__code")
    joined = ("shop",)
    ordering = ("-arrived_at",)


@admin.register(Claim)
class ClaimAdmin(ReadOnly):
    list_display = ("utr", "shop", "amount_paise", "state", "created_at", "decided_at")
    list_filter = ("state",)
    search_fields = ("utr", "shop__code")
    joined = ("shop",)
    ordering = ("-pk",)


@admin.register(Checkout)
class CheckoutAdmin(ReadOnly):
    list_display = ("provider_id", "shop", "amount_paise", "state", "created_at")
    list_filter = ("state",)
    search_fields = ("provider_id", "shop__code")
    joined = ("shop",)
    exclude = ("reference",)  # it opens the checkout's page
    ordering = ("-pk",)


@admin.register(PayLink)
class PayLinkAdmin(ReadOnly):
    list_display = ("pk", "shop", "amount_paise", "expires_at", "revoked_at", "created_at")
    search_fields = ("shop__code",)
    joined = ("shop",)
    ordering = ("-pk",)


@admin.register(ProviderAccount)
class ProviderAccountAdmin(ReadOnly):
    """Without its sealed credentials: support needs none of them."""

    list_display = ("shop", "kind", "is_live", "enabled", "created_at")
    list_filter = ("kind", "is_live", "enabled")
    search_fields = ("shop__code",)
    joined = ("shop",)
    ordering = ("-pk",)


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnly):
    list_display = ("event_id", "shop", "account", "state", "attempts", "error", "received_at")
    list_filter = ("state",)
    search_fields = ("event_id", "shop__code", "error")
    joined = ("shop", "account")
    fields = (
        "event_id",
        "shop",
        "account",
        "state",
        "attempts",
        "error",
        "received_at",
        "done_at",
        "headers",
        "text",
    )
    readonly_fields = ("text",)
    actions = ("retry", "ignore")
    ordering = ("-received_at",)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_providerevent")

    @admin.display(description=gettext_lazy("body"))
    def text(self, event: ProviderEvent) -> str:
        """The raw body as text, for reading."""
        return bytes(event.body).decode(errors="replace")[:20_000]

    @admin.action(description=gettext_lazy("Try again (stuck only)"), permissions=["decide"])
    def retry(self, request: HttpRequest, events: QuerySet[ProviderEvent]) -> None:
        self._release(request, events, ignore=False)

    @admin.action(description=gettext_lazy("Leave for good (stuck only)"), permissions=["decide"])
    def ignore(self, request: HttpRequest, events: QuerySet[ProviderEvent]) -> None:
        self._release(request, events, ignore=True)

    def _release(self, request: HttpRequest, events: QuerySet[ProviderEvent], *, ignore: bool) -> None:
        changed = [
            services.release_event(event=event, actor=request.user, ignore=ignore)  # type: ignore[arg-type]
            for event in events.select_related("shop")
        ]
        done = sum(changed)
        self.message_user(request, _("%d events changed; the worker takes them up.") % done, messages.SUCCESS)


@admin.register(SandboxDelivery)
class SandboxDeliveryAdmin(ReadOnly):
    list_display = ("event_id", "account", "attempts", "send_at", "delivered_at", "last_status")
    search_fields = ("event_id",)
    joined = ("account",)
    exclude = ("body",)
    ordering = ("-pk",)
