"""The condition builder: a form field for a condition, put together step by step on the screen.

    class RuleForm(forms.Form):
        when = ConditionField(scopes={ORDER, LINE, CUSTOMER}, required=False)

and `{{ form.when }}` in the template. `cleaned_data["when"]` is the condition as the API and
program files write it, already checked; `{}` where it is left empty. Without JavaScript, and from
programs, the field takes the same as JSON under its own name. Whenever a part was added, removed or
turned into another one, `conditions-changed` is fired in the page; typing fires `input` as always.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from members.backoffice.condition_parts import Builder, builder_of
from members.conditions.draft_steps import take_step
from members.conditions.drafts import Draft, draft_of, read_draft, written
from members.conditions.fields import Text, field_named
from members.conditions.tree import ConditionError, dump, parse
from members.policy import staff_view

MOST_SUGGESTED = 20


class ConditionWidget(forms.Widget):
    """The builder in a form, and a text area for the JSON where there is no JavaScript."""

    def __init__(self, builder: Builder) -> None:
        super().__init__()
        self.builder = builder
        # Whether what was sent has been checked: then its errors are shown.
        self.checked = False

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Draft | str | None:
        """The text of the JSON if there is one, else what the builder's inputs say."""
        if name in data:
            return str(data[name])
        if not isinstance(data, QueryDict) or f"{name}.kind" not in data:
            return None
        return read_draft(data, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}.kind" not in data

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        builder = self.builder.named(name)
        raw, draft = value if isinstance(value, str) else "", _as_draft(value)
        context = builder.context(draft, checked=self.checked)
        context |= {"with_json": True, "json": raw or _as_json(written(draft))}
        return render_to_string("backoffice/condition_builder/builder.html", context)


class ConditionField(forms.Field):
    """A condition about the fields of these scopes. `in_database`: only what the database can
    answer, as segments need it. `required`: it must not be left empty."""

    widget: ConditionWidget

    def __init__(
        self, *, scopes: Iterable[str], in_database: bool = False, required: bool = False,
        everything: Text = "", **options: Any,
    ) -> None:  # fmt: skip
        """`everything`: what an empty condition means, as "It holds for every order."."""
        self.builder = Builder("", frozenset(scopes), in_database, everything)
        super().__init__(required=required, widget=ConditionWidget(self.builder), **options)

    def clean(self, value: Draft | str | Mapping[str, Any] | None) -> dict[str, Any]:
        self.widget.checked = True
        said = _said(value)
        if self.required and not said:
            raise ValidationError(_("Add at least one question."), code="required")
        try:
            node = parse(said, scopes=self.builder.scopes, in_database=self.builder.in_database)
        except ConditionError as error:
            if isinstance(value, Draft):
                count = len(error.errors)
                words = ngettext(
                    "The condition is not complete: one part needs your attention.",
                    "The condition is not complete: %(count)s parts need your attention.",
                    count,
                )
                raise ValidationError(words % {"count": count}, code="invalid") from error
            texts = [f"{each.field}: {each.message}".lstrip(": ") for each in error.errors]
            raise ValidationError(texts, code="invalid") from error
        return dump(node)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(_said(data) != (initial or {}))
        except ValidationError:
            return True


def _said(value: Draft | str | Mapping[str, Any] | None) -> Any:
    if isinstance(value, Draft):
        return written(value)
    if not isinstance(value, str):
        return value or {}
    try:
        return json.loads(value) if value.strip() else {}
    except ValueError as wrong:
        raise ValidationError(
            _("This is not JSON: %(what)s") % {"what": wrong}, code="invalid"
        ) from wrong


def _as_draft(value: Any) -> Draft:
    """What to show for a value: a condition, its JSON, or what is being put together."""
    if isinstance(value, Draft):
        return value
    try:
        said = json.loads(value) if isinstance(value, str) and value.strip() else value
        return draft_of(said if isinstance(said, Mapping) else {})
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return draft_of({})


def _as_json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, indent=2, ensure_ascii=False) if said else ""


@require_POST
@staff_view("home.view")
def condition_builder(request: HttpRequest) -> HttpResponse:
    """The builder after one more step; or only its sentence, while somebody types."""
    builder = builder_of(request.GET)
    if builder is None:
        return HttpResponseBadRequest()
    draft = read_draft(request.POST, builder.name)
    step = request.POST.get(f"{builder.name}.do", "")
    if step == "sentence":
        context = builder.sentence_context(draft)
        return render(request, "backoffice/condition_builder/sentence.html", context)
    focus = take_step(draft, step) if step else ""
    context = builder.context(draft, focus=focus)
    response = render(request, "backoffice/condition_builder/builder.html", context)
    return trigger_client_event(response, "conditions-changed", after="settle")


@require_safe
@staff_view("home.view")
def condition_values(request: HttpRequest) -> HttpResponse:
    """Values of a field that begin like what was typed, from the shop's own data."""
    field = field_named(request.GET.get("field"))
    key = next((key for key in request.GET if key.endswith(".value")), "")
    typed = request.GET.get(key, "")
    found = field.suggest(typed.strip()[:100]) if field and field.suggest else ()
    context = {"values": list(found)[:MOST_SUGGESTED]}
    return render(request, "backoffice/condition_builder/values.html", context)
