"""Writing a program: the form, what it would change, and one way into the database."""

from __future__ import annotations

import zoneinfo
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import ValidationError

from loyalty.backoffice.line_values import line_value_labels
from loyalty.backoffice.links import program_crumbs, program_url
from loyalty.backoffice.program_confirming import save_definition
from loyalty.backoffice.program_examples import (
    Example,
    ExampleForm,
    example_initial,
    has_lists,
    work_out,
)
from loyalty.backoffice.program_forms import ProgramForm, initial_of
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.rule_definitions import RateRule
from loyalty.selectors.programs import definition_of, definition_without_parts
from loyalty.services.program_starts import create_program, suggest_code
from loyalty.unit_definitions import WalletTypeDefinition
from members.errors import DomainError
from members.policy import acting, staff_view
from members.selectors.merchants import get_merchant


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.create")
def program_create(request: HttpRequest) -> HttpResponse:
    """A new program; it begins as a draft."""
    merchant = get_merchant()
    start = ProgramDefinition(
        code="new",
        name="new",
        currency=merchant.currency,
        time_zone=merchant.time_zone,
        wallet_types=(WalletTypeDefinition(unit_value=Decimal("0.01")),),
        earning_rules=(RateRule(),),
    )
    initial = initial_of(start) | {"name": "", "code": ""}
    form = ProgramForm(_with_code(request.POST) or None, initial=initial)
    if request.method == "POST" and "refresh" not in request.POST and form.is_valid():
        definition = form.definition()
        program = _create(request, form, definition) if definition else None
        if program is not None:
            messages.success(
                request, _("%s was saved as a draft. Nothing earns before it is live.") % program
            )
            return redirect(program_url(program))
    context = {
        "title": _("New program"),
        "breadcrumbs": program_crumbs(),
        "back": reverse("loyalty_backoffice:template_gallery"),
    }
    return _form_page(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Change a program; for one that has been live, what would change is shown first."""
    program = get_object_or_404(Program, code=code)
    read = definition_of if request.method == "POST" else definition_without_parts
    base = read(program, timezone.now())
    initial = initial_of(base) | {"revision": program.revision}
    form = ProgramForm(request.POST or None, base=base, initial=initial)
    if request.method == "POST" and not {"refresh", "edit"} & set(request.POST) and form.is_valid():
        answer = save_definition(request, form, program, base, breadcrumbs=program_crumbs(program))
        if answer is not None:
            return answer
    context = {
        "title": _("Edit %s") % program.name,
        "breadcrumbs": program_crumbs(program),
        "program": program,
        "back": program_url(program),
        "further_units": len(base.wallet_types) - 1,
    }
    return _form_page(request, form, context)


def _create(
    request: HttpRequest, form: ProgramForm, definition: ProgramDefinition
) -> Program | None:
    try:
        return create_program(definition=definition, actor=acting(request), now=timezone.now())
    except DomainError as error:
        form.show(error)
        return None


def _form_page(request: HttpRequest, form: ProgramForm, context: dict[str, Any]) -> HttpResponse:
    failed = form.is_bound and not {"refresh", "edit"} & set(request.POST)
    currency = str(form["currency"].value() or "USD")
    example_form = ExampleForm(
        request.POST if form.is_bound else None, initial=example_initial(currency)
    )
    context |= {
        "form": form,
        "show_errors": failed,
        "example_form": example_form,
        "labels": line_value_labels(),
        **_example(form, example_form),
    }
    template = "loyalty/backoffice/program_form.html"
    return render(request, template, context, status=422 if failed and form.errors else 200)


@require_POST
@staff_view("programs.edit")
def program_example(request: HttpRequest) -> HttpResponse:
    """What the rule in the form, as it stands, makes of the example's order. Saves nothing."""
    form = ProgramForm(request.POST)
    example_form = ExampleForm(request.POST)
    context = {"example_form": example_form, "form": form, **_example(form, example_form)}
    return render(request, "loyalty/backoffice/program_example.html", context)


@require_safe
@staff_view("programs.edit")
def program_code(request: HttpRequest) -> HttpResponse:
    """The short name that a name suggests, unless somebody has typed one."""
    typed = request.GET.get("code", "")
    suggested = request.GET.get("suggested", "")
    if typed == suggested:
        typed = suggested = suggest_code(request.GET.get("name", ""))
    form = ProgramForm(initial={"code": typed})
    context = {"form": form, "suggested": suggested}
    return render(request, "loyalty/backoffice/program_code_field.html", context)


def _with_code(data: Any) -> Any:
    """A form that was sent without a short name gets the one that its name suggests."""
    if not data or data.get("code") or not data.get("name"):
        return data
    copy = data.copy()
    copy["code"] = suggest_code(data["name"])
    return copy


def _example(form: ProgramForm, example_form: ExampleForm) -> dict[str, Any]:
    """The example for the template; nothing while the rule is incomplete."""
    values = _values(form)
    example: Example | None = None
    lists = False
    if values is not None and _ready(example_form):
        rule, wallet_type, currency, zone = values
        lists = has_lists(rule)
        example = work_out(
            rule, wallet_type, currency=currency, zone=zone, form=example_form, now=timezone.now()
        )
    currency = values[2] if values else ""
    measure = form["measure"].value() if form.asks_rule else ""
    return {
        "example": example,
        "example_lists": lists,
        "example_currency": currency,
        "example_quantity": measure == "quantity",
        "example_zone": str(values[3]) if values else "UTC",
    }


def _ready(form: ExampleForm) -> bool:
    """An example that nobody has changed is worked out from where it starts."""
    if not form.is_bound or not any(form.add_prefix(name) in form.data for name in form.fields):
        form.cleaned_data = dict(form.initial)
        return True
    return form.is_valid()


def _values(
    form: ProgramForm,
) -> tuple[RateRule, WalletTypeDefinition, str, zoneinfo.ZoneInfo] | None:
    """The rule and the unit that the fields describe, complete or not at all."""
    if not form.is_bound:
        start = form.base or None
        data = {name: form[name].value() for name in form.fields}
        form = ProgramForm(data, base=start)
    form.is_valid()
    try:
        rule = RateRule.model_validate(form.rule_values())
        wallet_type = WalletTypeDefinition.model_validate(form.unit_values())
        zone = zoneinfo.ZoneInfo(form.cleaned_data["time_zone"])
        return rule, wallet_type, form.cleaned_data["currency"], zone
    except (KeyError, ValidationError):
        return None
