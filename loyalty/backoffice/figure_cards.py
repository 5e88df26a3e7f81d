"""A key figure as the page shows it: the number, its band, what it means, and how it went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.insight_sentences import advice_sentence, band_words, figure_sentence
from loyalty.insight_sums import change, share
from loyalty.models import Program
from loyalty.rules.calendar import add_months
from loyalty.selectors.insights import Figure, Overview
from members.charts import Chart, Series
from members.formatting import format_money, format_number, format_percent

STATES: Mapping[str, str | Promise] = {
    "inside": _l("Inside its band"),
    "below": _l("Below its band"),
    "above": _l("Above its band"),
    "free": _l("No band"),
    "unmeasured": _l("Nothing to measure"),
}
# A goal counts those of higher tiers as well.
_AT_TIER = _l("The share of members who have this tier and no higher one.")
# What stands together, by the codes of figures; what is in none of them comes last.
GROUPS: Sequence[tuple[str | Promise, str, Sequence[str]]] = (
    (_l("Who takes part"), "users", ("members", "enrollment_share", "active_share")),
    (
        _l("What members buy"), "shopping-cart",
        ("repeat_rate", "purchases_per_member", "average_order", "member_revenue", "member_value",
         "several_categories"),
    ),
    (_l("Who stays"), "heart", ("retention_rate", "repurchase_rate", "churn_rate")),
    (
        _l("What it costs, and whether it is used"), "coins",
        ("redemption_rate", "liability_share", "cost_share"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FigureCard:
    """`kind`: the color of its state, which is in words as well; `parts`: what it is the mean
    of."""

    figure: Figure
    label: str
    value: str
    band: str
    state: str
    kind: str
    meaning: str
    advice: str
    definition: str
    chart: Chart
    parts: Sequence[tuple[str, str]] = ()

    @property
    def key(self) -> str:
        """Its place on the page."""
        return "-".join(part for part in (self.figure.metric.code, self.figure.tier_code) if part)


@dataclass(frozen=True, slots=True)
class CardGroup:
    title: str
    icon: str
    cards: Sequence[FigureCard]


def figure_card(figure: Figure, program: Program) -> FigureCard:
    metric, currency = figure.metric, program.currency
    return FigureCard(
        figure=figure,
        label=_("Members at %s") % figure.tier_name if figure.tier_code else metric.label,
        value=metric.in_words(figure.value, currency),
        band=band_words(metric, figure.band, currency),
        state=str(STATES[figure.state]),
        kind=_kind(figure),
        meaning=figure_sentence(metric, figure.value, currency),
        advice=advice_sentence(metric, figure.state),
        definition=str(_AT_TIER if figure.tier_code else metric.definition),
        chart=_chart(figure, program),
    )


def with_parts(card: FigureCard, parts: Sequence[Figure], program: Program) -> FigureCard:
    """The loyalty index with what it is the mean of; what nobody was asked is named."""
    if card.figure.metric.code != "loyalty_index":
        return card
    said = [
        (part.metric.label, _("nobody was asked") if part.value is None
         else part.metric.in_words(part.value, program.currency))
        for part in parts
    ]  # fmt: skip
    return replace(card, parts=said)


def touchpoint_rows(found: Overview) -> list[tuple[str, str, str, str]]:
    """By touchpoint: its name, how many members, which share of all that is, and how many they were
    at the end of `day_before`; the busiest first."""
    day = day_before(found)
    members = next(item.value for item in found.figures if item.metric.code == "members")
    busiest = sorted(found.touchpoints, key=lambda item: -(item.value or 0))
    return [
        (item.metric.label, item.metric.in_words(item.value, ""), _share(item.value, members),
         item.metric.in_words(_value_on(item, day), ""))
        for item in busiest
    ]  # fmt: skip


def joining_row(found: Overview) -> dict[str, str] | None:
    """What the same customers brought before and after they joined. None: nobody was known for long
    enough."""
    before, after, customers = (item.value for item in found.joining)
    if before is None or after is None or not customers:
        return None
    currency, moved = found.program.currency, change(before, after)
    said = ""
    if moved is not None:
        words = _("%s less") if moved < 0 else _("%s more")
        said = words % format_percent(abs(moved) / 100)
    return {
        "before": format_money(before, currency), "after": format_money(after, currency),
        "change": said, "customers": format_number(round(customers)),
    }  # fmt: skip


def _share(part: Decimal | None, whole: Decimal | None) -> str:
    found = share(part, whole) if part is not None and whole is not None else None
    return "–" if found is None else format_percent(found / 100)


def day_before(found: Overview) -> dt.date | None:
    """The end of the third month before the newest point of touchpoints, which is within a month.
    None: nothing is measured."""
    newest = max((item.day for item in found.touchpoints if item.day), default=None)
    return newest and add_months(newest.replace(day=1), -2) - dt.timedelta(days=1)


def _value_on(figure: Figure, day: dt.date | None) -> Decimal | None:
    return next((point.value for point in figure.points if point.day == day), None)


def card_groups(cards: Sequence[FigureCard]) -> list[CardGroup]:
    by_code = {card.figure.metric.code: card for card in cards}
    placed = {code for _title, _icon, codes in GROUPS for code in codes}
    groups = [
        CardGroup(str(title), icon, [by_code[code] for code in codes if code in by_code])
        for title, icon, codes in GROUPS
    ]
    others = [card for card in cards if card.figure.metric.code not in placed]
    if others:
        groups.append(CardGroup(_("What members say"), "message-2", others))
    return groups


def _kind(figure: Figure) -> str:
    """Outside its band it is a warning where it is worse, news where it is better."""
    if figure.state in {"below", "above"}:
        worse = "below" if figure.metric.direction == "up" else "above"
        return "warning" if figure.tier_code or figure.state == worse else "info"
    return "success" if figure.state == "inside" else "neutral"


def _chart(figure: Figure, program: Program) -> Chart:
    metric, band = figure.metric, figure.band
    days = [point.day for point in figure.points]
    values = [None if item.value is None else round(item.value, 2) for item in figure.points]
    lines = [Series(_("It was"), values)]
    if band is not None and band.low is not None:
        lines.append(Series(_("From"), [band.low] * len(days)))
    if band is not None and band.high is not None:
        lines.append(Series(_("To"), [band.high] * len(days)))
    return Chart(
        id=f"figure-{'-'.join(part for part in (metric.code, figure.tier_code) if part)}",
        title=_("Ends of months"),
        labels=days,
        series=lines,
        unit={"percent": "%", "money": program.currency}.get(metric.unit, ""),
        summary=figure_sentence(metric, figure.value, program.currency),
        x_label=_("Day"),
        height="sm",
    )
