"""Numbers as people type them, in their own number format."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel.numbers import NumberFormatError, parse_decimal
from django import forms
from django.utils.translation import gettext as _

from members.formatting import MINUS, active_locale


def read_number(text: str) -> Decimal:
    """Raises forms.ValidationError."""
    plain = text.strip().replace(MINUS, "-").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    try:
        number = parse_decimal(plain.removeprefix("+"), locale=active_locale(), strict=True)
    except (NumberFormatError, InvalidOperation) as error:
        raise forms.ValidationError(_("This is not a number. Write it like 250.")) from error
    if not number.is_finite():
        raise forms.ValidationError(_("This is not a number. Write it like 250."))
    return number


def read_number_from_zero(text: str, *, decimals: int, most: Decimal | None = None) -> Decimal:
    """A number that is not below zero, so fine, and so large at most; empty text is zero. Raises
    forms.ValidationError."""
    number = read_number(text) if text.strip() else Decimal(0)
    if number < 0:
        raise forms.ValidationError(_("Give a number that is not below zero."))
    if number != round(number, decimals):
        raise forms.ValidationError(_("Give at most %(number)s decimals.") % {"number": decimals})
    if most is not None and number > most:
        raise forms.ValidationError(_("That is more than there is left."))
    return number
