"""Choosing between what a figure of a program is to be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.goal_metrics import METRICS, GoalMetric
from loyalty.insight_sentences import band_words, lift_band_words
from loyalty.models import Goal, Program, TargetBand
from loyalty.selectors.insights import figure_metrics, tiers_of_figures
from loyalty.target_bands import LIFTS, Band
from members.errors import DomainError, FieldError, NotFoundError
from members.formatting import format_number
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

MOST = Decimal(10) ** 12


def set_band(
    *,
    program: Program,
    metric: str,
    tier_code: str = "",
    low: Decimal | None,
    high: Decimal | None,
    actor: Actor,
    now: dt.datetime,
) -> Band | None:
    """The band that it has now; neither end: the usual one again, and so nothing is kept. Raises
    DomainError naming the field, NotFoundError where there is no such figure."""

    def write() -> Band | None:
        held = Program.objects.select_for_update().get(pk=program.pk)
        label = band_label(held, metric, tier_code, now)
        _check(metric, low, high)
        known = TargetBand.objects.filter(program=held, metric=metric, tier_code=tier_code).first()
        before = None if known is None else Band(known.low, known.high, own=True)
        wanted = None if low is None and high is None else Band(low, high, own=True)
        if before == wanted:
            return wanted
        if known is not None:
            known.delete()
        if wanted is not None:
            TargetBand.objects.create(
                program=held, metric=metric, tier_code=tier_code, low=low, high=high
            )
        record_audit(
            actor=actor, action="target_band.set", target=held,
            before={"figure": label, "band": _words(held, metric, before)},
            after={"figure": label, "band": _words(held, metric, wanted)},
        )  # fmt: skip
        return wanted

    return run_atomically(write)


def band_label(program: Program, metric: str, tier_code: str, now: dt.datetime) -> str:
    """What the band is about. Raises NotFoundError."""
    if metric in LIFTS and not tier_code:
        return str(LIFTS[metric].label)
    if metric == Goal.Metric.TIER:
        tiers = {tier.code: tier.name for tier in tiers_of_figures(program, now)}
        if tier_code in tiers:
            return _("Members at %s") % tiers[tier_code]
    known = {item.code: item for item in figure_metrics()}
    if tier_code or metric not in known:
        raise NotFoundError(_("There is no such figure."))
    return known[metric].label


def unit_of_band(code: str) -> str:
    """In what its ends are given; how much more is no share of anything."""
    found = metric_of_band(code)
    if found is not None:
        return found.unit
    return "money" if LIFTS[code].unit == "money" else ""


def metric_of_band(code: str) -> GoalMetric | None:
    """None: what only a comparison tells."""
    return next(
        (item for item in (*METRICS.values(), *figure_metrics()) if item.code == code), None
    )


def _check(metric: str, low: Decimal | None, high: Decimal | None) -> None:
    found = metric_of_band(metric)
    # Who recommends less who does not may be below nothing.
    least = Decimal(-100) if metric == "nps" else Decimal(0)
    most = Decimal(found.most) if found is not None and found.most is not None else MOST
    for name, value in (("low", low), ("high", high)):
        if value is not None and not least <= value <= most:
            raise _wrong(name, _("Give a number from %(low)s to %(high)s.") % {
                "low": format_number(least), "high": format_number(most),
            })  # fmt: skip
    if low is not None and high is not None and low > high:
        raise _wrong("high", _("It ends at what it begins with, or above."))


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])


def _words(program: Program, metric: str, band: Band | None) -> str:
    if band is None:
        return _("the usual one")
    if metric in LIFTS:
        return lift_band_words(LIFTS[metric], band, program.currency)
    found = metric_of_band(metric)
    return "" if found is None else band_words(found, band, program.currency)
