"""What the page of a backtest shows of discounts that it tried."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.backtest_figures import BacktestFigures
from loyalty.backtest_rules import Wordings
from members.formatting import format_day, format_money, format_number, format_percent


@dataclass(frozen=True, slots=True)
class DiscountRow:
    """What one takes off, as words."""

    name: str
    off: str
    share: str
    orders: str
    members: str
    used_up: str


def discount_rows(found: BacktestFigures) -> list[DiscountRow]:
    currency, revenue = found.backtest.program.currency, found.whole.revenue
    return [
        DiscountRow(
            item.name,
            format_money(item.off, currency),
            format_percent(item.off / revenue, digits=2) if revenue > 0 else "–",
            format_number(item.orders),
            format_number(item.members),
            format_day(item.used_up) if item.used_up else "",
        )
        for item in found.discounts()
    ]


def discount_notes(found: BacktestFigures) -> list[str]:
    """What its figures do not say."""
    notes = [
        _("People are taken to buy what they did buy: that lower prices sell more is not in it."),
        _("Prices are those that were charged, before what the program’s own discounts took off."
          " What shops reduced themselves stays reduced; where both were off an order, what each of"
          " its lines bore of them is taken in proportion."),
        _("Discounts that people wrote count beside it, as they were when each order came; those of"
          " other promotions only where they are planned or live in its time."),
        _("What comes off at the checkout is counted, also of goods that came back later. Units are"
          " not: on lower prices fewer are earned."),
        _("Guest orders, orders in other currencies and orders that were canceled are left out."),
        _("Segments and customers’ details are those of today."),
    ]  # fmt: skip
    tried = Wordings.from_json(found.backtest.draft).beside.discounts
    if any(item.limits.budget is not None for item in tried):
        notes.append(
            _("In the order of time, an order that what is left of the budget does not cover has"
              " none of it; a smaller one after it may.")
        )  # fmt: skip
    if any(item.by_code for item in tried):
        notes.append(
            _("A promotion by code is tried as if everybody for whom it is had the code, and used"
              " it with each order as often as they may: it takes off that much at most.")
        )  # fmt: skip
    return notes
