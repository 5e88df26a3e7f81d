"""Answers to the merchant's questions in bodies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from members.api.bodies import TEXT

Code = Annotated[str, Field(max_length=40, pattern=TEXT)]
# By question the choices, all by their codes.
Answers = dict[Code, Annotated[list[Code], Field(max_length=30)]]
