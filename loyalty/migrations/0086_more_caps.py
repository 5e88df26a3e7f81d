"""Counters of members say of which period they are. Orders go on being counted meanwhile."""

from django.db import migrations, models
from django.db.models import Q

FIRST = "'0001-01-01'::date"

# Counters of members belong to the period of the newest wording that may have begun one on their
# day; a rule had one period at a time.
FUNCTION = f"""
    CREATE OR REPLACE FUNCTION loyalty_cap_period(counted bigint, began date) RETURNS text
    LANGUAGE sql STABLE AS $$
        SELECT coalesce((
            SELECT v.body -> 'caps' ->> 'period'
              FROM loyalty_earningruleversion v
              JOIN loyalty_earningrule r ON r.id = v.rule_id
             WHERE counted IN (r.id, r.budget_rule_id)
               AND v.status = 'published'
               AND v.body -> 'caps' ->> 'per_member' IS NOT NULL
               AND CASE v.body -> 'caps' ->> 'period'
                   WHEN 'lifetime' THEN began = {FIRST}
                   WHEN 'day' THEN began <> {FIRST}
                   ELSE began <> {FIRST}
                    AND date_trunc(v.body -> 'caps' ->> 'period', began)::date = began
                   END
             ORDER BY v.id DESC LIMIT 1), 'lifetime')
    $$
"""
# What the code from before counts while this runs says no period.
TRIGGER_FUNCTION = """
    CREATE OR REPLACE FUNCTION loyalty_cap_period_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.period := loyalty_cap_period(NEW.rule_id, NEW.period_start);
        RETURN NEW;
    END $$
"""
TRIGGER = f"""
    CREATE OR REPLACE TRIGGER cap_counter_period_of_new BEFORE INSERT ON loyalty_capcounter
    FOR EACH ROW WHEN (NEW.membership_id IS NOT NULL AND NEW.period = 'lifetime'
                       AND NEW.period_start <> {FIRST})
    EXECUTE FUNCTION loyalty_cap_period_of_new()
"""
# Some thousands at a time, each in a transaction of its own: nobody waits for all of them. There
# are many counters, of few rules and days.
PERIODS = f"""
    DO $$
    DECLARE
        done bigint := 0;
        most bigint;
    BEGIN
        LOOP
            SELECT max(id) INTO most FROM (
                SELECT id FROM loyalty_capcounter WHERE id > done ORDER BY id LIMIT 5000) c;
            EXIT WHEN most IS NULL;
            UPDATE loyalty_capcounter c SET period = d.period
              FROM (SELECT rule_id, period_start,
                           loyalty_cap_period(rule_id, period_start) AS period
                      FROM (SELECT DISTINCT rule_id, period_start FROM loyalty_capcounter
                             WHERE id > done AND id <= most AND membership_id IS NOT NULL
                               AND period = 'lifetime' AND period_start <> {FIRST}) found) d
             WHERE c.id > done AND c.id <= most AND c.membership_id IS NOT NULL
               AND c.period = 'lifetime' AND d.period <> 'lifetime'
               AND (c.rule_id, c.period_start) = (d.rule_id, d.period_start);
            COMMIT;
            done := most;
        END LOOP;
    END $$
"""
# Each by itself, and made anew where one was left half made. Only what looks at no row holds the
# table.
FORWARD = [
    "ALTER TABLE loyalty_capcounter"
    " ADD COLUMN IF NOT EXISTS period varchar(8) DEFAULT 'lifetime' NOT NULL,"
    " ADD COLUMN IF NOT EXISTS worth numeric(24, 10) DEFAULT 0 NOT NULL",
    FUNCTION,
    TRIGGER_FUNCTION,
    TRIGGER,
    PERIODS,
    "ALTER TABLE loyalty_capcounter DROP CONSTRAINT IF EXISTS cap_counter_used,"
    " DROP CONSTRAINT IF EXISTS cap_counter_period,"
    " ADD CONSTRAINT cap_counter_used CHECK (used >= 0 AND worth >= 0) NOT VALID,"
    " ADD CONSTRAINT cap_counter_period"
    " CHECK (period IN ('day', 'week', 'month', 'year', 'lifetime')) NOT VALID",
    "ALTER TABLE loyalty_capcounter VALIDATE CONSTRAINT cap_counter_used",
    "ALTER TABLE loyalty_capcounter VALIDATE CONSTRAINT cap_counter_period",
    "DROP INDEX CONCURRENTLY IF EXISTS cap_counter_member_period",
    "CREATE UNIQUE INDEX CONCURRENTLY cap_counter_member_period ON loyalty_capcounter"
    " (rule_id, membership_id, period, period_start) WHERE slice IS NULL",
    "DO $$ BEGIN DROP INDEX IF EXISTS cap_counter_member;"
    " ALTER INDEX cap_counter_member_period RENAME TO cap_counter_member;"
    " DROP TRIGGER cap_counter_period_of_new ON loyalty_capcounter;"
    " DROP FUNCTION loyalty_cap_period_of_new();"
    " DROP FUNCTION loyalty_cap_period(bigint, date); END $$",
]
# Refused where a rule counts in several periods that began on one day.
BACK = [
    "CREATE UNIQUE INDEX cap_counter_member_former ON loyalty_capcounter"
    " (rule_id, membership_id, period_start) WHERE slice IS NULL",
    "DROP INDEX cap_counter_member",
    "ALTER INDEX cap_counter_member_former RENAME TO cap_counter_member",
    "ALTER TABLE loyalty_capcounter DROP CONSTRAINT cap_counter_period,"
    " DROP CONSTRAINT cap_counter_used, DROP COLUMN period, DROP COLUMN worth,"
    " ADD CONSTRAINT cap_counter_used CHECK (used >= 0)",
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("loyalty", "0085_index_of_orders_at_partners")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACK)],
            state_operations=[
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
            ],
        ),
    ]
