"""What to write instead of a text that does not have its form, in words.

Patterns are for programs; whoever reads a refusal is told what is expected. A test looks through
the OpenAPI document for patterns that have no words here."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

_ONE_LINE = gettext_lazy("Write one line, without control characters.")
_NO_NULL = gettext_lazy("Leave out the character NUL.")
_NAME = gettext_lazy("Write one line that neither begins nor ends with a blank.")
_AMOUNT = gettext_lazy("Write an amount not below zero as text, like 12.50.")
_ABOVE_ZERO = gettext_lazy("Write an amount above zero as text, like 12.50.")
_SIGNED = gettext_lazy("Write an amount as text, like 12.50 or -12.50.")
_ALL_OR_AMOUNT = gettext_lazy("Write “all”, or an amount as text, like 12.50.")
_CODE = gettext_lazy("Write small letters, digits and hyphens, like double-weekend.")
_QUANTITY = gettext_lazy("Write a quantity as text, with at most 3 decimals, like 2 or 0.750.")
_DIGITS = gettext_lazy("Write digits only.")
_PERIOD = gettext_lazy("Write a year or a month, like 2026 or 2026-10.")

_WORDS: dict[str, Promise] = {
    r"^[^\x00-\x1f\x7f]*$": _ONE_LINE,
    r"^[^\x00-\x1f]*$": _ONE_LINE,
    r"^[\x20-\x7e]+$": gettext_lazy("Write letters, digits and signs of ASCII."),
    r"^[^\x00]*$": _NO_NULL,
    r"^[^\x00]+$": _NO_NULL,
    r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$": _NAME,
    r"^[0-9]{1,12}(\.[0-9]{1,4})?$": _AMOUNT,
    r"^([0-9]{1,12}(\.[0-9]{1,4})?)?$": _AMOUNT,
    r"^(?:0{0,11}[1-9][0-9]{0,11}(\.[0-9]{1,4})?|0{1,12}\.[0-9]{0,3}[1-9][0-9]{0,3})$": (
        _ABOVE_ZERO
    ),
    r"^(?:0{0,9}[1-9][0-9]{0,9}(\.[0-9]{1,10})?|0{1,10}\.[0-9]{0,9}[1-9][0-9]{0,9})$": (
        gettext_lazy("Write a rate above zero as text, with at most 10 decimals, like 0.9215.")
    ),
    r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$": _SIGNED,
    r"^(all|[0-9]{1,12}(\.[0-9]{1,4})?)$": _ALL_OR_AMOUNT,
    r"^(all|-?[0-9]{1,12}(\.[0-9]{1,4})?)$": _ALL_OR_AMOUNT,
    r"^[0-9]{1,6}(\.[0-9]{1,3})?$": _QUANTITY,
    r"^-?[0-9]{1,10}(\.[0-9]{1,3})?$": _QUANTITY,
    r"^[0-9]{1,3}(\.[0-9]{1,2})?$": gettext_lazy("Write a percentage as text, like 10 or 2.50."),
    r"^[a-z0-9][a-z0-9-]*$": _CODE,
    r"^[a-z_]+$": gettext_lazy("Write small letters and underscores, like new_rewards."),
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": gettext_lazy(
        "Write letters, digits, dots, hyphens and underscores, like till-7."
    ),
    r"^(|[A-Za-z_][A-Za-z0-9_.-]*)$": gettext_lazy(
        "Write the name of a field, like kilometers, or nothing."
    ),
    r"^[A-Z]{3}$": gettext_lazy("Write three capital letters, like EUR."),
    r"^[A-Z]{2}$": gettext_lazy("Write two capital letters, like DE."),
    r"^(\+[1-9][0-9]{5,17})?$": gettext_lazy(
        "Write a number with its country, without blanks, like +60123456789."
    ),
    r"^[12]\d{3}(-(0[1-9]|1[0-2]))?$": _PERIOD,
    r"^(|(0[1-9]|1[0-2])-[0-3]\d)$": gettext_lazy("Write a month and a day, like 12-31."),
    r"^([A-Za-z0-9]{4})?$": gettext_lazy("Write four letters and digits."),
    r"^[0-9A-Za-z-]*$": gettext_lazy("Write letters, digits and hyphens."),
    r"^[0-9]*$": _DIGITS,
    r"^https?://[a-z0-9.-]{1,200}(:[0-9]{1,5})?$": gettext_lazy(
        "Write where a page is from, like https://shop.example."
    ),
    r"^(https://\S+\.\S+)?$": gettext_lazy("Write an address, like https://trees.example."),
    r"^[A-Za-z0-9][A-Za-z0-9 ./_-]*$": gettext_lazy(
        "Write letters, digits, spaces and ./_- only, a letter or a digit first."
    ),
}


def words_for(pattern: str) -> Promise | None:
    return _WORDS.get(pattern)
