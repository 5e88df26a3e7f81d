"""Phone numbers as people write them, kept in one form (E.164: +60123456789)."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from babel.core import get_global
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError

_SEPARATORS = re.compile(r"[\s\-().,/·\u2010-\u2015]")
_LOOKS_LIKE_PHONE = re.compile(r"^(\+|00)?\d{4,17}$")


@lru_cache(maxsize=256)
def region_of_time_zone(time_zone: str) -> str:
    """The country a time zone lies in ("MY"), or nothing for UTC and its like."""
    territory: str = get_global("zone_territories").get(time_zone, "")
    return territory if len(territory) == 2 and territory.isalpha() else ""


def normalize_phone(text: str, *, region: str = "", field: str = "phone") -> str:
    """Return the number as E.164; `region` is the country in which "012…" without + is read."""
    if not text.strip():
        return ""
    written = _international(text)
    region = region if region in phonenumbers.SUPPORTED_REGIONS else ""
    if not written.startswith("+") and not region:
        message = _("Write the number with + and the country code, like +60123456789.")
        raise _error(field, message, "phone_country_missing")
    try:
        number = phonenumbers.parse(written, region or None)
    except phonenumbers.NumberParseException as error:
        raise _error(field, _parse_message(error), "phone_invalid") from error
    if not phonenumbers.is_possible_number(number):
        message = _("This number is too short or too long for its country.")
        raise _error(field, message, "phone_invalid")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_digits(text: str) -> str:
    """The digits to look for when the text may be part of a phone number, else nothing.

    The zero that stands for the country at home, and the 00 that stands for the + abroad, are not
    part of the kept number.
    """
    bare = _SEPARATORS.sub("", text.replace("(0)", ""))
    if not _LOOKS_LIKE_PHONE.match(bare):
        return ""
    return bare.lstrip("+").lstrip("0")


def format_phone(number: str) -> str:
    """An E.164 number with the spaces its country uses: "+60 12-345 6789"."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _international(text: str) -> str:
    stripped = text.strip()
    return f"+{stripped[2:]}" if stripped.startswith("00") else stripped


def _parse_message(error: phonenumbers.NumberParseException) -> str:
    if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return _("There is no country with this calling code.")
    return _("This does not look like a phone number.")


def _error(field: str, message: str, code: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message, code)])
