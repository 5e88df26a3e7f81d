"""What an experiment may say, validated: its question, what decides, for whom, and its arms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, ValidationInfo, field_validator, model_validator

from campaigns.approved_words import ApprovedSaid
from campaigns.campaign_definitions import STORED, Said, checked_audience, read_audience
from campaigns.channels import channel_named
from campaigns.models import Experiment, ExperimentArm
from campaigns.selectors.templates import versions_of_variants
from campaigns.wording import tidied_body, tidied_locale, tidied_subject
from members.conditions.tree import Node

_TEXT = r"^[^\x00]*$"
MOST_ARMS = 4
MOST_WEEKS = 26


class WordsDefinition(Said):
    """What an arm says by a way, in a language; where it says nothing, the message says it."""

    channel: Annotated[str, Field(max_length=16, pattern=_TEXT)]
    locale: Annotated[str, Field(max_length=16, pattern=_TEXT)]
    subject: Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT)]
    body: Annotated[str, Field(min_length=1, max_length=40_000, pattern=_TEXT)]
    text: Annotated[str, Field(max_length=20_000, pattern=_TEXT)] = ""
    approved: ApprovedSaid | None = None

    # Kept tidied: said again otherwise spaced, they are the same.

    @field_validator("locale")
    @classmethod
    def _locale(cls, locale: str) -> str:
        return tidied_locale(locale)

    @field_validator("subject")
    @classmethod
    def _subject(cls, subject: str) -> str:
        return tidied_subject(subject)

    @field_validator("body")
    @classmethod
    def _body(cls, body: str) -> str:
        return tidied_body(body)

    @field_validator("text")
    @classmethod
    def _plain(cls, text: str, info: ValidationInfo) -> str:
        """Beside a mail alone."""
        way = channel_named(info.data.get("channel", ""))
        return tidied_body(text) if way is None or way.markup else ""

    @field_validator("approved")
    @classmethod
    def _approved(cls, said: ApprovedSaid | None, info: ValidationInfo) -> ApprovedSaid | None:
        """By WhatsApp alone."""
        way = channel_named(info.data.get("channel", ""))
        return said if way is None or way.by_approval else None


class ArmDefinition(Said):
    """`promotion`: the code of a draft of the program; empty: as it is, without anything extra.
    Where words are compared: `words` of its own, or of the first arm `silent`, not told at all."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=_TEXT)]
    share: int = Field(ge=1, le=99)
    promotion: Annotated[str, Field(max_length=48, pattern=_TEXT)] = ""
    words: Annotated[tuple[WordsDefinition, ...], Field(max_length=100)] = ()
    silent: bool = False

    @field_validator("words")
    @classmethod
    def _by_place(cls, words: tuple[WordsDefinition, ...]) -> tuple[WordsDefinition, ...]:
        """In the order in which they are read back."""
        places = [(one.channel, one.locale) for one in words]
        if len(set(places)) != len(places):
            raise ValueError(_("An arm says something once by each way in each language."))
        return tuple(sorted(words, key=lambda one: (one.channel, one.locale)))


class ExperimentDefinition(Said):
    """All that people say of an experiment."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=_TEXT)]
    question: Annotated[str, Field(min_length=1, max_length=300, pattern=_TEXT)]
    compares: Literal["promotions", "messages"] = "promotions"
    message: Annotated[str, Field(max_length=32, pattern=_TEXT)] = Field(
        "", description="With messages: the code of the occasion whose words are compared."
    )
    measure: Literal["revenue", "orders", "ordered", "redeemed", "clicked"] = Field(
        "revenue", description="clicked: with messages, of those that are told alone."
    )
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
        for said in ([arm.name for arm in arms], [arm.promotion for arm in arms if arm.promotion]):
            if len(set(said)) != len(said):
                raise ValueError(_("Each arm has a name and a promotion of its own."))
        return arms

    @model_validator(mode="after")
    def _compared(self) -> Self:
        if self.compares == "messages":
            self._of_messages()
        elif self.message or self.measure == "clicked":
            raise ValueError(_("Only an experiment on words is about a message."))
        elif any(arm.words or arm.silent for arm in self.arms):
            raise ValueError(_("What its arms get are promotions."))
        elif any(not arm.promotion for arm in self.arms[1:]):
            raise ValueError(_("Only the first arm can be as it is: say what the others get."))
        return self

    def _of_messages(self) -> None:
        if not self.message:
            raise ValueError(_("Say of which message the words are compared."))
        if any(arm.promotion for arm in self.arms):
            raise ValueError(_("What its arms get are words."))
        if any(arm.silent for arm in self.arms[1:]):
            raise ValueError(_("Only the first arm can be without the message."))
        if self.arms[0].words:
            raise ValueError(_("The first arm is as it is, or without the message."))
        if self.arms[0].silent and self.measure == "clicked":
            raise ValueError(_("Who is not told can follow no link: choose another figure."))


COLUMNS = ("name", "question", "compares", "measure", "audience", "smallest", "weeks")


def definition_of_experiment(experiment: Experiment) -> ExperimentDefinition:
    """Also where its audience names what is gone meanwhile."""
    said = {name: getattr(experiment, name) for name in COLUMNS} | {"message": experiment.occasion}
    arms = [
        {"name": arm.name, "share": arm.share, "silent": arm.silent,
         "promotion": arm.campaign.code if arm.campaign else "", "words": words}
        for arm, words in _with_words(experiment)
    ]  # fmt: skip
    return ExperimentDefinition.model_validate({**said, "arms": arms}, context=STORED)


def _with_words(
    experiment: Experiment,
) -> Iterator[tuple[ExperimentArm, list[dict[str, Any]]]]:
    arms = list(experiment.arms.all())
    asked = [arm.variant for arm in arms] if experiment.occasion else []
    found = versions_of_variants(asked)
    for arm in arms:
        yield arm, [
            {"channel": row.template.channel, "locale": row.template.locale,
             "subject": row.subject, "body": row.body, "text": row.text,
             "approved": row.approved or None}
            for row in found.get(arm.variant, ())
        ]  # fmt: skip


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
