"""What the team has to know about a program, written from its live rules; each confirms to have
read it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.call_answers import call_answers
from loyalty.backoffice.links import program_crumbs
from loyalty.models import Program, ProgramReading
from loyalty.selectors.launches import founding_offer, get_launch, phase_at
from loyalty.selectors.program_readings import readers_of
from loyalty.selectors.program_terms import terms_of
from loyalty.services.program_readings import confirm_reading
from loyalty.terms_panels import team_panels
from members.models import User
from members.policy import staff_view


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def knowledge(request: HttpRequest, code: str) -> HttpResponse:
    """The program in plain words, what to say when customers ask, and who has read it."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    user = request.user
    assert isinstance(user, User)
    if request.method == "POST":
        revision = request.POST.get("revision", "")
        # What changed while it was read has not been read.
        if revision == str(program.revision):
            confirm_reading(program=program, reader=user, revision=program.revision, now=now)
            messages.success(request, _("Thank you. It is noted that you have read this."))
        else:
            messages.warning(request, _("The program has changed meanwhile. Please read it anew."))
        return redirect("loyalty_backoffice:knowledge", program.code)
    launch, offer = get_launch(program), founding_offer(program)
    readers, terms = readers_of(program), terms_of(program, now)
    context = {
        "program": program,
        "title": _("For the team"),
        "breadcrumbs": program_crumbs(program),
        "terms": terms,
        # What promotions and challenges write is told by their own panels.
        "own_rules": [rule for rule in terms.rules if not rule.of_tier and not rule.of_campaign],
        "own_discounts": [rule for rule in terms.discounts if not rule.of_campaign],
        "team": team_panels(program, now),
        "answers": call_answers(program, terms),
        "phases": list(launch.phases.all()) if launch else [],
        "phase": phase_at(launch, now) if launch else None,
        "founding": offer if offer and offer.is_open(now) else None,
        "readers": readers,
        "read": sum(reader.current for reader in readers),
        "mine": ProgramReading.objects.filter(
            program=program, reader=user, revision=program.revision
        ).first(),
    }
    return render(request, "loyalty/backoffice/knowledge.html", context)
