"""Figures of programs that look at every member, order or lot, or at all that a file brought."""

from __future__ import annotations

import datetime as dt

from loyalty.insight_registry import Controls, comparisons_of
from loyalty.models import Program, WalletType
from loyalty.selectors import import_undos
from loyalty.selectors.cohorts import CohortSums, measure_cohorts
from loyalty.selectors.economics import ProgramData, program_data
from loyalty.selectors.enrollment import Joined, how_they_joined
from loyalty.selectors.holders import Held, largest_holdings
from loyalty.selectors.insights import all_months
from loyalty.selectors.launch_figures import LaunchFigures, launch_figures
from loyalty.selectors.launches import PhasePreview, preview_phases
from loyalty.selectors.tier_previews import TierPreview, preview_tiers
from loyalty.services.policy_changes import PolicyEffect, preview_policy_change
from loyalty.tier_definitions import TiersDefinition
from members.models import Job
from members.slow_figures import register_figures

LAUNCH, PHASES, TIERS = "figures of a launch", "phases of a launch", "effect of other tiers"
HOLDERS, JOINED = "largest holders", "how members joined"
ECONOMICS = "economics of a program"
UNDO, TERMS = "effect of undoing an import", "effect of terms of today"
COMPARISONS, COHORTS = "comparisons of a program", "cohorts of a segment"


def figures_of_launch(*, program: int, now: dt.datetime) -> LaunchFigures | None:
    return launch_figures(Program.objects.get(pk=program), now)


def phases(*, percents: list[int | None], now: dt.datetime) -> list[PhasePreview]:
    """By what customers have spent until now, whatever `now` is."""
    return preview_phases(percents)


def effect_of_tiers(*, program: int, tiers: dict[str, object], now: dt.datetime) -> TierPreview:
    found = Program.objects.get(pk=program)
    return preview_tiers(found, TiersDefinition.model_validate(tiers), now)


def holders(
    *, wallet_type: int, day: str, ends: str, month: str, most: int, now: dt.datetime
) -> list[Held]:
    """`day` and `month` as ISO says them; no month: ""."""
    found = WalletType.objects.select_related("program").get(pk=wallet_type)
    return largest_holdings(
        found, dt.date.fromisoformat(day), today=now.astimezone(found.program.zone).date(),
        ends=ends, month=dt.date.fromisoformat(month) if month else None, most=most,
    )  # fmt: skip


def joined(*, program: int, days: int, now: dt.datetime) -> Joined:
    return how_they_joined(Program.objects.get(pk=program), now, days)


def economics(*, program: int, now: dt.datetime) -> ProgramData:
    return program_data(Program.objects.get(pk=program), now)


def effect_of_undo(*, job: int, after: str, now: dt.datetime) -> import_undos.UndoEffect:
    """`after`: what was undone of it last, so that it is another thing to work out then."""
    return import_undos.effect_of_undo(Job.objects.get(pk=job), now)


def effect_of_terms(
    *, wallet_type: int, policy: int, applied: str, now: dt.datetime
) -> PolicyEffect:
    """`policy` and `applied`: the terms of today, and the last time that they were, so that others
    are another thing to work out."""
    found = WalletType.objects.select_related("program").get(pk=wallet_type)
    return preview_policy_change(found, now)


def comparisons(*, program: int, now: dt.datetime) -> Controls:
    return comparisons_of(Program.objects.get(pk=program), now)


def cohorts(*, program: int, segment: int | None, now: dt.datetime) -> list[CohortSums]:
    """Of those who are in a segment today, as it is; None: of everybody."""
    found = Program.objects.get(pk=program)
    months = all_months(found, now)
    return measure_cohorts(
        found, joined_from=months[0], first=months[0], last=months[-1], segment=segment
    )


def register() -> None:
    """Called once, when the application is ready."""
    register_figures(LAUNCH, figures_of_launch)
    register_figures(PHASES, phases)
    register_figures(TIERS, effect_of_tiers)
    register_figures(HOLDERS, holders)
    register_figures(JOINED, joined)
    register_figures(ECONOMICS, economics)
    register_figures(UNDO, effect_of_undo)
    register_figures(TERMS, effect_of_terms)
    register_figures(COMPARISONS, comparisons)
    register_figures(COHORTS, cohorts)
