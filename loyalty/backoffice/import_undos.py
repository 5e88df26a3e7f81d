"""Undoing an import of orders: what it would do first, then with a reason; the work is a job, seen
on the import's page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.undo_pages import UndoPage, answer_undo
from loyalty.models import Program
from loyalty.selectors.import_undos import UndoPreview, effect_in_full
from loyalty.services.balance_imports import KIND as BALANCES
from loyalty.services.balance_imports import UNDO as BALANCE_UNDO
from loyalty.services.balance_undoing import (
    BalanceUndoPreview,
    preview_balance_undo,
    refuse_balance_undo,
    start_balance_undo,
)
from loyalty.services.import_jobs import is_dry
from loyalty.services.import_kinds import undos_of
from loyalty.services.import_undoing import refuse_undo, start_undo
from loyalty.services.imports import KIND, UNDO
from loyalty.services.undo_jobs import ENDED
from loyalty.slow_figures import UNDO as EFFECT
from members.backoffice.job_rows import JobProgress
from members.csv_files import csv_response
from members.file_cells import harmless
from members.job_access import may_run
from members.models import Customer, Job, JobError
from members.policy import staff_view
from members.responses import figures_for
from members.slow_figures import Figures

SHOWN_KEPT = 50
DEBT_WORDS = {
    Program.Debt.CARRY: gettext_lazy(
        "What is missing is carried as a debt: what they earn next repays it."
    ),
    Program.Debt.WRITE_OFF: gettext_lazy(
        "What is missing is written off: their balance is nothing, and the books show it."
    ),
    Program.Debt.REFUSE_REDEMPTION: gettext_lazy(
        "What is missing is owed: they can spend nothing until it is settled."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def import_undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What would happen, and the button that makes it happen."""
    job = get_object_or_404(Job, kind__in=(KIND, BALANCES), public_id=public_id)
    back = reverse("loyalty_backoffice:import_page", args=[job.public_id])
    if job.kind == BALANCES:
        return _balance_undo(request, job, back)
    page = UndoPage(
        job=job,
        template="loyalty/backoffice/import_undo.html",
        title=_("Undo this import?"),
        verb=_("Undo this import"),
        begun=_("The import is being undone."),
        breadcrumbs=[(_("Imports"), reverse("loyalty_backoffice:import_list"))],
        back=back,
        look=lambda: _look(request, job),
        people=lambda preview: preview.customers,
        start=start_undo,
        refuse=refuse_undo,
        then=lambda _undo: back,
        more=_short,
    )
    return answer_undo(request, page)


def _balance_undo(request: HttpRequest, job: Job, back: str) -> HttpResponse:
    if not may_run(request.user, job):
        raise PermissionDenied("Imports of balances are not for this role.")
    page: UndoPage[BalanceUndoPreview] = UndoPage(
        job=job,
        template="loyalty/backoffice/balance_undo.html",
        title=_("Undo this import?"),
        verb=_("Undo this import"),
        begun=_("The import is being undone."),
        breadcrumbs=[(_("Imports"), reverse("loyalty_backoffice:import_list"))],
        back=back,
        look=lambda: Figures(preview_balance_undo(job)),
        people=lambda _preview: 0,
        start=start_balance_undo,
        refuse=refuse_balance_undo,
        then=lambda _undo: back,
    )
    return answer_undo(request, page)


def _look(request: HttpRequest, job: Job) -> Figures | None:
    now = timezone.now()
    found = figures_for(request, EFFECT, now, job=job.pk, after=runs_of(job))
    return found and replace(found, value=effect_in_full(found.value, now))


def runs_of(job: Job) -> str:
    """What the import and its undoing did last: more of either is another thing to work out."""
    last = undos_of(job).values_list("pk", "state", "finished_at").first()
    return f"{job.state} {job.finished_at} {last}"


def _short(preview: UndoPreview) -> dict[str, Any]:
    """What becomes of balances that have less than is taken."""
    return {
        "debts": [(item, DEBT_WORDS[Program.Debt(item.debt_policy)]) for item in preview.programs],
        "more": preview.short_count - len(preview.short),
    }


@require_safe
@staff_view("imports.view")
def import_of_undo(_request: HttpRequest, public_id: UUID) -> HttpResponse:
    """From the work of undoing to the import, whose page shows it."""
    undo = get_object_or_404(Job, kind__in=(UNDO, BALANCE_UNDO), public_id=public_id)
    job = get_object_or_404(Job, kind__in=(KIND, BALANCES), pk=undo.params["import"])
    return redirect("loyalty_backoffice:import_page", public_id=job.public_id)


@require_safe
@staff_view("imports.view")
def import_undo_rest(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What could not be undone and why, as a file."""
    job = get_object_or_404(Job, kind__in=(KIND, BALANCES), public_id=public_id)
    undo = get_object_or_404(undos_of(job)[:1])
    return csv_response(f"import-{job.pk}-not-undone.csv", _rest(undo))


def undo_context(job: Job) -> dict[str, Any]:
    """What the import's page says about undoing it."""
    undo = undos_of(job).select_related("created_by").first()
    ended = job.state in ENDED and not is_dry(job)
    found: dict[str, Any] = {"undo": undo, "may_be_undone": ended}
    if undo is None:
        return found
    open_one = undo.is_open or undo.state == Job.State.FAILED
    return found | {
        "may_be_undone": ended and not open_one,
        "undo_progress": JobProgress.of(undo),
        "undo_counts": _counts(undo, job),
        "undo_kept": _named(undo.errors.all()[:SHOWN_KEPT]),
        "undo_kept_count": undo.errors.count(),
        "undo_reason": undo.params["reason"],
    }


def _named(errors: Iterable[JobError]) -> list[tuple[JobError, Customer | None]]:
    """What was not undone; of people, who they are."""
    rows = list(errors)
    people = Customer.objects.in_bulk([row.row for row in rows if row.file == "customers"])
    return [(row, people.get(row.row) if row.file == "customers" else None) for row in rows]


def _counts(undo: Job, job: Job) -> list[tuple[str, str, int]]:
    canceled = _("Balances taken back") if job.kind == BALANCES else _("Orders canceled")
    words = {
        "canceled": (canceled, "ban"),
        "closed": (_("Gift cards canceled"), "gift-card"),
        "left": (_("Taken out of pools"), "users-minus"),
        "void": (_("Had come to nothing"), "equal"),
        "kept": (_("Not undone"), "alert-circle"),
        "erased": (_("Customers erased"), "user-off"),
    }
    return [(*words[key], undo.result[key]) for key in words if key in undo.result and (
        undo.result[key] or key not in ("closed", "left")
    )]  # fmt: skip


def _rest(undo: Job) -> Iterator[tuple[str, ...]]:
    yield ("what", "number", "reason")
    for error in undo.errors.iterator():
        yield (error.file, harmless(error.value), error.reason)
