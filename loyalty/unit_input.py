"""Units as people type them, in their own number format."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel.numbers import NumberFormatError, parse_decimal
from django import forms
from django.utils.translation import gettext as _

from loyalty.models import WalletType
from members.formatting import MINUS, active_locale

ADD, TAKE = "add", "take"
LARGEST = 10**15


def read_units(text: str, wallet_type: WalletType, *, direction: str) -> int:
    """Signed units at the wallet type's scale. A sign that was typed wins over the direction.

    Raises forms.ValidationError.
    """
    number = _read_number(text)
    signed = number if text.strip()[:1] in ("+", "-", MINUS) else _directed(number, direction)
    scaled = signed.scaleb(wallet_type.scale)
    if scaled != scaled.to_integral_value():
        if wallet_type.scale == 0:
            raise forms.ValidationError(_("Give a whole number of %s, without decimals.")
                                        % wallet_type.plural)  # fmt: skip
        raise forms.ValidationError(
            _("Give %(plural)s with at most %(scale)s decimals.")
            % {"plural": wallet_type.plural, "scale": wallet_type.scale}
        )
    units = int(scaled)
    if units == 0:
        raise forms.ValidationError(_("Give a number other than zero."))
    if abs(units) > LARGEST:
        raise forms.ValidationError(_("This number is too large."))
    return units


def read_amount(text: str, wallet_type: WalletType) -> int:
    """Units above zero at the wallet type's scale. Raises forms.ValidationError."""
    units = read_units(text, wallet_type, direction=ADD)
    if units < 0:
        raise forms.ValidationError(_("Give a number above zero."))
    return units


def _directed(number: Decimal, direction: str) -> Decimal:
    return -abs(number) if direction == TAKE else abs(number)


def _read_number(text: str) -> Decimal:
    plain = text.strip().replace(MINUS, "-").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    try:
        number = parse_decimal(plain.removeprefix("+"), locale=active_locale(), strict=True)
    except (NumberFormatError, InvalidOperation) as error:
        raise forms.ValidationError(_("This is not a number. Write it like 250.")) from error
    if not number.is_finite():
        raise forms.ValidationError(_("This is not a number. Write it like 250."))
    return number
