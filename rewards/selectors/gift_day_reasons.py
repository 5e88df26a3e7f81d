"""Why a reward was given to a member for their birthday or an anniversary, or was not, and when the
next one comes: one sentence of each reward, to be read out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program
from loyalty.occasion_verdicts import OccasionVerdict
from loyalty.rules.anniversaries import MISSED, DueDay
from loyalty.selectors.year_days import (
    OCCASIONS,
    YEAR,
    YearDay,
    YearFacts,
    absent,
    joined_later,
    not_active,
    said_of,
    still_coming,
    told_late,
)
from members.formatting import format_day, format_list
from members.models import Customer
from rewards.models import GiftDay, GiftOccasion, Redemption, Reward


@dataclass(frozen=True, slots=True)
class _Case:
    """One reward for one day of the year, before one member."""

    year: YearDay
    gift_day: GiftDay
    occasions: tuple[GiftOccasion, ...]

    @property
    def reward(self) -> Reward:
        return self.gift_day.reward

    @property
    def goes_on(self) -> bool:
        return self.gift_day.stopped_at is None and self.reward.status == Reward.Status.LIVE


def gift_day_verdicts(customer: Customer, now: dt.datetime) -> list[OccasionVerdict]:
    """Of every reward for a day of the year in the live programs of a customer; of those that are
    not given any more, in the year after. A constant number of queries."""
    return [
        OccasionVerdict(
            program=case.year.member.program.name, rule=case.reward.name,
            occasion=str(OCCASIONS[case.year.on]), given=given, said=said,
            coming=case.year.coming() if case.goes_on else "",
        )
        for case in _cases(customer, now)
        for given, said in [_said(case)]
    ]  # fmt: skip


def has_gift_days() -> bool:
    """Whether any live program gives a reward for a day of the year."""
    return GiftDay.objects.filter(
        stopped_at=None, reward__program__status=Program.Status.LIVE
    ).exists()


def _cases(customer: Customer, now: dt.datetime) -> list[_Case]:
    members = {
        member.program_id: member
        for member in Membership.objects.filter(
            customer=customer, program__status=Program.Status.LIVE
        ).select_related("program")
    }
    found = list(
        GiftDay.objects.filter(
            Q(stopped_at=None) | Q(stopped_at__gt=now - dt.timedelta(days=YEAR)),
            reward__program__in=members,
        ).select_related("reward")
    )
    if not found:
        return []
    facts = YearFacts.of(customer, list(members.values()))
    occasions = _occasions_of(list(members.values()))
    cases = []
    for gift_day in found:
        member = members[gift_day.reward.program_id]
        own = occasions[member.pk, gift_day.pk]
        year = facts.day(gift_day.day, gift_day.days_before, member, [one.day for one in own], now)
        cases.append(_Case(year, gift_day, tuple(own)))
    return cases


def _occasions_of(members: list[Membership]) -> dict[tuple[int, int], list[GiftOccasion]]:
    """What they were looked at for, under all their names, by membership and gift."""
    found: dict[tuple[int, int], list[GiftOccasion]] = defaultdict(list)
    whose = Q(membership__in=members) | Q(membership__merged_into__in=members)
    for one in GiftOccasion.objects.filter(whose).select_related("membership", "redemption"):
        found[one.membership.merged_into_id or one.membership_id, one.gift_day_id].append(one)
    return found


def _said(case: _Case) -> tuple[bool, str]:
    reasons = (partial(why, case) for why in _WHY)
    return said_of(case.year, case.occasions, partial(_kept, case), reasons)


def _kept(case: _Case, due: DueDay, occasion: GiftOccasion) -> tuple[bool, str]:
    words = {"at": case.year.day_of(occasion.recorded_at), "day": format_day(occasion.day)}
    given = occasion.redemption
    if given is None:
        return False, _(
            "Looked at on %(at)s, and not given: it is for these tiers alone: %(tiers)s."
        ) % (words | {"tiers": format_list(case.gift_day.tiers)})
    if given.status == Redemption.Status.CANCELED:
        return False, _("It was given on %(at)s, and canceled since.") % words
    if occasion.day != due.day:
        return True, _(
            "It was given on %(at)s, for %(day)s. A day that is corrected brings no second gift in"
            " the same year."
        ) % words
    return True, _("It was given on %(at)s.") % words


def _not_begun(case: _Case, due: DueDay) -> str:
    """Those of before are not made up for."""
    since = case.gift_day.since
    if due.given_on >= since.astimezone(case.year.zone).date():
        return ""
    return _("It is given since %(since)s, and %(day)s was before that.") % {
        "since": case.year.day_of(since),
        "day": format_day(due.given_on),
    }


def _stopped(case: _Case, _due: DueDay) -> str:
    at = case.gift_day.stopped_at
    return _("It is not given any more since %s.") % case.year.day_of(at) if at else ""


def _not_live(case: _Case, _due: DueDay) -> str:
    if case.reward.status == Reward.Status.LIVE:
        return ""
    return _("The reward is not live: it is not given meanwhile.")


def _none_left(case: _Case, due: DueDay) -> str:
    """While more of it would still be given for the day."""
    last = due.given_on + dt.timedelta(days=MISSED)
    if case.reward.left != 0 or case.year.today > last:
        return ""
    return _("None is left of the reward. If there is more until %s, it is given then.") % (
        format_day(last)
    )


# The first that has something to say is why; the last always has.
_WHY: tuple[Callable[[_Case, DueDay], str], ...] = (
    lambda case, due: not_active(case.year),
    _stopped,
    _not_live,
    _not_begun,
    lambda case, due: joined_later(case.year, due),
    lambda case, due: absent(case.year, due),
    _none_left,
    lambda case, due: still_coming(case.year, due),
    lambda case, due: told_late(case.year, due),
)
