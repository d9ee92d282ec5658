"""For operators: find a message, see why it went or did not, decide about doubtful ones. Text is read-only."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from reminders import services
from reminders.models import Beat, Message, Purpose, Rule, Run
from shops.operators import ReadOnlyAdmin


def _decide_all(
    modeladmin: admin.ModelAdmin,  # type: ignore[type-arg]
    request: HttpRequest,
    rows: QuerySet[Message],
    decide: Callable[..., Message],
) -> None:
    done = refused = 0
    for message in rows.order_by("pk"):
        try:
            decide(message=message, actor=request.user)
            done += 1
        except services.MessageError:
            refused += 1
    words = _("%(done)d decided; %(refused)d had moved on or cannot take this.") % {
        "done": done,
        "refused": refused,
    }
    modeladmin.message_user(request, words, messages.WARNING if refused else messages.SUCCESS)


@admin.action(description=_("Send again (unknown or failed)"), permissions=["decide"])
def retry(modeladmin: Any, request: HttpRequest, rows: QuerySet[Message]) -> None:
    _decide_all(modeladmin, request, rows, services.retry_message)


@admin.action(description=_("It arrived (unknown)"), permissions=["decide"])
def arrived(modeladmin: Any, request: HttpRequest, rows: QuerySet[Message]) -> None:
    _decide_all(modeladmin, request, rows, services.confirm_sent)


@admin.action(description=_("Do not send"), permissions=["decide"])
def cancel(modeladmin: Any, request: HttpRequest, rows: QuerySet[Message]) -> None:
    _decide_all(modeladmin, request, rows, services.cancel_message)


@admin.action(description=_("Release what a dead worker holds"), permissions=["decide"])
def release(modeladmin: Any, request: HttpRequest, rows: QuerySet[Message]) -> None:
    """What the tick does every minute, for those who cannot wait for it; minutes-old rows only."""
    queued, unknown = services.release_by_hand(actor=request.user)  # type: ignore[arg-type]
    words = _("%(queued)d queued again, %(unknown)d now wait for a decision.") % {
        "queued": queued,
        "unknown": unknown,
    }
    modeladmin.message_user(request, words)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("id", "shop", "purpose", "channel", "state", "attempts", "due_at", "sent_at", "rule")
    list_filter = ("state", "purpose", "channel", "backend")
    search_fields = ("=id", "=recipient", "party__code", "shop__code")
    list_select_related = ("shop",)
    actions = (retry, arrived, cancel, release)  # type: ignore[assignment]
    exclude = ("text",)
    readonly_fields = ("shown_text",)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("reminders.change_message")

    @admin.display(description=_("Text"))
    def shown_text(self, message: Message) -> str:
        """The text; a sign-in code is nobody's to read but its owner's."""
        return "••••••" if message.purpose == Purpose.CODE else format_html("<pre>{}</pre>", message.text)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("id", "shop", "state", "position", "queued", "refused", "created_at", "touched_at")
    list_filter = ("state",)
    search_fields = ("=id", "shop__code")
    list_select_related = ("shop",)


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    list_display = ("id", "shop", "name", "enabled", "channel", "days_after_due", "every_days")
    list_filter = ("enabled", "channel")
    search_fields = ("shop__code", "name")
    list_select_related = ("shop",)


@admin.register(Beat)
class BeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "at", "note")
