"""A program's terms, for anybody: members, and whoever thinks of joining."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from loyalty.models import Program
from loyalty.program_words import notices
from loyalty.selectors.program_terms import terms_of
from loyalty.selectors.program_times import program_state


@require_safe
def terms(request: HttpRequest, code: str) -> HttpResponse:
    """What a live program promises, in the reader's language."""
    program = get_object_or_404(Program, code=code, status=Program.Status.LIVE)
    with timezone.override(program.zone):
        now = timezone.now()
        context = {
            "program": program,
            "terms": terms_of(program, now),
            "notices": notices(program_state(program, now)),
        }
        return render(request, "mypage/terms.html", context)
