"""The demo outbox: the message stays here, and a page shows it as a phone would."""

from django.conf import settings

from reminders.models import Message, Via


class DemoChannel:
    """Carries everything while ``DEMO_OUTBOX`` is on. Nothing leaves the house."""

    kind = "demo"
    is_local = True

    def carries(self, via: str) -> bool:
        return bool(settings.DEMO_OUTBOX) and via in Via.values

    def send(self, message: Message) -> str:
        return ""
