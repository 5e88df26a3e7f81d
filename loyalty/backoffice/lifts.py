"""What the page of key figures says of what a program brings: only where members were kept
aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.figure_cards import STATES
from loyalty.insight_registry import Comparison, Controls, starts_of_comparisons
from loyalty.insight_sentences import lift_band_words, lift_words
from loyalty.lifts import (
    Lift,
    cost_of_purchase,
    frequency_lift,
    order_value_lift,
    return_on_cost,
)
from loyalty.models import Program
from loyalty.target_bands import LiftBand
from members.formatting import format_money, format_number
from members.policy import AnyUser, is_allowed


@dataclass(frozen=True, slots=True)
class LiftCell:
    """`between`: what it lies between, or why that is not known; `state`: against its band."""

    label: str
    value: str
    between: str
    state: str = ""
    kind: str = "neutral"


@dataclass(frozen=True, slots=True)
class LiftRow:
    """One comparison."""

    name: str
    url: str
    people: str
    cells: Sequence[LiftCell]


def lift_context(
    controls: Controls, bands: Sequence[LiftBand], program: Program, user: AnyUser
) -> dict[str, Any]:
    return {
        "starts": [
            (start.label, reverse(start.url_name))
            for start in starts_of_comparisons()
            if is_allowed(user, start.permission)
        ],
        "lifts": [_row(item, bands, program) for item in controls.found],
        "too_small": controls.too_small,
        "lift_bands": [
            (band, lift_band_words(band, band.band, program.currency)) for band in bands
        ],
    }


def _row(found: Comparison, bands: Sequence[LiftBand], program: Program) -> LiftRow:
    by_code = {band.code: band for band in bands}
    return LiftRow(
        name=found.name,
        url=reverse(found.url_name, args=[found.url_key]),
        people=_("%(led)s members against %(aside)s kept aside")
        % {"led": format_number(found.led), "aside": format_number(found.aside)},
        cells=[
            _cell(
                by_code["frequency_lift"], frequency_lift(found), program,
                _("too few orders to say what it lies between"),
            ),
            _cell(
                by_code["order_value_lift"], order_value_lift(found), program,
                _("too few orders to say what it lies between"),
            ),
            _cell(
                by_code["return_on_cost"], return_on_cost(found), program,
                nothing=_why_no_cost(found),
            ),
            _cost_cell(by_code["cost_of_purchase"], found, program),
        ],
    )  # fmt: skip


def _why_no_cost(found: Comparison) -> str:
    """Empty where it is known."""
    return "" if found.cost else _("what was given is not known")


def _cost_cell(band: LiftBand, found: Comparison, program: Program) -> LiftCell:
    """Only where it is clear that there are more purchases; less is better."""
    label, each = str(band.label), cost_of_purchase(found)
    if each is None:
        why = _why_no_cost(found) or _("it is not clear that there are more")
        return LiftCell(label, "–", why, _("Nothing to measure"))
    value = format_money(each, program.currency)
    if band.band is None:
        return LiftCell(label, value, _("to be below what a new customer costs you"))
    state = band.band.state_of(each)
    kind = "warning" if state == "above" else "success"
    words = lift_band_words(band, band.band, program.currency)
    return LiftCell(label, value, _("to be: %s") % words, str(STATES[state]), kind)


def _cell(
    band: LiftBand, lift: Lift | None, program: Program, unknown: str = "", nothing: str = ""
) -> LiftCell:
    """`unknown`: why it has no ends, where it has none; `nothing`: why there is nothing at all."""
    label = str(band.label)
    if lift is None:
        return LiftCell(label, "–", nothing, _("Nothing to measure"))
    value = lift_words(band, lift.value, program.currency)
    if lift.low is None or lift.high is None:
        return LiftCell(label, value, unknown, _("Not judged"))
    ends = {
        "low": lift_words(band, lift.low, program.currency),
        "high": lift_words(band, lift.high, program.currency),
    }
    between = _("between %(low)s and %(high)s") % ends
    if not lift.is_clear:
        return LiftCell(label, value, between, _("May be chance"))
    if band.band is None:
        return LiftCell(label, value, between)
    state = band.band.state_of(Decimal(str(round(lift.value, 4))))
    kind = {"inside": "success", "below": "warning", "above": "info"}[state]
    return LiftCell(label, value, between, str(STATES[state]), kind)
