"""How much speaks for members taking advantage of a program: worked out for those about whom
something has changed, and a case opened where somebody has to look.

Every write about a customer leaves an event; what follows it notes here whose score is due, and a
job works these out, a few at a time. Nobody waits for it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, RiskCase, RiskScore
from loyalty.risk_definitions import RiskDefinition
from loyalty.risk_scores import Score, score
from loyalty.selectors.risk import policies_of
from loyalty.selectors.risk_facts import Look, facts_of, usual_returns
from loyalty.services.risk_cases import hold_for_itself, note_case
from loyalty.services.risk_lookalikes import find_similar
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, OutboxEvent
from members.selectors.erased import erased_among
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically

KIND = "risk_scores"
# Looking for somebody's duplicates takes a few thousandths of a second each.
AT_ONCE = 50
# Marking somebody as due takes far less.
ANEW_AT_ONCE = 2_000
# Of who was found suspicious, what lies too far back counts no more as time passes.
AGAIN = dt.timedelta(days=1)
# So far back is looked for movements by hand and redemptions when nobody knows since when.
BACK = dt.timedelta(days=1)

_DUE = """
    INSERT INTO loyalty_riskscore AS s
           (membership_id, points, signals, cleared, lookalikes, due_at)
    SELECT m.id, 0, '[]', '{{}}', '{{}}', %(now)s FROM loyalty_membership m
     WHERE {which} ORDER BY m.id
    ON CONFLICT (membership_id) DO UPDATE SET due_at = excluded.due_at
     WHERE s.due_at IS NULL OR s.due_at > excluded.due_at
"""
# Of transfers only those that are counted and that no event tells of.
_MOVED = """
    INSERT INTO loyalty_riskscore AS s
           (membership_id, points, signals, cleared, lookalikes, due_at)
    SELECT m.id, 0, '[]', '{}', '{}', %(now)s
      FROM (SELECT wallet_id, max(recorded_at) AS at FROM loyalty_transfer
             WHERE recorded_at > %(since)s
               AND (kind = 'redemption' OR kind = 'adjustment' AND actor_id IS NOT NULL)
             GROUP BY wallet_id) t
      JOIN loyalty_wallet w ON w.id = t.wallet_id
      JOIN loyalty_membership m ON m.account_id = w.account_id
      LEFT JOIN loyalty_riskscore k ON k.membership_id = m.id
     WHERE k.scored_at IS NULL OR k.scored_at <= t.at
     ORDER BY m.id
    ON CONFLICT (membership_id) DO UPDATE SET due_at = excluded.due_at
     WHERE s.due_at IS NULL OR s.due_at > excluded.due_at
"""


def follow_customers(events: Sequence[OutboxEvent]) -> None:
    """Whose orders, returns, activities or details have changed."""
    _look_at("m.customer_id = ANY(%(keys)s)", _named(events, "customers"))


def follow_members(events: Sequence[OutboxEvent]) -> None:
    """Who has joined."""
    _look_at("m.id = ANY(%(keys)s)", _named(events, "memberships"))


def look_at_members(memberships: Iterable[int]) -> None:
    """For what no event tells of."""
    _look_at("m.id = ANY(%(keys)s)", set(memberships))


def look_at_program(program_id: int, after: int = 0) -> int | None:
    """All who were ever looked at, since other limits hold: some of them, from a membership on. The
    last of these; None: there are no more."""
    members = Membership.objects.filter(program=program_id, pk__gt=after).order_by("pk")
    keys = list(members.values_list("pk", flat=True)[:ANEW_AT_ONCE])
    scores = RiskScore.objects.filter(membership__in=keys, scored_at__isnull=False)
    now = timezone.now()
    scores.filter(Q(due_at=None) | Q(due_at__gt=now)).update(due_at=now)
    return keys[-1] if len(keys) == ANEW_AT_ONCE else None


def find_risks(now: dt.datetime) -> Work | None:
    """Whose score is due."""
    since = _since(now)
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"now": now, "since": since})
    due = RiskScore.objects.filter(due_at__lte=now).count()
    return Work(_("Fraud signals"), params={"now": now.isoformat()}, total=due) if due else None


def run_risks(job_id: int) -> Job | None:
    """Work out what is due; None when another run has it."""
    return run_in_chunks(job_id, _next_members)


def risk_job_words(job: Job) -> str:
    done, opened = job.result.get("scored", 0), job.result.get("opened", 0)
    words = ngettext("%s member was looked at", "%s members were looked at", done)
    cases = ngettext("%s case was opened", "%s cases were opened", opened)
    return f"{words % format_number(done)}, {cases % format_number(opened)}."


def score_member(membership: Membership, *, now: dt.datetime) -> RiskScore | None:
    """Work one out at once; None: there is nobody to look at, as they were merged or erased."""

    def write() -> RiskScore | None:
        RiskScore.objects.get_or_create(membership=membership)
        rows = list(RiskScore.objects.select_for_update(of=("self",)).filter(membership=membership))
        for row in rows:
            row.looked_at = None
        score_rows(rows, now=now)
        return RiskScore.objects.filter(membership=membership).first()

    return run_atomically(write)


def score_rows(rows: Sequence[RiskScore], *, now: dt.datetime) -> int:
    """Work out these, which are locked; how many cases were opened. In the caller's transaction."""
    members = _members(rows)
    programs: dict[int, list[RiskScore]] = defaultdict(list)
    for row in rows:
        if row.membership_id in members:
            programs[members[row.membership_id].program_id].append(row)
    policies, usual, opened = policies_of(programs), usual_returns() if programs else 0, 0
    for program, found in programs.items():
        opened += _score_program(found, members, policies[program], usual, now)
    return opened


@dataclass(frozen=True, slots=True)
class _Judged:
    row: RiskScore
    membership: Membership
    score: Score


def _score_program(
    rows: Sequence[RiskScore], members: dict[int, Membership], policy: RiskDefinition, usual: int,
    now: dt.datetime,
) -> int:  # fmt: skip
    find_similar(rows, members, now)
    _take_up_cleared(rows)
    limits = policy.limits
    facts = facts_of(
        Look(
            [members[row.membership_id] for row in rows], now - dt.timedelta(days=policy.days), now,
            dt.timedelta(seconds=limits["bots"]["seconds"]),
            {row.membership_id: row.lookalikes for row in rows},
        )
    )  # fmt: skip
    opened = 0
    for row in rows:
        found = score(
            facts[row.membership_id], policy.weights, limits,
            usual_returns=usual, cleared=row.cleared,
        )  # fmt: skip
        judged = _Judged(row, members[row.membership_id], found)
        _write(judged, now)
        opened += _open_case(judged, policy, now)
    return opened


def _write(judged: _Judged, now: dt.datetime) -> None:
    row = judged.row
    row.points, row.signals = judged.score.points, signals_kept(judged.score)
    row.scored_at, row.due_at = now, now + AGAIN if judged.score.points else None
    row.save(
        update_fields=[
            "points", "signals", "cleared", "lookalikes", "looked_at", "scored_at", "due_at",
        ]
    )  # fmt: skip


def _open_case(judged: _Judged, policy: RiskDefinition, now: dt.datetime) -> bool:
    if judged.score.points < policy.review:
        return False
    case, opened = note_case(
        membership=judged.membership, points=judged.score.points, signals=judged.row.signals,
        now=now,
    )  # fmt: skip
    if policy.hold and judged.score.points >= policy.hold_from:
        hold_for_itself(case, points=policy.hold_from, now=now)
    return opened


def signals_kept(found: Score) -> list[dict[str, Any]]:
    """As they are kept with a score and a case."""
    return [
        {
            "key": item.key, "weight": item.weight, "told": dict(item.told),
            "facts": [
                {"kind": fact.kind, "id": fact.id, "at": fact.at.isoformat(), "place": fact.place}
                for fact in item.facts
            ],
        }
        for item in found.found
    ]  # fmt: skip


def _members(rows: Sequence[RiskScore]) -> dict[int, Membership]:
    """Who there is to look at. Who was merged away leaves what was let pass to who goes on, and who
    was erased leaves nothing."""
    found = {
        member.pk: member
        for member in Membership.objects.select_related("customer", "program").filter(
            pk__in=[row.membership_id for row in rows]
        )
    }
    erased = erased_among([member.customer for member in found.values()])
    gone = [
        row for row in rows
        if found[row.membership_id].merged_into_id or found[row.membership_id].customer_id in erased
    ]  # fmt: skip
    kept = _kept(rows, [found[row.membership_id].merged_into_id for row in gone])
    # First who was merged away: who goes on may be gone as well, and is there to be written to.
    for row in sorted(gone, key=lambda row: found[row.membership_id].merged_into_id is None):
        _leave(row, found.pop(row.membership_id), kept)
    return found


def _kept(rows: Sequence[RiskScore], merged_into: Iterable[int | None]) -> dict[int, RiskScore]:
    """By membership the scores, with their locks, of those who go on; those among the rows are
    these, so that what is written of them is written once."""
    keys = sorted({key for key in merged_into if key})
    RiskScore.objects.bulk_create(
        [RiskScore(membership_id=key) for key in keys], ignore_conflicts=True
    )
    locked = RiskScore.objects.select_for_update(of=("self",)).filter(membership__in=keys)
    here = {row.membership_id: row for row in rows}
    return {
        row.membership_id: here.get(row.membership_id, row) for row in locked.order_by("pk")
    }  # fmt: skip


def _leave(row: RiskScore, member: Membership, kept: dict[int, RiskScore]) -> None:
    if member.merged_into_id:
        goes_on = kept[member.merged_into_id]
        goes_on.cleared = sorted({*goes_on.cleared, *row.cleared})
        goes_on.due_at = timezone.now()
        goes_on.save(update_fields=["cleared", "due_at"])
        RiskCase.objects.filter(membership=member, state__in=RiskCase.WAITING).update(
            state=RiskCase.State.MERGED, decided_at=timezone.now()
        )
    else:
        RiskCase.objects.filter(membership=member).delete()
    row.delete()


def _take_up_cleared(rows: Sequence[RiskScore]) -> None:
    """What was let pass of those who were merged into them, whose turn may not have come yet."""
    by_member = {row.membership_id: row for row in rows}
    merged = RiskScore.objects.filter(membership__merged_into__in=list(by_member))
    for other in merged.select_related("membership"):
        row = by_member[other.membership.merged_into_id or 0]
        row.cleared = sorted({*row.cleared, *other.cleared})


def _next_members(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    rows = list(
        RiskScore.objects.filter(due_at__lte=now)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("due_at", "pk")[:AT_ONCE]
    )
    if not rows:
        return None
    opened = score_rows(rows, now=timezone.now())
    scored = job.result.get("scored", 0) + len(rows)
    return Step(
        checkpoint={"scored": scored}, done=scored, total=max(job.total, scored),
        result={"scored": scored, "opened": job.result.get("opened", 0) + opened},
    )  # fmt: skip


def _since(now: dt.datetime) -> dt.datetime:
    """The last run has seen what was before."""
    last = (
        Job.objects.filter(kind=KIND).order_by("-pk").values_list("created_at", flat=True).first()
    )
    return min(last, now) - dt.timedelta(minutes=5) if last else now - BACK


def _named(events: Iterable[OutboxEvent], name: str) -> set[int]:
    return {pk for event in events for pk in event.payload.get(name) or ()}


def _look_at(which: str, keys: set[int]) -> None:
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(_DUE.format(which=which), {"keys": sorted(keys), "now": timezone.now()})
