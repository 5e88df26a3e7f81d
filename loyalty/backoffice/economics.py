"""Insights → Economics: what a member of a program costs and brings, and what would be if."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.economic_forms import (
    EconomicsForm,
    ScenarioForm,
    begun_with,
    hints_of,
    holdout_words,
    query_of_scenario,
)
from loyalty.backoffice.economic_results import compared_rows, result_context, steps_of
from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.economic_sentences import Sayer
from loyalty.economics import Economics
from loyalty.models import EconomicScenario, Program
from loyalty.plain_numbers import exact
from loyalty.selectors.economics import (
    ProgramData,
    assumptions_of,
    inputs_of_scenario,
    scenarios_of,
)
from loyalty.services.economics import Assumed, keep_assumptions, remove_scenario, save_scenario
from loyalty.slow_figures import ECONOMICS
from members.csv_files import csv_response
from members.file_cells import harmless
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for, htmx_redirect, is_htmx

RESULT = "economics-result"
MOST_COMPARED = 3


@require_safe
@staff_view("reports.view")
def economics_start(request: HttpRequest) -> HttpResponse:
    """To the program that the address names, else to the first that is live."""
    programs = Program.objects.exclude(status=Program.Status.ARCHIVED).order_by("status", "name")
    named = programs.filter(code=request.GET.get("program", "").replace("\x00", "")).first()
    live = programs.filter(status=Program.Status.LIVE).first()
    program = named or live or programs.first()
    if program is None:
        return render(request, "loyalty/backoffice/economics_start.html", {"title": _("Economics")})
    return redirect(_page(program))


@require_safe
@staff_view("reports.view")
def economics(request: HttpRequest, code: str) -> HttpResponse:
    """The form with what data say, and what follows; while somebody types, that alone."""
    program = get_object_or_404(Program, code=code)
    if is_htmx(request) and request.htmx.target == RESULT:  # type: ignore[attr-defined]
        form = EconomicsForm(request.GET, program=program)
        return render(request, "loyalty/backoffice/economics_result.html", _result(request, form))
    figures = figures_for(request, ECONOMICS, timezone.now(), program=program.pk)
    context: dict[str, Any] = {
        "title": _("Economics"),
        "program": program,
        "breadcrumbs": program_crumbs(program),
        "figures": figures,
        "choices": _choices(),
    }
    if figures is not None:
        form = _form(request, program, figures.value)
        context |= _result(request, form) | {
            "holdouts": _holdouts(program, figures.value),
            "scenarios": _scenarios(program),
            "most_compared": MOST_COMPARED,
        }
    return render(request, "loyalty/backoffice/economics.html", context)


@require_safe
@staff_view("reports.view")
def economics_csv(request: HttpRequest, code: str) -> HttpResponse:
    """What the address says and all that follows, as a file."""
    program = get_object_or_404(Program, code=code)
    said = _said(request, program)
    if said is None:
        return _say_more(request, program)
    return csv_response(f"economics-{program.code}.csv", _lines(program, said))


@require_safe
@staff_view("reports.view")
def economics_compare(request: HttpRequest, code: str) -> HttpResponse:
    """Up to three scenarios side by side."""
    program = get_object_or_404(Program, code=code)
    try:
        keys = [UUID(text) for text in dict.fromkeys(request.GET.getlist("with"))]
    except ValueError as error:
        raise Http404 from error
    found = list(scenarios_of(program).filter(public_id__in=keys[: MOST_COMPARED + 1]))
    if not 2 <= len(found) <= MOST_COMPARED or len(keys) > MOST_COMPARED:
        messages.error(request, _("Choose two or three scenarios."))
        return redirect(_page(program))
    names = [item.name for item in found]
    context = {
        "title": _("Scenarios side by side"),
        "program": program,
        "breadcrumbs": _crumbs(program),
        "scenarios": [(item, _address(item)) for item in found],
        "names": names,
        "sections": [
            (title, [(label, list(zip(values, names, strict=True))) for label, values in rows])
            for title, rows in compared_rows(found)
        ],
    }
    return render(request, "loyalty/backoffice/economics_compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def scenario_save(request: HttpRequest, code: str) -> HttpResponse:
    """Give what the address says a name."""
    program = get_object_or_404(Program, code=code)
    said = _said(request, program)
    if said is None:
        return _say_more(request, program)
    form = ScenarioForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            scenario = save_scenario(
                program=program, name=form.cleaned_data["name"], inputs=said.inputs(),
                holdout=said.holdout, actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("The scenario %s is saved.") % scenario.name)
            return htmx_redirect(request, f"{_page(program)}?{said.query}")
    context = {
        "title": _("Save as a scenario"), "form": form, "submit": _("Save"),
        "breadcrumbs": _crumbs(program), "back": f"{_page(program)}?{said.query}",
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def scenario_remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A scenario goes, once it is said."""
    found = EconomicScenario.objects.select_related("program")
    scenario = get_object_or_404(found, public_id=public_id)
    if request.method == "POST":
        remove_scenario(scenario=scenario, actor=acting(request))
        messages.success(request, _("The scenario %s is removed.") % scenario.name)
        return htmx_redirect(request, _page(scenario.program))
    context = {
        "title": _("Remove the scenario %s?") % scenario.name,
        "breadcrumbs": _crumbs(scenario.program), "back": _page(scenario.program),
    }  # fmt: skip
    return render(request, "loyalty/backoffice/economics_remove.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def assumptions_keep(request: HttpRequest, code: str) -> HttpResponse:
    """Let the program's form begin with what no data say, from now on."""
    program = get_object_or_404(Program, code=code)
    said = _said(request, program)
    if said is None:
        return _say_more(request, program)
    assumed = Assumed.of(said.inputs())
    back = f"{_page(program)}?{said.query}"
    if request.method == "POST":
        keep_assumptions(
            program=program, assumed=assumed, actor=acting(request), now=timezone.now()
        )
        messages.success(request, _("The assumptions are kept with the program."))
        return htmx_redirect(request, back)
    kept = assumptions_of(program)
    names = ("spend_without", "margin", "administration", "platform_fee", "support", "messaging")
    context = {
        "title": _("Keep these assumptions?"), "breadcrumbs": _crumbs(program), "back": back,
        "program": program,
        "rows": [
            (said.fields[name].label, getattr(kept, name, None), after, name in PERCENT)
            for name in names
            if (after := getattr(assumed, name)) is not None
        ],
    }  # fmt: skip
    return render(request, "loyalty/backoffice/economics_keep.html", context)


PERCENT = frozenset({"margin", "reward_rate", "redemption", "breakage", "support", "messaging"})


def _form(request: HttpRequest, program: Program, data: ProgramData) -> EconomicsForm:
    """What the address says; else what data say, once that is enough to work with."""
    more: dict[str, Any] = {
        "program": program, "holdouts": data.holdouts,
        "hints": hints_of(program, data, _links(program)),
    }  # fmt: skip
    if any(name in request.GET for name in EconomicsForm.base_fields):
        return EconomicsForm(request.GET, **more)
    begun = begun_with(data, assumptions_of(program))
    form = EconomicsForm(begun, **more)
    return form if form.is_valid() else EconomicsForm(initial=begun, **more)


def _result(request: HttpRequest, form: EconomicsForm) -> dict[str, Any]:
    program = form.program
    context: dict[str, Any] = {
        "form": form, "program": program, "may_save": is_allowed(request.user, "programs.edit"),
    }  # fmt: skip
    if not form.is_valid():
        wrong = [(form.fields[name].label, errors) for name, errors in form.errors.items()
                 if name in form.fields]  # fmt: skip
        return context | {"wrong": wrong}
    return context | result_context(program, form.inputs(), form.found) | {"query": form.query}


def _said(request: HttpRequest, program: Program) -> EconomicsForm | None:
    """What the address says, of a form's post too; None: it does not suffice."""
    form = EconomicsForm(request.GET, program=program)
    return form if form.is_valid() else None


def _say_more(request: HttpRequest, program: Program) -> HttpResponse:
    messages.error(request, _("First say what is to be worked out."))
    return htmx_redirect(request, f"{_page(program)}?{request.GET.urlencode()}".rstrip("?"))


def _links(program: Program) -> dict[str, str]:
    """Where each number is shown with what it is made of."""
    units = program.wallet_types.filter(stored_value=False).order_by("pk").first()
    choice = f"?units={units.pk}" if units else ""
    members = reverse("loyalty_backoffice:program_members", args=[program.code])
    liability = reverse("loyalty_backoffice:liability") + choice
    breakage = reverse("loyalty_backoffice:breakage") + choice
    return {
        "members": members, "spend_with": members, "owed": liability, "breakage": breakage,
        "redemption": breakage, "reward_rate": reverse("loyalty_backoffice:journal"),
    }  # fmt: skip


def _choices() -> list[Program]:
    """Of which programs one may be chosen; nothing where there is but one."""
    found = list(Program.objects.exclude(status=Program.Status.ARCHIVED).order_by("name"))
    return found if len(found) > 1 else []


def _holdouts(program: Program, data: ProgramData) -> list[tuple[str, str, str]]:
    return [(item.name, item.url, holdout_words(item, program.currency)) for item in data.holdouts]


def _scenarios(program: Program) -> list[dict[str, Any]]:
    rows = []
    for item in scenarios_of(program):
        outcome = Economics(inputs_of_scenario(item))
        rows.append({"scenario": item, "outcome": outcome, "url": _address(item)})
    return rows


def _address(scenario: EconomicScenario) -> str:
    return f"{_page(scenario.program)}?{query_of_scenario(scenario)}"


def _page(program: Program) -> str:
    return reverse("loyalty_backoffice:economics", args=[program.code])


def _crumbs(program: Program) -> Crumbs:
    return [*program_crumbs(program), (_("Economics"), _page(program))]


def _lines(program: Program, form: EconomicsForm) -> Iterator[Sequence[str]]:
    """Inputs, what follows, and what would follow."""
    inputs, currency = form.inputs(), program.currency
    yield "program", "currency", "part", "figure", "value", "arithmetic"
    names = [name for name in form.fields if name != "basis"]
    for name in names:
        yield program.code, currency, "input", name, exact(Decimal(getattr(inputs, name)), 0), ""
    source = "holdout" if inputs.lift else "assumption"
    yield program.code, currency, "input", "spend_without_is", source, ""
    if inputs.lift and inputs.lift.since and inputs.lift.until:
        for name, day in (("lift_since", inputs.lift.since), ("lift_until", inputs.lift.until)):
            yield program.code, currency, "input", name, day.isoformat(), ""
    for line in Sayer(Economics(inputs), currency).all_lines():
        value = "" if line.exact is None else exact(round(line.exact, 4), 0)
        yield program.code, currency, "result", line.code, value, harmless(line.how)
    for moved, steps in steps_of(inputs):
        for step in steps:
            value = exact(round(step.outcome.net, 4), 0)
            figure = f"{moved}={exact(round(step.value, 4), 0)}"
            yield program.code, currency, "net_per_member_if", figure, value, ""
