"""What a customer's fields may hold, and the one form in which each is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from babel import Locale, UnknownLocaleError
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.genders import GENDERS
from members.phones import normalize_phone, region_of_time_zone
from members.services.profile_answers import clean_answers

FIELDS = (
    "external_id",
    "email",
    "phone",
    "given_name",
    "family_name",
    "locale",
    "country",
    "birthday",
    "gender",
    "tags",
    "attributes",
    "answers",
)
MOST_TAGS = 50
MOST_ATTRIBUTE_BYTES = 16_384
EARLIEST_BIRTHDAY = date(1900, 1, 1)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LENGTHS = {"external_id": 128, "email": 254, "given_name": 100, "family_name": 100}


def clean_values(values: dict[str, Any], *, time_zone: str) -> dict[str, Any]:
    """Return the values as they are kept, or raise with every field that cannot be."""
    cleaned: dict[str, Any] = {}
    errors: list[FieldError] = []
    country = str(values.get("country") or "").strip().upper()
    for name, value in values.items():
        try:
            if name == "phone":
                region = country or region_of_time_zone(time_zone)
                cleaned[name] = normalize_phone(_text(name, value), region=region)
            else:
                cleaned[name] = _CLEANERS[name](name, value)
        except DomainError as error:
            errors.extend(error.errors)
    if errors:
        raise DomainError(_("Some details cannot be kept like this."), errors=errors)
    return cleaned


def _fail(field: str, message: str, code: str = "invalid") -> DomainError:
    return DomainError(message, errors=[FieldError(field, message, code)])


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _fail(name, _("Write text here."))
    text = value.strip()
    if _CONTROL.search(text):
        raise _fail(name, _("There are characters in it that cannot be shown."))
    limit = _LENGTHS.get(name, 64)
    if len(text) > limit:
        message = _("At most %(limit)s characters are possible.") % {"limit": limit}
        raise _fail(name, message, "too_long")
    return text


def _external_id(name: str, value: Any) -> str | None:
    return _text(name, value) or None


def _email(name: str, value: Any) -> str:
    text = _text(name, value).lower()
    if text:
        try:
            validate_email(text)
        except ValidationError as error:
            raise _fail(name, _("This does not look like an e-mail address.")) from error
    return text


def _locale(name: str, value: Any) -> str:
    text = _text(name, value).replace("_", "-")
    if text:
        try:
            Locale.parse(text, sep="-")
        except (UnknownLocaleError, ValueError) as error:
            raise _fail(name, _("Write a language like en or pt-BR.")) from error
    return text


def _country(name: str, value: Any) -> str:
    text = _text(name, value).upper()
    if text and (len(text) != 2 or not text.isalpha() or text not in _territories()):
        raise _fail(name, _("Write the two letters of a country, like MY."))
    return text


def _territories() -> dict[str, str]:
    known: dict[str, str] = dict(Locale.parse("en").territories)
    return known


def _birthday(name: str, value: Any) -> date | None:
    if value is None or value == "":
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise _fail(name, _("Write the day as 1990-12-31.")) from error
    if not isinstance(day, date):
        raise _fail(name, _("Write the day as 1990-12-31."))
    if not EARLIEST_BIRTHDAY <= day <= timezone.localdate():
        raise _fail(name, _("A birthday lies between 1900 and today."))
    return day


def _gender(name: str, value: Any) -> str:
    text = _text(name, value).lower()
    if text and text not in GENDERS:
        raise _fail(name, _("Write female, male or other, or leave it empty."))
    return text


def _tags(name: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise _fail(name, _("Write a list of tags."))
    tags = list(dict.fromkeys(text for item in value if (text := _text(name, item))))
    if len(tags) > MOST_TAGS:
        message = _("At most %(limit)s tags are possible.") % {"limit": MOST_TAGS}
        raise _fail(name, message, "too_many")
    return tags


def _attributes(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _fail(name, _("Write names with their values."))
    try:
        written = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _fail(name, _("Only text, numbers, yes or no, lists and names fit.")) from error
    if "\\u0000" in written:
        raise _fail(name, _("There are characters in it that cannot be shown."))
    if len(written) > MOST_ATTRIBUTE_BYTES:
        raise _fail(name, _("This is too much for one customer."), "too_long")
    return dict(value)


_CLEANERS: dict[str, Callable[[str, Any], Any]] = {
    "external_id": _external_id,
    "email": _email,
    "given_name": _text,
    "family_name": _text,
    "locale": _locale,
    "country": _country,
    "birthday": _birthday,
    "gender": _gender,
    "tags": _tags,
    "attributes": _attributes,
    "answers": clean_answers,
}
