"""A program's terms, for anybody: members, and whoever thinks of joining."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from loyalty.models import Program
from loyalty.program_words import notices
from loyalty.selectors.program_terms import terms_of
from loyalty.selectors.program_times import program_state
from members.account.access import signed_in_customer


@require_safe
@never_cache
def terms(request: HttpRequest, code: str) -> HttpResponse:
    """What a live program promises, in the reader's language. A customer who has signed in does
    not read of what they are kept from by lot."""
    program = get_object_or_404(Program, code=code, status=Program.Status.LIVE)
    with timezone.override(program.zone):
        now = timezone.now()
        context = {
            "program": program,
            "terms": terms_of(program, now, reader=signed_in_customer(request)),
            "notices": notices(program_state(program, now)),
        }
        return render(request, "mypage/terms.html", context)
