"""What rules give for birthdays and anniversaries: looked for every hour, given once.

Every member is looked at once for each such day, and what became of it is kept, also that it was
nothing. So the work can be killed anywhere, run twice, and catch up on days that were missed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import partial

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.ledger.posting import Movement, post
from loyalty.models import Membership, OccasionGrant, Program, Transfer
from loyalty.rules.anniversaries import MISSED, DueDay, due_days
from loyalty.rules.bodies import AnniversaryBody
from loyalty.rules.calendar import start_of_day
from loyalty.rules.engine import Award, RuleVersion
from loyalty.rules.facts import NOTHING, Deed
from loyalty.rules.lots import OrderTimes
from loyalty.selectors.occasions import Celebrated, members_due
from loyalty.selectors.rulebooks import ProgramTerms, Terms, fresh_terms
from loyalty.services.activities import open_people
from loyalty.services.awards import accrual, explain_award
from loyalty.services.cap_books import CapBook, with_budgets
from loyalty.services.contexts import Wish, with_contexts
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import Enrolling, MemberRef, Wanted
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.pool_shares import with_pools
from members.conditions.moments import Moment
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks
from members.services.outbox import record_event

KIND = "occasions"
# The outbox event of what was given for days of the year.
GIVEN = "occasion.given"
# Memberships looked at in one piece.
PIECE = 5_000


def find_occasions(now: dt.datetime) -> Work | None:
    """The first piece of memberships in which somebody is due; nothing, in most hours."""
    last = _last_membership()
    terms = fresh_terms()
    for after in range(0, last, PIECE):
        if any(_due(terms, now, after)):
            label = _("Birthdays and anniversaries")
            return Work(label, params={"now": now.isoformat(), "after": after}, total=last)
    return None


def run_occasions(job_id: int) -> Job | None:
    """Give what is due; None when another run has it."""
    return run_in_chunks(job_id, _give_piece)


def give_occasions(now: dt.datetime) -> int:
    """Give to everybody what is due. Returns to how many something was given."""
    terms = fresh_terms()
    return sum(_give(terms, now, after) for after in range(0, _last_membership(), PIECE))


def occasion_words(job: Job) -> str:
    given = job.result.get("given", 0)
    words = ngettext("%s member was given something.", "%s members were given something.", given)
    return words % format_number(given)


def _give_piece(job: Job) -> Step | None:
    after = job.checkpoint.get("after", job.params.get("after", 0))
    last = _last_membership()
    if after >= last:
        return None
    given = _give(fresh_terms(), dt.datetime.fromisoformat(job.params["now"]), after)
    return Step(
        checkpoint={"after": after + PIECE},
        done=min(after + PIECE, last),
        total=last,
        result={"given": job.result.get("given", 0) + given},
    )


def _last_membership() -> int:
    return int(Membership.objects.aggregate(last=Max("pk", default=0))["last"])


def _due(
    terms: Terms, now: dt.datetime, after: int
) -> Iterator[tuple[ProgramTerms, RuleVersion, Celebrated]]:
    """Everybody in a piece of memberships who is due, by which wording of which rule: one, also
    where an earlier one gave so many days ahead."""
    seen: set[tuple[int, int]] = set()
    since = dict(Program.objects.values_list("pk", "live_since"))
    for program in terms.programs:
        live_since = since.get(program.id)
        if not program.live or live_since is None:
            continue
        for version, days in _days(program, live_since, now):
            body = version.body
            assert isinstance(body, AnniversaryBody)
            for found in members_due(
                body.day, days, program_id=program.id, rule_id=version.rule_id,
                zone=program.zone, after=after, until=after + PIECE,
            ):  # fmt: skip
                if (version.rule_id, found.membership_id) not in seen:
                    seen.add((version.rule_id, found.membership_id))
                    yield program, version, found


def _days(
    program: ProgramTerms, live_since: dt.datetime, now: dt.datetime
) -> Iterator[tuple[RuleVersion, list[DueDay]]]:
    """For each wording of a rule for days of the year the days that it is in force for: those on
    which it was as they began, none from before the program went live."""
    today = now.astimezone(program.zone).date()
    began = live_since.astimezone(program.zone).date()
    first = max(today - dt.timedelta(days=MISSED), began)
    for version in program.rulebook.others:
        if isinstance(version.body, AnniversaryBody):
            found = [
                due
                for due in due_days(first, today, version.body.days_before)
                if _counts(version, program, start_of_day(due.given_on, program.zone))
            ]
            if found:
                yield version, found


def _counts(version: RuleVersion, program: ProgramTerms, day: dt.datetime) -> bool:
    return version.in_force(day) and program.times.earns_at(day)


def _give(terms: Terms, now: dt.datetime, after: int) -> int:
    due = list(_due(terms, now, after))
    return with_budgets(partial(_give_all, due, now)) if due else 0


def _give_all(
    due: Iterable[tuple[ProgramTerms, RuleVersion, Celebrated]], now: dt.datetime, whole: set[int]
) -> int:
    due = list(due)
    people = sorted({found.customer_id for _program, _version, found in due})
    wanted = [Wanted(str(pk), CustomerRef(key=pk), now) for pk in people]
    terms, opened = open_people(wanted, enrolling=Enrolling(never=True))
    members = {pk: known.members for pk, known in zip(people, opened, strict=True)}
    wishes = with_contexts([_wish(*item) for item in due])
    book = CapBook.load(wishes, whole=whole)
    movements: list[Movement] = []
    kept: list[tuple[OccasionGrant, str]] = []
    for (program, version, found), wish in zip(due, wishes, strict=True):
        [award] = book.judge_deed(wish)
        key = f"occasion:{version.rule_id}:{found.membership_id}:{found.day.isoformat()}"
        kept.append((_kept(found, award, now), key))
        if award.units:
            book.take(version, wish, award.units)
            member = members[found.customer_id][program.id]
            movements.append(_accrual(program, member, found, award, key, now))
    book.write()
    ids = {item.key: item.transfer_id for item in post(with_pools(movements, terms), now=now)}
    for row, key in kept:
        row.transfer_id = ids.get(key)
    grants = OccasionGrant.objects.bulk_create(row for row, _key in kept)
    if movements:
        record_event(GIVEN, {"grants": [row.pk for row in grants if row.units]})
    refresh_customers(people, terms=terms, now=now)
    return len(movements)


def _wish(program: ProgramTerms, version: RuleVersion, found: Celebrated) -> Wish:
    day = Deed(NOTHING, Moment(found.at, program.zone))
    return Wish(program, (version,), found.membership_id, found.customer_id, day)


def _kept(found: Celebrated, award: Award, now: dt.datetime) -> OccasionGrant:
    return OccasionGrant(
        membership_id=found.membership_id, rule_id=award.version.rule_id,
        rule_version_id=award.version.id, day=found.day, units=award.units, steps=award.steps,
        recorded_at=now,
    )  # fmt: skip


def _accrual(
    program: ProgramTerms, member: MemberRef, found: Celebrated, award: Award, key: str,
    now: dt.datetime,
) -> Movement:  # fmt: skip
    body, at = award.version.body, found.at
    assert isinstance(body, AnniversaryBody)
    explanation = explain_award(
        award, currency=program.currency, occasion=body.day,
        years=found.day.year - found.since.year,
    )  # fmt: skip
    return accrual(
        award, units=award.units, member=member, terms=program, times=OrderTimes(at, at, at, at),
        recorded_at=now, key=key, source=Transfer.Source.JOB, order_id=None,
        explanation=explanation,
    )  # fmt: skip
