"""Write the worker's schedule, however often it is called."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django_q.models import Schedule

NAME = "khata-tick"


class Command(BaseCommand):
    help = "Ensure the worker's one schedule: a tick every minute."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {
            "func": "reminders.tasks.tick",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "repeats": -1,
        }
        kept = Schedule.objects.filter(name=NAME).order_by("pk")
        first = kept.first()
        if first is None:
            Schedule.objects.create(name=NAME, **wanted)
        else:
            kept.exclude(pk=first.pk).delete()
            kept.filter(pk=first.pk).update(**wanted)
        if options["verbosity"]:
            self.stdout.write("The tick runs every minute.")
