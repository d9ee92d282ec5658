"""What the operators' pages need from above, and what libraries bring to them, on our terms.

django-q's own pages add a schedule of any function there is, drop the ones we need and run tasks
anew, and write none of it down. Tasks that went well say nothing; people here have no email
addresses to sign in with.
"""

from typing import Any

import allauth.account.admin
import django_q.admin  # both register their own when they are imported, and only then
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.http import HttpRequest
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_q.models import Failure, OrmQ, Schedule, Success

from core.worker import nudge
from reminders import services as outbox
from shops.admin import PersonAdmin
from shops.models import User
from shops.operators import ReadOnlyAdmin

OLD_NUMBER_S = 86_400  # a phone that is off for the night still gets to know

__all__ = ["FailureAdmin", "QueueAdmin", "ScheduleAdmin", "TellingPersonAdmin", "allauth", "django_q"]

admin.site.unregister([Schedule, Success, Failure, OrmQ, EmailAddress, User])


@admin.register(User)
class TellingPersonAdmin(PersonAdmin):
    """The one who loses a number hears of it there: an alarm goes to the owner's new one."""

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and form.initial["phone"] != obj.phone:
            with translation.override(obj.language):
                text = _(
                    "An operator of Khata gave your account another phone number. Was it not meant? Ask them."
                )
            outbox.queue_code(phone=str(form.initial["phone"]), text=text, lifetime_s=OLD_NUMBER_S)
            nudge()


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    """Tasks that ended in an error. Our rows decide what is tried again, so nothing is run from here."""

    list_display = ("func", "started", "stopped", "short_result")
    search_fields = ("name", "func")
    ordering = ("-started",)
    fields = ("id", "name", "func", "group", "started", "stopped", "attempt_count", "result")

    @admin.display(description=gettext_lazy("Result"))
    def short_result(self, task: Any) -> str:
        return Truncator(str(task.result)).chars(100)


@admin.register(OrmQ)
class QueueAdmin(ReadOnlyAdmin):
    """Tasks that wait for the worker, or are with it. Many old ones: it does not run."""

    list_display = ("id", "name", "func", "lock")
    ordering = ("id",)
    fields = ("id", "key", "lock", "task_id", "name", "func")


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """What the worker does by the clock. Missing: ``manage.py prepare`` puts it back."""

    list_display = ("name", "func", "schedule_type", "minutes", "next_run")
    ordering = ("name",)
    fields = ("name", "func", "schedule_type", "minutes", "cron", "next_run", "repeats")
