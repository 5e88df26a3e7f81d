"""A draft of the demonstration's tiers, which its marketing manager has tried on the last year and
somebody else may publish."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from loyalty.models import Backtest, Program
from loyalty.selectors.programs import definition_of
from loyalty.selectors.tier_drafts import drafted_tiers, tier_draft_of
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.backtests import create_backtest
from loyalty.services.tier_drafts import ask_to_publish_tiers, save_tier_draft
from loyalty.tier_definitions import TierDefinition, TiersDefinition
from members.models import User
from members.services.audit import Actor

DAYS = 365
NAME = "A higher oak"


def draft_tiers(program: Program) -> None:
    """Once, however often the demonstration is loaded."""
    now = timezone.now()
    live = tiers_of(program, now)
    if live is None or Backtest.objects.filter(program=program, name=NAME).exists():
        return
    writer = Actor.of_user(User.objects.get(email="mia@setia.example"))
    wanted = TiersDefinition.model_validate(
        live.model_dump(mode="json") | {"tiers": [_step(tier) for tier in live.tiers]}
    )
    save_tier_draft(program=program, tiers=wanted, actor=writer, now=now)
    ask_to_publish_tiers(program=program, actor=writer, now=now)
    _try(program, writer, now)


def _step(tier: TierDefinition) -> dict[str, object]:
    """The highest asks for more, and brings more."""
    said = tier.model_dump(mode="json", exclude_defaults=True)
    if tier.code == "oak":
        said["threshold"] = "3000"
        for benefit in said["benefits"]:
            if benefit["kind"] == "multiplier":
                benefit["factor"] = str(Decimal("1.5"))
    return said


def _try(program: Program, writer: Actor, now: dt.datetime) -> None:
    draft = tier_draft_of(program)
    assert draft is not None
    today = now.astimezone(program.zone).date()
    backtest = create_backtest(
        program=program, since=today - dt.timedelta(days=DAYS), until=today,
        draft=definition_of(program, now), tiers=drafted_tiers(draft), name=NAME, actor=writer,
        now=now,
    )  # fmt: skip
    if backtest.job_id is not None:
        run_backtest(backtest.job_id)
