"""What bringing friends brings as a program's file says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from campaigns.program_definitions import first_error
from campaigns.referral_definitions import ReferralDefinition, stored
from loyalty.rules.body_parts import Part

CODE = "referrals"


class ProgramReferrals(Part):
    """What [bringing friends](referrals.md) brings: one of it, or none. A file without it leaves it
    as it is."""

    state: Literal["draft", "live", "paused"] = Field(
        "draft", description="Live: what is said is published for friends who come from now on."
    )
    body: Mapping[str, Any] = Field(
        description="What is promised: see [referrals.md](referrals.md#in-a-program-file)."
    )

    @field_validator("body")
    @classmethod
    def body_is_whole(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return stored(ReferralDefinition.model_validate(value))
        except ValidationError as error:
            raise ValueError(first_error(error)) from error

    @property
    def code(self) -> str:
        return CODE
