"""Insights → Program review: what a program was like in each quarter, what was found, what is
proposed, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.insight_programs import ProgramForm, asked_program, insight_programs
from loyalty.models import Program, ProgramReview, ReviewFinding
from loyalty.quarters import Quarter, quarter_named, quarter_of
from loyalty.review_findings import PARTS
from loyalty.review_sentences import (
    FindingWords,
    finding_title,
    finding_words,
    quarter_label,
    review_title,
)
from loyalty.selectors.program_reviews import (
    get_review,
    program_reviews,
    quarters_to_review,
)
from loyalty.services.program_reviews import (
    decide_finding,
    note_reading,
    open_review_job,
    start_review,
)
from members.backoffice.job_rows import JobProgress
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import ConflictError, DomainError, NotFoundError
from members.file_cells import harmless
from members.forms import errors_on, posted
from members.job_access import visible_jobs
from members.models import User
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect

Part = ReviewFinding.Part
ICONS = {
    Part.WEAK: "alert-triangle", Part.COSTLY: "coins", Part.UNUSED: "zzz", Part.SAID: "message-2",
    Part.GOALS: "target-arrow", Part.WORKS: "circle-check",
}  # fmt: skip
TONES = {"good": "success", "bad": "warning", "news": "info"}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    finding: ReviewFinding
    words: FindingWords
    kind: str


@dataclass(frozen=True, slots=True)
class ShownPart:
    title: str
    icon: str
    findings: Sequence[ShownFinding]


class DecisionForm(forms.Form):
    """What became of a finding."""

    state = forms.ChoiceField(
        label=_l("What became of it?"), choices=ReviewFinding.State.choices,
        widget=forms.RadioSelect,
    )  # fmt: skip
    note = forms.CharField(
        label=_l("Note"), required=False, max_length=500,
        help_text=_l("Of what is dismissed: why."), widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


@require_safe
@staff_view("reports.view")
def review_list(request: HttpRequest) -> HttpResponse:
    """The reviews of the program that the address names, the newest first."""
    programs = insight_programs()
    program = asked_program(request, programs)
    context: dict[str, Any] = {
        "title": _("Program review"),
        "program": program,
        "several": len(programs) > 1,
    }
    if program is not None:
        found = list(program_reviews(program))
        context |= {
            "form": ProgramForm({"program": program.code}, programs),
            "reviews": [(item, review_title(item)) for item in found],
            "may_edit": is_allowed(request.user, "programs.edit"),
            "to_make": _to_make(program, found),
            **_making(request, program),
        }
    return render(request, "loyalty/backoffice/review_list.html", context)


@require_POST
@staff_view("programs.edit")
def review_make(request: HttpRequest, code: str, quarter: str) -> HttpResponse:
    """Have the review of a quarter made now; the page that was left shows how far it is."""
    program = get_object_or_404(Program.objects.exclude(status=Program.Status.DRAFT), code=code)
    wanted = quarter_named(quarter)
    if wanted is None:
        raise Http404
    try:
        job = start_review(
            program=program, quarter=wanted, actor=acting(request), now=timezone.now()
        )
        hand_over(request, job)
    except ConflictError:
        # It is being made already, which the page shows.
        pass
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(_list_url(program))


@require_safe
@staff_view("reports.view")
def review_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One review, as it is kept; whoever opened it is not reminded of it any more."""
    review = _found(public_id)
    program = review.program
    if request.method == "GET":
        note_reading(review=review, user=cast(User, request.user))
    parts = _parts(review)
    context = {
        "title": _("Review of %(program)s: %(quarter)s") % {
            "program": program.name, "quarter": review_title(review),
        },
        "breadcrumbs": [(_("Program review"), _list_url(program))],
        "review": review,
        "program": program,
        "parts": parts,
        "to_change": sum(
            item.kind == "warning" and item.finding.state == ReviewFinding.State.OPEN
            for part in parts
            for item in part.findings
        ),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }  # fmt: skip
    return render(request, "loyalty/backoffice/review_page.html", context)


@require_safe
@staff_view("reports.view")
def review_csv(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Every finding of a review with its numbers and what became of it."""
    review = _found(public_id)
    name = f"review-{review.program.code}-{quarter_of(review.quarter).name}.csv"
    return csv_response(name, _lines(review))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def finding_decide(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say what became of a finding."""
    finding = get_object_or_404(
        ReviewFinding.objects.select_related("review__program"), public_id=public_id
    )
    initial = {"state": finding.state, "note": finding.note}
    if finding.state == ReviewFinding.State.OPEN:
        initial["state"] = ReviewFinding.State.DONE
    form = DecisionForm(posted(request), initial=initial)
    review = finding.review
    back = f"{_page_url(review)}#finding-{finding.pk}"
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            decide_finding(
                finding=finding, state=form.cleaned_data["state"], note=form.cleaned_data["note"],
                actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("What became of it is kept."))
            return htmx_redirect(request, back)
    context = {
        "title": finding_title(finding, review.program),
        "breadcrumbs": [
            (_("Program review"), _list_url(review.program)),
            (review_title(review), _page_url(review)),
        ],
        "form": form,
        "submit": _("Save"),
        "back": back,
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


def _found(public_id: UUID) -> ProgramReview:
    try:
        return get_review(public_id)
    except NotFoundError as error:
        raise Http404 from error


def _parts(review: ProgramReview) -> list[ShownPart]:
    """Those in which something was found, what is to be changed first."""
    shown: dict[str, list[ShownFinding]] = {part: [] for part in PARTS}
    for item in review.findings.select_related("decided_by").order_by("position"):
        words = finding_words(item, review.program)
        shown[item.part].append(ShownFinding(item, words, TONES[item.tone]))
    return [
        ShownPart(str(Part(part).label), ICONS[Part(part)], items)
        for part, items in shown.items()
        if items
    ]


def _to_make(program: Program, found: Sequence[ProgramReview]) -> list[tuple[Quarter, str, bool]]:
    """Quarters that have no review that stays, each with its name and whether it runs."""
    now = timezone.now()
    kept = {item.quarter for item in found if item.is_over}
    return [
        (quarter, quarter_label(quarter), place == 0)
        for place, quarter in enumerate(quarters_to_review(program, now))
        if quarter.first not in kept
    ]


def _making(request: HttpRequest, program: Program) -> dict[str, object]:
    job = open_review_job(program)
    seen = job is not None and visible_jobs(request.user).filter(pk=job.pk).exists()
    return {
        "is_making": job is not None,
        "progress": JobProgress.of(job) if job is not None and seen else None,
    }


def _lines(review: ProgramReview) -> Iterator[tuple[str, ...]]:
    yield ("program", "quarter", "part", "tone", "finding", "number", "proposal", "state", "note")
    for item in review.findings.order_by("position"):
        words = finding_words(item, review.program)
        yield (
            review.program.code, quarter_of(review.quarter).name, item.part, item.tone,
            *(harmless(text) for text in (words.title, words.number, words.proposal)),
            item.state, harmless(item.note),
        )  # fmt: skip


def _list_url(program: Program) -> str:
    return f"{reverse('loyalty_backoffice:review_list')}?program={program.code}"


def _page_url(review: ProgramReview) -> str:
    return reverse("loyalty_backoffice:review_page", args=[review.public_id])
