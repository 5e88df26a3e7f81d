"""How customers join a program by themselves, or with somebody's help: at once where its launch
admits them, else they are on the waiting list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Candidate, Membership, Program
from loyalty.selectors.admissions import admissions
from loyalty.services.memberships import enroll_customer
from loyalty.services.waiting import put_on_waiting_list
from members.errors import ConflictError, FieldError
from members.models import Customer
from members.selectors.merges import current
from members.services.audit import Actor, record_audit

Source = Membership.Source


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of the wish to join: a membership, or a place on the waiting list. `new`: it was
    not so before."""

    membership: Membership | None
    candidate: Candidate | None
    new: bool


@transaction.atomic
def join_program(
    *,
    customer: Customer,
    program: Program,
    source: str,
    at: dt.datetime,
    actor: Actor,
    detail: str = "",
    chosen: bool = True,
) -> Joined:
    """Make a customer a member, or have them wait until the launch admits them. Asking twice
    changes nothing. `chosen`: it is the customer's own decision."""
    refuse_closed(program)
    customer = current(customer)
    # Two requests of one customer take turns.
    Customer.objects.select_for_update().get(pk=customer.pk)
    member = Membership.objects.filter(customer=customer, program=program).first()
    if member is not None and member.status != Membership.Status.LEFT:
        return Joined(member, None, False)
    admission = admissions(program_id=program.pk, moments={customer.pk: at})[customer.pk]
    if admission.may_join:
        if admission.state == Candidate.State.WAITING:
            source, detail = admission.source, admission.detail
        member, new = enroll_customer(
            customer=customer, program=program, source=source, at=at, actor=actor,
            detail=detail, chosen=chosen,
        )  # fmt: skip
        return Joined(member, None, new)
    new = admission.state != Candidate.State.WAITING
    if new:
        put_on_waiting_list(
            program_id=program.pk, since={customer.pk: at}, source=source, detail=detail
        )
        record_audit(
            actor=actor, action="candidate.waiting", target=customer, about=program,
            after={"program": program.code},
        )  # fmt: skip
    return Joined(None, Candidate.objects.get(customer=customer, program=program), new)


def refuse_closed(program: Program) -> None:
    """Raises ConflictError for a program that nobody can join."""
    if program.status != Program.Status.LIVE:
        message = _("%s is not live, so nobody can join it.") % program.name
        raise ConflictError(
            message, code="program_not_live", errors=[FieldError("program", message, "not_live")]
        )


def refuse_unless_joinable(program: Program) -> None:
    """Raises ConflictError for a program that customers do not join by themselves."""
    refuse_closed(program)
    if not program.joinable:
        raise ConflictError(
            _("Customers do not join %s by themselves.") % program.name, code="not_joinable"
        )
