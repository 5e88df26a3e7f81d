"""What an experiment may say, validated: its question, what decides, for whom, and its arms."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import Field, ValidationInfo, field_validator

from campaigns.campaign_definitions import STORED, Said, checked_audience, read_audience
from campaigns.models import Experiment
from members.conditions.tree import Node

_TEXT = r"^[^\x00]*$"
MOST_ARMS = 4
MOST_WEEKS = 26


class ArmDefinition(Said):
    """`promotion`: the code of a draft of the program; empty: as it is, without anything extra."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=_TEXT)]
    share: int = Field(ge=1, le=99)
    promotion: Annotated[str, Field(max_length=48, pattern=_TEXT)] = ""


class ExperimentDefinition(Said):
    """All that people say of an experiment."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=_TEXT)]
    question: Annotated[str, Field(min_length=1, max_length=300, pattern=_TEXT)]
    measure: Literal["revenue", "orders", "ordered", "redeemed"] = "revenue"
    audience: dict[str, Any] = {}
    smallest: int = Field(
        10, ge=1, le=500, description="The smallest difference that would matter, in percent."
    )
    weeks: int | None = Field(
        None, ge=1, le=MOST_WEEKS,
        description="How long it runs. Null: as long as the number of members asks for.",
    )  # fmt: skip
    arms: tuple[ArmDefinition, ...] = Field(min_length=2, max_length=MOST_ARMS)

    @field_validator("audience")
    @classmethod
    def _readable(cls, when: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return checked_audience(when, info)

    @field_validator("arms")
    @classmethod
    def _together(cls, arms: tuple[ArmDefinition, ...]) -> tuple[ArmDefinition, ...]:
        if sum(arm.share for arm in arms) != 100:
            raise ValueError(_("The shares of the arms have to come to 100."))
        if any(not arm.promotion for arm in arms[1:]):
            raise ValueError(_("Only the first arm can be as it is: say what the others get."))
        for said in ([arm.name for arm in arms], [arm.promotion for arm in arms if arm.promotion]):
            if len(set(said)) != len(said):
                raise ValueError(_("Each arm has a name and a promotion of its own."))
        return arms


COLUMNS = ("name", "question", "measure", "audience", "smallest", "weeks")


def definition_of_experiment(experiment: Experiment) -> ExperimentDefinition:
    """Also where its audience names what is gone meanwhile."""
    said = {name: getattr(experiment, name) for name in COLUMNS}
    arms = [
        {"name": arm.name, "share": arm.share,
         "promotion": arm.campaign.code if arm.campaign else ""}
        for arm in experiment.arms.all()
    ]  # fmt: skip
    return ExperimentDefinition.model_validate({**said, "arms": arms}, context=STORED)


def asked_by_experiment(experiment: Experiment) -> Node | None:
    """None: everybody. What it names may be gone since it was written."""
    return read_audience(experiment.audience, choices_known=False)


def draw_of_experiment(experiment: Experiment) -> str:
    """The name by which its members draw their arm: no promotion's, whose codes have no dots."""
    return f"{experiment.program.code}.experiment.{experiment.code}"


def audience_of_arm(experiment: Experiment, place: int) -> dict[str, Any]:
    """The members of an arm as a condition: the experiment's own, and the numbers of the arm."""
    shares = [arm.share for arm in experiment.arms.all()]
    low, high = sum(shares[:place]), sum(shares[: place + 1])
    field = f"customer.draw.{draw_of_experiment(experiment)}"
    asked: list[dict[str, Any]] = []
    if experiment.audience:
        whole = set(experiment.audience) == {"all"}
        asked += experiment.audience["all"] if whole else [experiment.audience]
    if low > 0:
        asked.append({"field": field, "op": "at_least", "value": low})
    if high < 100:
        asked.append({"field": field, "op": "less_than", "value": high})
    return {"all": asked}
