"""Taking back what was given for a birthday or an anniversary: by staff, once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.errors import NotReversibleError, OverCorrectedError
from loyalty.ledger.posting import post
from loyalty.models import OccasionGrant, Transfer
from loyalty.rules.engine import Award
from loyalty.rules.facts import NOTHING, Deed
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.activities import open_people
from loyalty.services.adjustments import whole_number
from loyalty.services.awards import clawback
from loyalty.services.cap_books import CapBook, with_budgets
from loyalty.services.contexts import Wish
from loyalty.services.order_batches import Enrolling, MemberRef, Wanted
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.pool_shares import with_pools
from members.conditions.moments import Moment
from members.models import Customer
from members.selectors.merges import current
from members.services.audit import Actor, record_audit

# Says of a movement that it was given for a day of the year.
GIVEN_FOR = "occasion"


@dataclass(frozen=True, slots=True)
class _Case:
    """What was given, and whose it is now. `terms`: of all programs, with this one among them."""

    transfer: Transfer
    customer: Customer
    terms: Terms
    program: ProgramTerms
    member: MemberRef


def is_of_occasion(transfer: Transfer) -> bool:
    """Whether units came for a day of the year."""
    return transfer.kind == Transfer.Kind.ACCRUAL and GIVEN_FOR in transfer.explanation


def undo_occasion(
    *, transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str = ""
) -> tuple[Transfer, bool]:
    """Take a gift for a day of the year back, as far as it is there; the rest is owed or written
    off as the program says. The day is not kept again.

    Returns the movement that takes it back and whether it had been made before. Raises
    NotReversibleError where it is no such gift, OverCorrectedError when it was taken back already.
    """
    grant = _grant_of(transfer)

    def undo(whole: set[int]) -> tuple[Transfer, bool]:
        case = _open(grant, transfer)
        key = f"occasion:{grant.pk}:back"
        known = Transfer.objects.filter(key=key).first()
        if known is not None:
            if known.note != note:
                raise OverCorrectedError(_("This was taken back already."))
            return known, True
        refuse_erased_holder(transfer.wallet)
        return _take_back(case, key, actor, source, now, note, whole), False

    return with_budgets(undo)


def taken_back(transfers: list[Transfer]) -> set[int]:
    """Of these movements the keys of those gifts that were taken back; one query, or none."""
    asked = [transfer.pk for transfer in transfers if is_of_occasion(transfer)]
    if not asked:
        return set()
    found = Transfer.objects.filter(corrects__in=asked, kind=Transfer.Kind.CLAWBACK)
    return set(found.values_list("corrects", flat=True))


def _grant_of(transfer: Transfer) -> OccasionGrant:
    rows = OccasionGrant.objects.select_related("rule__program", "membership__customer")
    grant = rows.filter(transfer=transfer).first()
    if grant is None:
        raise NotReversibleError(_("This was not given for a day of the year."))
    return grant


def _open(grant: OccasionGrant, transfer: Transfer) -> _Case:
    """With the wallets and the person themselves locked, whoever they are after a merge."""
    customer = current(grant.membership.customer)
    wanted = Wanted("0", CustomerRef(key=customer.pk), transfer.occurred_at)
    terms, [known] = open_people([wanted], enrolling=Enrolling(never=True))
    program = next(item for item in terms.programs if item.id == grant.rule.program_id)
    return _Case(transfer, customer, terms, program, known.members[program.id])


def _take_back(
    case: _Case, key: str, actor: Actor, source: str, now: dt.datetime, note: str, whole: set[int]
) -> Transfer:
    transfer, program = case.transfer, case.program
    version = next(item for item in program.rulebook.others if item.id == transfer.rule_version_id)
    day = Deed(NOTHING, Moment(transfer.occurred_at, program.zone))
    wish = Wish(program, (version,), case.member.membership_id, case.customer.pk, day)
    book = CapBook.load([wish], whole=whole)
    book.take(version, wish, -transfer.amount)
    book.write()
    entry = clawback(
        Award(version, transfer.amount, ()), units=transfer.amount, member=case.member,
        terms=program, occurred_at=now, key=key, source=source,
        explanation=dict(transfer.explanation), corrects=transfer.pk,
    )  # fmt: skip
    entry |= {"note": note, "actor": actor.user.pk if actor.user else None}
    posted = post(with_pools([entry], case.terms), now=now)
    made: Transfer = Transfer.objects.select_related("wallet", "wallet_type").get(
        pk=next(found.transfer_id for found in posted if found.key == key)
    )
    record_audit(
        actor=actor, action="occasion.reversed", target=case.customer, about=made, reason=note,
        after={
            "units": whole_number(-made.amount, made.wallet_type),
            "wallet_type": made.wallet_type.plural,
            "transfer": made.pk,
        },
    )  # fmt: skip
    return made
