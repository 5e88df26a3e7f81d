"""What activities bring: judged by every program that the person belongs to, posted, taken back.

The members' wallets are locked by the caller; counters of caps are locked after them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from loyalty.ledger.posting import Movement, post
from loyalty.models import Activity, ActivityAward, Transfer
from loyalty.rules.engine import Award
from loyalty.rules.facts import NOTHING, Deed
from loyalty.rules.grants import concerned
from loyalty.rules.lots import OrderTimes
from loyalty.selectors.partners import AtPartner
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.awards import accrual, clawback, explain_award
from loyalty.services.cap_books import CapBook
from loyalty.services.contexts import Wish, with_contexts
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import MemberRef
from loyalty.services.pool_shares import with_pools
from members.conditions.moments import Moment


@dataclass(frozen=True, slots=True)
class Judged:
    """An activity that counts, and the memberships of whoever did it, by program."""

    activity: Activity
    members: Mapping[int, MemberRef]

    @property
    def earned_at(self) -> dt.datetime:
        """When its units are earned: as it occurred, or once somebody approved it."""
        return self.activity.decided_at or self.activity.occurred_at


def award_activities(
    found: Sequence[Judged], *, terms: Terms, now: dt.datetime, transfer_source: str,
    whole: set[int],
) -> None:  # fmt: skip
    """Judge activities by the rules in force when they occurred, and post what they bring. Raises
    BudgetShortError."""
    asked = [(judged, wish) for judged in found for wish in _wishes(judged, terms)]
    wishes = with_contexts([wish for _judged, wish in asked])
    book = CapBook.load(wishes, whole=whole)
    movements: list[Movement] = []
    kept: list[tuple[ActivityAward, str]] = []
    for (judged, _wish), wish in zip(asked, wishes, strict=True):
        for award in book.judge_deed(wish):
            key = f"activity:{judged.activity.pk}:{award.version.id}"
            kept.append((_kept(judged.activity, wish, award), key))
            if award.units:
                book.take(award.version, wish, award.units)
                movements.append(_accrual(judged, wish, award, key, now, transfer_source))
    book.write()
    posted = post(with_pools(movements, terms), now=now)
    ids = {item.key: item.transfer_id for item in posted}
    for row, key in kept:
        row.transfer_id = ids.get(key)
    ActivityAward.objects.bulk_create(row for row, _key in kept)
    refresh_customers(
        [judged.activity.customer_id for judged in found], terms=terms, now=now, locked=True
    )


def take_back(
    judged: Judged, *, terms: Terms, now: dt.datetime, transfer_source: str, whole: set[int]
) -> None:
    """Take back what is left of all that an activity brought. Raises BudgetShortError."""
    given = list(
        ActivityAward.objects.filter(activity=judged.activity, units__gt=0)
        .select_related("transfer")
        .order_by("pk")
    )
    wanted = {row.rule_version_id for row in given}
    wishes = [
        wish
        for program in terms.programs
        if program.id in judged.members
        and (wish := _wish(judged, program, versions=wanted)).versions
    ]
    book = CapBook.load(wishes, whole=whole)
    by_version = {version.id: (wish, version) for wish in wishes for version in wish.versions}
    movements = []
    for row in given:
        wish, version = by_version[row.rule_version_id]
        assert row.transfer is not None
        left = _left_of(row.transfer)
        if left:
            book.take(version, wish, -left)
            movements.append(
                clawback(
                    Award(version, left, ()), units=left, member=judged.members[wish.program.id],
                    terms=wish.program, occurred_at=now,
                    key=f"activity:{judged.activity.pk}:{version.id}:back", source=transfer_source,
                    explanation=_explained(judged, Award(version, left, ()), wish.program),
                    corrects=row.transfer.pk, partner=_partner(judged),
                )
            )  # fmt: skip
    book.write()
    post(with_pools(movements, terms), now=now)


def deed_of(activity: Activity, program: ProgramTerms) -> Deed:
    """An activity as the rules of a program see it."""
    return Deed(
        NOTHING, Moment(activity.occurred_at, program.zone), activity=activity.type.code,
        subject=activity.subject, data=activity.data,
    )  # fmt: skip


def _wishes(judged: Judged, terms: Terms) -> Iterator[Wish]:
    partner = _partner(judged)
    for program in terms.programs:
        member = judged.members.get(program.id)
        at = judged.activity.occurred_at
        if partner is not None and partner.program_id != program.id:
            continue
        if member is not None and member.earns_at(at) and program.earns_at(at):
            wish = _wish(judged, program)
            if wish.versions:
                yield wish


def _wish(judged: Judged, program: ProgramTerms, versions: set[int] | None = None) -> Wish:
    """By which versions an activity is judged: those in force for its type, or these."""
    activity, deed = judged.activity, deed_of(judged.activity, program)
    chosen = (
        concerned(program.rulebook.others_in_force(activity.occurred_at), deed)
        if versions is None
        else tuple(version for version in program.rulebook.others if version.id in versions)
    )
    member = judged.members[program.id]
    return Wish(program, chosen, member.membership_id, activity.customer_id, deed)


def _kept(activity: Activity, wish: Wish, award: Award) -> ActivityAward:
    return ActivityAward(
        activity=activity, membership_id=wish.membership_id, rule_version_id=award.version.id,
        units=award.units, steps=award.steps,
    )  # fmt: skip


def _accrual(
    judged: Judged, wish: Wish, award: Award, key: str, now: dt.datetime, source: str
) -> Movement:
    at = judged.earned_at
    return accrual(
        award, units=award.units, member=judged.members[wish.program.id], terms=wish.program,
        # No order: it waits for no state, only so many days.
        times=OrderTimes(at, at, at, at), recorded_at=now, key=key, source=source, order_id=None,
        explanation=_explained(judged, award, wish.program), partner=_partner(judged),
    )  # fmt: skip


def _explained(judged: Judged, award: Award, program: ProgramTerms) -> dict[str, object]:
    return explain_award(
        award, currency=program.currency, activity=str(judged.activity), partner=_partner(judged)
    )


def _partner(judged: Judged) -> AtPartner | None:
    partner = judged.activity.partner
    return AtPartner.of(partner) if partner else None


def _left_of(transfer: Transfer) -> int:
    """Units of an accrual that nothing has taken back so far."""
    taken = Transfer.objects.filter(corrects=transfer).aggregate(units=Sum("amount", default=0))
    return int(transfer.amount - taken["units"])
