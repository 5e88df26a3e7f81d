"""/programs/{code}/challenge-levels: what members are called who have done so many challenges."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.level_definitions import MOST_LEVELS, LevelDefinition
from campaigns.selectors.challenge_levels import levels_of, own_levels
from campaigns.services.challenge_levels import set_levels
from loyalty.models import Program
from members.api.bodies import Answer, Body, answer, read_body
from members.api.views import ApiView
from members.errors import NotFoundError


class ChallengeLevelsIn(Body):
    """All of the program's levels; none: the standard ones."""

    levels: Annotated[list[LevelDefinition], Field(max_length=MOST_LEVELS)]


class ChallengeLevelOut(Answer):
    number: int = Field(description="1 is the first.")
    needs: int = Field(description="So many challenges done.")
    name: str
    icon: str
    texts: dict[str, str] = Field(description="The name in further languages.")


class ChallengeLevelsOut(Answer):
    standard: bool = Field(description="The program has written none of its own.")
    levels: list[ChallengeLevelOut]


class ChallengeLevels(ApiView):
    scopes = {"GET": "campaigns:read", "PUT": "campaigns:write"}

    @extend_schema(operation_id="readChallengeLevels", responses={200: ChallengeLevelsOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read the levels of a program's challenges, the lowest first."""
        return answer(_out(_program(code)))

    @extend_schema(
        operation_id="writeChallengeLevels", request=ChallengeLevelsIn,
        responses={200: ChallengeLevelsOut},
    )  # fmt: skip
    def put(self, request: Request, code: str) -> HttpResponse:
        """Write all of them; what members have done counts for them at once. Again changes
        nothing."""
        program, body = _program(code), read_body(request, ChallengeLevelsIn)
        set_levels(program=program, levels=body.levels, actor=self.actor)
        return answer(_out(program))


def _program(code: str) -> Program:
    found = Program.objects.filter(code=code).first()
    if found is None:
        raise NotFoundError("There is no such program.")
    return found


def _out(program: Program) -> ChallengeLevelsOut:
    own = own_levels(program)
    texts = {level.needs: level.texts for level in own}
    return ChallengeLevelsOut(
        standard=not own,
        levels=[
            ChallengeLevelOut(
                number=level.number, needs=level.needs, icon=level.icon,
                name=_first_name(own, level.number) or str(level.name),
                texts=dict(texts.get(level.needs, {})),
            )
            for level in levels_of(program)
        ],
    )  # fmt: skip


def _first_name(own: list[LevelDefinition], number: int) -> str:
    """As it was written, whatever the language of whoever asks."""
    return own[number - 1].name if own else ""
