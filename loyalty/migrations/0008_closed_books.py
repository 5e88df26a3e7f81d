import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from loyalty.ledger.functions import install

# Changes that there are were booked when they happened: no books had been closed.
BOOK_CHANGES = """
    UPDATE loyalty_lotchange c SET booked_on = (c.occurred_at AT TIME ZONE p.time_zone)::date
      FROM loyalty_lot l, loyalty_wallet w, loyalty_wallettype t, loyalty_program p
     WHERE l.id = c.lot_id AND w.id = l.wallet_id AND t.id = w.wallet_type_id AND p.id = t.program_id;
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0007_adjustments_by_hand"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosedPeriod",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateField(null=True)),
                ("until", models.DateField()),
                ("closed_at", models.DateTimeField()),
                ("unit_values", models.JSONField(default=dict)),
                ("booked", models.JSONField(null=True)),
                ("reopened_at", models.DateTimeField(null=True)),
                ("reopen_reason", models.TextField(blank=True, default="")),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closed_periods",
                        to="loyalty.program",
                    ),
                ),
                (
                    "reopened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["program", "-until"]},
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reopened_at", None)),
                fields=("program", "until"),
                name="closed_period_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("since", None), ("since__lte", models.F("until")), _connector="OR"
                ),
                name="closed_period_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reopen_reason", ""), ("reopened_at", None)),
                    models.Q(
                        ("reopened_at__isnull", False),
                        models.Q(("reopen_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="closed_period_reopened",
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(model_name="lotchange", name="lot_change_immutable"),
        migrations.AddField(
            model_name="lotchange", name="booked_on", field=models.DateField(null=True)
        ),
        migrations.RunSQL([BOOK_CHANGES], migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="lotchange", name="booked_on", field=models.DateField()
        ),
        migrations.AddIndex(
            model_name="lotchange",
            index=models.Index(fields=["booked_on"], name="lot_change_booked"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lotchange",
            trigger=pgtrigger.compiler.Trigger(
                name="lot_change_immutable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ef4b12e262d40df29963bb2ea1e8281898144223",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_lot_change_immutable_cc143",
                    table="loyalty_lotchange",
                    when="BEFORE",
                ),
            ),
        ),
        *install(
            "ledger_open_days",
            "ledger_hold_books",
            "ledger_booked",
            "ledger_post",
            "ledger_expire",
            "ledger_expire_due",
            "ledger_back",
            "ledger_reinstate",
            "ledger_retime",
        ),
    ]
