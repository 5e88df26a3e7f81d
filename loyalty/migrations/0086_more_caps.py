from django.db import migrations, models
from django.db.models import Q

# Counters of members belong to the period of the newest wording that may have begun one on their
# day; a rule had one period at a time.
PERIODS = """
    UPDATE loyalty_capcounter c
       SET period = coalesce((
           SELECT v.body -> 'caps' ->> 'period'
             FROM loyalty_earningruleversion v
             JOIN loyalty_earningrule r ON r.id = v.rule_id
            WHERE c.rule_id IN (r.id, r.budget_rule_id)
              AND v.status = 'published'
              AND v.body -> 'caps' ->> 'per_member' IS NOT NULL
              AND CASE v.body -> 'caps' ->> 'period'
                  WHEN 'lifetime' THEN c.period_start = '0001-01-01'
                  WHEN 'day' THEN c.period_start <> '0001-01-01'
                  ELSE c.period_start <> '0001-01-01'
                   AND date_trunc(v.body -> 'caps' ->> 'period', c.period_start)::date
                       = c.period_start
                  END
            ORDER BY v.id DESC LIMIT 1), 'lifetime')
     WHERE c.membership_id IS NOT NULL
"""


class Migration(migrations.Migration):
    # What is counted is kept as it is while the table changes.
    dependencies = [("loyalty", "0085_index_of_orders_at_partners")]

    operations = [
        migrations.AddField(
            model_name="capcounter",
            name="period",
            field=models.CharField(db_default="lifetime", default="lifetime", max_length=8),
        ),
        migrations.AddField(
            model_name="capcounter",
            name="worth",
            field=models.DecimalField(
                db_default=0, decimal_places=10, default=0, max_digits=24
            ),
        ),
        migrations.RunSQL(PERIODS, migrations.RunSQL.noop),
        # Updated rows have events of their foreign keys pending, before which no index is made.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED",
                          migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="capcounter", name="cap_counter_member"),
        migrations.RemoveConstraint(model_name="capcounter", name="cap_counter_used"),
        migrations.AddConstraint(
            model_name="capcounter",
            constraint=models.UniqueConstraint(
                condition=Q(slice=None),
                fields=("rule", "membership", "period", "period_start"),
                name="cap_counter_member",
            ),
        ),
        migrations.AddConstraint(
            model_name="capcounter",
            constraint=models.CheckConstraint(
                condition=Q(used__gte=0, worth__gte=0), name="cap_counter_used"
            ),
        ),
        migrations.AddConstraint(
            model_name="capcounter",
            constraint=models.CheckConstraint(
                condition=Q(period__in=["day", "week", "month", "year", "lifetime"]),
                name="cap_counter_period",
            ),
        ),
    ]
