"""Forms: labels, help and errors tied to their inputs, whatever Django form it is.

Its tags are part of the `setia` library; templates load that one.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BaseForm, Form, widgets
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from members.components import block_component, render_partial
from members.responses import is_dialog_request

register = template.Library()

Values = dict[str, Any]

CHOICE_WIDGETS = (widgets.RadioSelect, widgets.CheckboxSelectMultiple)


def field_kind(field: BoundField) -> str:
    """Name the way a field is laid out, from its widget."""
    widget = field.field.widget
    if isinstance(widget, CHOICE_WIDGETS):
        return "choices"
    if isinstance(widget, widgets.CheckboxInput):
        return "check"
    if isinstance(widget, widgets.Select):
        return "select"
    if getattr(widget, "input_type", "") == "color":
        return "color"
    return "text"


CONTROL_CLASSES = {
    "check": "form-check-input",
    "select": "form-select",
    "color": "form-control form-control-color",
    "text": "form-control",
}


def described_by(field: BoundField, own: str = "") -> str:
    """Return the ids of the texts that describe a field, its errors first."""
    ids = [own] if own else []
    if field.errors:
        ids.append(f"{field.auto_id}_errors")
    if field.help_text:
        ids.append(f"{field.auto_id}_help")
    return " ".join(ids)


def render_control(field: BoundField, kind: str, placeholder: bool = True) -> SafeString:
    """Render the widget with the look and the descriptions added to its own attributes."""
    own = field.field.widget.attrs
    classes = [str(own.get("class", "")), CONTROL_CLASSES[kind]]
    if field.errors:
        classes.append("is-invalid")
    attrs: dict[str, Any] = {"class": " ".join(name for name in classes if name)}
    if not placeholder:
        attrs["placeholder"] = False
    description = described_by(field, str(own.get("aria-describedby", "")))
    if description:
        attrs["aria-describedby"] = description
    if field.errors:
        attrs["aria-invalid"] = "true"
    return SafeString(field.as_widget(attrs=attrs))


def field_values(
    field: BoundField, prefix: str = "", suffix: str = "", placeholder: bool = True
) -> Values:
    """Everything the partial of one field needs."""
    kind = field_kind(field)
    required = field.field.required and getattr(field.form, "use_required_attribute", True)
    return {
        "field": field,
        "kind": kind,
        "control": "" if kind == "choices" else render_control(field, kind, placeholder),
        # In Django several choices are a kind of radio buttons, so that question comes first.
        "choice_type": "checkbox"
        if isinstance(field.field.widget, widgets.CheckboxSelectMultiple)
        else "radio",
        "describedby": described_by(field),
        "required": required,
        "prefix": prefix,
        "suffix": suffix,
    }


@register.simple_tag(takes_context=True)
def field(context: Context, field: BoundField, prefix: str = "", suffix: str = "") -> SafeString:
    """`{% field form.amount suffix="Beans" %}`: one field, complete. One whose form field is
    `conditional` is asked only at times, and needed then: it is not called optional."""
    values = field_values(field, prefix, suffix)
    return render_partial(context, "components/field.html", values)


def summary_values(form: BaseForm, *, saves: bool = True) -> Values:
    """The errors of a form: those of the whole, then a link to every field that has some."""
    if not form.is_bound:
        return {"form": form, "errors": [], "failed": [], "count": 0}
    failed = [bound for bound in form if bound.errors]
    general = list(form.non_field_errors())
    for bound in form.hidden_fields():
        general.extend(f"{bound.label}: {text}" for text in bound.errors)
    visible = [bound for bound in failed if not bound.is_hidden]
    return {
        "form": form,
        "errors": general,
        "failed": visible,
        "count": len(general) + len(visible),
        "saves": saves,
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: BaseForm) -> Values:
    """`{% form_errors form %}`: the summary above a form, focused when it appears."""
    return summary_values(form)


@register.inclusion_tag("components/form_fields.html", takes_context=True)
def form_fields(
    context: Context, form: Form, placeholders: bool = True, saves: bool = True
) -> Values:
    """`{% form_fields form %}`: the summary and every field, without the form element.

    `saves=False` for forms, such as sign-in, of which nobody expects anything to be kept.
    """
    return {
        **summary_values(form, saves=saves),
        "hidden": form.hidden_fields(),
        "fields": [
            field_values(bound, placeholder=placeholders) for bound in form.visible_fields()
        ],
    }


@block_component(register, "form", "components/form.html")
def form(
    context: Context,
    form: Form | None = None,
    action: str = "",
    method: str = "post",
    submit: str = "",
    cancel: str = "",
    hx: bool = False,
    fields: bool = True,
    id: str = "",
    kind: str = "primary",
) -> Values:
    """A whole form. `fields=False` leaves the fields to the body; in a dialog it posts by HTMX."""
    request: HttpRequest | None = context.get("request")
    dialog = request is not None and is_dialog_request(request)
    target = action or (request.get_full_path() if request else "")
    shown = form is not None and fields
    return {
        "form": form,
        "action": action,
        "method": method,
        "submit": submit or _("Save"),
        "cancel": cancel,
        "dialog": dialog,
        "hx": (hx or dialog) and method == "post",
        "hx_url": target,
        "multipart": form is not None and form.is_multipart(),
        "id": id,
        "kind": kind,
        "field_list": [field_values(bound) for bound in form.visible_fields()]
        if form is not None and shown
        else [],
        "hidden": form.hidden_fields() if form is not None and shown else [],
        "summary": summary_values(form) if form is not None else None,
        "csrf_token": context.get("csrf_token"),
    }
