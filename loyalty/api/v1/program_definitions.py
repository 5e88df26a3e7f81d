"""/programs/{code}/definition: all that a program says, as its file has it; read, tried, put."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, JsonValue
from rest_framework.request import Request

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.program_differences import Difference
from loyalty.selectors.programs import definition_of, get_program
from loyalty.services.program_changes import (
    ProgramChange,
    change_program,
    mark_of,
    rehearse_definition,
)
from members.api.bodies import Answer, Query, answer, read_body, read_query, refuse_field
from members.api.idempotency import idempotent
from members.api.problems import ApiError
from members.api.schema import query_parameters
from members.api.views import ApiView


class DefinitionQuery(Query):
    dry_run: bool = Field(
        False, description="Only say what it would change. What would be refused is refused."
    )


class DifferenceOut(Answer):
    """One place in which the program is another one."""

    path: str = Field(description="As in its file: `rewards[mug].price`.")
    kind: Literal["added", "changed", "removed"]
    before: JsonValue = Field(description="Null: it was not there.")
    after: JsonValue = Field(description="Null: it is not there any more.")


class DefinitionChange(Answer):
    """What a definition made of a program, or would make."""

    code: str
    dry_run: bool = Field(description="Nothing was changed.")
    created: bool = Field(description="There was no such program before.")
    changes: list[str] = Field(description="In words; empty: it was like that already.")
    differences: list[DifferenceOut]
    etag: str = Field(
        description="Of the program as it is now; null: there is none yet. The next If-Match.",
        examples=['"5f0c8c9a3d0b4e5f8a7b6c5d4e3f2a1b"'],
    )


IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="The ETag of what you have read; `*`: whatever the program says now. Needed to"
    " change a program, not to make one.",
)  # fmt: skip


class ProgramDefinitions(ApiView):
    scopes = {"GET": "programs:read", "PUT": "programs:write"}

    def content_of(self, request: Request) -> bytes:
        """To try something and to do it are two things, also under one Idempotency-Key."""
        said: str = request.META.get("QUERY_STRING", "")
        return said.encode() + b"\n" + super().content_of(request)

    @extend_schema(operation_id="getProgramDefinition", responses={200: ProgramDefinition})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read all that a program says, as its file has it. Putting it changes nothing."""
        definition = definition_of(get_program(code), timezone.now())
        response = answer(definition)
        response["ETag"] = quote_etag(mark_of(definition))
        return response

    @extend_schema(
        operation_id="putProgramDefinition",
        parameters=[*query_parameters(DefinitionQuery), IF_MATCH],
        request=ProgramDefinition,
        responses={200: DefinitionChange, 201: DefinitionChange},
    )
    @idempotent()
    def put(self, request: Request, code: str) -> HttpResponse:
        """Bring a program to what is said, or make it. All of it or nothing; again changes
        nothing."""
        query, now = read_query(request, DefinitionQuery), timezone.now()
        wanted = read_body(request, ProgramDefinition)
        if wanted.code != code:
            message = _("The address names the program “%s”; its code stays as it is.") % code
            raise refuse_field("code", message)
        if self.programs:
            # Within what the key may see; it makes none, which would be another one.
            get_program(code)
        seen = _seen(request, code)

        def judge(change: ProgramChange) -> None:
            _refuse_alone(change)
            if self.programs:
                _refuse_beyond(change)
            if seen is not None and mark_of(change.before) not in seen:
                raise _changed()

        if query.dry_run:
            change = rehearse_definition(wanted, actor=self.actor, now=now)
            judge(change)
        else:
            change = change_program(wanted, judge=judge, actor=self.actor, now=now)
        return _told(change, dry_run=query.dry_run)


def _seen(request: Request, code: str) -> Sequence[str] | None:
    """The marks that the caller may have read; an empty one: there is no such program; None: any of
    a program that is there."""
    said: str = request.META.get("HTTP_IF_MATCH", "")
    known = Program.objects.filter(code=code).exists()
    if known and not said:
        raise ApiError(
            HTTPStatus.PRECONDITION_REQUIRED,
            _("There is this program. Send the ETag of what you have read as If-Match, or *."),
            code="if_match_required",
        )
    if not said:
        return [""]
    tags = parse_etags(said)
    if tags == ["*"]:
        return None if known else []
    return [tag.removeprefix("W/").strip('"') for tag in tags]


def _refuse_alone(change: ProgramChange) -> None:
    """Whether a second person publishes is for people to say."""
    if change.before is not None and change.before.four_eyes != change.after.four_eyes:
        raise refuse_field(
            "four_eyes", _("An administrator changes this in the back-office."), "not_allowed"
        )


def _refuse_beyond(change: ProgramChange) -> None:
    """What all programs share is not for a key that is limited to some."""
    for item in change.differences:
        if item.section == "activity_types":
            raise refuse_field(
                item.path, _("A key that is limited to some programs does not change this."),
                "not_allowed",
            )  # fmt: skip


def _changed() -> ApiError:
    return ApiError(
        HTTPStatus.PRECONDITION_FAILED,
        _("The program is another one than you have read. Read it again, then decide."),
        code="changed_meanwhile",
    )


def _told(change: ProgramChange, *, dry_run: bool) -> HttpResponse:
    mark = quote_etag(mark_of(change.before if dry_run else change.after))
    made = change.created and not dry_run
    body = DefinitionChange(
        code=change.after.code,
        dry_run=dry_run,
        created=change.created,
        changes=list(change.words),
        differences=[_difference(item) for item in change.differences],
        etag=mark,
    )
    response = answer(body, HTTPStatus.CREATED if made else HTTPStatus.OK)
    response["ETag"] = mark
    return response


def _difference(item: Difference) -> DifferenceOut:
    values: dict[str, Any] = {"before": item.before, "after": item.after}
    return DifferenceOut(path=item.path, kind=item.kind, **values)
