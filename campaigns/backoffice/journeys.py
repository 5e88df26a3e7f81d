"""Journeys: all of them, one as it runs, and putting it live, pausing and ending it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.places import NAMESPACE, crumbs, tabs
from campaigns.journey_definitions import JourneyDefinition
from campaigns.journey_triggers import trigger_label
from campaigns.journey_words import shown_steps
from campaigns.models import Journey, JourneyVersion, Passage
from campaigns.ready_journeys import READY, ready_journey
from campaigns.selectors.journey_results import leavers, people_in_each, people_per_step
from campaigns.selectors.journeys import definition_of, journeys, version_in_force
from campaigns.services.journey_entries import take_out
from campaigns.services.journey_previews import preview_journey
from campaigns.services.journeys import (
    create_journey,
    end_journey,
    pause_journey,
    publish_journey,
    resume_journey,
)
from campaigns.slow_figures import JOURNEY_RESULT
from campaigns.words import LEAVING
from loyalty.models import Membership, Program
from members.errors import DomainError
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for
from members.selectors.customer_search import search_customers

Crumbs = list[tuple[str, str]]


def find_journey(public_id: UUID) -> Journey:
    return get_object_or_404(journeys(), public_id=public_id)


def journey_url(journey: Journey, name: str = "journey") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[journey.public_id])


def journey_crumbs(journey: Journey | None = None) -> Crumbs:
    found = [*crumbs(), (_("Journeys"), reverse(f"{NAMESPACE}:journey_list"))]
    return [*found, (journey.name, journey_url(journey))] if journey else found


def last_version(journey: Journey) -> JourneyVersion:
    """What was written last, published or not."""
    found = journey.versions.first()
    if found is None:
        raise Http404("There is nothing of it.")
    return found


@require_safe
@staff_view("programs.view")
def journey_list(request: HttpRequest) -> HttpResponse:
    """All of them, with those to begin from."""
    rows = [
        {"journey": journey, "trigger": trigger_label(journey.trigger),
         "people": journey.people}
        for journey in journeys().annotate(people=people_in_each())
    ]  # fmt: skip
    context = {
        "title": _("Journeys"), "tabs": tabs("journey_list"), "rows": rows, "ready": READY,
        "programs": Program.objects.exclude(status=Program.Status.ARCHIVED).order_by("name"),
        "may_edit": is_allowed(request.user, "journeys.edit"),
    }  # fmt: skip
    return render(request, "journeys/backoffice/journey_list.html", context)


@require_POST
@staff_view("journeys.edit")
def journey_create(request: HttpRequest) -> HttpResponse:
    """A draft from a ready-made one."""
    ready = ready_journey(request.POST.get("ready", ""))
    program = Program.objects.filter(code=request.POST.get("program", "")).first()
    if ready is None or program is None:
        messages.error(request, _("Choose what to begin from, and a program."))
        return redirect(f"{NAMESPACE}:journey_list")
    journey = create_journey(
        program=program, name=str(ready.name), trigger=ready.trigger, body=ready.body,
        actor=acting(request), now=timezone.now(),
    )  # fmt: skip
    messages.success(request, _("The journey is a draft. Put it live when it is right."))
    return redirect(journey_url(journey, "journey_edit"))


@require_safe
@staff_view("programs.view")
def journey(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where everybody is, what it brought, and what somebody would be told."""
    found, now = find_journey(public_id), timezone.now()
    in_force = version_in_force(found)
    version = last_version(found)
    definition = in_force.definition if in_force else definition_of(version)
    figures = None
    if in_force:
        figures = figures_for(
            request, JOURNEY_RESULT, now, journey=found.pk, days=definition.measured_days
        )
    people = people_per_step(found)
    context = {
        "title": found.name,
        "breadcrumbs": journey_crumbs(),
        "journey": found,
        "trigger": trigger_label(found.trigger),
        "definition": definition,
        "steps": shown_steps(definition, people),
        "people": sum(people.values()),
        "left": [(LEAVING.get(why, why), count) for why, count in sorted(leavers(found).items())],
        "in_force": in_force,
        "figures": figures,
        "result": figures and figures.value,
        "is_draft": version.published_at is None,
        "may_edit": is_allowed(request.user, "journeys.edit"),
        "member_asked": request.GET.get("member", ""),
        **_preview(request, found, definition),
    }
    return render(request, "journeys/backoffice/journey.html", context)


@require_safe
@staff_view("customers.view")
def journey_people(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who is in it and who was, the newest first."""
    found = find_journey(public_id)
    rows = Passage.objects.filter(journey=found).select_related("membership__customer", "version")
    page = paginate(
        rows, request=request, orderings={"": ("-entered_at", "-pk")}, default="", per_page=50
    )
    numbers = {
        pk: {step.key: number for number, step in enumerate(definition_of(item).steps, 1)}
        for item in found.versions.all()
        for pk in [item.pk]
    }
    context = {
        "title": _("People"), "breadcrumbs": journey_crumbs(found), "journey": found, "page": page,
        "may_edit": is_allowed(request.user, "journeys.edit"),
        "rows": [
            {"passage": row, "why": LEAVING.get(row.why, row.why),
             "at": numbers[row.version_id].get(row.step)}
            for row in page.items
        ],
    }  # fmt: skip
    return render(request, "journeys/backoffice/people.html", context)


@require_POST
@staff_view("journeys.edit")
def journey_take_out(request: HttpRequest, public_id: UUID, membership_id: UUID) -> HttpResponse:
    """Have a member leave; what they were told and given stays."""
    found = find_journey(public_id)
    member = get_object_or_404(Membership, public_id=membership_id)
    if take_out(journey=found, member=member, actor=acting(request), now=timezone.now()):
        messages.success(request, _("They are not led any further."))
    return redirect(journey_url(found, "journey_people"))


@require_POST
@staff_view("journeys.edit")
def journey_state(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Put it live, pause it, go on with it, end it."""
    found, now, actor = find_journey(public_id), timezone.now(), acting(request)
    wanted = request.POST.get("do", "")
    try:
        match wanted:
            case "publish":
                publish_journey(journey=found, actor=actor, now=now)
                messages.success(request, _("It is in force for who begins from now on."))
            case "pause":
                pause_journey(journey=found, actor=actor)
                messages.success(request, _("It rests. Nobody begins, and nobody goes on."))
            case "resume":
                resume_journey(journey=found, actor=actor, now=now)
                messages.success(request, _("It goes on."))
            case "end":
                end_journey(journey=found, actor=actor, now=now)
                messages.success(request, _("It has ended."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(journey_url(found))


def _preview(request: HttpRequest, found: Journey, definition: JourneyDefinition) -> dict[str, Any]:
    """For a real member, by those who may see customers."""
    text = request.GET.get("member", "").replace("\x00", "").strip()
    if not text or not is_allowed(request.user, "customers.view"):
        return {}
    hits = search_customers(text, limit=1)
    member = Membership.objects.filter(
        customer__in=[hit.customer for hit in hits], program=found.program,
        status=Membership.Status.ACTIVE,
    ).select_related("program", "customer").first()  # fmt: skip
    if member is None:
        return {"nobody": True}
    now = timezone.now()
    return {"preview": preview_journey(definition=definition, member=member, now=now)}
