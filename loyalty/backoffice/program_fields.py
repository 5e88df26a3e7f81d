"""Kinds of fields that the parts of the program form share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from django import forms

AnyField = TypeVar("AnyField", bound=forms.Field)


def amount(
    label: Any, places: int, help_text: Any = "", least: str = "0.0001"
) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        max_digits=14,
        decimal_places=places,
        min_value=Decimal(least),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


def optional(label: Any, help_text: Any = "", least: str = "0.0001") -> forms.DecimalField:
    field = amount(label, 4, help_text, least)
    field.required = False
    return field


def at_times(field: AnyField) -> AnyField:
    """A field that is there only with some choices, and needed then: nobody calls it optional."""
    field.required = False
    field.conditional = True  # type: ignore[attr-defined]
    return field


def switch(label: Any, help_text: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


def plain(number: Decimal) -> str:
    """0.010000 as 0.01, and 100 not as 1E+2."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
