"""Operations: adjustments and gifts for many at once. Looked at first, posted by a worker, undone
as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.approvals import DecisionForm
from loyalty.backoffice.bulk_forms import FORMATS, SAMPLES, BulkForm, GrantForm
from loyalty.backoffice.bulk_page import page_context, who_is_named
from loyalty.models import BulkAdjustment, BulkRow, WalletType
from loyalty.selectors.adjustment_reasons import usable_reasons
from loyalty.selectors.bulk_adjustments import batches, problem_rows
from loyalty.services.bulk_adjustments import (
    approve_bulk,
    create_bulk,
    post_bulk,
    reject_bulk,
    resume_bulk,
    undo_bulk,
    withdraw_bulk,
)
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import DomainError
from members.file_cells import harmless
from members.formatting import format_points
from members.forms import errors_on, posted
from members.models import Job
from members.paging import paginate
from members.policy import acting, is_allowed, role_of, staff_view
from members.responses import dialog_done
from members.services.jobs import cancel_job

FORMS: dict[str, type[BulkForm]] = {"adjustment": BulkForm, "grant": GrantForm}


@require_safe
@staff_view("adjustments.view")
def bulk_list(request: HttpRequest) -> HttpResponse:
    """Every bulk adjustment there was, the newest first."""
    page = paginate(batches(), request=request, orderings={"": ("-pk",)}, default="")
    may_run = is_allowed(request.user, "adjustments.bulk")
    context = {"page": page, "has_live": _has_live(), "may_run": may_run}
    return render(request, "loyalty/backoffice/bulk_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("adjustments.bulk")
def bulk_create(request: HttpRequest, kind: str) -> HttpResponse:
    """Choose whom it concerns; what it would do is shown before anything moves."""
    if kind not in FORMS:
        raise Http404
    reasons = usable_reasons(role_of(request.user))
    form = FORMS[kind](posted(request), request.FILES or None, reasons=reasons)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            batch = create_bulk(
                plan=form.plan(), source=form.source(), actor=acting(request), now=timezone.now()
            )
            return _work_on(request, batch)
    title = _("Adjust many at once") if kind == "adjustment" else _("A gift for many")
    context = {
        "title": title,
        "kind": kind,
        "form": form,
        "breadcrumbs": _crumbs(),
        "columns": FORMATS[kind],
        "has_live": _has_live(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/bulk_form.html", context, status=status)


@require_safe
@staff_view("adjustments.bulk")
def bulk_sample(request: HttpRequest, kind: str) -> HttpResponse:
    """A small file in the right format, to fill in."""
    if kind not in SAMPLES:
        raise Http404
    return csv_response(f"{kind}.csv", SAMPLES[kind])


@require_safe
@staff_view("adjustments.view")
def bulk_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One of them: what it would do, how far it is, what became of it."""
    context = page_context(request, _get(public_id))
    context |= {"breadcrumbs": _crumbs()}
    return render(request, "loyalty/backoffice/bulk_page.html", context)


@require_safe
@staff_view("adjustments.view")
def bulk_of_job(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """From the list of jobs to what the work is about."""
    job = get_object_or_404(Job, public_id=public_id)
    batch = get_object_or_404(batches(), pk=job.params.get("bulk"))
    return redirect(_url(batch))


@require_safe
@staff_view("adjustments.view")
def bulk_problems(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The rows that were not posted, or not undone, as a file."""
    batch = _get(public_id)
    return csv_response(f"adjustment-{batch.pk}-rows.csv", _problem_lines(batch))


@require_POST
@staff_view("adjustments.bulk")
def bulk_post(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Post it, or ask a second person."""
    again = request.POST.get("again") == "1"

    def post(batch: BulkAdjustment) -> BulkAdjustment:
        return post_bulk(batch=batch, actor=acting(request), now=timezone.now(), again=again)

    return _act(request, public_id, post)


@require_POST
@staff_view("points.approve")
def bulk_approve(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let what somebody else asked for be posted."""

    def approve(batch: BulkAdjustment) -> BulkAdjustment:
        return approve_bulk(batch=batch, actor=acting(request), now=timezone.now())

    return _act(request, public_id, approve)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.approve")
def bulk_reject(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say no, and why."""
    batch = _get(public_id)
    form = DecisionForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            reject_bulk(
                batch=batch,
                actor=acting(request),
                now=timezone.now(),
                note=form.cleaned_data["note"],
            )
            message = _("Rejected: %s.") % batch.source_name
            return dialog_done(request, url=_url(batch), changed="bulk", message=message)
    context = {
        "title": _("Reject this?"),
        "form": form,
        "batch": batch,
        "submit": _("Reject"),
        "back": _url(batch),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/bulk_reject.html", context, status=status)


@require_POST
@staff_view("adjustments.bulk")
def bulk_withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Leave it; nothing was moved."""
    return _act(request, public_id, lambda batch: withdraw_bulk(batch=batch, actor=acting(request)))


@require_POST
@staff_view("adjustments.bulk")
def bulk_undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take everything back."""

    def undo(batch: BulkAdjustment) -> BulkAdjustment:
        return undo_bulk(batch=batch, actor=acting(request), now=timezone.now())

    return _act(request, public_id, undo)


@require_POST
@staff_view("adjustments.bulk")
def bulk_stop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop the work on it; what is done stays done."""
    batch = _get(public_id)
    if batch.job is not None:
        cancel_job(job=batch.job, actor=acting(request))
        messages.success(request, _("The work stops. What is done so far stays."))
    return redirect(_url(batch))


@require_POST
@staff_view("adjustments.bulk")
def bulk_resume(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Go on where the work stopped; nothing is done twice."""
    return _act(request, public_id, lambda batch: resume_bulk(batch=batch, actor=acting(request)))


def _act(
    request: HttpRequest, public_id: UUID, act: Callable[[BulkAdjustment], BulkAdjustment]
) -> HttpResponse:
    """Do it and start the work that follows, or say on its page why it cannot be done."""
    batch = _get(public_id)
    try:
        changed = act(batch)
    except DomainError as error:
        texts = [str(item.message) for item in error.errors]
        messages.error(request, " ".join([str(error.message), *texts]))
        return redirect(_url(batch))
    return _work_on(request, changed)


def _work_on(request: HttpRequest, batch: BulkAdjustment) -> HttpResponse:
    works = {
        BulkAdjustment.State.CHECKING, BulkAdjustment.State.POSTING, BulkAdjustment.State.UNDOING,
    }  # fmt: skip
    if batch.state in works and batch.job is not None:
        hand_over(request, batch.job)
    elif batch.state == BulkAdjustment.State.WAITING:
        messages.success(request, _("It waits until somebody else approves it."))
    elif batch.state == BulkAdjustment.State.WITHDRAWN:
        messages.success(request, _("It is withdrawn. Nothing was moved."))
    return redirect(_url(batch))


def _problem_lines(batch: BulkAdjustment) -> Iterator[tuple[str, ...]]:
    scale = batch.wallet_type.scale
    yield ("row", "who", "units", "state", "column", "value", "reason")
    for row in problem_rows(batch):
        units = "" if row.units is None else format_points(row.units, scale)
        for column, value, reason in row.problems or [["", "", ""]]:
            yield (
                str(row.number), harmless(who_is_named(row)), units, _state(row), column,
                harmless(value), reason,
            )  # fmt: skip


def _state(row: BulkRow) -> str:
    return str(row.get_state_display())


def _has_live() -> bool:
    return WalletType.objects.filter(program__status="live").exists()


def _get(public_id: UUID) -> BulkAdjustment:
    return get_object_or_404(batches(), public_id=public_id)


def _url(batch: BulkAdjustment) -> str:
    return reverse("loyalty_backoffice:bulk_page", args=[batch.public_id])


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Bulk adjustments"), reverse("loyalty_backoffice:bulk_list"))]
