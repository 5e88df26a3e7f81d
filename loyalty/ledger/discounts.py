"""What discount rules cost, as SQL that counts it the same everywhere, and whether it is booked."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

# Of an order `o`, the part that is kept: one that came to nothing cost nothing.
KEPT = """
    SELECT CASE WHEN o.status IN ('cancelled', 'refunded') THEN 0
                WHEN o.total > 0 THEN greatest(1 - coalesce(sum(f.total), 0) / o.total, 0)
                ELSE 1 END AS kept
      FROM loyalty_refund f WHERE f.order_id = o.id
"""
# For each discount of these orders, or with none named of all orders, what it costs by now.
DUE = """
    SELECT r.program_id, 'rule'::text AS kind,
           'rule:' || y.order_id || ':' || y.rule_version_id AS subject,
           y.order_id, y.rule_version_id, o.placed_at AS at,
           coalesce(round(g.amount * k.kept, 4), 0) AS cost
      FROM (SELECT order_id, rule_version_id FROM loyalty_orderdiscount
             WHERE {orders}
             UNION
            SELECT order_id, rule_version_id FROM loyalty_discountentry
             WHERE kind = 'rule' AND {orders}) y
      JOIN loyalty_order o ON o.id = y.order_id
      JOIN loyalty_earningruleversion v ON v.id = y.rule_version_id
      JOIN loyalty_earningrule r ON r.id = v.rule_id
      LEFT JOIN loyalty_orderdiscount g
             ON g.order_id = y.order_id AND g.rule_version_id = y.rule_version_id
     CROSS JOIN LATERAL ({kept}) k
"""
ALL_DUE = DUE.format(orders="true", kept=KEPT)
OF_ORDERS = DUE.format(orders="order_id = ANY(%(orders)s::bigint[])", kept=KEPT)

RULES_BOOKED = _("what discount rules took off orders is booked, less what came back")
CHECKS: dict[str, str] = {
    RULES_BOOKED: f"""
        SELECT d.subject, d.cost, coalesce(b.booked, 0)
          FROM ({ALL_DUE}) d
          LEFT JOIN (SELECT subject, sum(amount) AS booked FROM loyalty_discountentry
                      GROUP BY 1) b ON b.subject = d.subject
         WHERE d.cost <> coalesce(b.booked, 0)
    """,
    _("what units paid beyond their worth is booked, less what came back"): """
        SELECT coalesce(d.subject, b.subject), coalesce(d.cost, 0), coalesce(b.booked, 0)
          FROM (SELECT 'spend:' || t.id AS subject,
                       round((t.explanation->>'beyond')::numeric * (t.amount - back.units)
                             / t.amount, 4) AS cost
                  FROM loyalty_transfer t
                 CROSS JOIN LATERAL (SELECT coalesce(sum(r.amount), 0) AS units
                                       FROM loyalty_transfer r
                                      WHERE r.reverses_id = t.id OR r.corrects_id = t.id) back
                 WHERE t.explanation ? 'beyond' AND t.reverses_id IS NULL
                   AND t.corrects_id IS NULL) d
          FULL JOIN (SELECT subject, sum(amount) AS booked FROM loyalty_discountentry
                      WHERE kind = 'worth' GROUP BY 1) b ON b.subject = d.subject
         WHERE coalesce(d.cost, 0) <> coalesce(b.booked, 0)
    """,
    _("what discounts cost in closed books is what it was when they were closed"): """
        SELECT 'closed period ' || c.id, c.booked->'discounts'->>'money', d.money
          FROM loyalty_closedperiod c
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount), 0) AS money, count(*) AS lines
                 FROM loyalty_discountentry e
                WHERE e.program_id = c.program_id AND e.booked_on <= c.until
                  AND e.booked_on >= coalesce(c.since, '-infinity')) d
         WHERE c.reopened_at IS NULL AND c.booked ? 'discounts'
           AND (d.money, d.lines) <> ((c.booked->'discounts'->>'money')::numeric,
                                      (c.booked->'discounts'->>'lines')::bigint)
    """,
}  # fmt: skip
