"""What is wrong with a value, in words for whoever wrote it: in a request of the API or in a file.

pydantic says it in its own terms; here stands what to write instead, with a code for programs.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic_core import ErrorDetails

from members.pattern_words import words_for


class WrongPartError(ValueError):
    """Raised where a whole is looked at and one of its parts does not fit: `place` leads from the
    whole to it."""

    def __init__(self, message: str, *place: int | str) -> None:
        super().__init__(message)
        self.place = place


def refuse_double(codes: Sequence[str], what: str, *, first: int = 0) -> None:
    """Raise WrongPartError at the second of two with one code. `first`: where the list of this name
    begins among those that share their codes with it."""
    for place, code in enumerate(codes):
        if code in codes[:place]:
            raise WrongPartError(
                _("%(what)s: the code %(code)s is there twice.") % {"what": what, "code": code},
                what, place - first, "title" if what == "posts" else "code",
            )  # fmt: skip


def place_of(details: ErrorDetails) -> tuple[int | str, ...]:
    """Where the value stands that is wrong."""
    error = details.get("ctx", {}).get("error")
    return details["loc"] + (error.place if isinstance(error, WrongPartError) else ())


def words_of(details: ErrorDetails) -> tuple[str, str]:
    """The sentence and its code."""
    known = _MESSAGES.get(details["type"])
    if known is None:
        return details["msg"].removeprefix("Value error, "), "invalid"
    code, message = known
    context = {name: str(value) for name, value in details.get("ctx", {}).items()}
    message = words_for(context.get("pattern", "")) or message
    return str(message) % context, code


_MESSAGES: dict[str, tuple[str, Promise]] = {
    "missing": ("required", gettext_lazy("This is required.")),
    "extra_forbidden": ("unknown", gettext_lazy("There is no such field.")),
    "string_type": ("invalid_type", gettext_lazy("Write text, in quotation marks.")),
    "string_too_short": ("too_short", gettext_lazy("At least %(min_length)s characters.")),
    "string_too_long": ("too_long", gettext_lazy("At most %(max_length)s characters.")),
    "string_pattern_mismatch": (
        "invalid_format",
        gettext_lazy("This does not have the form %(pattern)s."),
    ),
    "bool_type": ("invalid_type", gettext_lazy("Write true or false.")),
    "int_type": ("invalid_type", gettext_lazy("Write a whole number.")),
    "int_parsing": ("invalid_type", gettext_lazy("Write a whole number.")),
    "list_type": ("invalid_type", gettext_lazy("Write a list.")),
    "tuple_type": ("invalid_type", gettext_lazy("Write a list.")),
    "dict_type": ("invalid_type", gettext_lazy("Write an object.")),
    "model_type": ("invalid_type", gettext_lazy("Write an object.")),
    "too_long": ("too_many", gettext_lazy("At most %(max_length)s.")),
    "too_short": ("too_few", gettext_lazy("At least %(min_length)s.")),
    "greater_than": ("out_of_range", gettext_lazy("More than %(gt)s.")),
    "greater_than_equal": ("out_of_range", gettext_lazy("At least %(ge)s.")),
    "less_than_equal": ("out_of_range", gettext_lazy("At most %(le)s.")),
    "literal_error": ("unknown_value", gettext_lazy("One of: %(expected)s.")),
    "uuid": ("invalid_format", gettext_lazy("This is not an id.")),
    "email": ("invalid_format", gettext_lazy("This does not look like an e-mail address.")),
    "date_time": (
        "invalid_format",
        gettext_lazy("Write a time with its offset, like 2026-03-01T12:30:00+08:00."),
    ),
    "day": ("invalid_format", gettext_lazy("Write a day, like 2026-03-01.")),
    "day_or_moment": (
        "invalid_format",
        gettext_lazy(
            "Write a day, like 2026-03-01, or a time with its offset, like"
            " 2026-03-01T12:30:00+08:00."
        ),
    ),
}
