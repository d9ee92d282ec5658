"""A worker with a channel that leaves a trace: ``python -m tests.reminders.carrier FILE PAUSE_S``.

Every message that goes out is one line of FILE, appended and flushed before the channel answers.
Says ``ready``, waits for a line on standard input, then sends until nothing is due.
"""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khata.settings")


class TraceChannel:
    """Takes everything; what it did cannot be undone, like a real SMS."""

    kind = "trace"
    is_local = False

    def __init__(self, path: str, pause_s: float) -> None:
        self.path, self.pause_s = path, pause_s

    def carries(self, via: str) -> bool:
        return True

    def send(self, message) -> str:  # type: ignore[no-untyped-def]
        with open(self.path, "a") as file:
            file.write(f"{message.pk}\n")
        time.sleep(self.pause_s)
        return f"trace-{message.pk}"


def main(path: str, pause_s: str) -> None:
    from reminders import channels
    from reminders.sending import send_due

    channels.REGISTRY.insert(0, TraceChannel(path, float(pause_s)))
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    while send_due():
        pass


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
