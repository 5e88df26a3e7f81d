"""Undoing an import of companies."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.undo_pages import UndoPage, answer_undo
from loyalty.selectors.company_undos import CompanyUndoPreview, preview_company_undo
from loyalty.services.company_imports import KIND
from loyalty.services.company_undoing import refuse_company_undo, start_company_undo
from members.models import Job
from members.policy import staff_view
from members.slow_figures import Figures


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def company_undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What would happen, and the button that makes it happen."""
    job = get_object_or_404(Job, kind=KIND, public_id=public_id)
    page: UndoPage[CompanyUndoPreview] = UndoPage(
        job=job,
        template="loyalty/backoffice/company_undo.html",
        title=_("Undo this import of companies?"),
        verb=_("Undo this import of companies"),
        begun=_("The import is being undone."),
        breadcrumbs=[(_("Jobs"), reverse("backoffice:job_list"))],
        back=reverse("backoffice:job", args=[job.public_id]),
        look=lambda: Figures(preview_company_undo(job)),
        people=lambda preview: preview.made,
        start=start_company_undo,
        refuse=refuse_company_undo,
        then=lambda undo: reverse("backoffice:job", args=[undo.public_id]),
    )
    return answer_undo(request, page)
