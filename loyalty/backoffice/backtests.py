"""Insights → Backtests: what other rules would have given for real orders, before anybody sees
them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.backtest_forms import PRESETS, BacktestForm
from loyalty.backoffice.backtest_page import comparison_context, page_context
from loyalty.models import Backtest, Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.backtests import drafted_rules, finished_backtests, list_backtests
from loyalty.services.backtests import create_backtest
from members.backoffice.jobs import hand_over
from members.errors import DomainError
from members.models import Job
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.services.jobs import cancel_job, retry_job

Crumbs = list[tuple[str, str]]


@require_safe
@staff_view("reports.view")
def backtest_list(request: HttpRequest) -> HttpResponse:
    """Every backtest there was; two that are done can be laid side by side."""
    page = paginate(list_backtests(), request=request, orderings={"": ("-pk",)}, default="")
    context = {
        "page": page,
        "may_run": is_allowed(request.user, "backtests.run"),
        "has_program": Program.objects.exists(),
        "comparable": list_backtests().filter(result__isnull=False).count() > 1,
    }
    return render(request, "loyalty/backoffice/backtest_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("backtests.run")
def backtest_create(request: HttpRequest) -> HttpResponse:
    """Choose a period, and the rules to try. `draft` in the address names rules whose drafts are
    taken from the program's editor."""
    program = _asked_program(request)
    if program is None:
        return redirect("loyalty_backoffice:backtest_list")
    today = timezone.now().astimezone(program.zone).date()
    form = BacktestForm(
        request.POST or None, program=program, today=today, days=_days(request),
        drafts=_drafts(request, program),
        tiers="draft" if request.GET.get("tiers") == "draft" else "",
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        backtest = _create(request, program, form)
        if backtest is not None:
            return redirect(_url(backtest))
    context = {
        "title": _("Try rules on real orders"),
        "breadcrumbs": _crumbs(),
        "form": form,
        "program": program,
        "programs": Program.objects.order_by("name"),
        "presets": PRESETS,
        "drafts": request.GET.getlist("draft"),
        "has_tiers": program.tier_sets.exists(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/backtest_form.html", context, status=status)


@require_safe
@staff_view("reports.view")
def backtest_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One of them: how far it is, or what came of it."""
    backtest = _get(public_id)
    context = page_context(backtest) | {
        "breadcrumbs": _crumbs(),
        "may_run": is_allowed(request.user, "backtests.run"),
    }
    return render(request, "loyalty/backoffice/backtest_page.html", context)


@require_safe
@staff_view("reports.view")
def backtest_of_job(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """From the list of jobs to what the work is about."""
    return redirect(_url(get_object_or_404(Backtest, job__public_id=public_id)))


@require_safe
@staff_view("reports.view")
def backtest_compare(request: HttpRequest) -> HttpResponse:
    """Two that are done, side by side."""
    try:
        found = finished_backtests([UUID(text) for text in request.GET.getlist("with")[:10]])
    except ValueError as error:
        raise Http404 from error
    if len(found) != 2:
        messages.error(request, _("Choose two backtests that are done."))
        return redirect("loyalty_backoffice:backtest_list")
    context = comparison_context(*found) | {"breadcrumbs": _crumbs()}
    return render(request, "loyalty/backoffice/backtest_compare.html", context)


@require_POST
@staff_view("backtests.run")
def backtest_stop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop it; what was added up stays."""
    backtest = _get(public_id)
    if backtest.job is not None:
        cancel_job(job=backtest.job, actor=acting(request))
        messages.success(request, _("The backtest stops. You can go on with it later."))
    return redirect(_url(backtest))


@require_POST
@staff_view("backtests.run")
def backtest_resume(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Go on where it stopped."""
    backtest = _get(public_id)
    try:
        if backtest.job is not None:
            hand_over(request, retry_job(job=backtest.job, actor=acting(request)))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(_url(backtest))


def _create(request: HttpRequest, program: Program, form: BacktestForm) -> Backtest | None:
    """None when the form now says why not."""
    said = form.cleaned_data
    try:
        backtest = create_backtest(
            program=program, since=said["since"], until=said["until"], draft=said["draft"],
            name=said["name"], actor=acting(request), now=timezone.now(),
            tiers=form.wanted_tiers(),
        )  # fmt: skip
    except DomainError as error:
        for wrong in error.errors:
            form.add_error(
                wrong.field if wrong.field in form.fields else "rules", str(wrong.message)
            )
        if not error.errors:
            form.add_error("rules", str(error.message))
        return None
    if backtest.job is not None and backtest.job.state == Job.State.QUEUED:
        hand_over(request, backtest.job)
    return backtest


def _asked_program(request: HttpRequest) -> Program | None:
    """The one that the address names; else one that is live, else any."""
    programs = Program.objects.order_by("status", "name")
    named = programs.filter(code=request.GET.get("program", "").replace("\x00", "")).first()
    live = programs.filter(status=Program.Status.LIVE).first()
    return named or live or programs.first()


def _days(request: HttpRequest) -> int:
    """How many days the form begins with: one of the usual periods."""
    return next((days for days in PRESETS if request.GET.get("days") == str(days)), PRESETS[1])


def _drafts(request: HttpRequest, program: Program) -> list[EarningRuleDefinition]:
    return drafted_rules(program, request.GET.getlist("draft"))


def _get(public_id: UUID) -> Backtest:
    return get_object_or_404(list_backtests(), public_id=public_id)


def _url(backtest: Backtest) -> str:
    return reverse("loyalty_backoffice:backtest_page", args=[backtest.public_id])


def _crumbs() -> Crumbs:
    return [(_("Backtests"), reverse("loyalty_backoffice:backtest_list"))]
