"""How a reward is taken and what it costs, as figures and a picture."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from members.charts import Chart, Series
from members.formatting import format_money, format_percent
from rewards.models import Reward
from rewards.selectors.rewards import taken_by_month


def figures(reward: Reward, now: dt.datetime) -> dict[str, Any]:
    """`reward` comes with its figures. Costs are those of now: what one cost then is not kept."""
    taken: int = reward.taken_ever  # type: ignore[attr-defined]
    used: int = reward.used_ever  # type: ignore[attr-defined]
    return {
        "used_share": format_percent(Decimal(used) / taken, digits=0) if taken else "",
        "taken_worth": reward.worth * taken,
        "taken_cost": reward.cost * taken,
        "cost_chart": _chart(reward, now) if taken else None,
    }


def _chart(reward: Reward, now: dt.datetime) -> Chart:
    months = taken_by_month(reward, now)
    costs = [reward.cost * count for count in months.values()]
    currency = reward.program.currency
    words = {"total": format_money(sum(costs, Decimal(0)), currency), "taken": sum(months.values())}
    return Chart(
        "reward-costs", _("Cost by month"), list(months), [Series(_("Cost"), costs)], "bar",
        unit=currency, x_label=_("Month"), height="sm",
        summary=_("%(taken)s taken in twelve months, at a cost of %(total)s.") % words,
    )  # fmt: skip
