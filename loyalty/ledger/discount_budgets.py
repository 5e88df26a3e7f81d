"""What orders should have of the budgets of discount rules, as SQL that counts it the same
everywhere, and whether that is so."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from loyalty.ledger.discounts import KEPT

# By budget and order what is off its prices, less what came back: as the order tells, else what
# its cart was promised.
_DUE = """
    SELECT y.budget_id, h.holder, o.id AS order_id,
           coalesce(g.told, round(coalesce(u.promised, 0) * k.kept, 4)) AS asked
      FROM (SELECT DISTINCT r.discount_budget_id AS budget_id, d.order_id
              FROM loyalty_orderdiscount d
              JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
              JOIN loyalty_earningrule r ON r.id = v.rule_id
             WHERE r.discount_budget_id IS NOT NULL AND {told}
             UNION
            SELECT u.budget_id, o.id FROM loyalty_order o
              JOIN loyalty_discountbudgetuse u
                ON u.holder = 'order:' || o.source || '/' || o.external_id
             WHERE {known}) y
      JOIN loyalty_order o ON o.id = y.order_id
     CROSS JOIN LATERAL (SELECT 'order:' || o.source || '/' || o.external_id AS holder) h
      LEFT JOIN loyalty_discountbudgetuse u ON u.budget_id = y.budget_id AND u.holder = h.holder
     CROSS JOIN LATERAL ({kept}) k
     CROSS JOIN LATERAL (
           SELECT sum(round(d.amount * k.kept, 4)) AS told
             FROM loyalty_orderdiscount d
             JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
             JOIN loyalty_earningrule r ON r.id = v.rule_id
            WHERE d.order_id = o.id AND r.discount_budget_id = y.budget_id) g
"""
ALL_DUE = _DUE.format(told="true", known="true", kept=KEPT)
DUE_OF_ORDERS = _DUE.format(
    told="d.order_id = ANY(%(orders)s)", known="o.id = ANY(%(orders)s)", kept=KEPT
)

CHECKS: dict[str, str] = {
    _("of a budget of money off prices so much is used as carts hold and orders have"): """
        SELECT 'budget ' || b.id, coalesce(x.amount, 0), b.used
          FROM loyalty_discountbudget b
          LEFT JOIN (SELECT budget_id, sum(amount) AS amount FROM loyalty_discountbudgetuse
                      GROUP BY 1) x ON x.budget_id = b.id
         WHERE coalesce(x.amount, 0) <> b.used
    """,
    _("what an order asks of a budget is what is off its prices, less what came back"): f"""
        SELECT d.holder || ', budget ' || d.budget_id, d.asked, coalesce(u.asked, 0)
          FROM ({ALL_DUE}) d
          LEFT JOIN loyalty_discountbudgetuse u
                 ON u.budget_id = d.budget_id AND u.holder = d.holder
         WHERE d.asked <> coalesce(u.asked, 0)
    """,
}  # fmt: skip
