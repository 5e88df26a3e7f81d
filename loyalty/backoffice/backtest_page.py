"""What the page of a backtest shows: its figures, as words, tables and pictures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.backtest_discounts import discount_notes, discount_rows
from loyalty.backoffice.backtest_tiers import tier_table
from loyalty.backtest_figures import BacktestFigures, Bar, UnitFigures
from loyalty.backtest_sums import Example, Figures
from loyalty.models import Backtest, Order
from members.backoffice.job_rows import JobProgress
from members.charts import Chart, Series
from members.conditions.scopes import BEHAVIOR, CUSTOMER, MEMBER
from members.formatting import (
    format_days,
    format_money,
    format_number,
    format_percent,
    format_points,
    format_short_month,
    format_units,
)
from members.models import Customer, Job, Segment

CHANGES = {"added": _l("new"), "changed": _l("changed"), "removed": _l("left out")}
OPEN = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure on both sides, and the difference."""

    label: str
    live: str
    draft: str
    more: str = ""
    icon: str = ""
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """A member to whom it makes a difference, and the order where it is the largest."""

    customer: Customer
    live: str
    draft: str
    more: str
    order: Order | None
    order_words: str


def page_context(backtest: Backtest) -> dict[str, Any]:
    job = backtest.job
    is_open = job is not None and job.state in OPEN
    context: dict[str, Any] = {
        "title": backtest.name,
        "backtest": backtest,
        "program": backtest.program,
        "days": format_days(backtest.since, backtest.until),
        "who": backtest.created_by or backtest.api_key or "Setia",
        "is_open": is_open,
        "progress": JobProgress.of(job) if job is not None and is_open else None,
        "stopped": job is not None and job.state in {Job.State.CANCELED, Job.State.FAILED},
    }
    if backtest.result is None:
        return context
    found = BacktestFigures(backtest)
    discounts = discount_rows(found)
    if discounts:
        notes = discount_notes(found)
        return context | {"found": found, "discounts": discounts, "notes": notes}
    return context | {
        "found": found,
        "figures": list(_headline(found)),
        "tiers": tier_table(found),
        "rules": [_rule_row(found, item) for item in found.rules()],
        "charts": [_by_month(found, unit) for unit in found.awarded],
        "months": [_period(found, _month(key), item) for key, item in found.months()],
        "spread": _spread(found) if found.whole.members else None,
        "winners": _examples(found, found.winners),
        "losers": _examples(found, found.losers),
        "segments": _segments(found),
        "notes": list(_notes(found)),
    }


def comparison_context(first: Backtest, second: Backtest) -> dict[str, Any]:
    """Two results side by side: what each draft would have cost and brought."""
    both = [BacktestFigures(first), BacktestFigures(second)]
    rows = [
        (label, [dict(_plain(found)).get(label, "–") for found in both])
        for label in dict.fromkeys(label for found in both for label, _value in _plain(found))
    ]
    same = (first.program_id, first.since, first.until) == (
        second.program_id, second.since, second.until,
    )  # fmt: skip
    return {"title": _("Two backtests"), "both": both, "rows": rows, "same_orders": same}


def _plain(found: BacktestFigures) -> list[tuple[str, str]]:
    currency = found.backtest.program.currency
    whole, rows = found.whole, []
    rows.append((_("Program"), found.backtest.program.name))
    days = format_days(found.backtest.since, found.backtest.until)
    rows.append((_("Orders of"), days))
    rows.append((_("Orders"), format_number(whole.orders)))
    rows.append((_("Sold"), format_money(whole.revenue, currency)))
    for discount in discount_rows(found):
        rows.append((_("%s, taken off") % discount.name, discount.off))
    for item in _headline(found):
        rows.append((f"{item.label} · {_('live')}", item.live))
        rows.append((f"{item.label} · {_('draft')}", item.draft))
    rows.append((_("Members better off"), format_number(found.better)))
    rows.append((_("Members worse off"), format_number(found.worse)))
    return rows


def _headline(found: BacktestFigures) -> list[Compared]:
    """The numbers that one asks first."""
    whole, currency = found.whole, found.backtest.program.currency
    rows = [
        _units_row(capfirst(unit.plural), unit, whole.units["live"][unit.code],
                   whole.units["draft"][unit.code], "coins")
        for unit in found.awarded
    ]  # fmt: skip
    live, draft = found.cost(whole, "live"), found.cost(whole, "draft")
    rows.append(
        Compared(
            _("Cost"), format_money(live, currency), format_money(draft, currency),
            format_money(draft - live, currency, sign=True), "cash",
        )
    )  # fmt: skip
    shares = [_percent(found.share(whole, side)) for side in ("live", "draft")]
    rows.append(Compared(_("Cost of what was sold"), shares[0], shares[1], icon="percentage"))
    rows += [
        _units_row(
            _("%s left at the end") % capfirst(unit.plural), unit,
            found.outstanding("live").get(unit.code, 0),
            found.outstanding("draft").get(unit.code, 0), "scale",
        )
        for unit in found.awarded
    ]  # fmt: skip
    return rows


def _units_row(label: str, unit: UnitFigures, live: int, draft: int, icon: str) -> Compared:
    return Compared(
        label, format_points(live, unit.scale), format_points(draft, unit.scale),
        format_points(draft - live, unit.scale, sign=True), icon,
    )  # fmt: skip


def _rule_row(found: BacktestFigures, item: Any) -> Compared:
    orders = [format_number(count) for count in (item.live_orders, item.draft_orders)]
    row = _units_row(item.name, item.unit, item.live, item.draft, "")
    return Compared(
        row.label, row.live, row.draft, row.more, str(CHANGES.get(item.change, "")),
        _("orders: %(live)s live, %(draft)s in the draft")
        % {"live": orders[0], "draft": orders[1]},
    )  # fmt: skip


def _period(found: BacktestFigures, label: str, figures: Figures) -> dict[str, Any]:
    """A line of the tables by month and by segment."""
    currency = found.backtest.program.currency
    return {
        "label": label,
        "orders": figures.orders,
        "members": figures.members,
        "revenue": format_money(figures.revenue, currency),
        "live": _all_units(found, figures.units["live"]),
        "draft": _all_units(found, figures.units["draft"]),
        "share": _percent(found.share(figures, "draft")),
    }


def _all_units(found: BacktestFigures, units: Any) -> str:
    return " · ".join(format_units(units[unit.code], unit) for unit in found.awarded)


def _segments(found: BacktestFigures) -> list[dict[str, Any]]:
    names = dict(Segment.objects.values_list("code", "name"))
    return [
        _period(found, names.get(code, code), figures)
        for code, figures in sorted(found.sums.segments.items())
    ]


def _by_month(found: BacktestFigures, unit: UnitFigures) -> Chart:
    months, whole = found.months(), found.whole
    return Chart(
        id=f"backtest-months-{unit.code}",
        title=_("%s by month") % capfirst(unit.plural),
        labels=[_month(key) for key, _figures in months],
        series=[
            Series(label, [unit.whole(item.units[side][unit.code]) for _key, item in months])
            for side, label in (("live", _("Live rules")), ("draft", _("Draft")))
        ],
        kind="bar",
        unit=unit.plural,
        summary=_("Live rules gave %(live)s, the draft would have given %(draft)s.")
        % {
            "live": format_units(whole.units["live"][unit.code], unit),
            "draft": format_units(whole.units["draft"][unit.code], unit),
        },
        x_label=_("Month"),
    )


def _spread(found: BacktestFigures) -> Chart:
    bars = found.bars()
    return Chart(
        id="backtest-spread",
        title=_("Members by what they would gain or lose"),
        labels=[_bar_label(found, bar) for bar in bars],
        series=[Series(_("Members"), [bar.members for bar in bars])],
        kind="bar",
        unit=_("members"),
        summary=_("%(better)s members would be better off, %(worse)s worse, %(same)s as they are.")
        % {
            "better": format_number(found.better),
            "worse": format_number(found.worse),
            "same": format_number(found.same),
        },
        x_label=_("Difference"),
    )


def _bar_label(found: BacktestFigures, bar: Bar) -> str:
    if not bar.most and not bar.least:
        return _("the same")
    if bar.most <= 0:
        return f"−{_amount(found, -bar.most)} – {_amount(found, -bar.least)}"
    return f"+{_amount(found, bar.least)} – {_amount(found, bar.most)}"


def _amount(found: BacktestFigures, amount: Decimal) -> str:
    if found.in_money:
        return format_money(amount, found.backtest.program.currency)
    return format_number(amount.normalize())


def _examples(found: BacktestFigures, examples: Sequence[Example]) -> list[Who]:
    customers = Customer.objects.in_bulk({example.customer for example in examples})
    orders = Order.objects.in_bulk({example.order for example in examples if example.order})
    currency = found.backtest.program.currency
    return [
        Who(
            customers[example.customer],
            _all_units(found, example.live),
            _all_units(found, example.draft),
            format_money(example.difference, currency, sign=True)
            if found.in_money
            else _signed(example.difference),
            orders.get(example.order or 0),
            _("%(live)s live, %(draft)s in the draft")
            % {
                "live": _all_units(found, example.order_live),
                "draft": _all_units(found, example.order_draft),
            },
        )
        for example in examples
        if example.customer in customers
    ]


def _signed(difference: Decimal) -> str:
    return f"{'+' if difference > 0 else '−'}{format_number(abs(difference))}"


def _notes(found: BacktestFigures) -> list[str]:
    """What the figures do not say."""
    scopes = set(found.result["scopes"])
    notes = [
        _("People are taken to buy what they did buy: that a better offer sells more, or a worse"
          " one less, is not in it."),
        _("Guest orders, orders in other currencies and orders that were canceled are left out;"
          " what came back is taken off the order."),
        _("A rule that the draft changes counts as changed from the first day of the period; all"
          " others count as they were when each order came."),
        _("“Left at the end” is what would not have expired, if nobody had spent any of it."),
        _("What orders and days of the year, such as birthdays, give is in it; what activities give"
          " is not."),
        _("Segments are those of today."),
    ]  # fmt: skip
    if BEHAVIOR in scopes:
        notes.append(
            _("What members did besides buying, and how they compare with others, is as it was when"
              " the period began.")
        )  # fmt: skip
    if CUSTOMER in scopes:
        notes.append(_("Customers’ details are those of today."))
    if MEMBER in scopes:
        notes.append(
            _("Balances are what was held before, and what is given here: nobody spends any, and"
              " none expire.")
        )  # fmt: skip
    if found.tiers():
        notes.append(
            _("The draft’s tiers count from the first day of the period on: who has less than their"
              " tier asks for keeps it until the next review.")
        )  # fmt: skip
    elif found.backtest.program.tier_sets.exists():
        notes.append(_("Tiers are those that priced the orders in life, also under the draft."))
    if found.result["has_budgets"]:
        notes.append(
            _("When a budget runs out is worked out to the day, and within it in proportion: what"
              " it gives may differ a little.")
        )  # fmt: skip
    return notes


def _percent(share: Decimal | None) -> str:
    return "–" if share is None else format_percent(share, digits=2)


def _month(key: str) -> str:
    return format_short_month(dt.date.fromisoformat(f"{key}-01"))
