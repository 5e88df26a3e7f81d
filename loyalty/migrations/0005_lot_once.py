from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0004_caps"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="lot",
            name="lot_once",
        ),
        migrations.RemoveIndex(
            model_name="lot",
            name="lot_child",
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.UniqueConstraint(
                fields=("transfer", "parent"), name="lot_once", nulls_distinct=False
            ),
        ),
    ]
