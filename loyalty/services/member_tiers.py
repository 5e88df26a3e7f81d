"""The row that says where a member stands, kept as what happened says.

Written in the transaction that writes an order or a refund; where a period ends by a job, which
writes down what already holds. It can be worked out anew at any time.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, MemberTier
from loyalty.selectors.member_tiers import standings
from loyalty.selectors.rulebooks import ProgramTerms, Terms, fresh_terms
from loyalty.tiers.progress import Standing
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks

KIND = "tiers"
PIECE = 500

_LOCK = (
    "SELECT 1 FROM loyalty_membertier WHERE membership_id = ANY(%s)"
    " ORDER BY membership_id FOR NO KEY UPDATE"
)
_WRITE = """
    INSERT INTO loyalty_membertier
           (membership_id, tier_id, since, total, lost_at, falls_to_id, changes_at)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::numeric[],
                         %s::timestamptz[], %s::bigint[], %s::timestamptz[])
    ON CONFLICT (membership_id) DO UPDATE
       SET (tier_id, since, total, lost_at, falls_to_id, changes_at)
         = (excluded.tier_id, excluded.since, excluded.total, excluded.lost_at,
            excluded.falls_to_id, excluded.changes_at)
     WHERE (loyalty_membertier.tier_id, loyalty_membertier.since, loyalty_membertier.total,
            loyalty_membertier.lost_at, loyalty_membertier.falls_to_id,
            loyalty_membertier.changes_at)
        IS DISTINCT FROM (excluded.tier_id, excluded.since, excluded.total, excluded.lost_at,
                          excluded.falls_to_id, excluded.changes_at)
"""


def refresh_customers(
    customer_ids: Iterable[int | None], *, terms: Terms, now: dt.datetime
) -> None:
    """After something of theirs has changed. Programs without tiers cost nothing."""
    tiered = {program.id: program for program in terms.programs if program.tiers is not None}
    people = {pk for pk in customer_ids if pk is not None}
    if not tiered or not people:
        return
    members: defaultdict[int, list[Membership]] = defaultdict(list)
    found = Membership.objects.filter(customer__in=people, program__in=list(tiered))
    for membership in found.exclude(status=Membership.Status.MERGED):
        members[membership.program_id].append(membership)
    for program_id, memberships in sorted(members.items()):
        refresh_tiers(tiered[program_id], memberships, now=now)


def refresh_tiers(
    program: ProgramTerms, memberships: Sequence[Membership], *, now: dt.datetime
) -> dict[int, Standing]:
    """Work out where they stand and write it down. Whoever else does waits, and then sees what
    this one has seen and more."""
    ids = sorted(membership.pk for membership in memberships)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [ids])
        found = standings(program, memberships, at=now)
        if found:
            rows = [_row(program, pk, stands) for pk, stands in sorted(found.items())]
            cursor.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])
    return found


def _row(program: ProgramTerms, membership_id: int, stands: Standing) -> tuple[object, ...]:
    terms = program.tiers
    assert terms is not None
    lost = stands.lost
    falls_to = None
    if lost is not None:
        then = terms.at(lost.at) or stands.ladder
        falls_to = terms.ids[then.id, lost.tier]
    turns = [at for at in (stands.changes_at, terms.next_wording(stands.at)) if at is not None]
    return (
        membership_id, terms.ids[stands.ladder.id, stands.tier], stands.span.since, stands.total,
        lost.at if lost else None, falls_to, min(turns, default=None),
    )  # fmt: skip


def rebuild_tiers(*, now: dt.datetime, all_of_them: bool = False) -> int:
    """Write down where everybody stands whose row is out of date, or everybody. Returns how many
    were looked at."""
    done, after = 0, 0
    while True:
        looked_at, after = _refresh_piece(now, after, all_of_them=all_of_them)
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
        rows.update(changes_at=begins)


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
    looked_at, after = _refresh_piece(now, job.checkpoint.get("after", 0))
    if not looked_at:
        return None
    return Step(
        checkpoint={"after": after},
        done=job.done + looked_at,
        result={"looked_at": job.result.get("looked_at", 0) + looked_at},
    )


def _refresh_piece(now: dt.datetime, after: int, *, all_of_them: bool = False) -> tuple[int, int]:
    """The next members by key: how many, and up to which."""
    programs = {program.id: program for program in fresh_terms().programs if program.tiers}
    rows = Membership.objects.filter(pk__gt=after, program__in=list(programs))
    rows = rows.exclude(status=Membership.Status.MERGED)
    if not all_of_them:
        rows = rows.filter(tier__changes_at__lte=now)
    found = list(rows.order_by("pk")[:PIECE])
    for program_id, program in programs.items():
        own = [membership for membership in found if membership.program_id == program_id]
        if own and not refresh_tiers(program, own, now=now):
            _without_tiers(program, own, now)
    return len(found), found[-1].pk if found else after
