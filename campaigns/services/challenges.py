"""Challenges: written by people, begun and left by members. Their life is that of campaigns."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.campaign_rules import DONE
from campaigns.challenge_definitions import ChallengeDefinition, definition_of_challenge
from campaigns.models import Challenge, ChallengeEntry, ChallengeTeam
from campaigns.ready_activities import CHALLENGE_DONE
from campaigns.selectors.challenges import challenges, is_shut_to, running, span_for
from campaigns.services.campaigns import (
    change_campaign,
    create_campaign,
    locked,
)
from campaigns.services.challenge_progress import measure_entries
from campaigns.services.challenge_teams import team_for
from campaigns.services.leaderboards import keep_scores
from campaigns.services.told_challenges import follow_begun
from loyalty.models import ActivityType, Membership, Program
from members.errors import ConflictError, DomainError, FieldError
from members.models.changes import CHANGED
from members.services.audit import Actor
from members.services.outbox import record_event
from members.services.transactions import run_atomically
from rewards.models import Reward

State = ChallengeEntry.State


class ChallengeClosedError(ConflictError):
    code = "challenge_closed"


@transaction.atomic
def create_challenge(
    *, program: Program, definition: ChallengeDefinition, actor: Actor, now: dt.datetime,
    code: str = "",
) -> Challenge:  # fmt: skip
    """A draft. Its code is as wished, or one like it that is free."""
    reward = _reward(program, definition.reward)
    _make_sure_of_type()
    campaign = create_campaign(
        program=program, definition=definition.campaign(), actor=actor, now=now, code=code
    )
    return Challenge.objects.create(campaign=campaign, reward=reward, **definition.columns())


@transaction.atomic
def change_challenge(
    *, challenge: Challenge, definition: ChallengeDefinition, actor: Actor, now: dt.datetime
) -> Challenge:
    """Bring a draft to what is said; whoever was asked to publish it has to be asked again."""
    campaign = locked(challenge.campaign)
    found = challenges().get(pk=challenge.pk)
    if definition_of_challenge(found) == definition:
        return found
    reward = _reward(campaign.program, definition.reward)
    row = change_campaign(campaign=campaign, definition=definition.campaign(), actor=actor, now=now)
    # What the campaign says may be as before.
    row.author, row.asked_by, row.asked_at, row.sent_back = actor.user, None, None, ""
    row.save(update_fields=["author", "asked_by", "asked_at", "sent_back"])
    for name, value in {**definition.columns(), "reward": reward}.items():
        setattr(found, name, value)
    found.save()
    return challenges().get(pk=found.pk)


def copy_challenge(*, challenge: Challenge, actor: Actor, now: dt.datetime) -> Challenge:
    """A draft that says the same, for as long, from tomorrow on."""
    campaign = challenge.campaign
    times: dict[str, Any] = {"starts_at": None, "ends_at": None, "teased_at": None}
    if campaign.starts_at and campaign.ends_at:
        starts_at = now + dt.timedelta(days=1)
        times |= {
            "starts_at": starts_at,
            "ends_at": starts_at + (campaign.ends_at - campaign.starts_at),
        }
    definition = definition_of_challenge(challenge).model_copy(update=times)
    return create_challenge(
        program=campaign.program, definition=definition, actor=actor, now=now, code=campaign.code
    )


def join_challenge(
    *, challenge: Challenge, membership: Membership, now: dt.datetime, team_code: str = "",
    team_name: str = "",
) -> ChallengeEntry:  # fmt: skip
    """A member takes part from now on. Again changes nothing; who had left goes on from now. Of one
    that is done together: in the team with this code, or in a new one. Raises ChallengeClosedError
    where it is not open to them, DomainError naming the field about the team."""

    def join() -> ChallengeEntry:
        member = _held(membership)
        known = _of(challenge, member).exclude(state=State.LEFT).order_by("-starts_at").first()
        if known is not None:
            return known
        found = _open(challenge, now)
        if not found.opt_in:
            raise ChallengeClosedError(_("Everybody takes part in it; there is nothing to join."))
        if member.status != Membership.Status.ACTIVE or is_shut_to(found, member, now):
            raise ChallengeClosedError(_("This challenge is not for this member."))
        team = team_for(found, team_code, team_name, now) if found.team_size else None
        return begin_entry(found, member, now, now, team)

    return run_atomically(join)


def give_challenge(
    *, challenge: Challenge, membership: Membership, at: dt.datetime, now: dt.datetime
) -> tuple[ChallengeEntry, bool]:
    """A shop or a journey gives it to a member, whoever it is for; from `at` on. Returns it, and
    whether that had been done before: the same instant is the same one. Whoever is kept aside does
    not get it."""

    def give() -> tuple[ChallengeEntry, bool]:
        member = _held(membership)
        known = _of(challenge, member).filter(starts_at=at).first()
        if known is not None:
            return known, True
        found = _open(challenge, at)
        if found.team_size:
            raise ChallengeClosedError(_("A team is joined by whoever wants to be in it."))
        if at > now:
            message = _("It lies in the future.")
            raise DomainError(message, errors=[FieldError("at", message)])
        if member.status != Membership.Status.ACTIVE or is_shut_to(found, member, now):
            raise ChallengeClosedError(_("This challenge is not for this member."))
        entry = begin_entry(found, member, at, now)
        # What they have bought since then counts already.
        record_event(CHANGED, {"customers": [member.customer_id]})
        return entry, False

    return run_atomically(give)


def leave_challenge(*, entry: ChallengeEntry, now: dt.datetime) -> ChallengeEntry:
    """Of their own accord: what they did so far counts no more. Again changes nothing. Raises
    ConflictError once something was won, also where only a reward is left of it that was used, or
    where nobody had to join."""

    def leave() -> ChallengeEntry:
        row = ChallengeEntry.objects.select_related("challenge", "team").select_for_update(
            of=("self",)
        ).get(pk=entry.pk)  # fmt: skip
        if row.state == State.LEFT:
            return row
        kept = row.rounds or row.wins.filter(redemption__isnull=False).exists()
        if not row.challenge.opt_in or kept or row.state not in ChallengeEntry.GOING:
            raise ConflictError(_("It cannot be left any more."), code="challenge_state")
        row.state = State.LEFT
        row.save(update_fields=["state"])
        if row.team is not None:
            measure_entries(row.team.entries.values_list("pk", flat=True), now=now)
        keep_scores([row.membership_id])
        return row

    return run_atomically(leave)


def begin_entry(
    challenge: Challenge, member: Membership, begins: dt.datetime, now: dt.datetime,
    team: ChallengeTeam | None = None,
) -> ChallengeEntry:  # fmt: skip
    starts_at, ends_at = span_for(challenge, begins)
    entry = ChallengeEntry.objects.create(
        challenge=challenge, membership=member, starts_at=starts_at, ends_at=ends_at,
        created_at=now, team=team,
    )  # fmt: skip
    follow_begun([entry.pk], now)
    return entry


def _open(challenge: Challenge, at: dt.datetime) -> Challenge:
    """Not locked: everybody who joins would wait for each other."""
    found = running(at).filter(pk=challenge.pk).first()
    if found is None:
        raise ChallengeClosedError(_("This challenge is not on now."))
    return found


def _of(challenge: Challenge, member: Membership) -> QuerySet[ChallengeEntry]:
    return ChallengeEntry.objects.filter(challenge=challenge, membership=member)


def _held(membership: Membership) -> Membership:
    """So that two joins of one member take turns; whoever counts for them now."""
    rows = Membership.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("program", "customer").get(pk=membership.pk)
    return found if found.merged_into_id is None else rows.get(pk=found.merged_into_id)


def _reward(program: Program, code: str) -> Reward | None:
    if not code:
        return None
    found = Reward.objects.filter(program=program, code=code).first()
    if found is None or found.is_donation or found.status == Reward.Status.ARCHIVED:
        message = _("There is no such reward that could be given.")
        raise DomainError(message, errors=[FieldError("reward", message, "not_found")])
    return found


def _make_sure_of_type() -> None:
    """Having done a challenge is an activity, so that rules, budgets, history and what is taken
    back are those of activities."""
    ActivityType.objects.get_or_create(code=DONE, defaults=asdict(CHALLENGE_DONE))
