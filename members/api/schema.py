"""The OpenAPI 3.1 document: pydantic models as schemas, and what all operations share."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import OpenApiParameter
from pydantic import BaseModel, Field
from ruamel.yaml import YAML

from members.api.bodies import Answer, Query
from members.api.idempotency import HEADER, LONGEST_KEY, REPLAYED
from members.api.problems import CONTENT_TYPE

if TYPE_CHECKING:
    from members.api.views import ApiView

RATE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

PROBLEMS = {
    "400": "The request cannot be read: malformed JSON, a parameter or cursor that is not right.",
    "401": "No key or token, or one that is not known, was revoked or has expired.",
    "403": "The key lacks the scope, or the token is not for pages of this origin.",
    "404": "There is no such object.",
    "406": "The caller does not accept JSON.",
    "409": "It contradicts what is there, or the first request with the key is still running.",
    "412": "It is another one than you have read: `If-Match` says which.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "Fields are not right; `errors` names each.",
    "428": "Say what you have read, by `If-Match`.",
    "429": "Too many requests in this minute; `Retry-After` says when to go on.",
}


class FieldProblem(Answer):
    """What is wrong with one field."""

    field: str = Field(description="Path to the field.", examples=["lines[2].total"])
    message: str = Field(description="For people, in the language of Accept-Language.")
    code: str = Field(description="For programs; stable.")


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int
    detail: str = Field(description="For people, in the language of Accept-Language.")
    code: str = Field(description="For programs; stable.", examples=["invalid_order"])
    errors: list[FieldProblem] = Field([], description="The fields at fault, where there are any.")


class ModelExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Schemas of our pydantic models, of what is read and of what is written."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        # A model that is part of another is registered by its name already.
        set_override(self.target, "suppress_collision_warning", True)
        name: str = self.target.__name__
        return name

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        mode: Literal["validation", "serialization"] = (
            "validation" if direction == "request" else "serialization"
        )
        schema: dict[str, Any] = self.target.model_json_schema(
            ref_template="#/components/schemas/{model}", mode=mode
        )
        parts: dict[str, Any] = schema.pop("$defs", {})
        # The choices of different models have the same name (Status, Kind): written out in place.
        choices = {name: part for name, part in parts.items() if "enum" in part}
        for name in parts.keys() - choices.keys():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name,
                type=ResolvedComponent.SCHEMA,
                object=name,
                schema=_plain(parts[name], choices),
            )
            auto_schema.registry.register_on_missing(component)
        plain: dict[str, Any] = _plain(schema, choices)
        return plain


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "members.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key made in the back-office under Settings, API keys: `setia_…`.",
        }


class MemberTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "members.api.member_views.MemberTokenAuthentication"
    name = "memberToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token for what is one member's own, which the shop's server gets from"
            " `POST /member-tokens`: `setia-member_…`.",
        }


class ApiSchema(AutoSchema):
    """Adds to each operation what all of them share."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        self._say_scope(operation)
        self._say_idempotency(operation)
        self._show_example(operation)
        for response in operation["responses"].values():
            response.setdefault("headers", {}).update(_rate_headers())
        for status in _problem_statuses(operation, public=not self.get_auth()):
            operation["responses"][status] = self._problem(status)
        return operation

    def _show_example(self, operation: dict[str, Any]) -> None:
        body = _examples().get(operation["operationId"])
        if body is not None:
            operation["requestBody"]["content"]["application/json"]["example"] = body

    def _problem(self, status: str) -> dict[str, str]:
        """A reference to what all operations answer with this status."""
        problem = self.resolve_serializer(Problem, "response").ref  # type: ignore[arg-type]
        answered = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=f"Problem{status}",
            type=ResolvedComponent.RESPONSE,
            object=f"Problem{status}",
            schema={
                "description": PROBLEMS[status],
                "content": {CONTENT_TYPE: {"schema": problem}},
                **({"headers": _rate_headers()} if status == "429" else {}),
            },
        )
        self.registry.register_on_missing(answered)
        reference: dict[str, str] = answered.ref
        return reference

    def _say_scope(self, operation: dict[str, Any]) -> None:
        scope = cast("ApiView", self.view).scopes[self.method]
        named = scope if isinstance(scope, str) else "` or `".join(scope)
        text = operation.get("description", "")
        operation.setdefault("summary", _first_sentence(text))
        operation["description"] = f"{text}\n\nScope: `{named}`.".strip()

    def _say_idempotency(self, operation: dict[str, Any]) -> None:
        handler = getattr(self.view, self.method.lower())
        heeded = getattr(handler, "idempotency", None)
        if heeded is None:
            return
        operation.setdefault("parameters", []).append(
            {
                "in": "header",
                "name": HEADER,
                "required": heeded == "required",
                "description": "A text of your own, new for each new request. The same request"
                f" again with the same key gets the first answer, marked `{REPLAYED}: true`. Kept"
                " for 24 hours at least.",
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_KEY,
                    "pattern": "^[\\x20-\\x7e]+$",
                },
            }
        )


def query_parameters(model: type[Query]) -> list[OpenApiParameter]:
    """The fields of a query model as parameters for `extend_schema`."""
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        OpenApiParameter(
            name=name,
            type={key: value for key, value in part.items() if key not in {"title", "description"}},
            description=part.get("description", ""),
            required=name in required,
        )
        for name, part in schema["properties"].items()
    ]


@require_safe
def openapi_document(request: HttpRequest) -> HttpResponse:
    """The description of the API: JSON, or YAML for `?format=yaml` or who accepts nothing else."""
    accept = request.headers.get("Accept", "")
    wants_yaml = "yaml" in accept and "json" not in accept and "*/*" not in accept
    if request.GET.get("format", "yaml" if wants_yaml else "json") == "yaml":
        return HttpResponse(_yaml(), content_type="application/yaml")
    return HttpResponse(_json(), content_type="application/json")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The same for people, with every request to try."""
    return render(request, "api/reference.html")


@functools.cache
def document() -> dict[str, Any]:
    """Generated once for each process: it changes with the program only."""
    generator = SchemaGenerator(api_version=None)  # type: ignore[no-untyped-call]
    generated: dict[str, Any] = generator.get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return generated


@functools.cache
def _json() -> bytes:
    return json.dumps(document(), default=str, ensure_ascii=False).encode()


@functools.cache
def _yaml() -> bytes:
    plain = json.loads(_json())
    rendered: bytes = OpenApiYamlRenderer().render(plain)  # type: ignore[no-untyped-call]
    return rendered


def _problem_statuses(operation: dict[str, Any], *, public: bool) -> list[str]:
    parameters = operation.get("parameters", [])
    statuses = {"406", "429"} if public else {"401", "403", "406", "429"}
    if "requestBody" in operation:
        statuses |= {"400", "409", "413", "415", "422"}
    if any(item["name"] == "If-Match" for item in parameters):
        statuses |= {"412", "428"}
    if any(item["in"] in {"query", "header"} for item in parameters):
        statuses |= {"400", "422"}
    if any(item["in"] == "path" for item in parameters):
        statuses |= {"404"}
    return sorted(statuses)


@functools.cache
def _examples() -> dict[str, Any]:
    """Bodies by the ids of their operations."""
    text = (Path(__file__).parent / "examples.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return loaded


def _first_sentence(text: str) -> str:
    """What stands beside the address in a list of operations."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"[.;:](?:\s|$)", paragraph, maxsplit=1)[0]


def _rate_headers() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in RATE_HEADERS}


def _plain(schema: Any, choices: dict[str, Any]) -> Any:
    """With choices in place of references to them, and without titles that repeat the names."""
    if isinstance(schema, list):
        return [_plain(part, choices) for part in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in choices:
        rest = {key: part for key, part in schema.items() if key != "$ref"}
        schema = {"type": "string", "enum": choices[name]["enum"], **rest}
    return {
        key: _plain(part, choices)
        for key, part in schema.items()
        if not (key == "title" and isinstance(part, str))
    }
