"""Fields and choices as Django draws them, at a fraction of its cost: it fills two templates for
each field and one for each choice, and there are hundreds of currencies and time zones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.formats import localize
from django.utils.html import conditional_escape
from django.utils.safestring import SafeData

WIDGET = "django/forms/widgets/%s.html"
SELECT, OPTION, TEXTAREA = (WIDGET % name for name in ("select", "select_option", "textarea"))
# All of these are the same template.
INPUTS = frozenset(
    WIDGET % name
    for name in (
        "text", "number", "email", "url", "password", "hidden", "file", "date", "datetime", "time",
        "color", "search", "tel", "checkbox", "input",
    )
)  # fmt: skip


class Renderer(DjangoTemplates):
    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        widget = context.get("widget", {})
        if template_name in INPUTS:
            return _input(widget)
        if template_name == TEXTAREA:
            return _textarea(widget)
        if template_name == SELECT and _is_usual(widget):
            return "".join(_select(widget))
        return super().render(template_name, context, request)


def _is_usual(widget: Mapping[str, Any]) -> bool:
    return all(
        option["template_name"] == OPTION
        for _name, options, _index in widget["optgroups"]
        for option in options
    )


def _input(widget: Mapping[str, Any]) -> str:
    """Letter for letter what the template would have made, and so are the others."""
    given = widget["value"]
    value = "" if given is None else f' value="{_formatted(given)}"'
    kind, name = _said(widget["type"]), _said(widget["name"])
    return f'<input type="{kind}" name="{name}"{value}{_attributes(widget)}>'


def _textarea(widget: Mapping[str, Any]) -> str:
    text = _said(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{_said(widget["name"])}"{_attributes(widget)}>\n{text}</textarea>'


def _select(widget: Mapping[str, Any]) -> Iterator[str]:
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
    if not widget["attrs"]:
        return ""
    return "".join(
        f" {_said(name)}" if value is True else f' {_said(name)}="{_formatted(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _formatted(value: Any) -> str:
    """As the filter `stringformat` leaves it."""
    return str(value) if isinstance(value, SafeData) else escape(str(value))


def _said(value: Any) -> str:
    if type(value) is str:
        # As nearly all are: there is nothing to localize, and nothing in it is markup.
        return escape(value)
    return conditional_escape(localize(value))
