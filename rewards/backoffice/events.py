"""Events: planned, looked at, called off; who comes, who waits, and the door."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import Program
from members.errors import DomainError
from members.formatting import format_number, format_units
from members.forms import errors_on, posted
from members.free_codes import first_free
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from rewards.backoffice.event_forms import CodeForm, EventForm
from rewards.backoffice.fulfillment_forms import WhyForm
from rewards.backoffice.links import NAMESPACE
from rewards.models import Event, Redemption
from rewards.selectors.events import bookings, events, events_of, open_waits
from rewards.services.event_jobs import cancel_event
from rewards.services.events import (
    change_event,
    check_in,
    create_event,
    note_no_show,
    set_event_state,
)
from rewards.words import conditions_of


def event_url(event: Event) -> str:
    reward = event.reward
    return reverse(f"{NAMESPACE}:event_page", args=[reward.program.code, reward.code])


def _list_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:event_list", args=[program.code])


def _crumbs(program: Program, event: Event | None = None) -> Crumbs:
    crumbs = [*program_crumbs(program), (_("Events"), _list_url(program))]
    return [*crumbs, (event.reward.name, event_url(event))] if event else crumbs


@require_safe
@staff_view("programs.view")
def event_list(request: HttpRequest, code: str) -> HttpResponse:
    """What is coming first, then what was."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    found = list(events_of(program))
    context = {
        "program": program,
        "title": _("Events"),
        "breadcrumbs": program_crumbs(program),
        "groups": [
            (_("Coming"), [item for item in found if item.ends_at > now]),
            (_("Over"), [item for item in reversed(found) if item.ends_at <= now]),
        ],
        "any": bool(found),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "rewards/events/event_list.html", context)


@require_safe
@staff_view("customers.view")
def event_page(request: HttpRequest, code: str, event_code: str) -> HttpResponse:
    """Who comes and who waits."""
    event = _event(code, event_code)
    now = timezone.now()
    page = paginate(
        bookings(event), request=request, orderings={"": ("created_at", "pk")}, default="",
        per_page=50,
    )  # fmt: skip
    came = bookings(event).filter(status=Redemption.Status.USED).count()
    context = {
        "program": event.reward.program,
        "event": event,
        "reward": event.reward,
        "title": event.reward.name,
        "breadcrumbs": _crumbs(event.reward.program),
        "price": format_units(event.reward.price, event.reward.wallet_type)
        if event.reward.price
        else _("free"),
        "sentences": list(conditions_of(event.reward, for_members=False)),
        "page": page,
        "waits": list(open_waits(event)),
        "came": came,
        "over": now >= event.ends_at,
        "may_edit": is_allowed(request.user, "programs.edit"),
        "may_act": is_allowed(request.user, "rewards.give"),
    }
    return render(request, "rewards/events/event_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def event_create(request: HttpRequest, code: str) -> HttpResponse:
    """A new event; it is a draft until it is put live."""
    program = get_object_or_404(Program, code=code)
    form = EventForm(posted(request), program=program, event=None, now=timezone.now())
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            taken = set(program.rewards.values_list("code", flat=True))
            definition = definition.model_copy(
                update={"code": first_free(definition.code[:56], taken)}
            )
            event = create_event(program=program, definition=definition, actor=acting(request))
            messages.success(request, _("The event is a draft. Look at it, then put it live."))
            return redirect(event_url(event))
    context = {"title": _("New event"), "submit": _("Save as draft"), "back": _list_url(program)}
    return _form_page(request, program, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def event_edit(request: HttpRequest, code: str, event_code: str) -> HttpResponse:
    """Another time, another place, more seats; whoever booked keeps theirs."""
    event = _event(code, event_code)
    program, now = event.reward.program, timezone.now()
    form = EventForm(posted(request), program=program, event=event, now=now)
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            change_event(event=event, definition=definition, actor=acting(request), now=now)
            messages.success(request, _("The event was changed."))
            return redirect(event_url(event))
    context = {
        "title": _("Change %s") % event.reward.name, "submit": _("Save"), "event": event,
        "back": event_url(event),
    }  # fmt: skip
    return _form_page(request, program, form, context)


@require_POST
@staff_view("programs.edit")
def event_state(request: HttpRequest, code: str, event_code: str) -> HttpResponse:
    """Show it to members, or hide it again."""
    event = _event(code, event_code)
    wanted = request.POST.get("status", "")
    words = {"live": _("Members can book now."), "draft": _("It is a draft again.")}
    if wanted in words:
        try:
            set_event_state(event=event, status=wanted, actor=acting(request), now=timezone.now())
            messages.success(request, words[wanted])
        except DomainError as error:
            messages.error(request, str(error.message))
    return HttpResponseRedirect(event_url(event))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def event_cancel(request: HttpRequest, code: str, event_code: str) -> HttpResponse:
    """Call it off; what follows is said first."""
    event = _event(code, event_code)
    form = WhyForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            called = cancel_event(
                event=event, reason=form.cleaned_data["reason"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return dialog_done(
                request, url=reverse("backoffice:job", args=[called.job.public_id]),
                changed="event",
                message=_("It is called off. Everybody's units are on their way back."),
            )  # fmt: skip
    booked = bookings(event).filter(status__in=["reserved", "issued"]).count()
    context = {
        "title": _("Call %s off?") % event.reward.name,
        "effect": ngettext(
            "%s booking is canceled, and its units come back.",
            "%s bookings are canceled, and their units come back.",
            booked,
        )
        % format_number(booked),
        "form": form,
        "submit": _("Call it off"),
        "back": event_url(event),
    }
    status = 422 if form.errors else 200
    return render(request, "rewards/fulfillment/act.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def event_check_in(request: HttpRequest, code: str, event_code: str) -> HttpResponse:
    """The door: a code, and at once whether it opens."""
    event = _event(code, event_code)
    form = CodeForm(posted(request))
    guest = None
    if form.is_valid():
        with errors_on(form):
            guest = check_in(
                event=event, written=form.cleaned_data["code"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
    refused = [str(words) for words in form.non_field_errors()]
    came = bookings(event).filter(status=Redemption.Status.USED).count()
    context = {
        "title": _("Check-in"),
        "program": event.reward.program,
        "event": event,
        "guest": guest,
        "refused": refused,
        "form": CodeForm() if guest else form,
        "came": came,
        "expected": event.reward.taken,
        "breadcrumbs": _crumbs(event.reward.program, event),
    }
    status = 422 if form.errors else 200
    return render(request, "rewards/events/check_in.html", context, status=status)


@require_POST
@staff_view("rewards.give")
def event_no_show(request: HttpRequest, code: str, event_code: str) -> HttpResponse:
    """Write down who did not come."""
    event = _event(code, event_code)
    try:
        missed = note_no_show(event=event, actor=acting(request), now=timezone.now())
        words = ngettext("%s did not come.", "%s did not come.", missed) % format_number(missed)
        messages.success(request, words)
    except DomainError as error:
        messages.error(request, str(error.message))
    return HttpResponseRedirect(event_url(event))


def _event(code: str, event_code: str) -> Event:
    return get_object_or_404(events(), reward__program__code=code, reward__code=event_code)


def _form_page(
    request: HttpRequest, program: Program, form: EventForm, context: dict[str, Any]
) -> HttpResponse:
    shown = {
        "program": program, "form": form, "breadcrumbs": _crumbs(program, context.get("event")),
        **context,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/events/event_form.html", shown, status=status)
