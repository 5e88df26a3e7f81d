"""What the pages of Insights about a whole program share: which one, which is in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l

from loyalty.models import Program
from loyalty.services.insight_points import open_measuring
from members.backoffice.job_rows import JobProgress
from members.job_access import visible_jobs
from members.policy import AnyUser


class ProgramForm(forms.Form):
    """Which program. What the address says that is no choice is passed over."""

    program = forms.ChoiceField(
        label=_l("Program"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )

    def __init__(self, data: Any, programs: Sequence[Program]) -> None:
        super().__init__(data)
        self.fields["program"].choices = [  # type: ignore[attr-defined]
            (item.code, item.name) for item in programs
        ]


def insight_programs() -> list[Program]:
    """Those that are or were live."""
    return list(Program.objects.exclude(status=Program.Status.DRAFT).order_by("name", "pk"))


def asked_program(request: HttpRequest, programs: Sequence[Program]) -> Program | None:
    """The one that the address names; else the first that is live, else the first."""
    named = request.GET.get("program", "")
    live = (item for item in programs if item.status == Program.Status.LIVE)
    found = next((item for item in programs if item.code == named), None)
    return found or next(live, None) or next(iter(programs), None)


def known_program(request: HttpRequest) -> Program:
    """The same for a file, which there is none of as long as there is no program."""
    found = asked_program(request, insight_programs())
    if found is None:
        raise Http404
    return found


def measuring_context(program: Program, user: AnyUser) -> dict[str, object]:
    """That it is being measured, and how far that is, for whom may see the job: whose role is
    limited to programs sees what they began themselves."""
    job = open_measuring(program)
    seen = job is not None and visible_jobs(user).filter(pk=job.pk).exists()
    return {
        "is_measuring": job is not None,
        "progress": JobProgress.of(job) if job is not None and seen else None,
    }


def today_text(program: Program) -> str:
    return timezone.now().astimezone(program.zone).date().isoformat()
