from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_author_kept")]

    operations = [
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                fields=["created_at"], name="entry_reversals", condition=models.Q(reverses__isnull=False)
            ),
        ),
    ]
