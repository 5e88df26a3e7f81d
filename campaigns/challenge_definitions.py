"""What a challenge may say, validated: what is to be done, what it brings, and all that a campaign
says."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from campaigns.campaign_definitions import STORED, Amount, CampaignDefinition
from campaigns.campaign_templates import CHALLENGE
from campaigns.challenges.progress import Plan, Window
from campaigns.challenges.steps import Steps, read_steps
from campaigns.models import Challenge, ChallengeEntry

_TEXT = r"^[^\x00]*$"
# What promotions say, and challenges do not.
NOT_SAID = {"template", "offer", "metric", "target"}
_OWN = ("in_order", "opt_in", "days", "times", "team_size", "units", "badge", "badge_icon")


class ChallengeDefinition(CampaignDefinition):
    """All that staff say of a challenge."""

    template: Literal["challenge"] = CHALLENGE  # type: ignore[assignment]
    steps: Steps = Field(description="What is to be done.")
    in_order: bool = Field(False, description="One step after the other, instead of in any order.")
    opt_in: bool = Field(True, description="Members decide to take part; else all of them do.")
    days: int | None = Field(
        None, ge=1, le=366, description="So many days for each member from their own beginning on;"
        " null: the whole time of the challenge.",
    )  # fmt: skip
    times: int = Field(1, ge=1, le=100, description="So often it can be done, each for the reward.")
    team_size: int | None = Field(
        None, ge=2, le=100, description="Members do it together, so many at most in a team, and"
        " each gets what it brings; null: each alone.",
    )  # fmt: skip
    units: Amount | None = Field(None, description="What it brings.")
    reward: Annotated[str, Field(max_length=64, pattern=_TEXT)] = Field(
        "", description="The code of a reward that it brings."
    )
    badge: Annotated[str, Field(max_length=40, pattern=_TEXT)] = Field(
        "", description="The name of a badge that it brings."
    )
    badge_icon: Literal["award", "trophy", "star", "flame", "heart", "leaf"] = "award"

    @model_validator(mode="after")
    def _brings_something(self) -> Self:
        if self.units is None and not self.reward and not self.badge.strip():
            raise ValueError(_("units: say what it brings: units, a reward or a badge."))
        if self.units is None and (self.budget_units or self.budget_money):
            raise ValueError(_("budget_units: without units there is nothing to limit."))
        if self.team_size is not None and not self.opt_in:
            raise ValueError(_("team_size: teams are joined; it cannot be for everybody."))
        if self.team_size is not None and self.days is not None:
            raise ValueError(_("team_size: a team has the whole time of the challenge."))
        if self.in_order and len(self.steps) < 2:
            raise ValueError(_("in_order: with one step there is no order."))
        return self

    def campaign(self) -> CampaignDefinition:
        """The part that every campaign says."""
        own = {name: getattr(self, name) for name in CampaignDefinition.model_fields}
        return CampaignDefinition.model_validate(own, context=STORED)

    def columns(self) -> dict[str, Any]:
        """The challenge's own fields, without its reward."""
        steps = [step.model_dump(mode="json", exclude_defaults=True) for step in self.steps]
        kinds = [step.kind for step in self.steps]
        return {
            "steps": [{**said, "kind": kind} for said, kind in zip(steps, kinds, strict=True)],
            **{name: getattr(self, name) for name in _OWN},
        }


def definition_of_challenge(challenge: Challenge) -> ChallengeDefinition:
    """Also where it names what is gone meanwhile."""
    campaign = challenge.campaign
    said = {name: getattr(campaign, name) for name in CampaignDefinition.model_fields}
    said |= {name: getattr(challenge, name) for name in ("steps", *_OWN)}
    said["reward"] = challenge.reward.code if challenge.reward else ""
    return ChallengeDefinition.model_validate(said, context=STORED)


def plan_of(challenge: Challenge) -> Plan:
    return Plan(read_steps(challenge.steps), challenge.in_order, challenge.times)


def window_of(entry: ChallengeEntry) -> Window:
    """In which orders count for somebody who takes part. Who joined the program by their own
    decision brings nothing from before, and nobody what was bought while they were away."""
    challenge, campaign, member = entry.challenge, entry.challenge.campaign, entry.membership
    starts_at = max(entry.starts_at, member.earns_from or entry.starts_at)
    ends_at, inclusive = entry.ends_at, challenge.days is not None
    if campaign.ends_at is not None and campaign.ends_at <= ends_at:
        ends_at, inclusive = campaign.ends_at, False
    if campaign.ended_at is not None and campaign.ended_at <= ends_at:
        ends_at, inclusive = campaign.ended_at, False
    pauses = tuple(
        (dt.datetime.fromisoformat(since), dt.datetime.fromisoformat(until) if until else None)
        for since, until in challenge.pauses
    )
    away = tuple((absence.began_at, absence.ended_at) for absence in member.absences.all())
    return Window(starts_at, ends_at, inclusive, (*pauses, *away))
