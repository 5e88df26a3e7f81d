"""Choices as Django draws them, at a fraction of its cost: it fills a template for each of them,
and there are hundreds of currencies and time zones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.formats import localize
from django.utils.html import conditional_escape, escape

SELECT, OPTION = (f"django/forms/widgets/{name}.html" for name in ("select", "select_option"))


class Renderer(DjangoTemplates):
    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        widget = context.get("widget", {})
        if template_name == SELECT and _is_usual(widget):
            return "".join(_select(widget))
        return super().render(template_name, context, request)


def _is_usual(widget: Mapping[str, Any]) -> bool:
    return all(
        option["template_name"] == OPTION
        for _name, options, _index in widget["optgroups"]
        for option in options
    )


def _select(widget: Mapping[str, Any]) -> Iterator[str]:
    """Letter for letter what the template would have made."""
    yield f'<select name="{_said(widget["name"])}"{_attributes(widget)}>'
    for name, options, _index in widget["optgroups"]:
        if name:
            yield f'\n  <optgroup label="{_said(name)}">'
        for option in options:
            value = escape(str(option["value"]))
            yield f'\n  <option value="{value}"{_attributes(option)}>{_said(option["label"])}'
            yield "</option>\n"
        if name:
            yield "\n  </optgroup>"
    yield "\n</select>"


def _attributes(widget: Mapping[str, Any]) -> str:
    return "".join(
        f" {_said(name)}" if value is True else f' {_said(name)}="{escape(str(value))}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _said(value: Any) -> str:
    return conditional_escape(localize(value))
