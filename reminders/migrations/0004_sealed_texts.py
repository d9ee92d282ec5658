from django.db import migrations

import core.fields


def seal(apps, schema_editor):
    """Write each text again: the field seals what it writes."""
    messages = apps.get_model("reminders", "Message")._base_manager
    for pk, text in messages.values_list("pk", "text").iterator(chunk_size=500):
        messages.filter(pk=pk).update(text=text)


class Migration(migrations.Migration):
    dependencies = [("reminders", "0003_sending_slots")]

    operations = [
        migrations.AlterField(model_name="message", name="text", field=core.fields.SealedTextField()),
        migrations.RunPython(seal, migrations.RunPython.noop, elidable=True),
    ]
