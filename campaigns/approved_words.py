"""Words that a provider has approved: WhatsApp lets businesses begin a conversation with no others.
The provider knows them by name and language; a message fills in their variables, in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from campaigns.wording import tidied_body, tidied_subject

MOST_VALUES, LONGEST_VALUE = 20, 1_000
LONGEST_NAME, LONGEST_LANGUAGE = 100, 16
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
# Providers refuse a variable that says nothing.
NOTHING_SAID = "–"
_TEXT = r"^[^\x00]*$"


@dataclass(frozen=True, slots=True)
class Approved:
    """`values`: what each variable says, in order; with our own variables in them until they are
    filled in."""

    name: str
    language: str
    values: tuple[str, ...] = ()

    @classmethod
    def kept(cls, said: Mapping[str, Any]) -> Self | None:
        """As it is kept with a version; None: it names no approved words."""
        if not said:
            return None
        return cls(said["name"], said["language"], tuple(said["values"]))

    def as_kept(self) -> dict[str, Any]:
        return {**asdict(self), "values": list(self.values)}

    def tidied(self) -> Self:
        """As they are kept: each variable on one line, as it is read and written."""
        values = tuple(map(tidied_subject, self.values))
        return replace(
            self, name=tidied_body(self.name), language=tidied_body(self.language), values=values
        )

    def saying(self, values: list[str]) -> Self:
        """Filled in: each on one line, as providers take them."""
        said = (tidied_subject(value) or NOTHING_SAID for value in values)
        return replace(self, values=tuple(said))


class ApprovedSaid(BaseModel):
    """Words that the provider has approved, by its name for them. `values`: what each of their
    variables says, in order, with variables like `{{ given_name }}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=_TEXT)]
    language: Annotated[str, Field(min_length=2, max_length=LONGEST_LANGUAGE, pattern=_TEXT)]
    values: Annotated[
        tuple[Annotated[str, Field(max_length=LONGEST_VALUE, pattern=_TEXT)], ...],
        Field(max_length=MOST_VALUES),
    ] = ()

    # Kept tidied: said again otherwise spaced, they are the same.

    @field_validator("name", "language")
    @classmethod
    def _name(cls, text: str) -> str:
        return tidied_body(text)

    @field_validator("values")
    @classmethod
    def _values(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(tidied_subject, values))

    def words(self) -> Approved:
        return Approved(self.name, self.language, self.values)
