"""Choices are drawn as Django draws them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, override

from members.form_renderer import Renderer

CHOICES: list[Any] = [
    ("", "---------"), (1, gettext_lazy("January")), (2500, 2500), ("<&'\">", "<Beans & \"more\">"),
    ("bold", SafeString("<b>kept</b>")), (None, "None"),
    ("Further", [("x", "X"), ("y", "Y")]), ("Others & all", [("z", "Z")]),
]  # fmt: skip


class Pictured(forms.Select):
    option_template_name = "django/forms/widgets/checkbox_option.html"


def test_forms_are_drawn_by_it() -> None:
    assert isinstance(get_default_renderer(), Renderer)


WIDGETS = (
    forms.Select, forms.SelectMultiple, forms.NullBooleanSelect, forms.RadioSelect, Pictured,
)  # fmt: skip
VALUES = (None, "", 1, "2500", "<&'\">", "y", "unknown")


@pytest.mark.parametrize("language", ["en", "el", "ms"])
def test_it_draws_letter_for_letter_the_same(language: str) -> None:
    unlike = [
        (widget.__name__, value)
        for widget, value in itertools.product(WIDGETS, VALUES)
        if len(set(drawn_by_both(widget, value, language))) > 1
    ]
    assert unlike == []


def drawn_by_both(widget: Any, value: Any, language: str) -> list[str]:
    """By our own, and as Django does it."""
    more = {} if widget is forms.NullBooleanSelect else {"choices": CHOICES}
    attrs = {"class": "form-select", "required": True, "disabled": False, "data-x": '"<1>"'}
    drawn = widget(attrs=attrs, **more)
    with override(language):
        return [
            drawn.render("unit & more", value, {"id": "id_unit"}, renderer=renderer)
            for renderer in (Renderer(), DjangoTemplates())
        ]
