from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_qr_pictures"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="checkout",
            index=models.Index(condition=models.Q(("state", "open")), fields=["created_at"], name="checkout_open"),
        ),
    ]
