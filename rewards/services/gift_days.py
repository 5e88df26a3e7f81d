"""Rewards given on birthdays and anniversaries: looked for every hour, given once.

As with units (`loyalty.services.occasions`) every member is looked at once for each such day, and
what became of it is kept. Where none is left of a reward, the days wait for more of it, up to
`MISSED` days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, Program, Tier
from loyalty.rules.anniversaries import MISSED, DueDay, due_days
from loyalty.selectors.member_tiers import member_standings
from loyalty.selectors.memberships import memberships
from loyalty.selectors.occasions import Celebrated, Kept, members_due
from loyalty.services.occasions import PIECE
from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from rewards.errors import RewardRefusedError
from rewards.models import GiftDay, GiftOccasion, Redemption, Reward
from rewards.services.gifts import JOB, give_reward, lock_all

KIND = "gift_days"
KEPT = Kept(GiftOccasion._meta.db_table, "gift_day_id")


@transaction.atomic
def start_gift_day(
    *, reward: Reward, day: str, days_before: int, tiers: Sequence[str], message: str,
    actor: Actor, now: dt.datetime,
) -> GiftDay:  # fmt: skip
    """Give the reward every year on such a day from now on; one that was stopped goes on. Raises
    DomainError where it is given on such a day already, or the program has no such tier."""
    if reward.is_donation:
        message = _("A donation is what a member gives. It cannot be given to them.")
        raise DomainError(message, errors=[FieldError("day", message)])
    Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
    found = reward.gift_days.filter(day=day).first() or GiftDay(reward=reward, day=day)
    if found.pk and found.stopped_at is None:
        message = _("It is given on this day already. Stop that first.")
        raise DomainError(message, errors=[FieldError("day", message, "taken")])
    known = set(
        Tier.objects.filter(tier_set__program=reward.program_id).values_list("code", flat=True)
    )
    if unknown := sorted(set(tiers) - known):
        message = _("The program has no tier “%s”.") % unknown[0]
        raise DomainError(message, errors=[FieldError("tiers", message)])
    found.days_before, found.tiers, found.message = days_before, list(tiers), message.strip()
    found.since, found.stopped_at = now, None
    found.save()
    record_audit(
        actor=actor, action="gift_day.started", target=reward,
        after={"day": day, "days_before": days_before, "tiers": list(tiers), "message": message},
    )  # fmt: skip
    return found


@transaction.atomic
def stop_gift_day(*, gift_day: GiftDay, actor: Actor, now: dt.datetime) -> None:
    """Do not give it any more. Doing it again changes nothing."""
    found = GiftDay.objects.select_for_update(of=("self",)).get(pk=gift_day.pk)
    if found.stopped_at is None:
        found.stopped_at = now
        found.save(update_fields=["stopped_at"])
        record_audit(
            actor=actor, action="gift_day.stopped", target=gift_day.reward,
            after={"day": found.day},
        )  # fmt: skip


def find_gift_days(now: dt.datetime) -> Work | None:
    """The first piece of memberships in which somebody is due; nothing, in most hours."""
    last, days = _last_membership(), list(_running(now))
    for after in range(0, last if days else 0, PIECE):
        if any(_due(gift_day, found, after) for gift_day, found in days):
            params = {"now": now.isoformat(), "after": after}
            return Work(_("Rewards for birthdays and anniversaries"), params=params, total=last)
    return None


def run_gift_days(job_id: int) -> Job | None:
    """Give what is due; None when another run has it."""
    return run_in_chunks(job_id, _give_piece)


def give_gift_days(now: dt.datetime) -> int:
    """Give everybody what is due. Returns to how many something was given."""
    return sum(_give(now, after) for after in range(0, _last_membership(), PIECE))


def gift_day_words(job: Job) -> str:
    given = job.result.get("given", 0)
    words = ngettext("%s member was given a reward.", "%s members were given a reward.", given)
    return words % format_number(given)


def _give_piece(job: Job) -> Step | None:
    after = job.checkpoint.get("after", job.params.get("after", 0))
    last = _last_membership()
    if after >= last:
        return None
    given = _give(dt.datetime.fromisoformat(job.params["now"]), after)
    return Step(
        checkpoint={"after": after + PIECE}, done=min(after + PIECE, last), total=last,
        result={"given": job.result.get("given", 0) + given},
    )  # fmt: skip


def _last_membership() -> int:
    return int(Membership.objects.aggregate(last=Max("pk", default=0))["last"])


def _running(now: dt.datetime) -> Iterator[tuple[GiftDay, list[DueDay]]]:
    """Those that give, with the days that are due: none from before they began."""
    found = GiftDay.objects.select_related("reward__program").filter(
        stopped_at=None, since__lte=now, reward__status=Reward.Status.LIVE,
        reward__program__status=Program.Status.LIVE,
    )  # fmt: skip
    for gift_day in found:
        zone = gift_day.reward.program.zone
        today = now.astimezone(zone).date()
        first = max(today - dt.timedelta(days=MISSED), gift_day.since.astimezone(zone).date())
        if gift_day.reward.left != 0:
            yield gift_day, list(due_days(first, today, gift_day.days_before))


def _due(gift_day: GiftDay, days: Sequence[DueDay], after: int) -> list[Celebrated]:
    program = gift_day.reward.program
    return members_due(
        gift_day.day, days, program_id=program.pk, rule_id=gift_day.pk, zone=program.zone,
        after=after, until=after + PIECE, kept=KEPT,
    )  # fmt: skip


def _give(now: dt.datetime, after: int) -> int:
    given = 0
    found = [(gift_day, _due(gift_day, days, after)) for gift_day, days in _running(now)]
    people = {item.membership_id for _day, items in found for item in items}
    lock_all(Membership.objects.filter(pk__in=people))
    for gift_day, items in found:
        due = {item.membership_id: item for item in reversed(items)}
        members = memberships().filter(pk__in=due)
        for member in _for_tiers(gift_day, members, now):
            if not _give_one(gift_day, member, due.pop(member.pk), now):
                break
            given += 1
        else:
            # Those that are left have another tier.
            _keep(gift_day, due.values(), now)
    return given


def _for_tiers(
    gift_day: GiftDay, members: Iterable[Membership], now: dt.datetime
) -> Iterator[Membership]:
    standings = member_standings(list(members), now) if gift_day.tiers else {}
    for member in members:
        standing = standings.get(member.pk)
        if not gift_day.tiers or (standing and standing.tier.code in gift_day.tiers):
            yield member


def _give_one(gift_day: GiftDay, member: Membership, found: Celebrated, now: dt.datetime) -> bool:
    """Whether there was one to give."""
    try:
        with transaction.atomic():
            given, _replayed = give_reward(
                membership=member, reward=gift_day.reward, gift=gift_day.day,
                message=gift_day.message, source=JOB, actor=SYSTEM, now=now,
                key=f"gift_day:{gift_day.pk}:{member.pk}:{found.day.isoformat()}",
            )  # fmt: skip
            _keep(gift_day, [found], now, given)
    except RewardRefusedError:
        return False
    return True


def _keep(
    gift_day: GiftDay, found: Iterable[Celebrated], now: dt.datetime,
    given: Redemption | None = None,
) -> None:  # fmt: skip
    GiftOccasion.objects.bulk_create(
        GiftOccasion(
            gift_day=gift_day, membership_id=item.membership_id, day=item.day, redemption=given,
            recorded_at=now,
        )
        for item in found
    )  # fmt: skip
