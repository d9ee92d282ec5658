"""What libraries bring to the operators' pages, on our terms: the worker's rows only to read.

django-q's own pages add a schedule of any function there is, drop the ones we need and run tasks
anew, and write none of it down. Tasks that went well say nothing; people here have no email
addresses to sign in with.
"""

from typing import Any

import allauth.account.admin
import django_q.admin  # both register their own when they are imported, and only then
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy
from django_q.models import Failure, OrmQ, Schedule, Success

from shops.operators import ReadOnlyAdmin

__all__ = ["FailureAdmin", "QueueAdmin", "ScheduleAdmin", "allauth", "django_q"]

admin.site.unregister([Schedule, Success, Failure, OrmQ, EmailAddress])


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
