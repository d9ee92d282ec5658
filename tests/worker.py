"""The worker as ``manage.py qcluster`` runs it, with a channel that leaves a trace:
``python -m tests.worker FILE PAUSE_S``.

The channel goes in before the cluster forks its processes, so that all of them send through it.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khata.settings")

if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    from reminders import channels
    from tests.reminders.carrier import TraceChannel

    channels.REGISTRY.insert(0, TraceChannel(sys.argv[1], float(sys.argv[2])))
    call_command("qcluster")
