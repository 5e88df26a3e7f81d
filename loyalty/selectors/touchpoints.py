"""How many members did something at each touchpoint in the last 90 days: bought, spent units, did
an activity. Higher applications add theirs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.goal_metrics import GoalMetric
from loyalty.insight_registry import register_insight
from loyalty.models import Program
from loyalty.selectors.goal_metrics import KEPT_BOUGHT, MEMBERS, QUARTER, one_row

_BOUGHT = f"WITH m AS ({MEMBERS}) SELECT count(DISTINCT customer_id) FROM ({KEPT_BOUGHT}) b"
_SPENT = f"""
    WITH m AS ({MEMBERS})
    SELECT count(DISTINCT m.id) FROM loyalty_transfer t
      JOIN loyalty_wallet w ON w.id = t.wallet_id JOIN m ON m.account_id = w.account_id
     WHERE t.kind IN ('redemption', 'donation')
       AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
"""
_DID = f"""
    WITH m AS ({MEMBERS})
    SELECT count(DISTINCT m.id) FROM loyalty_activity v JOIN m ON m.customer_id = v.customer_id
     WHERE v.state = 'approved' AND v.occurred_at >= %(since)s AND v.occurred_at < %(until)s
"""


def register() -> None:
    """Called once, when the application is ready."""
    for code, name, query in (
        ("touch_orders", _("Bought something"), _BOUGHT),
        ("touch_spent", _("Spent or donated units"), _SPENT),
        ("touch_activities", _("Did an activity"), _DID),
    ):
        register_touchpoint(code, name, query)


def register_touchpoint(code: str, name: str | Promise, query: str) -> None:
    """`query`: counts members, with `MEMBERS` as `m`, from %(since)s until %(until)s."""

    def measure(program: Program, day: dt.date) -> Decimal | None:
        return Decimal(one_row(query, program, day, QUARTER)[0])

    metric = GoalMetric(
        code, "count", "up", _("Members who did it in the last 90 days."), name=name
    )
    register_insight(metric, measure, "touchpoint")
