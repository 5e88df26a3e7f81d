"""Journeys, surveys, games and challenges as a program's file says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.challenge_definitions import NOT_SAID, ChallengeDefinition
from campaigns.game_definitions import GameDefinition
from campaigns.journey_definitions import JourneyDefinition
from campaigns.journey_triggers import TRIGGERS
from campaigns.survey_definitions import SurveyDefinition
from loyalty.rules.body_parts import Code, Part


def _as_kept(name: Any) -> Any:
    """In the form in which a journey has it, or the same file would make another one each time."""
    return " ".join(name.replace("\x00", "").split()) if isinstance(name, str) else name


Named = Annotated[str, BeforeValidator(_as_kept), StringConstraints(min_length=1, max_length=80)]


class ProgramJourney(Part):
    """A [journey](journeys.md), known by its name. One that has ended is in no file, and journeys
    that a file does not name stay as they are."""

    name: Named = Field(description="What staff call it. With another name it is another one.")
    trigger: str = Field(
        description="What begins it: see [journeys.md](journeys.md#in-a-program-file). Stays."
    )
    state: Literal["draft", "live", "paused"] = Field(
        "draft", description="Live: what is said is published for who begins from now on."
    )
    body: Mapping[str, Any] = Field(
        description="What it consists of: see [journeys.md](journeys.md#in-a-program-file)."
    )

    @field_validator("trigger")
    @classmethod
    def trigger_is_known(cls, value: str) -> str:
        if value not in TRIGGERS:
            raise ValueError(_("There is no such beginning."))
        return value

    @field_validator("body")
    @classmethod
    def body_is_whole(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return JourneyDefinition.model_validate(value).model_dump(mode="json")
        except ValidationError as error:
            raise ValueError(first_error(error)) from error

    @property
    def code(self) -> str:
        return self.name


class ProgramSurvey(Part):
    """A [survey](surveys.md). One that has ended is in no file, and surveys that a file does not
    name stay as they are."""

    code: Code = Field(description="Short name, unique in the program. Stays as it is.")
    state: Literal["draft", "live", "paused"] = Field(
        "draft", description="Live: it is asked from now on; paused: nobody is asked for now."
    )
    body: Mapping[str, Any] = Field(
        description="What it asks, as in [POST /surveys](surveys.md#api), without program and code."
    )

    @model_validator(mode="before")
    @classmethod
    def body_is_whole(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("body"), Mapping):
            return value
        said = {**value["body"], "code": value.get("code", "")}
        try:
            found = SurveyDefinition.model_validate(said)
        except ValidationError as error:
            raise ValueError(first_error(error)) from error
        return {**value, "body": found.model_dump(mode="json", exclude={"code"})}

    @property
    def definition(self) -> SurveyDefinition:
        return SurveyDefinition.model_validate({**self.body, "code": self.code})


class ProgramGame(Part):
    """A [game](games.md). One that has ended is in no file, and games that a file does not name
    stay as they are. One that was published changes no more."""

    code: Code = Field(description="Short name, unique in the program. Stays as it is.")
    state: Literal["draft", "live"] = Field(
        "draft",
        description="Live: it is published, of a draft of a program together with it, and can be"
        " played from its beginning on.",
    )
    body: Mapping[str, Any] = Field(
        description="What it says: see [games.md](games.md#in-a-program-file)."
    )

    @field_validator("body")
    @classmethod
    def body_is_whole(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return GameDefinition.model_validate(value).model_dump(mode="json")
        except ValidationError as error:
            raise ValueError(first_error(error)) from error

    @property
    def definition(self) -> GameDefinition:
        return GameDefinition.model_validate(self.body)


class ProgramChallenge(Part):
    """A [challenge](challenges.md), known by its code. One that has ended is in no file, and
    challenges that a file does not name stay as they are."""

    code: Code = Field(description="Short name, unique among the program's campaigns. Stays.")
    state: Literal["draft", "live"] = Field(
        "draft", description="Live: it begins at its time, and stays as it is."
    )
    body: Mapping[str, Any] = Field(
        description="What it says, as in [POST /challenges](challenges.md#over-the-api), without"
        " program and code."
    )

    @field_validator("body")
    @classmethod
    def body_is_whole(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            found = ChallengeDefinition.model_validate(value)
        except ValidationError as error:
            raise ValueError(first_error(error)) from error
        return found.model_dump(mode="json", exclude=NOT_SAID)

    @property
    def definition(self) -> ChallengeDefinition:
        return ChallengeDefinition.model_validate(self.body)


class ProgramCampaign(Part):
    """A [promotion](promotions.md). One that has ended is in no file, and promotions that a file
    does not name stay as they are."""

    code: Annotated[Code, StringConstraints(max_length=48)] = Field(
        description="Short name, unique in the program. Stays as it is."
    )
    state: Literal["draft", "planned", "paused"] = Field(
        "draft", description="Planned: it is published, and begins at its time."
    )
    body: Mapping[str, Any] = Field(
        description="What it says, as in [POST /campaigns](promotions.md#over-the-api), without"
        " program and code."
    )

    @field_validator("body")
    @classmethod
    def body_is_whole(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            found = CampaignDefinition.model_validate(value)
        except ValidationError as error:
            raise ValueError(first_error(error)) from error
        return found.model_dump(mode="json", exclude_defaults=True)

    @property
    def definition(self) -> CampaignDefinition:
        return CampaignDefinition.model_validate(self.body)


def first_error(error: ValidationError) -> str:
    item = error.errors(include_url=False)[0]
    place = ".".join(map(str, item["loc"]))
    words = str(item["msg"]).removeprefix("Value error, ")
    return f"{place}: {words}" if place else words
