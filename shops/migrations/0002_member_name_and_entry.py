from django.db import migrations, models
from django.db.models import F


def entered(apps, schema_editor):
    """Who opened the shop, or has signed in since, counts as come: they are in that book already."""
    rows = models.QuerySet(apps.get_model("shops", "Member")).filter(entered_at=None)
    rows.filter(added_by=F("user")).update(entered_at=F("created_at"))
    people = models.QuerySet(apps.get_model("shops", "User")).filter(last_login__gte=models.OuterRef("created_at"))
    rows.filter(models.Exists(people.filter(pk=models.OuterRef("user")))).update(entered_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("shops", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="entered_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="member",
            name="name",
            field=models.CharField(blank=True, max_length=120, verbose_name="Name"),
        ),
        migrations.RunPython(entered, migrations.RunPython.noop),
    ]
