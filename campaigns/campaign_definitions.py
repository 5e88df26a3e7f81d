"""What a campaign may say, validated: what it gives, to whom, for how long, in which words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, get_args

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from campaigns.campaign_templates import TEMPLATES
from campaigns.models import Campaign
from campaigns.offers import Offer
from loyalty.plain_numbers import exact
from members.conditions.scopes import OF_CUSTOMERS
from members.conditions.tree import ConditionError, Node, parse
from rewards.codes import plain

_TEXT = r"^[^\x00]*$"
MOST_DAYS = 366
# What a definition is read from where it was written before.
STORED = {"stored": True}


def _known_language(code: str) -> str:
    if code not in dict(settings.KNOWN_LANGUAGES):
        raise ValueError(_("There is no such language: %s.") % code)
    return code


Language = Annotated[str, AfterValidator(_known_language)]
Amount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CampaignTexts(Said):
    """What members read in another language; what is not said is as in the first one."""

    title: Annotated[str, Field(max_length=80, pattern=_TEXT)] = ""
    text: Annotated[str, Field(max_length=300, pattern=_TEXT)] = ""
    teaser: Annotated[str, Field(max_length=200, pattern=_TEXT)] = ""


class Codes(Said):
    """Whether it takes a code to get it: one `word` that all type, or one of many (`single`) that
    are used once each. `most_uses`: of the word in all; `per_member`: orders of one member by
    whatever codes; None: no limit. `shown`: whether members read of it on their pages."""

    kind: Literal["", "shared", "single"] = ""
    word: Annotated[str, Field(max_length=48, pattern=_TEXT)] = ""
    most_uses: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    per_member: Annotated[int, Field(ge=1, le=1_000)] | None = 1
    shown: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "shared" and not 4 <= len(plain(self.word)) <= 40:
            raise ValueError(_("code_word: between 4 and 40 letters and digits."))
        return self

    @property
    def asked(self) -> bool:
        return bool(self.kind)


# What members can be told of it by messages.
Telling = Literal["teaser", "begun", "last_day"]
TELLINGS: tuple[Telling, ...] = get_args(Telling)


class CampaignDefinition(Said):
    """All that staff say of a campaign."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=_TEXT)]
    template: str
    goal: Annotated[str, Field(max_length=200, pattern=_TEXT)] = ""
    metric: Literal["", "orders", "revenue", "takers"] = ""
    target: Amount | None = None
    offer: Offer = Offer()
    audience: dict[str, Any] = {}
    holdout: int = Field(0, ge=0, le=50)
    budget_units: Amount | None = None
    budget_money: Amount | None = None
    codes: Codes = Codes()
    tells: tuple[Telling, ...] = ()
    title: Annotated[str, Field(min_length=1, max_length=80, pattern=_TEXT)]
    text: Annotated[str, Field(max_length=300, pattern=_TEXT)] = ""
    teaser: Annotated[str, Field(max_length=200, pattern=_TEXT)] = ""
    texts: dict[Language, CampaignTexts] = {}
    teased_at: AwareDatetime | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None

    @field_validator("template")
    @classmethod
    def _known(cls, code: str) -> str:
        if code not in TEMPLATES:
            raise ValueError(_("There is no such template."))
        return code

    @field_validator("audience")
    @classmethod
    def _readable(cls, when: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return checked_audience(when, info)

    @field_validator("ends_at")
    @classmethod
    def _later(cls, ends_at: dt.datetime | None, info: Any) -> dt.datetime | None:
        starts_at = info.data.get("starts_at")
        if ends_at and starts_at and ends_at <= starts_at:
            raise ValueError(_("It has to end after it begins."))
        if ends_at and starts_at and ends_at - starts_at > dt.timedelta(days=MOST_DAYS):
            raise ValueError(_("At most a year: make what stays an earning rule."))
        return ends_at

    @model_validator(mode="after")
    def _together(self) -> Self:
        template = TEMPLATES[self.template]
        if self.target is not None and not self.metric:
            raise ValueError(_("target: say of which figure."))
        if self.budget_units is not None and not template.limits_units:
            raise ValueError(_("budget_units: what this gives cannot be counted beforehand."))
        if self.budget_money is not None and not (template.limits_units or template.takes_off):
            raise ValueError(_("budget_money: what this gives cannot be counted beforehand."))
        return self


FIELDS = tuple(CampaignDefinition.model_fields)


def read_audience(when: dict[str, Any], *, choices_known: bool = True) -> Node | None:
    """None: everybody. Raises ConditionError."""
    if not when:
        return None
    return parse(
        when, scopes=OF_CUSTOMERS, path="audience", in_database=True,
        choices_known=choices_known,
    )  # fmt: skip


def checked_audience(when: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """For the validators of definitions. What is stored may name what is gone meanwhile."""
    try:
        read_audience(when, choices_known=info.context is not STORED)
    except ConditionError as wrong:
        raise ValueError("; ".join(str(error.message) for error in wrong.errors)) from wrong
    return when


def stored_audience(campaign: Campaign) -> Node | None:
    """What it names may be gone meanwhile: it was there when it was written."""
    return read_audience(campaign.audience, choices_known=False)


def definition_of_campaign(campaign: Campaign) -> CampaignDefinition:
    """Also where its audience names what is gone meanwhile."""
    said = {name: getattr(campaign, name) for name in FIELDS}
    return CampaignDefinition.model_validate(said, context=STORED)


def offer_of(campaign: Campaign) -> Offer:
    return Offer.model_validate(campaign.offer)


def codes_of(campaign: Campaign) -> Codes:
    return Codes.model_validate(campaign.codes)


def campaign_as_said(campaign: Campaign) -> dict[str, Any]:
    """As JSON, without what goes without saying."""
    said = definition_of_campaign(campaign).model_dump(mode="json", exclude_defaults=True)
    numbers = {
        name: exact(getattr(campaign, name), 0)
        for name in ("target", "budget_units", "budget_money")
        if getattr(campaign, name) is not None
    }
    return said | numbers
