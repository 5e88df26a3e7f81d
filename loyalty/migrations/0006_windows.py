import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0005_lot_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="WindowAward",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("window_start", models.DateField()),
                ("units", models.BigIntegerField(db_default=0, default=0)),
                ("movements", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="window_awards",
                        to="loyalty.membership",
                    ),
                ),
                (
                    "rule_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.earningruleversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WindowPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=10, max_digits=28)),
                (
                    "award",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="loyalty.windowaward",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="window_parts",
                        to="loyalty.order",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="windowaward",
            constraint=models.UniqueConstraint(
                fields=("membership", "rule_version", "window_start"), name="window_award_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="windowaward",
            constraint=models.CheckConstraint(
                condition=models.Q(("units__gte", 0)), name="window_award_units"
            ),
        ),
        migrations.AddConstraint(
            model_name="windowpart",
            constraint=models.UniqueConstraint(fields=("award", "order"), name="window_part_once"),
        ),
    ]
