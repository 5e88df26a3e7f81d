"""Who would be in which tier: what the page of a backtest shows where other tiers were tried."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.backtest_figures import BacktestFigures
from loyalty.backtest_rules import Wordings
from loyalty.models import Tier
from members.charts import Chart, Series
from members.formatting import format_money, format_percent


@dataclass(frozen=True, slots=True)
class TierRow:
    """A tier on both sides: members, their share of all, and what they were given."""

    name: str
    live: int
    draft: int
    live_share: str
    draft_share: str
    live_cost: str
    draft_cost: str


@dataclass(frozen=True, slots=True)
class TierTable:
    """`up`, `down`: members who would stand higher or lower."""

    rows: list[TierRow]
    chart: Chart
    up: int
    down: int


def tier_table(found: BacktestFigures) -> TierTable | None:
    """None where no other tiers were tried."""
    rows = found.tiers()
    if not rows:
        return None
    names, currency = _names(found), found.backtest.program.currency
    whole = [sum(row.live for row in rows), sum(row.draft for row in rows)]
    up, down = found.moved()
    shown = [
        TierRow(
            names.get(row.code, row.code), row.live, row.draft,
            _share(row.live, whole[0]), _share(row.draft, whole[1]),
            format_money(found.worth(row.live_units), currency),
            format_money(found.worth(row.draft_units), currency),
        )
        for row in rows
    ]  # fmt: skip
    chart = Chart(
        id="backtest-tiers",
        title=_("Members by tier"),
        labels=[row.name for row in shown],
        series=[
            Series(_("live"), [row.live for row in shown]),
            Series(_("draft"), [row.draft for row in shown]),
        ],
        kind="bar",
        summary=_("How many members have which tier after the last day, live and with the draft."),
        height="sm",
    )
    return TierTable(shown, chart, up, down)


def _share(count: int, whole: int) -> str:
    return format_percent(Decimal(count) / whole) if whole else "–"


def _names(found: BacktestFigures) -> dict[str, str]:
    """By code, as the draft calls them; those that only life has as they were last called."""
    wanted = Wordings.from_json(found.backtest.draft).tiers
    live = Tier.objects.filter(tier_set__program=found.backtest.program)
    names = dict(live.order_by("tier_set__number").values_list("code", "name"))
    return names | ({tier.code: tier.name for tier in wanted.tiers} if wanted else {})
