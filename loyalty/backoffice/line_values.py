"""Naming categories, products and tags in a form: chosen values as boxes, more by typing.

Works without scripts: what is typed counts when the form is sent, as if it had been added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from loyalty.selectors.order_lines import suggest_line_values
from members.policy import staff_view

KINDS = ("categories", "skus", "tags")
LONGEST = 128
MOST = 500


class ChosenValues(forms.Widget):
    """Reads the boxes that are still ticked, and what was typed beside them."""

    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        get = getattr(data, "getlist", None)
        chosen = list(get(name)) if get else list(data.get(name) or [])
        typed = str(data.get(f"{name}_add") or "").splitlines()
        cleaned = (text.strip() for text in [*chosen, *typed])
        return list(dict.fromkeys(text for text in cleaned if text))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False


class ChosenValuesField(forms.Field):
    """A list of short texts, in the order in which they were added."""

    widget = ChosenValues

    def to_python(self, value: Any) -> tuple[str, ...]:
        return tuple(value or ())

    def validate(self, value: tuple[str, ...]) -> None:
        super().validate(value)
        if len(value) > MOST:
            raise forms.ValidationError(_("At most %s can be named.") % MOST)
        if any(len(text) > LONGEST for text in value):
            raise forms.ValidationError(_("At most %s characters each.") % LONGEST)


class LineValuesForm(forms.Form):
    """The two lists of a rule: what earns, and what never does."""

    include_categories = ChosenValuesField(required=False)
    include_skus = ChosenValuesField(required=False)
    include_tags = ChosenValuesField(required=False)
    exclude_categories = ChosenValuesField(required=False)
    exclude_skus = ChosenValuesField(required=False)
    exclude_tags = ChosenValuesField(required=False)


@require_POST
@staff_view("programs.edit")
def line_values_add(request: HttpRequest, name: str) -> HttpResponse:
    """One list again, with what was typed among its boxes."""
    if name not in LineValuesForm.base_fields:
        raise Http404
    form = LineValuesForm(request.POST)
    form.is_valid()
    context = {"field": form[name], "added": True, "labels": line_value_labels()}
    response = render(request, "loyalty/backoffice/line_values_field.html", context)
    response["HX-Trigger-After-Swap"] = "rule-changed"
    return response


@require_safe
@staff_view("programs.edit")
def line_value_options(request: HttpRequest, name: str) -> HttpResponse:
    """What recent orders have that fits the letters typed so far."""
    if name not in LineValuesForm.base_fields:
        raise Http404
    kind = name.partition("_")[2]
    typed = request.GET.get(f"{name}_add", "").strip()[:LONGEST]
    context = {"options": suggest_line_values(kind, typed)}
    return render(request, "loyalty/backoffice/line_value_options.html", context)


def line_value_labels() -> dict[str, tuple[str, str]]:
    """What each list is called, and what one types into it."""
    return {
        "categories": (_("Categories"), _("Add a category")),
        "skus": (_("Products"), _("Add a product number (SKU)")),
        "tags": (_("Tags"), _("Add a tag")),
    }
