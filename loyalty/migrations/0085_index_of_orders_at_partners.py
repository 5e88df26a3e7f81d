"""By itself, for orders go on being written while it is made."""

from django.db import migrations, models

INDEX = models.Index(
    condition=models.Q(("partner", None), _negated=True),
    fields=["partner", "-placed_at", "-id"],
    name="order_partner",
)
# One that was left half made, or is there already, is made anew.
MADE = [
    "DROP INDEX CONCURRENTLY IF EXISTS order_partner",
    "CREATE INDEX CONCURRENTLY order_partner ON loyalty_order"
    " (partner_id, placed_at DESC, id DESC) WHERE partner_id IS NOT NULL",
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("loyalty", "0084_kept_sums_of_partners"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.AddIndex(model_name="order", index=INDEX)],
            database_operations=[migrations.RunSQL(MADE, MADE[:1])],
        ),
    ]
