from django.apps import AppConfig

from core import db


class CoreConfig(AppConfig):
    """No models: only what every connection needs."""

    name = "core"

    def ready(self) -> None:
        db.connect_signals()
