"""What goes in and out, as pydantic models: one place for validation and for the OpenAPI schema."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from rest_framework.request import Request

from members import plain_money
from members.api.problems import ApiError
from members.errors import DomainError, FieldError
from members.wrong_values import place_of, words_of


class Body(BaseModel):
    """What a request brings. A field that is not known is an error: it may be a misspelled one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """The parameters in the address."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What an answer consists of; every field is always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


Read = TypeVar("Read", bound=BaseModel)

# --- Types --------------------------------------------------------------------------------------

_RFC3339 = re.compile(
    r"(19|20)\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


_DAY = re.compile(r"(19|20)\d\d-\d\d-\d\d", re.ASCII)


def _rfc3339(value: Any) -> dt.datetime:
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            return dt.datetime.fromisoformat(value.upper())
        except ValueError:
            pass  # a day or an hour that does not exist
    raise PydanticCustomError("date_time", "not RFC 3339")


def _only_day(value: Any) -> dt.date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass  # a day that does not exist
    raise PydanticCustomError("day", "not a day")


def _day_or_moment(value: Any) -> dt.date | dt.datetime:
    for read in (_only_day, _rfc3339):
        try:
            return read(value)
        except PydanticCustomError:
            continue
    raise PydanticCustomError("day_or_moment", "neither a day nor a time")


def _email(value: str) -> str:
    if value:
        try:
            validate_email(value)
        except DjangoValidationError as error:
            raise PydanticCustomError("email", "not an e-mail address") from error
    return value.lower()


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise PydanticCustomError("uuid", "not an id") from error


# Printable, on one line; what names something neither begins nor ends with a blank.
TEXT = r"^[^\x00-\x1f\x7f]*$"
NAME = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"

Instant = Annotated[
    dt.datetime,
    BeforeValidator(_rfc3339),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 with offset, in the years 1900 to 2099.",
        }
    ),
]
Day = Annotated[
    dt.date,
    BeforeValidator(_only_day),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "description": "A day, like 2026-03-01, in the years 1900 to 2099.",
        }
    ),
]
# Why somebody did it, for the merchant's staff; of several lines, if need be.
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]

# A day stands for its last instant, in the time zone of whatever it is asked of.
DayOrInstant = Annotated[
    dt.date | dt.datetime,
    BeforeValidator(_day_or_moment),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date"}, {"format": "date-time"}],
            "description": "A day (its last instant) or RFC 3339 with offset, in the years 1900 to"
            " 2099.",
        }
    ),
]
PublicId = Annotated[
    UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})
]
Money = Annotated[
    str,
    Field(
        pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$",
        description="Money as decimal text.",
        examples=["12.50"],
    ),
]
MoneyFromZero = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$",
        description="Money as decimal text, not below zero.",
        examples=["12.50"],
    ),
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.", examples=["EUR"])]
ExternalId = Annotated[str, Field(min_length=1, max_length=128, pattern=NAME)]
# Empty: there is none.
Email = Annotated[
    str,
    Field(max_length=254),
    AfterValidator(_email),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "email", "maxLength": 254}, {"const": ""}]}
    ),
]
Phone = Annotated[
    str,
    Field(pattern=r"^(\+[1-9][0-9]{5,17})?$", description="E.164.", examples=["+60123456789"]),
]


money_text = plain_money.money_text


def plain_text(number: Decimal) -> str:
    """2.000 → "2", 0.5000 → "0.5"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- Reading ------------------------------------------------------------------------------------


def read_body(request: Request, model: type[Read]) -> Read:
    """The request's JSON as this model, or the refusal that names every field at fault."""
    kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    raw: bytes = request._request.body  # noqa: SLF001  (documented: the Django request)
    if kind != "application/json" and (raw or kind):
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            _("Send JSON, with “Content-Type: application/json”."),
        )
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise _refusal(error) from error


def read_query(request: Request, model: type[Read]) -> Read:
    """The parameters in the address as this model, or 400 naming those at fault."""
    try:
        return model.model_validate(request.query_params.dict())
    except ValidationError as error:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            _("Some parameters are not right."),
            code="invalid_parameter",
            errors=_field_errors(error),
        ) from error


def read_text(model: type[Read], text: str) -> Read:
    """A body that somebody pastes, read by the same rules as one that a request brings."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _refusal(error) from error


def check_values(model: type[BaseModel], values: Mapping[str, Any]) -> None:
    """Refuse values that came in another way by the same rules as those in a body."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        raise _refusal(error) from error


def answer(body: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    """The model as JSON."""
    return HttpResponse(
        body.__pydantic_serializer__.to_json(body), status=status, content_type="application/json"
    )


def refuse_field(field: str, message: str | Promise, code: str = "invalid") -> DomainError:
    """An error about one field, found after the body was read."""
    return DomainError(_("Some fields are not right."), errors=[FieldError(field, message, code)])


def _refusal(error: ValidationError) -> DomainError:
    details = error.errors(include_url=False, include_context=True, include_input=False)
    if details[0]["type"] == "json_invalid":
        return ApiError(
            HTTPStatus.BAD_REQUEST,
            _("This is not JSON: %(reason)s.") % {"reason": details[0]["ctx"]["error"]},
            code="malformed_json",
        )
    return DomainError(_("Some fields are not right."), errors=_field_errors(error))


def _field_errors(error: ValidationError) -> list[FieldError]:
    details = error.errors(include_url=False, include_input=False)
    return [_field_error(item) for item in details[:100]]


def _field_error(details: ErrorDetails) -> FieldError:
    message, code = words_of(details)
    return FieldError(_path(place_of(details)), message, code)


def _path(location: tuple[int | str, ...]) -> str:
    """("lines", 1, "total") → "lines[1].total"."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path
