"""Writing a rule: the gallery to start from, the form by kind, and what it comes to as one
writes."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.discount_trials import shown_discount_trial
from loyalty.backoffice.line_values import line_value_labels
from loyalty.backoffice.rule_editor_forms import RuleEditorForm
from loyalty.backoffice.rule_kind_forms import (
    FORMS,
    own_terms_initial,
    rule_initial,
    unasked,
)
from loyalty.backoffice.rule_links import rule_or_404, rule_url, rules_crumbs, rules_url
from loyalty.backoffice.rule_templates import KINDS, TEMPLATES, RuleTemplate, template_named
from loyalty.backoffice.rule_trials import shown_trial
from loyalty.backoffice.trial_forms import TrialForm, trial_form
from loyalty.descriptions import describe_definition
from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.rule_definitions import DiscountRuleDefinition, EarningRuleDefinition, RuleDefinition
from loyalty.rules.bodies import CashbackBody, RateBody, RuleBody
from loyalty.selectors.activity_types import activity_type_choices
from loyalty.selectors.lot_policies import expiry_of, pending_of
from loyalty.selectors.programs import rule_definition
from loyalty.selectors.rules import ENDED, row_of, rule_rows
from loyalty.services.rule_versions import mark
from loyalty.services.rules import create_rule, findings, free_code, save_draft
from members.errors import DomainError
from members.policy import acting, staff_view
from members.read_once import read_once


@require_safe
@staff_view("rules.draft")
def rule_gallery(request: HttpRequest, code: str) -> HttpResponse:
    """What to start a rule from."""
    program = get_object_or_404(Program, code=code)
    unit = program.wallet_types.order_by("pk").first()
    context = {
        "program": program,
        "title": _("New rule"),
        "breadcrumbs": rules_crumbs(program),
        "templates": TEMPLATES if unit else (),
        "kinds": [(f"blank-{kind}", label, text) for kind, (label, text, _b) in KINDS.items()],
    }
    return render(request, "loyalty/backoffice/rule_gallery.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def rule_create(request: HttpRequest, code: str, template: str) -> HttpResponse:
    """A new rule; it begins as a draft."""
    program = get_object_or_404(Program, code=code)
    start = template_named(template)
    if start is None or not program.wallet_types.exists():
        raise Http404
    form = _form(request, program, start.body(program.currency), name=_name(start))
    if _sent(request) and form.is_valid():
        rule = _create(request, program, form)
        if rule is not None:
            messages.success(
                request, _("“%s” was saved as a draft. It counts for nothing yet.") % rule.name
            )
            return redirect(rule_url(rule))
    context = {
        "title": _("New rule: %s") % start.label,
        "lead": _("A draft: it counts for nothing before it is published."),
        "breadcrumbs": rules_crumbs(program),
        "back": rules_url(program),
    }
    return _page(request, program, form, None, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def rule_edit(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """Write the draft of a rule; what is live stays as it is."""
    found = rule_or_404(code, rule)
    version = _begin_with(found)
    definition = rule_definition(found, version)
    form = _form(
        request, found.program, definition.body(), name=found.name, rule=found, own=definition
    )
    if _sent(request) and form.is_valid():
        wanted = form.definition(found.code, unasked(definition.body()))
        if wanted is not None and _save(request, found, wanted, form):
            messages.success(request, _("The draft of “%s” was saved.") % wanted.name)
            return redirect(rule_url(found))
    draft = version.status == EarningRuleVersion.Status.DRAFT
    context = {
        "title": _("Edit %s") % found.name,
        "lead": _("You are changing the draft. What is live stays as it is until you publish.")
        if draft
        else _("What you write becomes a draft. What is live stays as it is until you publish."),
        "breadcrumbs": rules_crumbs(found.program, found),
        "back": rule_url(found),
    }
    return _page(request, found.program, form, found, context)


@require_POST
@staff_view("rules.draft")
def rule_preview(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """The rule in the form, as it stands, in words and on an order. Saves nothing."""
    program = get_object_or_404(Program, code=code)
    if kind not in FORMS:
        raise Http404
    rule = program.earning_rules.filter(code=request.POST.get("rule", "")).first()
    form = _bound(request, program, kind, rule)
    context = _worked_out(request, program, form, rule, timezone.now())
    return render(request, "loyalty/backoffice/rule_preview.html", context)


def _name(start: RuleTemplate) -> str:
    return "" if start.code.startswith("blank-") else str(start.label)


def _begin_with(rule: EarningRule) -> EarningRuleVersion:
    """The draft, if there is one; else what is in force, or was last."""
    row = row_of(rule, timezone.now())
    return row.draft or row.shown


def _sent(request: HttpRequest) -> bool:
    return request.method == "POST" and not {"refresh", "more"} & set(request.POST)


def _form(
    request: HttpRequest,
    program: Program,
    body: RuleBody,
    *,
    name: str,
    rule: EarningRule | None = None,
    own: RuleDefinition | None = None,
) -> RuleEditorForm:
    if request.method == "POST":
        return _bound(request, program, body.kind, rule)
    unit = rule.wallet_type if rule else program.wallet_types.order_by("pk")[0]
    policy = unit.lot_policies.filter(rule=None).latest("pk")
    terms = own if isinstance(own, EarningRuleDefinition) else None
    initial = {
        **rule_initial(name, unit.code, body),
        **own_terms_initial(terms, pending_of(policy), expiry_of(policy)),
        "seen": mark(rule) if rule else "",
    }
    return FORMS[body.kind](initial=initial, **_options(program, rule))


def _bound(
    request: HttpRequest, program: Program, kind: str, rule: EarningRule | None
) -> RuleEditorForm:
    options = _options(program, rule)
    initial = {"wallet_type": rule.wallet_type.code if rule else options["wallet_types"][0].code}
    return FORMS[kind](request.POST, initial=initial, **options)


def _options(program: Program, rule: EarningRule | None) -> dict[str, Any]:
    """Read once for the form that is shown and the one that works out what it says."""
    own = read_once(("options of rules", program.pk), lambda: _own_options(program))
    return {**own, "known": rule is not None}


def _own_options(program: Program) -> dict[str, Any]:
    multiplied = [
        (row.rule.code, row.rule.name)
        for row in rule_rows(program, timezone.now())
        if isinstance(row.body, RateBody | CashbackBody) and row.state != ENDED
    ]
    return {
        "wallet_types": list(program.wallet_types.filter(stored_value=False).order_by("pk")),
        "multiplied": multiplied,
        "activity_types": activity_type_choices(),
    }


def _create(request: HttpRequest, program: Program, form: RuleEditorForm) -> EarningRule | None:
    code = form.cleaned_data["code"].lower()
    if code and program.earning_rules.filter(code=code).exists():
        form.add_error("code", _("Another rule has this short name."))
        return None
    definition = form.definition(code or free_code(program, form.cleaned_data["name"]))
    if definition is None:
        return None
    try:
        return create_rule(
            program=program, definition=definition, actor=acting(request), now=timezone.now()
        )
    except DomainError as error:
        _refuse(form, error)
        return None


def _save(
    request: HttpRequest,
    rule: EarningRule,
    definition: RuleDefinition,
    form: RuleEditorForm,
) -> bool:
    try:
        save_draft(
            rule=rule,
            definition=definition,
            actor=acting(request),
            now=timezone.now(),
            seen=form.cleaned_data["seen"] or None,
        )
    except DomainError as error:
        _refuse(form, error)
        return False
    return True


def _refuse(form: RuleEditorForm, error: DomainError) -> None:
    for item in error.errors:
        form.refuse(item.field, str(item.message))
    if not error.errors:
        form.add_error(None, str(error.message))


def _page(
    request: HttpRequest,
    program: Program,
    form: RuleEditorForm,
    rule: EarningRule | None,
    context: dict[str, Any],
) -> HttpResponse:
    failed = _sent(request) and bool(form.errors)
    context |= {
        "program": program,
        "rule": rule,
        "form": form,
        "kind_label": KINDS[form.kind][0],
        "kind_icon": "tag" if form.kind == "discount" else "coins",
        "show_errors": failed,
        "labels": line_value_labels(),
        "unit": form.unit(),
        **_worked_out(request, program, form, rule, timezone.now()),
    }
    template = "loyalty/backoffice/rule_form.html"
    return render(request, template, context, status=422 if failed else 200)


def _worked_out(
    request: HttpRequest,
    program: Program,
    form: RuleEditorForm,
    rule: EarningRule | None,
    now: dt.datetime,
) -> dict[str, Any]:
    """The rule in words, what speaks against it, and what an order earns; nothing of it while it
    is incomplete."""
    trying = trial_form(form.kind, request.POST, program)
    definition = _as_it_stands(program, form, rule)
    context: dict[str, Any] = {
        "trial_form": trying, "definition": definition, "program": program,
    }  # fmt: skip
    if definition is None:
        return context
    unit = form.unit()
    body = definition.body()
    draft = EarningRuleVersion(body=body.model_dump(mode="json"))
    place = rule or EarningRule(
        program=program, wallet_type=unit, code=definition.code, name=definition.name
    )
    return context | {
        "sentences": describe_definition(definition, unit, program.currency),
        "findings": findings(place, draft, now=now),
        **_tried(trying, program, definition, rule, now),
    }


def _tried(
    trying: TrialForm,
    program: Program,
    definition: RuleDefinition,
    rule: EarningRule | None,
    now: dt.datetime,
) -> dict[str, Any]:
    """What an order earns, or costs, by the rule."""
    if isinstance(definition, DiscountRuleDefinition):
        shown = shown_discount_trial(
            trying, program=program, definition=definition, rule=rule, now=now
        )
        return {"discount_trial": shown}
    assert isinstance(definition, EarningRuleDefinition)
    return {
        "trial": shown_trial(trying, program=program, definition=definition, rule=rule, now=now)
    }


def _as_it_stands(
    program: Program, form: RuleEditorForm, rule: EarningRule | None
) -> RuleDefinition | None:
    """What the fields describe, whole or not at all; no errors are left in the form by that."""
    if not form.is_bound:
        said = {name: form[name].value() for name in form.fields}
        said["when"] = json.dumps(said["when"] or {}, default=str)
        form = FORMS[form.kind](said, **_options(program, rule))
    else:
        form = FORMS[form.kind](form.data, initial=form.initial, **_options(program, rule))
    if not form.is_valid():
        missing = set(form.errors) - {"name"}
        if missing:
            return None
        form.cleaned_data["name"] = _("New rule")
    return form.definition(rule.code if rule else "new-rule")
