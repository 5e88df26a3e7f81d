"""/me/memberships/{id}/events and /library: seats, waiting lists, and what there is to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership, Transfer
from members.api.bodies import Answer, answer
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError
from rewards.api.v1.content import ContentLinkOut, ContentList, content_out
from rewards.api.v1.events import EventOut, WaitOut, event_out, wait_out
from rewards.api.v1.own_vouchers import OwnRedemptionOut, own_redemption_out
from rewards.errors import ContentRefusedError
from rewards.models import Event, EventWait
from rewards.selectors.content import library
from rewards.selectors.events import bookings_of, coming, events, places_in_line, waits_of
from rewards.services.content import LINK_FOR, entries_for, signed_token
from rewards.services.events import accept_seat, join_waiting_list, leave_waiting_list
from rewards.services.redemptions import cancel_redemption

SOURCE = Transfer.Source.ACCOUNT.value


class OwnEventOut(Answer):
    """An event as one member finds it. It is booked by taking its reward."""

    event: EventOut = Field(description="Its link is told to who has booked.")
    seats: list[OwnRedemptionOut] = Field(description="What the member has booked, with codes.")
    wait: WaitOut | None = Field(description="The member's place in the waiting list.")


class OwnEventList(Answer):
    results: list[OwnEventOut]


class OwnEvents(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnEvents", responses={200: OwnEventList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what is coming, soonest first."""
        member = own_membership(self, membership_id)
        found = list(coming(member.program, timezone.now()))
        return answer(OwnEventList(results=_listed(found, member)))


class OwnEvent(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnEvent", responses={200: OwnEventOut})
    def get(self, request: Request, membership_id: UUID, event_id: UUID) -> HttpResponse:
        """Read an event."""
        member = own_membership(self, membership_id)
        return answer(_out(_event(member, event_id), member))


class OwnEventWait(MemberView):
    scopes = {"POST": MEMBER, "DELETE": MEMBER}

    @extend_schema(operation_id="waitForOwnSeat", request=None, responses={200: OwnEventOut})
    @idempotent()
    def post(self, request: Request, membership_id: UUID, event_id: UUID) -> HttpResponse:
        """Wait for a seat; who waits already keeps their place. Where seats are left, or one is
        booked, that is refused with 409."""
        member = own_membership(self, membership_id)
        found = _event(member, event_id)
        join_waiting_list(event=found, membership=member, actor=self.actor, now=timezone.now())
        return answer(_out(found, member))

    @extend_schema(operation_id="leaveOwnWaitingList", responses={200: OwnEventOut})
    def delete(self, request: Request, membership_id: UUID, event_id: UUID) -> HttpResponse:
        """Wait no longer, or say no to a seat that is offered. Again changes nothing."""
        member = own_membership(self, membership_id)
        found = _event(member, event_id)
        wait = _wait(found, member)
        if wait is not None:
            leave_waiting_list(wait=wait, actor=self.actor, now=timezone.now())
        return answer(_out(found, member))


class OwnEventAccepting(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="acceptOwnSeat", request=None, responses={200: OwnEventOut})
    @idempotent()
    def post(self, request: Request, membership_id: UUID, event_id: UUID) -> HttpResponse:
        """Take the seat that is offered; its units are spent now. 404 where the member does not
        wait."""
        member = own_membership(self, membership_id)
        found = _event(member, event_id)
        wait = _wait(found, member)
        if wait is None:
            raise NotFoundError("This member does not wait for it.")
        accept_seat(wait=wait, source=SOURCE, actor=self.actor, now=timezone.now())
        return answer(_out(_event(member, event_id), member))


class OwnEventGivingUp(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="giveUpOwnSeat", request=None, responses={200: OwnEventOut})
    @idempotent()
    def post(self, request: Request, membership_id: UUID, event_id: UUID) -> HttpResponse:
        """Give the seat up until it begins: what was spent comes back, and the seat goes to who is
        next. Again changes nothing."""
        member, now = own_membership(self, membership_id), timezone.now()
        found = _event(member, event_id)
        open_seats = bookings_of([member], found).filter(status__in=["reserved", "issued"])
        for booking in open_seats if now < found.starts_at else ():
            cancel_redemption(
                redemption=booking, reason=_("Given up by the member"), source=SOURCE,
                actor=self.actor, now=now,
            )  # fmt: skip
        return answer(_out(_event(member, event_id), member))


class OwnLibrary(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnLibrary", responses={200: ContentList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what the member may read, hear or watch, and what they could."""
        member = own_membership(self, membership_id)
        found = entries_for(list(library(member.program)), member, timezone.now())
        return answer(ContentList(results=[content_out(entry) for entry in found]))


class OwnLibraryLink(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="linkOwnContent", request=None, responses={200: ContentLinkOut})
    def post(self, request: Request, membership_id: UUID, content_id: UUID) -> HttpResponse:
        """Get a link to something of the library, good for a quarter of an hour. What the member
        may not have is refused with 409. Nothing is written; it is counted when it is used."""
        member, now = own_membership(self, membership_id), timezone.now()
        item = library(member.program).filter(public_id=content_id).first()
        if item is None:
            raise NotFoundError("There is no such content.")
        [entry] = entries_for([item], member, now)
        if not entry.allowed:
            raise ContentRefusedError(entry.refusal or _("It has to be taken first."))
        path = reverse("rewards_account:content_link", args=[signed_token(item, member)])
        return answer(ContentLinkOut(url=settings.SITE_URL + path, expires_at=now + LINK_FOR))


def _out(found: Event, member: Membership) -> OwnEventOut:
    [shown] = _listed([found], member)
    return shown


def _listed(found: Sequence[Event], member: Membership) -> list[OwnEventOut]:
    """As many queries for many events as for one."""
    now = timezone.now()
    seats: dict[int, list[OwnRedemptionOut]] = defaultdict(list)
    for item in bookings_of([member], *found):
        seats[item.reward_id].append(own_redemption_out(item, now))
    waits = {item.event_id: item for item in waits_of([member]).filter(event__in=found)}
    places = places_in_line(waits.values())
    return [
        OwnEventOut(
            event=event_out(item, hidden=item.reward_id not in seats),
            seats=seats.get(item.reward_id, []),
            wait=wait_out(waits[item.pk], places) if item.pk in waits else None,
        )
        for item in found
    ]


def _event(member: Membership, event_id: UUID) -> Event:
    """One that the member may see: live, or booked."""
    found = events().filter(public_id=event_id, reward__program=member.program_id).first()
    if found is None or not (found.reward.status == "live" or bookings_of([member], found)):
        raise NotFoundError("There is no such event.")
    return found


def _wait(found: Event, member: Membership) -> EventWait | None:
    return waits_of([member]).filter(event=found).first()
