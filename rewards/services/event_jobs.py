"""What time does to waiting lists, and calling an event off for everybody who booked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import Step, queue_job, run_in_chunks
from members.services.jobs import start_or_resume_job
from members.services.transactions import run_atomically
from rewards.errors import EventStateError
from rewards.models import Event, EventWait, Redemption
from rewards.selectors.events import events, waits
from rewards.selectors.rewards import definition_of
from rewards.services.event_waits import close_list, close_offer, locked_reward, offer_seats
from rewards.services.redemption_locks import lock_taken
from rewards.services.redemptions import cancel_redemption
from rewards.services.rewards import change_reward, lock_catalog

OFFERS, CALLED_OFF = "seat_offers", "events_called_off"
PIECE = 50
Wait = EventWait.Status
# Who was let in already, too: there is nothing to be in at.
TO_GIVE_BACK = (Redemption.Status.RESERVED, Redemption.Status.ISSUED, Redemption.Status.USED)


# --- Seats that nobody answered about ---------------------------------------------------------


def find_lapsed_offers(now: dt.datetime) -> Work | None:
    """An offer that is over by now, if there is one."""
    if not _lapsed(now).exists():
        return None
    return Work(_("Seats that were offered"), params={"now": now.isoformat()})


def run_lapsed_offers(job_id: int) -> Job | None:
    """Offer them to the next; None when another run has it."""
    return run_in_chunks(job_id, _pass_some_on)


def pass_on_seats(now: dt.datetime, *, most: int = PIECE) -> int:
    """Seats whose time to answer is over go to the next. Returns how many."""

    def lapse(wait: EventWait) -> int:
        locked_reward(wait.event.reward_id)
        found = waits().select_for_update(of=("self",)).get(pk=wait.pk)
        if found.status != Wait.OFFERED or found.offered_until is None:
            return 0
        if found.offered_until > now:
            return 0
        close_offer(found, Wait.LAPSED, now)
        offer_seats(found.event, now)
        return 1

    return sum(run_atomically(partial(lapse, wait)) for wait in _lapsed(now)[:most])


def lapsed_words(job: Job) -> str:
    count = job.result.get("count", 0)
    return ngettext("%s seat went on.", "%s seats went on.", count) % format_number(count)


def _pass_some_on(job: Job) -> Step | None:
    some = pass_on_seats(dt.datetime.fromisoformat(job.params["now"]))
    return _step(job, some)


def _lapsed(now: dt.datetime) -> QuerySet[EventWait]:
    return waits().filter(status=Wait.OFFERED, offered_until__lte=now).order_by("pk")


# --- Called off ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CalledOff:
    event: Event
    job: Job


@transaction.atomic
def cancel_event(*, event: Event, reason: str, actor: Actor, now: dt.datetime) -> CalledOff:
    """Call it off: nobody can book or wait any more, and a job gives everybody's units back. Doing
    it again goes on with what is left. Raises EventStateError once it is over."""
    lock_catalog(event.reward.program)
    locked_reward(event.reward_id)
    found = events().select_for_update(of=("self",)).get(pk=event.pk)
    if found.status == Event.Status.PLANNED:
        if now >= found.ends_at:
            raise EventStateError(_("It is over."))
        found.status, found.canceled_at, found.cancel_reason = "canceled", now, reason
        found.save(update_fields=["status", "canceled_at", "cancel_reason"])
        close_list(found, now)
        said = definition_of(found.reward).model_copy(update={"status": "archived"})
        change_reward(reward=found.reward, definition=said, actor=actor)
        record_audit(
            actor=actor, action="event.canceled", target=found.reward, after={}, reason=reason
        )
    job = start_or_resume_job(
        kind=CALLED_OFF, label=_("%s is called off") % found.reward.name,
        fingerprint=str(found.public_id), params={"event": found.pk, "now": now.isoformat()},
        actor=actor,
    )  # fmt: skip
    transaction.on_commit(lambda: queue_job(job))
    return CalledOff(found, job)


def run_called_off(job_id: int) -> Job | None:
    """Give units back; None when another run has it."""
    return run_in_chunks(job_id, _give_some_back)


def called_off_words(job: Job) -> str:
    count = job.result.get("count", 0)
    return ngettext(
        "%s booking was given back.", "%s bookings were given back.", count
    ) % format_number(count)


def _give_some_back(job: Job) -> Step | None:
    event = events().get(pk=job.params["event"])
    now = dt.datetime.fromisoformat(job.params["now"])
    booked = Redemption.objects.filter(reward=event.reward_id, status__in=TO_GIVE_BACK)
    some = list(booked.select_related("spent").order_by("pk")[:PIECE])
    lock_taken(some)
    for redemption in some:
        cancel_redemption(
            redemption=redemption, reason=event.cancel_reason, source="job", actor=SYSTEM,
            now=now, used=True,
        )  # fmt: skip
    return _step(job, len(some))


def _step(job: Job, some: int) -> Step | None:
    if not some:
        return None
    count = job.result.get("count", 0) + some
    return Step(checkpoint={}, done=count, total=count, result={"count": count})
