"""A post as a program's file says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from campaigns.campaign_definitions import Language
from loyalty.rules.body_parts import Code, Part

_TEXT = r"^[^\x00]*$"
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_TEXT)
]
Teaser = Annotated[str, Field(max_length=300, pattern=_TEXT)]
Words = Annotated[str, Field(max_length=20_000, pattern=_TEXT)]


class PostTextsPart(Part):
    """A post in a further language; what is not said is as in the first one."""

    title: Annotated[str, Field(max_length=120, pattern=_TEXT)] = ""
    teaser: Teaser = ""
    body: Words = ""


class ProgramPost(Part):
    """A [post](community.md#posts), known by its title. One that is put away is in no file and
    stays so, and posts that a file does not name stay as they are. Pictures are in no file."""

    title: Title = Field(description="With another title it is another post.")
    state: Literal["draft", "published"] = Field(
        "draft", description="Published: members find it, from `publish_at` on."
    )
    teaser: Teaser = Field("", description="What all members see.")
    body: Words = Field("", description="What it says, in Markdown.")
    texts: dict[Language, PostTextsPart] = Field({}, description="In further languages.")
    item: Code | None = Field(
        None, description="The code of something of the library that belongs to it."
    )
    when: Mapping[str, Any] = Field(
        {}, description="Who may read it: a [condition](conditions.md)."
    )
    publish_at: AwareDatetime | None = Field(None, description="When it appears by itself.")
    opens_at: AwareDatetime | None = Field(
        None,
        description="When it opens for everybody; before, for tiers and plans with early access.",
    )
    pinned: bool = Field(False, description="It is on top of the others.")
    comments_open: bool = Field(True, description="Members may comment.")
    by_message: bool = Field(False, description="Those who may read it are told.")
