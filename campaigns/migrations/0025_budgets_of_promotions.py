"""Promotions that were planned before have their budgets of money off prices too: what orders were
told to have taken off is borne in the order in which they were placed, as far as it goes."""

from typing import Any

from django.db import migrations

BUDGETS = """
    INSERT INTO loyalty_discountbudget (program_id, source, amount)
    SELECT c.program_id, 'campaign:' || c.id, c.budget_money
      FROM campaigns_campaign c
     WHERE c.budget_money IS NOT NULL AND c.status <> 'draft' AND EXISTS (
           SELECT FROM loyalty_earningrule r
             JOIN loyalty_earningruleversion v ON v.rule_id = r.id
            WHERE r.program_id = c.program_id AND r.source = 'campaign:' || c.id
              AND v.body->>'kind' = 'discount')
    ON CONFLICT DO NOTHING
"""
RULES = """
    UPDATE loyalty_earningrule r SET discount_budget_id = b.id
      FROM loyalty_discountbudget b
     WHERE r.program_id = b.program_id AND r.source = b.source AND r.discount_budget_id IS NULL
"""
USES = """
    INSERT INTO loyalty_discountbudgetuse
           (budget_id, holder, promised, asked, amount, changed_at)
    SELECT x.budget_id, x.holder, 0, x.asked,
           greatest(least(x.asked, b.amount - (x.sum - x.asked)), 0), now()
      FROM (SELECT y.*, sum(y.asked) OVER (PARTITION BY y.budget_id
                                               ORDER BY y.placed_at, y.order_id) AS sum
              FROM (SELECT r.discount_budget_id AS budget_id, o.id AS order_id, o.placed_at,
                           'order:' || o.source || '/' || o.external_id AS holder,
                           sum(round(d.amount * k.kept, 4)) AS asked
                      FROM loyalty_orderdiscount d
                      JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
                      JOIN loyalty_earningrule r ON r.id = v.rule_id
                      JOIN loyalty_order o ON o.id = d.order_id
                     CROSS JOIN LATERAL (
                           SELECT CASE WHEN o.status IN ('cancelled', 'refunded') THEN 0
                                       WHEN o.total > 0
                                       THEN greatest(1 - coalesce(sum(f.total), 0) / o.total, 0)
                                       ELSE 1 END AS kept
                             FROM loyalty_refund f WHERE f.order_id = o.id) k
                     WHERE r.discount_budget_id IS NOT NULL
                     GROUP BY r.discount_budget_id, o.id) y) x
      JOIN loyalty_discountbudget b ON b.id = x.budget_id
     WHERE x.asked > 0
    ON CONFLICT DO NOTHING
"""
# A trigger counts what is used row by row, which would take longer with each row of one transaction.
COUNTER = "pgtrigger_discount_budget_use_counted_a8e58"
UNCOUNTED = f"""
    SELECT set_config('pgtrigger.ignore', '{{loyalty_discountbudgetuse:{COUNTER},{COUNTER}}}', true)
"""
USED = """
    UPDATE loyalty_discountbudget b SET used = x.amount
      FROM (SELECT budget_id, sum(amount) AS amount FROM loyalty_discountbudgetuse
             GROUP BY budget_id) x
     WHERE x.budget_id = b.id AND b.used <> x.amount
"""
COUNTED = "SELECT set_config('pgtrigger.ignore', '{}', true)"
STEPS: list[Any] = [BUDGETS, RULES, UNCOUNTED, USES, COUNTED, USED]


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0024_challenge_forecasts"),
        ("loyalty", "0066_budgets_of_discounts"),
    ]

    operations = [
        migrations.RunSQL(STEPS, migrations.RunSQL.noop),
    ]
