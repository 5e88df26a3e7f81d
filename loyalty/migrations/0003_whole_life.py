import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import RunSQL

from loyalty.ledger.functions import install

# What there is keeps its terms: policies with their numbers, and lots that came from no other.
CARRY_OVER = """
    INSERT INTO loyalty_lotpolicy (
        id, wallet_type_id, pending_from, pending_days, kind, length, period, month_day, counted_from,
        last_day, renewed_by, restored_days, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT e.id, e.wallet_type_id, 'placed', t.pending_days, e.kind, e.months, '', '', 'earning',
           e.last_day, '{}', 0, e.created_at
      FROM loyalty_expirypolicy e JOIN loyalty_wallettype t ON t.id = e.wallet_type_id;
    SELECT setval(pg_get_serial_sequence('loyalty_lotpolicy', 'id'),
                  greatest((SELECT max(id) FROM loyalty_lotpolicy), 1));
    UPDATE loyalty_lot l
       SET policy_id = l.expiry_policy_id, origin_id = l.transfer_id, earned_at = t.occurred_at
      FROM loyalty_transfer t WHERE t.id = l.transfer_id;
    INSERT INTO loyalty_account (program_id, kind)
    SELECT p.id, k.kind FROM loyalty_program p CROSS JOIN (VALUES ('written_off'), ('transit')) k(kind);
    UPDATE loyalty_order SET paid_at = placed_at WHERE status IN ('paid', 'fulfilled', 'completed');
    UPDATE loyalty_order SET fulfilled_at = placed_at WHERE status IN ('fulfilled', 'completed');
    UPDATE loyalty_order SET completed_at = placed_at WHERE status = 'completed';
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0002_ledger_functions"),
        ("members", "0003_job_done_before"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="earningruleversion",
            name="rule_version_immutable",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="lot",
            name="lot_grant_fixed",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="transfer",
            name="transfer_not_over_corrected",
        ),
        migrations.RemoveConstraint(
            model_name="account",
            name="account_program_kind",
        ),
        migrations.RemoveConstraint(
            model_name="account",
            name="account_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="order",
            name="order_status_known",
        ),
        migrations.CreateModel(
            name="LotChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("order", "The order went on"),
                            ("held", "Held back"),
                            ("released", "Released"),
                            ("confirmed", "Confirmed early"),
                            ("extended", "Extended"),
                            ("reinstated", "Brought back"),
                            ("restored", "A spend was undone"),
                            ("warned", "A warning went out"),
                            ("policy", "The expiry policy was changed for units that exist"),
                        ],
                        max_length=16,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("spendable_before", models.DateTimeField()),
                ("spendable_after", models.DateTimeField()),
                ("expires_before", models.DateTimeField(null=True)),
                ("expires_after", models.DateTimeField(null=True)),
                ("note", models.TextField(blank=True, default="")),
            ],
        ),
        migrations.CreateModel(
            name="LotPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "pending_from",
                    models.CharField(
                        choices=[
                            ("placed", "the order was placed"),
                            ("paid", "the order was paid"),
                            ("fulfilled", "the order was fulfilled"),
                            ("completed", "the order was completed"),
                        ],
                        default="placed",
                        max_length=16,
                    ),
                ),
                ("pending_days", models.PositiveSmallIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("days", "Days after"),
                            ("months", "Months after"),
                            ("years", "Years after"),
                            ("end_of_period", "At the end of a month, quarter, half-year or year"),
                            ("fixed_date", "On a day of the year"),
                            ("inactivity", "Months without activity"),
                        ],
                        default="never",
                        max_length=16,
                    ),
                ),
                ("length", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "period",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("month", "month"),
                            ("quarter", "quarter"),
                            ("half_year", "half-year"),
                            ("year", "year"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("month_day", models.CharField(blank=True, default="", max_length=5)),
                (
                    "counted_from",
                    models.CharField(
                        choices=[
                            ("earning", "they were earned"),
                            ("maturity", "they could be spent"),
                        ],
                        default="earning",
                        max_length=16,
                    ),
                ),
                (
                    "last_day",
                    models.CharField(
                        choices=[
                            ("end_of_day", "Usable to the end of the last day"),
                            ("start_of_day", "Expire as the last day begins"),
                        ],
                        default="end_of_day",
                        max_length=16,
                    ),
                ),
                (
                    "renewed_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), default=list, size=None
                    ),
                ),
                ("restored_days", models.PositiveSmallIntegerField(default=0)),
                ("warned_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="account",
            name="code",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="account",
            name="name",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.AddField(
            model_name="lot",
            name="earned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="lot",
            name="origin",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="origin_lots",
                to="loyalty.transfer",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="parent",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children",
                to="loyalty.lot",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="planned_expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="lot",
            name="renewable",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="order",
            name="changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="completed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="fulfilled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="held_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="paid_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="sequence",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="program",
            name="clawback_order",
            field=models.CharField(
                choices=[
                    ("own_first", "The order's own units first, then what expires first"),
                    ("oldest_first", "The oldest units first, whichever order they came from"),
                ],
                default="own_first",
                max_length=16,
                verbose_name="what a refund takes first",
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="debt_policy",
            field=models.CharField(
                choices=[
                    ("carry", "Carry it: what is earned next repays it"),
                    ("write_off", "Write it off, visibly"),
                    ("refuse_redemption_only", "Only refuse redemptions until it is settled"),
                ],
                default="carry",
                max_length=24,
                verbose_name="when a refund takes more than there is",
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="linked_returns",
            field=models.CharField(
                choices=[
                    ("reconcile", "Take back what the rest of the order no longer earns"),
                    ("own_amount", "Take back what their own amount would earn"),
                ],
                default="reconcile",
                max_length=16,
                verbose_name="returns with their order",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="pair",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pairs",
                to="loyalty.transfer",
            ),
        ),
        migrations.AddField(
            model_name="wallet",
            name="active_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="debt_blocks",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="lotchange",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="lotchange",
            name="lot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="loyalty.lot",
            ),
        ),
        migrations.AddField(
            model_name="lotpolicy",
            name="rule",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lot_policies",
                to="loyalty.earningrule",
            ),
        ),
        migrations.AddField(
            model_name="lotpolicy",
            name="wallet_type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lot_policies",
                to="loyalty.wallettype",
            ),
        ),
        migrations.AddField(
            model_name="earningruleversion",
            name="lot_policy",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loyalty.lotpolicy",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="policy",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loyalty.lotpolicy",
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(
                choices=[
                    ("membership", "Member"),
                    ("pool", "Pool"),
                    ("partner", "Partner"),
                    ("charity", "Charity"),
                    ("issued", "Issued"),
                    ("redeemed", "Redeemed"),
                    ("expired", "Expired"),
                    ("adjusted", "Adjusted"),
                    ("written_off", "Written off"),
                    ("transit", "Between wallets"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="dailytotal",
            name="kind",
            field=models.CharField(
                choices=[
                    ("accrual", "Earned"),
                    ("clawback", "Taken back"),
                    ("redemption", "Redeemed"),
                    ("expiry", "Expired"),
                    ("adjustment", "Adjusted"),
                    ("reversal", "Undone"),
                    ("reinstatement", "Brought back"),
                    ("write_off", "Debt written off"),
                    ("settlement", "Debt settled"),
                    ("gift", "Gift"),
                    ("pool", "Pool"),
                    ("merge", "Merged"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="transfer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="loyalty.transfer",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="status",
            field=models.CharField(
                choices=[
                    ("placed", "Placed"),
                    ("paid", "Paid"),
                    ("fulfilled", "Fulfilled"),
                    ("completed", "Completed"),
                    ("partly_refunded", "Partly refunded"),
                    ("refunded", "Refunded"),
                    ("cancelled", "Cancelled"),
                ],
                default="completed",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("accrual", "Earned"),
                    ("clawback", "Taken back"),
                    ("redemption", "Redeemed"),
                    ("expiry", "Expired"),
                    ("adjustment", "Adjusted"),
                    ("reversal", "Undone"),
                    ("reinstatement", "Brought back"),
                    ("write_off", "Debt written off"),
                    ("settlement", "Debt settled"),
                    ("gift", "Gift"),
                    ("pool", "Pool"),
                    ("merge", "Merged"),
                ],
                max_length=16,
            ),
        ),
        RunSQL(CARRY_OVER, RunSQL.noop),
        migrations.AlterField(
            model_name="lot",
            name="earned_at",
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name="lot",
            name="origin",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="origin_lots",
                to="loyalty.transfer",
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="policy",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loyalty.lotpolicy",
            ),
        ),
        migrations.RemoveField(
            model_name="expirypolicy",
            name="wallet_type",
        ),
        migrations.RemoveField(
            model_name="lot",
            name="expiry_policy",
        ),
        migrations.RemoveField(
            model_name="wallettype",
            name="pending_days",
        ),
        migrations.DeleteModel(
            name="ExpiryPolicy",
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("pair", None), _negated=True),
                fields=["pair"],
                name="transfer_pair",
            ),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("active_until", None), _negated=True),
                fields=["active_until"],
                name="wallet_active_until",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="earningruleversion",
            trigger=pgtrigger.compiler.Trigger(
                name="rule_version_immutable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"status\" = 'published')",
                    func="\n                    IF TG_OP = 'UPDATE' AND OLD.ends_at IS NULL\n                       AND (NEW.id, NEW.rule_id, NEW.number, NEW.status, NEW.body, NEW.published_at)\n                           IS NOT DISTINCT FROM\n                           (OLD.id, OLD.rule_id, OLD.number, OLD.status, OLD.body, OLD.published_at)\n                       AND (NEW.starts_at, NEW.lot_policy_id)\n                           IS NOT DISTINCT FROM (OLD.starts_at, OLD.lot_policy_id) THEN\n                        RETURN NEW;\n                    END IF;\n                    RAISE EXCEPTION 'a published rule version does not change'\n                        USING ERRCODE = 'SL010';\n                ",
                    hash="abb89bff3d22ea5e2f917749916e1f15ec971720",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_rule_version_immutable_a1ed8",
                    table="loyalty_earningruleversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lot",
            trigger=pgtrigger.compiler.Trigger(
                name="lot_grant_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((OLD.granted, OLD.wallet_id, OLD.transfer_id, OLD.policy_id, OLD.parent_id, OLD.origin_id, OLD.earned_at) IS DISTINCT FROM (NEW.granted, NEW.wallet_id, NEW.transfer_id, NEW.policy_id, NEW.parent_id, NEW.origin_id, NEW.earned_at))",
                    func="RAISE EXCEPTION 'what a lot was granted does not change' USING ERRCODE = 'SL004';",
                    hash="b9380776e055afae59e5082deaa221b87c5fa52c",
                    operation="UPDATE",
                    pgid="pgtrigger_lot_grant_fixed_05d74",
                    table="loyalty_lot",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="transfer",
            trigger=pgtrigger.compiler.Trigger(
                name="transfer_not_over_corrected",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.reverses_id IS NOT NULL OR NEW.corrects_id IS NOT NULL)",
                    declare="DECLARE target loyalty_transfer%ROWTYPE; corrected bigint;",
                    func="\n                    SELECT * INTO target FROM loyalty_transfer\n                     WHERE id = coalesce(NEW.reverses_id, NEW.corrects_id) FOR NO KEY UPDATE;\n                    SELECT coalesce(sum(amount), 0) INTO corrected FROM loyalty_transfer\n                     WHERE corrects_id = target.id OR reverses_id = target.id;\n                    IF corrected + NEW.amount > target.amount\n                       OR target.wallet_type_id <> NEW.wallet_type_id\n                       OR NEW.reverses_id IS NOT NULL\n                          AND (NEW.amount, NEW.wallet_id) <> (target.amount, target.wallet_id) THEN\n                        RAISE EXCEPTION 'transfer % of % cannot be corrected by % after %',\n                            target.id, target.amount, NEW.amount, corrected\n                            USING ERRCODE = 'SL003';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="0f7fb20bfc787c392edc1ec193651cfa20a48225",
                    operation="INSERT",
                    pgid="pgtrigger_transfer_not_over_corrected_871af",
                    table="loyalty_transfer",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["membership", "pool"]), _negated=True),
                fields=("program", "kind", "code"),
                name="account_program_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "membership",
                            "pool",
                            "partner",
                            "charity",
                            "issued",
                            "redeemed",
                            "expired",
                            "adjusted",
                            "written_off",
                            "transit",
                        ],
                    )
                ),
                name="account_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["partner", "charity"]), ("code", ""), _connector="XOR"
                ),
                name="account_party_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "placed",
                            "paid",
                            "fulfilled",
                            "completed",
                            "partly_refunded",
                            "refunded",
                            "cancelled",
                        ],
                    )
                ),
                name="order_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("parent", None), _negated=True),
                fields=["origin"],
                name="lot_child_origin",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("parent", None), _negated=True),
                fields=["transfer"],
                name="lot_child",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(
                    ("due_at__isnull", False),
                    ("expires_at", None),
                    models.Q(("planned_expires_at", None), _negated=True),
                ),
                fields=["planned_expires_at"],
                name="lot_to_warn",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.UniqueConstraint(
                condition=models.Q(("parent", None)), fields=("transfer",), name="lot_once"
            ),
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
        migrations.AddConstraint(
            model_name="lotpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["never", "fixed_date"]), ("length", None)),
                    models.Q(("kind", "end_of_period"), ("length__range", (0, 120))),
                    models.Q(
                        ("kind__in", ["days", "months", "years", "inactivity"]), ("length__gte", 1)
                    ),
                    _connector="OR",
                ),
                name="lot_policy_length",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "end_of_period"), ("period", ""), _connector="XOR"),
                name="lot_policy_period",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "fixed_date"), ("month_day__regex", "^[01]\\d-[0-3]\\d$")),
                    models.Q(models.Q(("kind", "fixed_date"), _negated=True), ("month_day", "")),
                    _connector="OR",
                ),
                name="lot_policy_month_day",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lotpolicy",
            trigger=pgtrigger.compiler.Trigger(
                name="lot_policy_immutable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="0fa978f3a68ff2d7ca21340837c54ba249e321c2",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_lot_policy_immutable_7a241",
                    table="loyalty_lotpolicy",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQL(
            "DROP FUNCTION IF EXISTS ledger_take("
            "bigint, bigint, bigint, bigint, boolean, timestamptz, timestamptz)",
            RunSQL.noop,
        ),
        *install(),
    ]
