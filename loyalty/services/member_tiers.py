"""The row that says where a member stands, kept as what happened says.

Written in the transaction that writes an order or a refund; where a period ends by a job, which
writes down what already holds. It can be worked out anew at any time.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, MemberTier, TierCheckpoint
from loyalty.selectors.member_tiers import standings
from loyalty.selectors.rulebooks import ProgramTerms, Terms, fresh_terms
from loyalty.services.tier_changes import tell_changes
from loyalty.services.tier_checkpoints import keep_checkpoints
from loyalty.services.tier_reviews import programs_with_periods, review_alike
from loyalty.services.tier_rows import row_values
from loyalty.tiers.progress import Standing
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.prepared import KeptQuery, run_prepared
from members.services.job_runs import Step, run_in_chunks

KIND = "tiers"
PIECE = 500

_LOCK = """
    SELECT r.membership_id, t.code
      FROM loyalty_membertier r JOIN loyalty_tier t ON t.id = r.tier_id
     WHERE r.membership_id = ANY(%s::bigint[]) ORDER BY r.membership_id FOR NO KEY UPDATE OF r
"""
_COLUMNS = {
    "membership_id": "bigint", "tier_id": "bigint", "since": "timestamptz", "total": "numeric",
    "lost_at": "timestamptz", "falls_to_id": "bigint", "changes_at": "timestamptz",
    "by_clock": "boolean", "turn": "timestamptz", "due": "timestamptz", "landing": "smallint",
}  # fmt: skip
_VALUES = [name for name in _COLUMNS if name != "membership_id"]
_WRITE = """
    INSERT INTO loyalty_membertier ({names}) SELECT * FROM unnest({types})
    ON CONFLICT (membership_id) DO UPDATE SET ({values}) = ROW ({new})
     WHERE ({old}) IS DISTINCT FROM ({new})
""".format(
    names=", ".join(_COLUMNS),
    types=", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values()),
    values=", ".join(_VALUES),
    new=", ".join(f"excluded.{name}" for name in _VALUES),
    old=", ".join(f"loyalty_membertier.{name}" for name in _VALUES),
)
_MEMBERSHIPS: KeptQuery[Membership] = KeptQuery(
    lambda people, programs, merged: Membership.objects.filter(
        customer__among=people, program__among=programs
    ).exclude(status=merged)
)


def refresh_customers(
    customer_ids: Iterable[int | None], *, terms: Terms, now: dt.datetime, locked: bool = False
) -> None:
    """After something of theirs has changed. Programs without tiers cost nothing. `locked`: see
    `refresh_tiers`."""
    tiered = {program.id: program for program in terms.programs if program.tiers is not None}
    people = {pk for pk in customer_ids if pk is not None}
    if not tiered or not people:
        return
    members: defaultdict[int, list[Membership]] = defaultdict(list)
    merged = Membership.Status.MERGED.value
    for membership in _MEMBERSHIPS.rows(list(people), list(tiered), merged):
        members[membership.program_id].append(membership)
    for program_id, memberships in sorted(members.items()):
        refresh_tiers(tiered[program_id], memberships, now=now, locked=locked)


def refresh_tiers(
    program: ProgramTerms,
    memberships: Sequence[Membership],
    *,
    now: dt.datetime,
    locked: bool = False,
) -> dict[int, Standing]:
    """Work out where they stand, write it down, and say whose tier has changed. Whoever else does
    waits, and then sees what this one has seen and more.

    `locked`: the caller holds their wallets, so that nothing is being told of them meanwhile; only
    then what their facts come to is kept as well.
    """
    ids = sorted(membership.pk for membership in memberships)
    with transaction.atomic():
        said: dict[int, str] = dict(run_prepared(_LOCK, [ids]))
        found = standings(program, memberships, at=now)
        if found:
            rows = [_row(program, pk, stands) for pk, stands in sorted(found.items())]
            run_prepared(_WRITE, [list(column) for column in zip(*rows, strict=True)])
            tell_changes(program, found, said, now=now)
        if locked:
            keep_checkpoints(program, found)
    return found


def _row(program: ProgramTerms, membership_id: int, stands: Standing) -> tuple[object, ...]:
    return membership_id, *row_values(program, stands)


def rebuild_tiers(*, now: dt.datetime, all_of_them: bool = False) -> int:
    """Write down where everybody stands whose row is out of date, or everybody. Returns how many
    were looked at."""
    done, at = 0, dict[str, Any]()
    while True:
        looked_at, at = _next_piece(now, at, all_of_them=all_of_them)
        if not looked_at:
            return done
        done += looked_at


def _without_tiers(
    program: ProgramTerms, memberships: Sequence[Membership], now: dt.datetime
) -> None:
    """The program's tiers have ended, or have not begun."""
    rows = MemberTier.objects.filter(membership__in=memberships)
    begins = program.tiers.next_wording(now) if program.tiers else None
    if begins is None:
        rows.delete()
    else:
        rows.update(changes_at=begins, by_clock=False, turn=None, due=None, landing=0)


def find_tiers(now: dt.datetime) -> Work | None:
    """Whose tier has changed by the passing of time; nobody, usually."""
    due = MemberTier.objects.filter(changes_at__lte=now).count()
    if not due:
        return None
    return Work(_("Tiers"), params={"now": now.isoformat()}, total=due)


def run_tiers(job_id: int) -> Job | None:
    """Write down what already holds; None when another run has it."""
    return run_in_chunks(job_id, _chunk)


def tier_words(job: Job) -> str:
    looked_at = job.result.get("looked_at", 0)
    words = ngettext("%s member was looked at.", "%s members were looked at.", looked_at)
    return words % format_number(looked_at)


def _chunk(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    looked_at, at = _next_piece(now, job.checkpoint)
    if not looked_at:
        return None
    return Step(
        checkpoint=at,
        done=job.done + looked_at,
        result={"looked_at": job.result.get("looked_at", 0) + looked_at},
    )


def _next_piece(
    now: dt.datetime, at: Mapping[str, Any], *, all_of_them: bool = False
) -> tuple[int, dict[str, Any]]:
    """First those who stand alike, program by program, then all others: how many, and where to go
    on."""
    programs = {program.id: program for program in fresh_terms().programs if program.tiers}
    alike = [] if all_of_them else programs_with_periods(list(programs.values()))
    for program in alike:
        if program.id < at.get("program", 0):
            continue
        after = at["alike"] if program.id == at.get("program") else 0
        looked_at, after = review_alike(program, now=now, after=after)
        if looked_at:
            return looked_at, {"program": program.id, "alike": after}
    looked_at, after = _refresh_piece(programs, now, at.get("after", 0), all_of_them=all_of_them)
    return looked_at, {**at, "after": after}


def _refresh_piece(
    programs: Mapping[int, ProgramTerms], now: dt.datetime, after: int, *, all_of_them: bool
) -> tuple[int, int]:
    """The next members by key, one by one: how many, and up to which."""
    rows = Membership.objects.filter(pk__gt=after, program__in=list(programs))
    rows = rows.exclude(status=Membership.Status.MERGED)
    if not all_of_them:
        rows = rows.filter(tier__changes_at__lte=now)
    found = list(rows.order_by("pk")[:PIECE])
    if all_of_them:
        # From the first fact on, whatever the earlier ones were found to come to.
        TierCheckpoint.objects.filter(membership__in=found).delete()
    for program_id, program in programs.items():
        own = [membership for membership in found if membership.program_id == program_id]
        if own and not refresh_tiers(program, own, now=now):
            _without_tiers(program, own, now)
    return len(found), found[-1].pk if found else after
