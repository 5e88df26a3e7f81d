"""Key figures in words: what each says of the program, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.goal_metrics import GoalMetric
from loyalty.target_bands import Band, LiftBand, State
from members.formatting import format_money, format_number, format_percent

Text = str | Promise


@dataclass(frozen=True, slots=True)
class FigureWords:
    """`says`: of the figure %s; the others: what to do below its band, inside and above it."""

    says: Text
    below: Text
    inside: Text
    above: Text


_GROWS = _l("More than most reach: look what brought it before you change anything.")
_KEEP = _l("Keep it as it is, and look again next month.")

WORDS: Mapping[str, FigureWords] = {
    "members": FigureWords(
        _l("So many are members: %s."),
        _l("Say at the till and at the checkout what the first order would bring."), _KEEP, _GROWS,
    ),
    "enrollment_share": FigureWords(
        _l("%s of the customers who buy are members."),
        _l("Many buy without joining: offer it at the till and at the checkout, in one step, and "
           "say what this order would have brought."),
        _l("As many join as in programs that do well."),
        _l("Nearly everybody who buys is a member: growth now comes from new buyers, and from how "
           "often members come."),
    ),
    "active_share": FigureWords(
        _l("%s of the members bought, spent or did something in the last three months."),
        _l("Many joined and went quiet: write to those who have enough for a reward, and give a "
           "reason to come within weeks, not within a year."),
        _l("Members take part as in programs that do well."),
        _l("Members take part more than in most programs: ask what they like, before you change "
           "it."),
    ),
    "redemption_rate": FigureWords(
        _l("%s of what members earned in a year was spent."),
        _l("Most of what is earned is not used, so few know what it is good for: add a reward that "
           "a few purchases reach, and show on receipts what is missing."),
        _l("Members spend what they earn: they know what it is good for."),
        _l("Nearly all that is earned is spent: look at the cost of rewards and at their stock."),
    ),
    "repeat_rate": FigureWords(
        _l("%s of the members who bought in a year bought at least twice."),
        _l("Many buy once: greet new members with something for the second order."), _KEEP, _GROWS,
    ),
    "member_revenue": FigureWords(
        _l("Orders of members came to %s in the last 30 days."),
        _l("Look whether fewer members buy, or each buys less: the figures below say which."),
        _KEEP, _GROWS,
    ),
    "average_order": FigureWords(
        _l("An order of a member comes to %s."),
        _l("A threshold a little above it, at which an order brings more, makes baskets larger."),
        _KEEP, _GROWS,
    ),
    "purchases_per_member": FigureWords(
        _l("A member who buys does so %s times a year."),
        _l("Give a reason to come again soon: a bonus for the next order within some weeks, or a "
           "challenge over several."),
        _KEEP, _GROWS,
    ),
    "member_value": FigureWords(
        _l("A member who buys brings %s in three months at the pace of the last 30 days."),
        _l("It is orders times what one comes to: see which of the two is low."), _KEEP, _GROWS,
    ),
    "several_categories": FigureWords(
        _l("%s of the members who buy do so in more than one category."),
        _l("Let something from another category bring more for a while."), _KEEP, _GROWS,
    ),
    "retention_rate": FigureWords(
        _l("%s of the members who bought a quarter ago bought again in this one."),
        _l("Members stay away: ask those who did why, and begin a journey that writes before the "
           "usual time between two orders is over."),
        _KEEP, _GROWS,
    ),
    "repurchase_rate": FigureWords(
        _l("%s of the members who placed a first order placed a second within three months."),
        _l("The second order decides: greet new members with something that ends soon."),
        _KEEP, _GROWS,
    ),
    "churn_rate": FigureWords(
        _l("%s of the members who bought were lost within the last three months."),
        _l("Fewer are lost than you wanted to allow."),
        _l("No more are lost than you allow."),
        _l("More are lost than you allow: win them back before half a year without an order is "
           "over."),
    ),
    "liability_share": FigureWords(
        _l("What members hold is worth %s of a month’s revenue."),
        _l("Members hold little: either they spend at once, which is good, or they earn too little "
           "to come back for. The redemption rate tells which."),
        _l("What is owed is as in programs that do well."),
        _l("Much is owed: make rewards easier to reach and remind members of what they have, "
           "before you think of expiry."),
    ),
    "cost_share": FigureWords(
        _l("What members were given costs %s of their revenue."),
        _l("It costs little: see whether members notice it at all."), _KEEP,
        _l("It costs more than you wanted: look which rules give most, and try others on real "
           "orders before you publish them."),
    ),
    "tier_share": FigureWords(
        _l("%s of the members are at this tier."),
        _l("Few are here: its threshold, or that of the tier above, is not where members are. The "
           "editor of tiers shows how they spread."),
        _l("Members spread as in programs that do well."),
        _l("Many are here: a tier that nearly everybody reaches is none. The editor of tiers shows "
           "how members spread."),
    ),
    "nps": FigureWords(
        _l("Who would recommend you less who would not: %s, between −100 and 100."),
        _l("Read what those wrote who gave less than seven."), _KEEP, _GROWS,
    ),
    "loyalty_index": FigureWords(
        _l("%s of 100: how likely members are to recommend you, to buy again and to buy other "
           "things."),
        _l("See which of the three is lowest: that is where to begin."), _KEEP, _GROWS,
    ),
}  # fmt: skip


def figure_sentence(metric: GoalMetric, value: Decimal | None, currency: str) -> str:
    """What the figure means."""
    if value is None:
        return _("There was nothing to measure.")
    return str(WORDS[metric.code].says) % metric.in_words(value, currency)


def advice_sentence(metric: GoalMetric, state: State) -> str:
    """What to do; nothing where no band says what is wanted."""
    words = WORDS[metric.code]
    known: Mapping[str, Text] = {
        "below": words.below, "inside": words.inside, "above": words.above,
    }  # fmt: skip
    return str(known.get(state, ""))


def band_words(metric: GoalMetric, band: Band | None, currency: str) -> str:
    """ "60% to 80%" """
    if band is None:
        return "–"
    return range_words(
        None if band.low is None else metric.in_words(band.low, currency),
        None if band.high is None else metric.in_words(band.high, currency),
    )


def range_words(low: str | None, high: str | None) -> str:
    if low is None:
        return _("at most %s") % high
    return _("at least %s") % low if high is None else _("%(low)s to %(high)s") % {
        "low": low, "high": high,
    }  # fmt: skip


def lift_words(lift: LiftBand, value: float, currency: str) -> str:
    if lift.unit == "money":
        return format_money(Decimal(str(value)), currency)
    if lift.unit == "percent":
        words = _("%s less") if value < 0 else _("%s more")
        return words % format_percent(abs(value) / 100)
    return _("%s times") % format_number(round(value, 2))


def lift_band_words(lift: LiftBand, band: Band | None, currency: str) -> str:
    if band is None:
        return _("below what a new customer costs you")
    ends = (band.low, band.high)
    low, high = (None if end is None else lift_words(lift, float(end), currency) for end in ends)
    return range_words(low, high)
