from django.apps import AppConfig


class KhataConfig(AppConfig):
    """The project as an app: management commands and deployment checks live here."""

    name = "khata"
    label = "khata_project"
    verbose_name = "Khata"

    def ready(self) -> None:
        from khata import checks  # noqa: F401  (registers the checks)
