"""Broadcasts: which there are, one with its results, writing, scheduling and stopping it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.broadcast_forms import BroadcastForm, ScheduleForm
from campaigns.backoffice.figure_parts import Part, stages
from campaigns.backoffice.list_filter import ListFilter
from campaigns.backoffice.places import NAMESPACE, crumbs, tabs
from campaigns.broadcast_definitions import audience_condition
from campaigns.channels import channel_named
from campaigns.models import Broadcast
from campaigns.selectors.broadcasts import (
    broadcasts,
    progress_of,
    ways_of_broadcast,
    words_in_use,
    zone_of,
)
from campaigns.selectors.messages import outages
from campaigns.services.broadcasts import (
    change_broadcast,
    copy_broadcast,
    create_broadcast,
    delete_broadcast,
    pause_broadcast,
    resume_broadcast,
    schedule_broadcast,
    stop_broadcast,
    withdraw_broadcast,
)
from campaigns.slow_figures import BROADCAST_REACH, BROADCAST_RESULT, reach_asked
from campaigns.topics import topic_named
from campaigns.words import reason_words
from loyalty.backoffice.links import Crumbs
from loyalty.rules.calendar import localize
from members.conditions.sentences import sentence
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Merchant
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for
from members.selectors.merchants import get_merchant

ORDERINGS = {
    "newest": ("-created_at", "-pk"), "name": ("name", "pk"), "-name": ("-name", "-pk"),
}  # fmt: skip
EDIT = "broadcasts.edit"
Status = Broadcast.Status


@require_safe
@staff_view("programs.view")
def broadcast_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    chosen = ListFilter.of(request, Status.values)
    found = broadcasts().filter(chosen.named("name"))
    if chosen.state:
        found = found.filter(status=chosen.state)
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Broadcasts"), "tabs": tabs("broadcast_list"), "page": page, "filter": chosen,
        "outages": outages(), "may_edit": is_allowed(request.user, EDIT),
    }  # fmt: skip
    return render(request, "broadcasts/backoffice/broadcast_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(EDIT)
def broadcast_create(request: HttpRequest) -> HttpResponse:
    """A draft; its words are written on its page."""
    return _edit_page(request, None, _("New broadcast"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(EDIT)
def broadcast_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Only a draft: what is scheduled is taken back first."""
    found = find_broadcast(public_id)
    if found.status != Status.DRAFT:
        raise Http404("It is no draft.")
    return _edit_page(request, found, _("Change %s") % found.name)


@require_safe
@staff_view("programs.view")
def broadcast(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How it is, and whom it would reach; once it began, how far it is and what it brought."""
    found, now = find_broadcast(public_id), timezone.now()
    begun = found.status in Broadcast.BEGUN
    if begun:
        figures = figures_for(request, BROADCAST_RESULT, now, broadcast=found.pk)
    else:
        figures = figures_for(request, BROADCAST_REACH, now, **reach_asked(found))
    context = {
        "title": found.name, "breadcrumbs": broadcast_crumbs(), "broadcast": found,
        "begun": begun, "figures": figures, "progress": progress_of(found),
        "audience": _audience(found), "topic": topic_named(found.topic),
        "ways": ways_of_broadcast(found), "wordings": words_in_use(found),
        "zone": zone_of(found), "code": found.occasion, "currency": _currency(found),
        "schedule": ScheduleForm.of(found), "may_edit": is_allowed(request.user, EDIT),
        "language": get_merchant().locale,
        **(_shown(figures.value, begun=begun) if figures else {}),
    }  # fmt: skip
    return render(request, "broadcasts/backoffice/broadcast.html", context)


@require_safe
@staff_view("programs.view")
def broadcast_progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The bar alone, while it is being sent."""
    found = find_broadcast(public_id)
    context = {"broadcast": found, "progress": progress_of(found)}
    return render(request, "broadcasts/backoffice/progress.html", context)


@require_POST
@staff_view(EDIT)
def broadcast_act(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Schedule it, take it back, pause it, go on, stop it, copy it, or throw a draft away."""
    found, actor, now = find_broadcast(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "schedule":
                _schedule(request, found)
            case "withdraw":
                withdraw_broadcast(broadcast=found, actor=actor)
                messages.success(request, _("It is a draft again. Nobody is told."))
            case "pause":
                pause_broadcast(broadcast=found, actor=actor)
                messages.success(request, _("Nothing more goes out until you go on."))
            case "resume":
                resume_broadcast(broadcast=found, actor=actor)
                messages.success(request, _("It goes on."))
            case "stop":
                stop_broadcast(broadcast=found, actor=actor, now=now)
                messages.success(request, _("Nobody else is told."))
            case "copy":
                fresh = copy_broadcast(broadcast=found, actor=actor, now=now)
                messages.success(request, _("This is a copy. Change it as you like."))
                return redirect(broadcast_url(fresh))
            case "delete":
                delete_broadcast(broadcast=found, actor=actor, now=now)
                messages.success(request, _("%s was deleted.") % found.name)
                return redirect(f"{NAMESPACE}:broadcast_list")
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(broadcast_url(found))


def find_broadcast(public_id: UUID) -> Broadcast:
    return get_object_or_404(broadcasts(), public_id=public_id)


def broadcast_url(found: Broadcast, name: str = "broadcast") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[found.public_id])


def broadcast_crumbs(found: Broadcast | None = None) -> Crumbs:
    above = [*crumbs(), (_("Broadcasts"), reverse(f"{NAMESPACE}:broadcast_list"))]
    return [*above, (found.name, broadcast_url(found))] if found else above


def _schedule(request: HttpRequest, found: Broadcast) -> None:
    """Raises DomainError."""
    form, now = ScheduleForm(request.POST), timezone.now()
    if not form.is_valid():
        raise DomainError(_("That was no time."))
    given = form.cleaned_data["send_at"]
    at = localize(given.replace(tzinfo=None), zone_of(found)) if given else None
    row = schedule_broadcast(
        broadcast=found, send_at=at, by_member_clock=form.cleaned_data["by_member_clock"],
        actor=acting(request), now=now,
    )  # fmt: skip
    began = row.begins_at is not None and row.begins_at <= now
    messages.success(request, _("It is being sent.") if began else _("It is scheduled."))


def _edit_page(request: HttpRequest, found: Broadcast | None, title: str) -> HttpResponse:
    form = BroadcastForm(found, posted(request))
    if form.is_valid() and (definition := form.definition()) is not None:
        with errors_on(form):
            if found is None:
                saved = create_broadcast(
                    program=form.cleaned_data["program"], definition=definition,
                    actor=acting(request), now=timezone.now(),
                )  # fmt: skip
                messages.success(request, _("It is a draft. Write what it says next."))
            else:
                saved = change_broadcast(
                    broadcast=found, definition=definition, actor=acting(request)
                )
                messages.success(request, _("The broadcast was saved."))
            return redirect(broadcast_url(saved))
    context = {
        "title": title, "form": form, "breadcrumbs": broadcast_crumbs(found),
        "back": broadcast_url(found) if found else reverse(f"{NAMESPACE}:broadcast_list"),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "broadcasts/backoffice/broadcast_form.html", context, status=status)


def _audience(found: Broadcast) -> str:
    asked = audience_condition(found)
    if asked is not None:
        return sentence(asked)
    return _("Every member.") if found.program else _("Every customer.")


def _currency(found: Broadcast) -> str:
    merchant: Merchant = get_merchant()
    return found.program.currency if found.program else merchant.currency


def _shown(value: Any, *, begun: bool) -> dict[str, Any]:
    if not begun:
        return {"reach": value, "rows": _ways(value.by_way, value.reasons)}
    measured = value.measured
    parts = [
        Part(str(channel.label if (channel := channel_named(key)) else key), counts)
        for key, counts in measured.by_channel.items()
    ]
    most = max((people for _link, people in measured.links), default=0)
    return {
        "result": value, "measured": measured, "stages": stages(measured), "parts": parts,
        "against": value.against, "rows": _ways({}, value.reasons),
        "untold": [(reason_words(code), count) for code, count in value.untold.items()],
        "links": [(link, people, round(people * 100 / most)) for link, people in measured.links],
    }  # fmt: skip


def _ways(by_way: Any, reasons: Any) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """By way: how many it reaches, and why not the others, most of them first."""
    found = []
    for key, counted in reasons.items():
        channel = channel_named(key)
        words = [(reason_words(code), count) for code, count in counted.items()]
        label = str(channel.label) if channel else key
        found.append((label, by_way.get(key, 0), sorted(words, key=lambda item: -item[1])))
    return found
