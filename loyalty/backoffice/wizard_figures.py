"""What the wizard shows of the merchant's own figures: habits, the way to the first reward, tiers
over their customers, and what it would have cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.backoffice.tier_ladder import ladder_over
from loyalty.definitions import ProgramDefinition
from loyalty.models import ProgramDraft
from loyalty.projection_figures import BARS, Estimate, Projection
from loyalty.purchase_habits import Habits
from loyalty.selectors.order_history import order_spread, spend_spread
from loyalty.services.projections import History
from loyalty.tier_words import TierVoice
from members.charts import Chart, Series
from members.formatting import format_days, format_money, format_number, format_percent

HUNDRED = Decimal(100)
# Above this a program gives away more than it is likely to bring in.
MUCH = Decimal("0.08")
# Fewer than that ever see a reward.
FEW, MANY = Decimal("0.2"), Decimal("0.4")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name."""

    label: str
    value: str
    icon: str = ""
    sub: str = ""


def habit_figures(habits: Habits) -> list[Figure]:
    """What a year of orders says, the most telling first."""
    each = habits.orders_each
    found = [
        Figure(_("Buyers"), format_number(habits.buyers), "users",
               _("%s orders") % format_number(habits.orders)),
        Figure(_("Orders of a typical buyer"), format_number(each.middle), "repeat",
               _("a quarter has %(low)s or fewer, a quarter %(high)s or more")
               % {"low": format_number(each.low), "high": format_number(each.high)}),
        Figure(_("Typical order"), format_money(habits.basket.middle, habits.currency), "basket",
               _("half are from %(low)s to %(high)s")
               % {"low": format_money(habits.basket.low, habits.currency),
                  "high": format_money(habits.basket.high, habits.currency)}),
    ]  # fmt: skip
    if habits.gap is not None:
        days = int(habits.gap.middle)
        words = ngettext("%s day", "%s days", days) % format_number(days)
        found.append(Figure(_("From one purchase to the next"), words, "calendar"))
    for label, share, icon, sub in (
        (_("Brought in by the best fifth"), habits.top_share, "crown", ""),
        (_("Bought only once"), habits.one_time, "user", ""),
        (_("Came back"), habits.returns_share, "arrow-back-up", _("of what was sold")),
    ):
        if share is not None:
            found.append(Figure(label, format_percent(share, digits=0), icon, sub))
    return found


def period_words(history: History) -> str:
    """Which orders the figures are of."""
    if history.period is None:
        return _("Worked out from your estimates.")
    days = format_days(
        history.period.since.astimezone(history.period.zone).date(),
        history.period.last_day.astimezone(history.period.zone).date(),
    )
    return _("Your orders of %s.") % days


def sample_words(found: Projection) -> str:
    """How many were looked at, and what that means."""
    if found.estimated:
        return _("Worked out from your estimates: real customers differ more than these.")
    if found.whole:
        return _("All %s buyers of that time were looked at.") % format_number(found.buyers)
    return _("Looked at %(some)s of %(all)s buyers, chosen at random: hence the ±. A backtest goes"
             " through all of them.") % {
        "some": format_number(found.looked_at), "all": format_number(found.buyers),
    }  # fmt: skip


def plan_words(found: Projection) -> list[str]:
    """Who is taken to have the paid plan, if there is one."""
    if found.plan is None:
        return []
    members = found.plan.members
    words = ngettext(
        "%s buyer, who spent most, is taken to have the plan all year.",
        "The %s buyers who spent most are taken to have the plan all year.", members,
    )  # fmt: skip
    return [words % format_number(members)]


def reward_chart(found: Projection) -> Chart | None:
    """How many purchases until the first reward."""
    bars = found.bars()
    if not bars or not found.reached:
        return None
    labels = [
        _("%s or more") % format_number(number) if number == BARS else format_number(number)
        for number, _share in bars
    ]
    return Chart(
        id="first-reward",
        title=_("Buyers by the purchase that brings their first reward"),
        labels=labels,
        series=[Series(_("Buyers"), [round(share * HUNDRED, 1) for _n, share in bars])],
        kind="bar",
        unit="%",
        summary=reward_words(found),
        x_label=_("Purchase"),
    )


def reward_words(found: Projection) -> str:
    """The picture in a sentence."""
    needed = found.purchases_needed
    if needed is None:
        return _("Nobody would have come to the first reward within the year.")
    share = _with_off(found.reached_share)
    purchases = ngettext("%s purchase", "%s purchases", needed) % format_number(needed)
    return _("%(share)s of the buyers would have had their first reward within the year; half of"
             " those after %(purchases)s at most.") % {
        "share": share, "purchases": purchases,
    }  # fmt: skip


def reward_hint(found: Projection) -> tuple[str, str]:
    """What to think of it: a kind of note, and words."""
    share = found.reached_share.value
    if not found.looked_at:
        return "", ""
    if share < FEW:
        return "warning", _("Few ever see a reward, so few have a reason to come back for one. Make"
                            " the first one cheaper, or the rate higher.")  # fmt: skip
    if found.purchases_needed == 1 and share > MANY:
        return "info", _("Most have it with the first purchase: it rewards buying once, not coming"
                         " back.")  # fmt: skip
    return "success", _("Close enough to be wanted, and far enough to come back for.")


def cost_figures(found: Projection, currency: str, margin: Decimal, used: Decimal) -> list[Figure]:
    """What it costs and what is left."""
    off = found.cost_off
    sub = "" if not off else _("± %s") % money_words(off, currency)
    growth = found.needed_growth(margin)
    after = found.margin_after(margin)
    return [
        Figure(_("Cost in the year"), money_words(found.cost, currency), "coins",
               sub or _("if all of it is used")),
        Figure(_("Of what is sold"), format_percent(found.whole_share, digits=2), "percentage",
               _("if %(used)s is used: %(money)s") % {
                   "used": format_percent(used, digits=0),
                   "money": money_words(found.cost_if_used(used), currency)}),
        *_fees(found, currency),
        Figure(_("Margin"), format_percent(after, digits=1), "scale",
               _("was %s") % format_percent(margin, digits=1)),
        Figure(_("Pays for itself from"),
               _("never") if growth is None else "+" + format_percent(growth, digits=1),
               "trending-up", _("more sold than without it")),
        Figure(_("Owed at the end of the year"), money_words(found.owed_at_most, currency),
               "hourglass", _("%s if every reward is taken at once")
               % money_words(found.owed_at_least, currency)),
    ]  # fmt: skip


def _fees(found: Projection, currency: str) -> list[Figure]:
    if found.plan is None:
        return []
    return [Figure(_("Fees for the plan"), money_words(found.plan.fees, currency), "credit-card",
                   _("come in besides, and are in the margin"))]  # fmt: skip


def cost_rows(found: Projection, currency: str) -> list[tuple[str, str, str]]:
    """Where the cost comes from: name, money, part of what is sold."""
    parts = [*found.by_rule()]
    if found.from_tiers:
        parts.append((_("More for the upper tiers"), found.from_tiers))
    if found.discounts:
        parts.append((_("Discounts"), found.discounts))
    if found.credits:
        parts.append((_("Units that come with the plan"), found.credits))
    if found.from_plan:
        parts.append((_("More for members of the plan"), found.from_plan))
    if found.yearly:
        parts.append((_("Birthdays, if all are known"), found.yearly))
    revenue = found.revenue or Decimal(1)
    return [
        (name, money_words(money, currency), format_percent(money / revenue, digits=2))
        for name, money in parts
    ]


def cost_hint(found: Projection, margin: Decimal) -> tuple[str, str]:
    after = found.margin_after(margin)
    if not found.looked_at:
        return "", ""
    if after <= 0:
        return "danger", _("It gives away more than is left of the price. Lower the rate.")
    if found.plan is not None and found.fees >= found.cost:
        return "success", _("The fees pay for all that it gives.")
    if found.whole_share > MUCH:
        return "warning", _("More than 8% of what is sold is rare, and hard to earn back.")
    if found.whole_share * 4 > margin:
        return "warning", _("More than a quarter of your margin: look whether a smaller rate does.")
    return "success", _("Less than a quarter of your margin, as usual for programs that last.")


def margin_chart(found: Projection, currency: str, margin: Decimal) -> Chart | None:
    """What is left of what is sold, with and without."""
    if not found.revenue:
        return None
    profit = found.revenue * margin
    return Chart(
        id="margin",
        title=_("What is left of the year’s sales"),
        labels=[_("Without the program"), _("With it, nobody buying more")],
        series=[
            Series(_("Left"), [round(profit), round(max(profit - found.net_cost, Decimal(0)))]),
            Series(_("Program"), [0, round(min(max(found.net_cost, Decimal(0)), profit))]),
        ],
        kind="stacked",
        unit=currency,
        x_label=_("Year"),
        summary=_("%(before)s without it, %(after)s with it.") % {
            "before": money_words(profit, currency),
            "after": money_words(profit - found.net_cost, currency),
        },
        height="sm",
        colors=("good", "warning"),
    )  # fmt: skip


def ladder_context(
    definition: ProgramDefinition, history: History, draft: ProgramDraft
) -> dict[str, Any]:
    """The merchant's buyers over the tiers; nothing without orders."""
    tiers = definition.tiers
    if tiers is None or history.period is None or tiers.metric not in {"spend", "orders"}:
        return {}
    spread = (order_spread if tiers.metric == "orders" else spend_spread)(history.period)
    voice = TierVoice(definition.currency, history.period.zone, {})
    unit = definition.wallet_types[0]
    shown = ladder_over(spread, tiers, voice, main=unit.code, unit_value=unit.unit_value)
    return {"ladder": shown, "counts": json.dumps(shown.counts)}


def tier_rows(found: Projection) -> Sequence[tuple[str, int, Decimal]]:
    """Of all buyers, who would end the year where."""
    whole = sum(members for _name, members in found.tiers) or 1
    return [(name, members, Decimal(members) / whole) for name, members in found.tiers]


def _with_off(share: Estimate) -> str:
    text = format_percent(share.value, digits=0)
    if not share.off:
        return text
    return _("%(share)s (± %(off)s)") % {
        "share": text, "off": format_percent(share.off, digits=0),
    }  # fmt: skip


def money_words(amount: Decimal, currency: str) -> str:
    """Cents say nothing in a projection of thousands."""
    whole = amount.quantize(Decimal(1)) if abs(amount) >= HUNDRED else amount
    text = format_money(whole, currency)
    return text.removesuffix(".00")
