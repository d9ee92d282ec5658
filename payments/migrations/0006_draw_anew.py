from typing import Any

from django.db import migrations

from core import clock


def ask_for_drawings(apps: Any, schema_editor: Any) -> None:
    """No QR drawn before has a picture to save or a reference: the worker draws all that are in use.

    Else the first to open each page would find it being made.
    """
    links = apps.get_model("payments", "PayLink")._base_manager
    links.filter(revoked_at=None, qr_stale_since=None).update(qr_stale_since=clock.now())


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_open_checkouts"),
    ]

    operations = [
        migrations.RunPython(ask_for_drawings, migrations.RunPython.noop),
    ]
