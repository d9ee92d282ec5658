"""Names that are in the book already get their spellings beside their skeletons."""

from typing import Any

from django.db import migrations

from parties.search import skeletons

BATCH = 500


def add_spellings(apps: Any, schema_editor: Any) -> None:
    """In short transactions, and again from the beginning if it was cut off: what is there stays."""
    parties = apps.get_model("parties", "Party")._base_manager
    words = apps.get_model("parties", "NameWord")
    last = 0
    while batch := list(parties.filter(pk__gt=last).order_by("pk").values_list("pk", "shop_id", "name")[:BATCH]):
        words._base_manager.bulk_create(
            [
                words(party_id=pk, shop_id=shop_id, skeleton=word)
                for pk, shop_id, name in batch
                for word in sorted(skeletons(name))
            ],
            ignore_conflicts=True,
        )
        last = batch[-1][0]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("parties", "0002_initial")]

    operations = [migrations.RunPython(add_spellings, migrations.RunPython.noop, elidable=True)]
