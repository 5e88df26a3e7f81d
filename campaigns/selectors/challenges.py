"""Challenges: which there are, which are open to a member, and who takes part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce

from campaigns.challenge_definitions import plan_of, window_of
from campaigns.challenges.progress import Progress, Window, progress_of
from campaigns.models import Campaign, Challenge, ChallengeEntry, ChallengeTally, ChallengeWin
from campaigns.selectors.campaigns import is_for, is_kept_aside, meant_for
from campaigns.selectors.challenge_purchases import Bought, purchases_of
from loyalty.models import Membership
from members.errors import NotFoundError
from members.prepared import KeptQuery, KeptRows

State = ChallengeEntry.State
Status = Campaign.Status
# So long after its end orders that are told late, and what comes back, still count.
LATE = dt.timedelta(days=366)
_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def challenges() -> QuerySet[Challenge]:
    """With what a list of them shows."""
    rows = Challenge.objects.select_related(
        "campaign__program", "campaign__author", "campaign__asked_by", "reward"
    )
    return rows.prefetch_related("campaign__program__wallet_types")


def get_challenge(public_id: UUID | str) -> Challenge:
    """By the id of its campaign. Raises NotFoundError."""
    found = challenges().filter(campaign__public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such challenge.")
    return found


def entries() -> QuerySet[ChallengeEntry]:
    """With what working one out needs."""
    return ChallengeEntry.objects.select_related(
        "challenge__campaign__program", "challenge__reward", "membership__customer",
        "membership__program", "team",
    ).prefetch_related("membership__absences")  # fmt: skip


def with_teams(keys: Iterable[int]) -> list[int]:
    """These entries, and those that do it together with them: also of who is no member any more,
    whose orders of before still count for the others."""
    known = list(keys)
    teams = ChallengeEntry.objects.filter(pk__in=known, team__isnull=False).values("team")
    others = ChallengeEntry.objects.filter(team__in=teams).exclude(state=State.LEFT)
    return list({*known, *others.values_list("pk", flat=True)})


def partners_of(entry: ChallengeEntry, found: Iterable[ChallengeEntry]) -> list[ChallengeEntry]:
    """Those of its team among these, itself included."""
    if entry.team_id is None:
        return [entry]
    return [item for item in found if item.team_id == entry.team_id]


def entry_progress(
    entry: ChallengeEntry, partners: Iterable[ChallengeEntry], bought: Bought,
    *, now: dt.datetime | None = None,
) -> Progress:  # fmt: skip
    """What all of a team bought, each from their own beginning on, counts together."""
    windows = {item.membership.customer_id: window_of(item) for item in partners}
    own = windows[entry.membership.customer_id]
    together = [
        purchase
        for customer, window in windows.items()
        for purchase in bought.get(customer, ())
        if window.holds(purchase.at)
    ]
    whole = replace(own, starts_at=min(window.starts_at for window in windows.values()))
    return progress_of(
        plan_of(entry.challenge), together, whole, entry.membership.program.zone, now=now
    )


def entries_to_measure(customers: Iterable[int], now: dt.datetime) -> list[int]:
    """The keys of those of active members, in what is on or ended not long ago."""
    return [pk for (pk,) in _to_measure.rows(now - LATE, list(customers))]


def _of_customers(after: dt.datetime, customers: list[int]) -> QuerySet[ChallengeEntry, Any]:
    return ChallengeEntry.objects.filter(
        Q(challenge__campaign__ended_at=None) | Q(challenge__campaign__ended_at__gt=after),
        membership__customer__among=customers, membership__status=Membership.Status.ACTIVE,
    ).exclude(state=State.LEFT).values_list("pk")  # fmt: skip


_to_measure = KeptRows(_of_customers, (_DAY, _DAY + dt.timedelta(days=1)), ([-1], [-2]))


def running(now: dt.datetime) -> QuerySet[Challenge]:
    """Those whose time it is, also before the clock has written it down."""
    return challenges().filter(
        campaign__status__in=[Status.SCHEDULED, Status.LIVE], campaign__starts_at__lte=now,
        campaign__ends_at__gt=now,
    )  # fmt: skip


def automatic(now: dt.datetime) -> list[Challenge]:
    """Those that everybody of their audience takes part in: that are on, or ended not long ago, so
    that an order that is told late still begins them."""
    begun = [Status.SCHEDULED, Status.LIVE, Status.PAUSED, Status.ENDED]
    return _automatic.rows(now - LATE, now, [state.value for state in begun])


_automatic: KeptQuery[Challenge] = KeptQuery(
    lambda after, now, states: challenges().filter(
        Q(campaign__ended_at=None) | Q(campaign__ended_at__gt=after),
        opt_in=False,
        campaign__starts_at__lte=now,
        campaign__status__among=states,
    )
)


def span_for(challenge: Challenge, begins: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """From when to when, for somebody who begins then: so many days by the clocks of the program,
    or the time of the challenge."""
    campaign = challenge.campaign
    assert campaign.ends_at is not None
    if challenge.days is None:
        return begins, campaign.ends_at
    local = begins.astimezone(campaign.program.zone) + dt.timedelta(days=challenge.days)
    return begins, min(local, campaign.ends_at)


def begins_by_itself(challenge: Challenge, member: Membership) -> dt.datetime | None:
    """When it begins for a member who need not join: with it, or with their membership where it
    lasts so many days for each; None: it is not for who was a member before."""
    campaign = challenge.campaign
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    if challenge.days is None:
        return campaign.starts_at
    enrolled = member.enrolled_at
    return enrolled if campaign.starts_at <= enrolled < campaign.ends_at else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A challenge as it is for a member now. `entry` None: they may join, or it begins with their
    first order."""

    challenge: Challenge
    entry: ChallengeEntry | None
    progress: Progress
    ends_at: dt.datetime
    wins: int
    # So many do it together.
    together: int = 1

    @property
    def may_join(self) -> bool:
        return self.challenge.opt_in and self.entry is None

    @property
    def may_leave(self) -> bool:
        return self.challenge.opt_in and self.entry is not None and not self.wins


def open_to(member: Membership, now: dt.datetime) -> list[Standing]:
    """What a member takes part in now, and what they may; what ends first comes first. Worked out
    from their orders as of now."""
    if member.status != Membership.Status.ACTIVE:
        return []
    prefetch_related_objects([member], "absences")
    mine = entries().filter(
        membership=member, ends_at__gte=now, challenge__campaign__status=Status.LIVE,
        starts_at__lte=now, challenge__campaign__ends_at__gt=now,
    ).exclude(state=State.LEFT)  # fmt: skip
    found = list(mine)
    others = running(now).filter(campaign__program=member.program_id)
    known = set(
        ChallengeEntry.objects.filter(membership=member)
        .exclude(state=State.LEFT)
        .values_list("challenge", flat=True)
    )
    unknown = [item for item in others if item.pk not in known]
    theirs = meant_for([item.campaign for item in unknown], member, now)
    fresh = [item for item in unknown if item.campaign_id in theirs]
    found += [entry for item in fresh if (entry := unsaved_entry(item, member, now)) is not None]
    return sorted(_standings(found, member, now), key=lambda item: item.ends_at)


def standing_in(entry: ChallengeEntry, now: dt.datetime) -> Standing:
    """One entry, worked out from their orders as of now."""
    return _standings([entry], entry.membership, now)[0]


def unsaved_entry(
    challenge: Challenge, member: Membership, now: dt.datetime
) -> ChallengeEntry | None:
    """What it would be for somebody who begins now; None: it is not for them any more."""
    begins = now if challenge.opt_in else begins_by_itself(challenge, member)
    if begins is None:
        return None
    starts_at, ends_at = span_for(challenge, begins)
    if ends_at <= max(starts_at, now):
        return None
    return ChallengeEntry(
        challenge=challenge, membership=member, starts_at=starts_at, ends_at=ends_at, created_at=now
    )


def _standings(found: list[ChallengeEntry], member: Membership, now: dt.datetime) -> list[Standing]:
    if not found:
        return []
    teams = [entry.team_id for entry in found if entry.team_id]
    others = entries().filter(team__in=teams)
    everybody = [*found, *others.exclude(state=State.LEFT).exclude(membership=member)]
    bought = purchases_of(
        member.program, {entry.membership.customer_id for entry in everybody},
        min(entry.starts_at for entry in everybody), now,
    )  # fmt: skip
    won = _won(found)
    standings = []
    for entry in found:
        partners = partners_of(entry, everybody)
        progress = entry_progress(entry, partners, bought, now=now)
        saved = entry if entry.pk else None
        number = won.get(entry.pk, 0) if saved else 0
        together = sum(item.membership.status == Membership.Status.ACTIVE for item in partners)
        standings.append(
            Standing(entry.challenge, saved, progress, window_of(entry).ends_at, number, together)
        )
    return standings


def _won(found: Iterable[ChallengeEntry]) -> dict[int, int]:
    """How often each was won; one that was undone counts while its reward stays, being used."""
    keys = [entry.pk for entry in found if entry.pk]
    stays = Q(state=ChallengeWin.State.WON) | Q(redemption__isnull=False)
    rows = ChallengeWin.objects.filter(stays, entry__in=keys)
    counted: dict[int, int] = {}
    for key in rows.values_list("entry", flat=True):
        counted[key] = counted.get(key, 0) + 1
    return counted


def badges_of(member: Membership) -> list[ChallengeWin]:
    """The badges that a member has, the newest first; each once."""
    rows = ChallengeWin.objects.filter(
        entry__membership=member, state=ChallengeWin.State.WON
    ).exclude(entry__challenge__badge="")  # fmt: skip
    rows = rows.select_related("entry__challenge__campaign").order_by("-reached_at", "-pk")
    found: dict[str, ChallengeWin] = {}
    for win in rows:
        found.setdefault(win.entry.challenge.badge, win)
    return list(found.values())


def is_shut_to(challenge: Challenge, member: Membership, now: dt.datetime) -> bool:
    """Whether somebody is kept out of it: not in its audience, or kept aside."""
    campaign = challenge.campaign
    return is_kept_aside(campaign, member) or not is_for(campaign, member, now)


def with_counts(found: QuerySet[Challenge]) -> QuerySet[Challenge]:
    """With how many take part, and how many have done it: from tallies, so that it costs the same
    however many there are."""
    return found.annotate(taking_part=_tallied(~Q(state=State.LEFT)), done=_tallied(Q(done=True)))


def _tallied(which: Q) -> Coalesce:
    rows = ChallengeTally.objects.filter(which, challenge=OuterRef("pk"))
    sums = rows.order_by().values("challenge").annotate(of=Sum("entries")).values("of")
    return Coalesce(Subquery(sums), 0, output_field=BigIntegerField())


def wins_of(found: Iterable[ChallengeEntry]) -> dict[int, list[ChallengeWin]]:
    """By the entry's key, in one query."""
    won: dict[int, list[ChallengeWin]] = {}
    rows = ChallengeWin.objects.filter(entry__in=[entry.pk for entry in found])
    for win in rows.order_by("entry", "number"):
        won.setdefault(win.entry_id, []).append(win)
    return won


def as_anybody_sees(challenge: Challenge, now: dt.datetime) -> Standing | None:
    """Before anything is done; None where its times are missing."""
    campaign = challenge.campaign
    if campaign.starts_at is None or campaign.ends_at is None:
        return None
    begins = max(now, campaign.starts_at)
    window = Window(begins, campaign.ends_at)
    progress = progress_of(plan_of(challenge), (), window, campaign.program.zone)
    _begins, ends_at = span_for(challenge, begins)
    return Standing(challenge, None, progress, ends_at, 0)
