"""Events: made and changed together with their seats; waited for, let in, called off."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Program, Wallet
from loyalty.selectors.selves import selves
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_moment
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.definitions import RewardDefinition
from rewards.errors import EventStateError
from rewards.event_definitions import OF_REWARD, OF_SEAT, OWN, EventDefinition
from rewards.models import Event, EventWait, Redemption, Reward
from rewards.part_definitions import SeatEvent
from rewards.selectors.events import bookings, events, waits
from rewards.selectors.rewards import definition_of
from rewards.services.event_waits import close_offer, locked_reward, offer_seats
from rewards.services.issuing import close_voucher, voucher_of
from rewards.services.redemption_locks import lock_wallets_of
from rewards.services.redemptions import take_reward, use_redemption
from rewards.services.rewards import change_reward, create_reward, lock_catalog
from rewards.services.vouchers import find_voucher

Wait = EventWait.Status


@transaction.atomic
def create_event(
    *, program: Program, definition: EventDefinition, actor: Actor, live: bool = False
) -> Event:
    """A further event; a draft until it is put live. Raises ConflictError where its code is
    taken."""
    reward = create_reward(
        program=program, definition=definition.reward("live" if live else "draft"), actor=actor
    )
    write_event(reward, definition, actor)
    return events().get(reward=reward)


@transaction.atomic
def change_event(
    *, event: Event, definition: EventDefinition, actor: Actor, now: dt.datetime
) -> Event:
    """Bring an event to what the definition says. Whoever booked keeps their seat; further seats go
    to those who wait. Raises DomainError where fewer seats would be there than are taken."""
    found = _locked(event, with_catalog=True)
    if found.status == Event.Status.CANCELED:
        raise EventStateError(_("It was called off."))
    if definition.seats < found.reward.taken + found.reward.kept:
        message = _("%s of them are taken already.") % (found.reward.taken + found.reward.kept)
        raise DomainError(message, errors=[FieldError("seats", message)])
    change_reward(reward=found.reward, definition=_with_rest(definition, found.reward), actor=actor)
    write_event(found.reward, definition, actor)
    found = events().get(pk=found.pk)
    offer_seats(found, now)
    return found


def write_event(reward: Reward, said: EventDefinition | SeatEvent, actor: Actor) -> bool:
    """Bring the event that a reward is a seat of to what is said, or make it; whether anything
    changed. The caller holds the catalog. Raises EventStateError where it was called off."""
    wanted = {name: getattr(said, name) for name in OWN}
    event = Event.objects.filter(reward=reward).first()
    if event is None:
        Event.objects.create(reward=reward, **wanted)
        return True
    before = {name: getattr(event, name) for name in OWN}
    if before == wanted:
        return False
    if event.status == Event.Status.CANCELED:
        message = _("It was called off.")
        raise EventStateError(message, errors=[FieldError("event", message)])
    Event.objects.filter(pk=event.pk).update(**wanted)
    changed = [name for name in OWN if wanted[name] != before[name]]
    record_audit(
        actor=actor, action="event.changed", target=reward,
        before={name: str(before[name]) for name in changed},
        after={name: str(wanted[name]) for name in changed},
    )  # fmt: skip
    return True


@transaction.atomic
def set_event_state(*, event: Event, status: str, actor: Actor, now: dt.datetime) -> Event:
    """Show it to members, or hide it again."""
    found = _locked(event, with_catalog=True)
    if found.status == Event.Status.CANCELED:
        raise EventStateError(_("It was called off."))
    said = definition_of(found.reward).model_copy(update={"status": status})
    change_reward(reward=found.reward, definition=said, actor=actor)
    offer_seats(found, now)
    return found


def join_waiting_list(
    *, event: Event, membership: Membership, actor: Actor, now: dt.datetime
) -> EventWait:
    """Wait for a seat. Doing it again changes nothing. Raises ConflictError where there are seats,
    or the member has one."""

    def join() -> EventWait:
        found = _locked(event)
        owner = membership.merged_into or membership
        known = waits().filter(
            event=found, membership__in=selves([owner]), status__in=EventWait.OPEN
        ).first()  # fmt: skip
        if known is not None:
            return known
        _refuse_list(found, owner, now)
        wait = EventWait.objects.create(event=found, membership=owner, created_at=now)
        _audit("event.waited", wait, actor)
        return wait

    return run_atomically(join)


def leave_waiting_list(*, wait: EventWait, actor: Actor, now: dt.datetime) -> EventWait:
    """Wait no longer, or say no to the seat, which goes to the next. Doing it again changes
    nothing."""

    def leave() -> EventWait:
        found = _locked_wait(wait)
        if found.status not in EventWait.OPEN:
            return found
        close_offer(found, Wait.LEFT, now)
        offer_seats(found.event, now)
        _audit("event.left", found, actor)
        return found

    return run_atomically(leave)


def accept_seat(*, wait: EventWait, source: str, actor: Actor, now: dt.datetime) -> Redemption:
    """Take the seat that is offered; its units are spent now. Doing it again answers with the same
    booking. Raises EventStateError where it is not kept any more, and what taking a reward
    raises."""

    def accept() -> Redemption:
        _lock_wallets_of(wait.membership)
        found = _locked_wait(wait)
        if found.redemption is not None:
            return found.redemption
        if found.status != Wait.OFFERED or found.offered_until is None:
            raise EventStateError(_("No seat is offered."))
        if found.offered_until <= now:
            raise EventStateError(_("The seat was kept until then; it went to the next."))
        member = found.membership.merged_into or found.membership
        # Free for a moment, under the lock, to be taken like any other.
        Reward.objects.filter(pk=found.event.reward_id).update(kept=F("kept") - 1)
        taken, _replayed = take_reward(
            membership=member, reward=found.event.reward, key=f"wait:{found.public_id}",
            source=source, actor=actor, now=now,
        )  # fmt: skip
        found.status, found.closed_at, found.redemption = Wait.ACCEPTED, now, taken
        found.save(update_fields=["status", "closed_at", "redemption"])
        return taken

    return run_atomically(accept)


def check_in(*, event: Event, written: str, actor: Actor, now: dt.datetime) -> Redemption:
    """Let somebody in by their code, once. Raises NotFoundError where there is no such code,
    EventStateError where it is for something else, was used or called back."""
    taken = Redemption.objects.filter(voucher=find_voucher(written)).first()
    found = bookings(event).filter(pk=taken.pk).first() if taken else None
    if found is None:
        canceled = taken is not None and taken.reward_id == event.reward_id
        raise EventStateError(
            _("This seat was given up.") if canceled else _("This code is for something else.")
        )
    if found.status == Redemption.Status.USED:
        when = format_moment(found.closed_at or now, found.membership.program.zone)
        raise EventStateError(_("This code was used already: %s.") % when)

    def let_in() -> Redemption:
        # A second door may have been faster.
        lock_wallets_of([found])
        before = Redemption.objects.select_for_update().values_list("status", flat=True)
        if before.get(pk=found.pk) == Redemption.Status.USED:
            raise EventStateError(_("This code was used just now."))
        return use_redemption(redemption=found, actor=actor, now=now)

    return run_atomically(let_in)


def note_no_show(*, event: Event, actor: Actor, now: dt.datetime) -> int:
    """Write down who did not come, once it is over: their units stay spent. Returns how many."""
    if now < event.ends_at:
        raise EventStateError(_("It is not over yet."))

    def note() -> int:
        rows = Redemption.objects.select_related("voucher").select_for_update(of=("self",))
        missed = list(rows.filter(reward=event.reward_id, status=Redemption.Status.ISSUED))
        for item in missed:
            close_voucher(voucher_of(item), "expired", event.ends_at)
            item.status, item.closed_at = Redemption.Status.EXPIRED, event.ends_at
            item.save(update_fields=["status", "closed_at"])
        if missed:
            record_audit(
                actor=actor, action="event.missed", target=event.reward,
                after={"count": len(missed)},
            )  # fmt: skip
        return len(missed)

    return run_atomically(note)


def _with_rest(definition: EventDefinition, reward: Reward) -> RewardDefinition:
    """Of the seat what an event says; the rest stays as a file or another page has set it."""
    said = definition.reward(reward.status).model_dump(include={*OF_REWARD, *OF_SEAT})
    return RewardDefinition.model_validate(definition_of(reward).model_dump() | said)


def _refuse_list(event: Event, member: Membership, now: dt.datetime) -> None:
    reward = event.reward
    if event.status != Event.Status.PLANNED or reward.status != Reward.Status.LIVE:
        raise EventStateError(_("It does not take place."))
    if now >= event.starts_at:
        raise EventStateError(_("It has begun."))
    if member.program_id != reward.program_id or member.status != Membership.Status.ACTIVE:
        raise EventStateError(_("Only for active members of the program."))
    if reward.left:
        raise ConflictError(_("There are seats. Book one."))
    booked = Redemption.objects.filter(
        Redemption.HAD, reward=reward, membership__in=selves([member])
    ).count()
    if reward.per_member is not None and booked >= reward.per_member:
        raise EventStateError(_("You have booked already."))


def _lock_wallets_of(membership: Membership) -> None:
    """Whatever they may pay from, before the seats."""
    accounts = {membership.account_id}
    if membership.merged_into is not None:
        accounts.add(membership.merged_into.account_id)
    lock_wallets(list(Wallet.objects.filter(account__in=accounts).values_list("pk", flat=True)))


def _locked(event: Event, *, with_catalog: bool = False) -> Event:
    """The event with its seats as they are now, both locked; before them the catalog, where it
    changes."""
    if with_catalog:
        lock_catalog(event.reward.program)
    locked_reward(event.reward_id)
    return events().select_for_update(of=("self",)).get(pk=event.pk)


def _locked_wait(wait: EventWait) -> EventWait:
    locked_reward(wait.event.reward_id)
    rows = waits().select_related("membership__merged_into")
    return rows.select_for_update(of=("self",)).get(pk=wait.pk)


def _audit(action: str, wait: EventWait, actor: Actor) -> None:
    record_audit(
        actor=actor, action=action, target=wait.membership.customer, about=wait.membership,
        after={"event": wait.event.reward.name},
    )  # fmt: skip
