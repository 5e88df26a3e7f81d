"""A level as staff, the API and program files say it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from campaigns.campaign_definitions import Language
from loyalty.rules.body_parts import Part

_TEXT = r"^[^\x00-\x1f]*$"
MOST_LEVELS = 12
MOST_DONE = 1_000_000
LevelName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=_TEXT)
]


class LevelDefinition(Part):
    """What members are called who have done so many
    [challenges](challenges.md#levels-and-leaderboards). A file that names levels names all of the
    program's; without any they stay as they are."""

    needs: int = Field(ge=1, le=MOST_DONE, description="So many challenges done.")
    name: LevelName = Field(description="What members read.")
    icon: Literal["award", "trophy", "star", "flame", "heart", "leaf"] = Field(
        "award", description="What is shown beside it."
    )
    texts: dict[Language, LevelName] = Field({}, description="The name in further languages.")
