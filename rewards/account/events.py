"""Events on the member's own page: booked, waited for, answered, given up."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.card_numbers import qr_code
from loyalty.models import Membership, Transfer
from loyalty.selectors.memberships import list_memberships
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.languages import locale_of
from members.services.audit import Actor
from rewards.account.shelf import item_of, spendable_of
from rewards.calendar_files import calendar_file
from rewards.models import Event, EventWait, Redemption
from rewards.selectors.events import (
    bookings_of,
    coming,
    events,
    places_in_line,
    waits_of,
)
from rewards.services.eligibility import offers_for
from rewards.services.events import accept_seat, join_waiting_list, leave_waiting_list
from rewards.services.redemptions import cancel_redemption
from rewards.words import conditions_of

SOURCE = Transfer.Source.ACCOUNT.value


@require_safe
@customer_view
def event_list(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What is coming, soonest first."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    found = list(coming(member.program, now))
    booked = set(
        Redemption.objects.filter(
            Redemption.HAD, membership=member, reward__in=[item.reward_id for item in found]
        ).values_list("reward", flat=True)
    )
    waiting = {wait.event_id: wait for wait in waits_of([member])}
    context = {
        "title": _("Events"),
        "tabs": chosen.tabs("rewards_account:events_of"),
        "rows": [(item, item.reward_id in booked, waiting.get(item.pk)) for item in found],
        "breadcrumbs": [
            (_("Rewards"), reverse("rewards_account:shelf_of", args=[member.public_id]))
        ],
    }
    return render_page(request, "rewards/events/account_list.html", chosen, context)


@require_safe
@customer_view
def event(request: CustomerRequest, event_id: uuid.UUID) -> HttpResponse:
    """One event: booked with a tap, or what stands in the way; who has booked finds their code."""
    found, chosen = _found(request, event_id)
    return _page(request, found, chosen)


@require_safe
@customer_view
def event_calendar(request: CustomerRequest, event_id: uuid.UUID) -> HttpResponse:
    """The event for the member's calendar; only who has booked is told a link."""
    found, chosen = _found(request, event_id)
    if not bookings_of([chosen.membership], found).exists():
        found.link = ""
        found.place = found.place or _("On the net")
    text = calendar_file(found, host=request.get_host(), now=timezone.now())
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.reward.code}.ics"'
    return response


@require_POST
@customer_view
def event_act(request: CustomerRequest, event_id: uuid.UUID) -> HttpResponse:
    """Wait, say yes or no to a seat, or give it up; each twice is as once."""
    found, chosen = _found(request, event_id)
    acts: dict[str, Callable[[Event, Membership, Actor], str]] = {
        "wait": _wait, "leave": _leave, "accept": _accept, "give_up": _give_up,
    }  # fmt: skip
    act = acts.get(request.POST.get("action", ""))
    if act is None:
        raise Http404("There is no such action.")
    try:
        messages.success(request, act(found, chosen.membership, Actor.of_user(request.user)))
    except DomainError as error:
        return _page(request, found, chosen, problem=str(error.message), status=409)
    return HttpResponseRedirect(reverse("rewards_account:event", args=[found.public_id]))


def _wait(found: Event, member: Membership, actor: Actor) -> str:
    join_waiting_list(event=found, membership=member, actor=actor, now=timezone.now())
    return _("You are in the waiting list.")


def _leave(found: Event, member: Membership, actor: Actor) -> str:
    wait = _own_wait(found, member)
    if wait is not None:
        leave_waiting_list(wait=wait, actor=actor, now=timezone.now())
    return _("You do not wait any more.")


def _accept(found: Event, member: Membership, actor: Actor) -> str:
    wait = _own_wait(found, member)
    if wait is not None:
        accept_seat(wait=wait, source=SOURCE, actor=actor, now=timezone.now())
    return _("The seat is yours.")


def _give_up(found: Event, member: Membership, actor: Actor) -> str:
    now = timezone.now()
    if now >= found.starts_at:
        return _("It has begun; a seat cannot be given up any more.")
    for booking in bookings_of([member], found).filter(status__in=["reserved", "issued"]):
        cancel_redemption(
            redemption=booking, reason=_("Given up by the member"), source=SOURCE, actor=actor,
            now=now,
        )  # fmt: skip
    return _("Your seat is free for somebody else, and what you gave for it is back.")


def _page(
    request: CustomerRequest, found: Event, chosen: Chosen, problem: str = "", status: int = 200
) -> HttpResponse:
    member, now = chosen.membership, timezone.now()
    [offer] = offers_for([found.reward], member, now)
    item = item_of(offer, spendable_of(member, now), member, locale_of(request.customer))
    own = list(bookings_of([member], found).exclude(status="cancelled"))
    wait = _own_wait(found, member)
    sold_out = any(refusal.code == "sold_out" for refusal in offer.refusals)
    others = [refusal for refusal in offer.refusals if refusal.code != "sold_out"]
    context = {
        "title": found.reward.name,
        "event": found,
        "item": item,
        "own": [(booking, _code_of(booking)) for booking in own],
        "wait": wait,
        "place": places_in_line([wait]).get(wait.pk) if wait else None,
        "can_wait": sold_out and not others and not own and wait is None,
        "can_give_up": now < found.starts_at and any(item.status == "issued" for item in own),
        "over": now >= found.ends_at,
        "left": found.reward.left,
        "sentences": list(conditions_of(found.reward, for_members=True)),
        "problem": problem,
        "key": uuid.uuid4(),
        "breadcrumbs": [
            (_("Events"), reverse("rewards_account:events_of", args=[member.public_id]))
        ],
    }
    return render_page(request, "rewards/events/account_event.html", chosen, context, status=status)


def _code_of(booking: Redemption) -> str:
    """Its code as a picture, while it opens the door."""
    usable = booking.status == Redemption.Status.ISSUED and booking.voucher is not None
    return qr_code(booking.voucher.written) if usable and booking.voucher else ""


def _own_wait(found: Event, member: Membership) -> EventWait | None:
    return waits_of([member]).filter(event=found).first()


def _found(request: CustomerRequest, event_id: uuid.UUID) -> tuple[Event, Chosen]:
    """The event, in the program of which the customer is a member: live, or one they booked."""
    members = list_memberships(request.customer)
    found = events().filter(public_id=event_id).first()
    owner = next(
        (item for item in members if found and item.program_id == found.reward.program_id), None
    )
    if found is None or owner is None:
        raise Http404("This customer's programs have no such event.")
    shown = found.reward.status == "live" or bookings_of([owner], found).exists()
    if not shown:
        raise Http404("This customer's programs have no such event.")
    return found, Chosen(owner, members)
