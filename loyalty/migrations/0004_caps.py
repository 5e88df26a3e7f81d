import django.db.models.deletion
from django.db import migrations, models

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0003_whole_life"),
    ]

    operations = [
        migrations.CreateModel(
            name="CapCounter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slice", models.PositiveSmallIntegerField(null=True)),
                ("period_start", models.DateField()),
                ("used", models.BigIntegerField(db_default=0, default=0)),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.membership",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cap_counters",
                        to="loyalty.earningrule",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("slice", None)),
                        fields=("rule", "membership", "period_start"),
                        name="cap_counter_member",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("membership", None)),
                        fields=("rule", "slice"),
                        name="cap_counter_slice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("membership", None), ("slice", None), _connector="XOR"),
                        name="cap_counter_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used__gte", 0)), name="cap_counter_used"
                    ),
                ],
            },
        ),
        *install(),
    ]
