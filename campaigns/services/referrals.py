"""Who came by whose link, and what becomes of it: brought to what the facts say, whatever comes
first and however often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Referral, ReferralLink, ReferralProgram
from campaigns.referral_definitions import ReferralDefinition
from campaigns.referral_traces import note_traces
from campaigns.selectors.referrals import (
    GIVEN_LATE,
    advocate_of,
    begins_at,
    bought_before,
    brings,
    buying_order,
    counts,
    live_terms,
    people_of,
    terms_said,
)
from campaigns.services.referral_checks import reasons_of
from campaigns.services.referral_further import settle_further
from campaigns.services.referral_payments import (
    Case,
    Side,
    UnpayableError,
    is_running,
    pay,
    settle_return,
)
from loyalty.models import Order
from loyalty.services.granted_units import open_customers
from members.errors import ConflictError, FieldError
from members.models import Customer
from members.prepared import KeptQuery, run_prepared
from members.selectors.merges import current
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically

Status = Referral.Status
OPEN = (Status.INVITED, Status.JOINED, Status.PENDING, Status.IN_REVIEW, Status.LAPSED)
_KNOWN: KeptQuery[Referral] = KeptQuery(
    lambda pk: Referral.objects.select_related("friend", "link__membership__customer").filter(pk=pk)
)
_HOLD_PROGRAM = "SELECT 1 FROM campaigns_referralprogram WHERE program_id = %s FOR UPDATE"
_JOINED_AT = """
    SELECT enrolled_at FROM loyalty_membership
     WHERE customer_id = %s AND program_id = %s AND status NOT IN ('merged', 'left')
"""
_OTHERS = """
    SELECT 1 FROM campaigns_referral WHERE program_id = %s AND order_id = %s AND id <> %s LIMIT 1
"""
_HELD: KeptQuery[Referral] = KeptQuery(
    lambda pk: Referral.objects.select_related(
        "program", "terms", "friend", "order", "link__affiliate", "link__membership__merged_into",
        "link__membership__customer",
    ).filter(pk=pk),
    ending=' FOR UPDATE OF "campaigns_referral"',
)  # fmt: skip


def bring_friend(
    *, link: ReferralLink, friend: Customer, via: str, now: dt.datetime, actor: Actor = SYSTEM,
    traces: Mapping[str, str] | None = None, given_at: dt.datetime | None = None,
) -> tuple[Referral, bool]:  # fmt: skip
    """Keep that somebody came by a link. `given_at`: when they gave its code, if not now. Returns
    the referral, and whether it is known already: the same person comes once. Raises ConflictError
    where they came by another link before, and where nobody is brought at the moment."""

    def bring() -> tuple[Referral, bool]:
        person = current(friend)
        Customer.objects.select_for_update(no_key=True).get(pk=person.pk)
        program = link.referral_program.program
        note_traces(person, traces or {}, now)
        known = Referral.objects.filter(program=program, friend__in=people_of(person)).first()
        if known is not None:
            if known.link_id != link.pk:
                raise _taken()
            return known, True
        terms = live_terms(program)
        if terms is None or not brings(link):
            raise ConflictError(
                _("Nobody is brought by this code at the moment."), code="referrals_closed",
                errors=[FieldError("referral_code", _("It does not count now."), "closed")],
            )  # fmt: skip
        made = Referral(
            program=program, terms=terms, link=link, friend=person, via=via,
            came_at=given_at or now,
            status=Status.INVITED,
        )  # fmt: skip
        _begin(made, terms_said(made), now)
        made.save()
        if actor is not SYSTEM:
            record_audit(
                actor=actor, action="referral.brought", target=person, after={"code": link.code}
            )
        return made, False

    found, known = run_atomically(bring)
    return (found, known) if known else (bring_up_to_date(found.pk, now) or found, False)


def bring_up_to_date(pk: int, now: dt.datetime) -> Referral | None:
    """Bring one to what the facts say: joined, bought, paid, gone back. Doing it again, or twice at
    once, changes nothing. None: there is no such."""
    return run_atomically(lambda: _bring_up_to_date(pk, now))


def hold_all(pairs: Iterable[tuple[Customer, ReferralLink]], now: dt.datetime) -> None:
    """Lock the wallets of all friends and of who brought them, these people, and then the programs:
    before the first of many that are handled in one transaction."""
    found = list(pairs)
    people = {one.pk for friend, link in found for one in _people(friend, link).values()}
    if people:
        open_customers(sorted(people), now)
    programs = {link.referral_program_id for _friend, link in found}
    rows = ReferralProgram.objects.select_for_update().filter(pk__in=programs)
    list(rows.order_by("pk").values_list("pk"))


def begin_if_member(referral: Referral, now: dt.datetime) -> None:
    """Say of one that waits, and of one that somebody let pass, how far it is."""
    definition = terms_said(referral)
    joined_at = _joined_at(referral)
    if referral.order_id is not None:
        # Also where they have left since: paying it says so.
        assert referral.order is not None
        _note_order(referral, referral.order, definition)
        referral.status = Status.PENDING
        return
    if joined_at is None:
        referral.status, referral.due_at = Status.INVITED, None
        return
    referral.joined_at = joined_at
    begin = begins_at(referral) or joined_at
    referral.due_at = begin + dt.timedelta(days=definition.within_days)
    referral.status = Status.JOINED


def refuse(referral: Referral, code: str, now: dt.datetime) -> None:
    """It brings nothing; the row is the caller's to save."""
    referral.status, referral.refusal, referral.closed_at = Status.REFUSED, code, now


def _taken() -> ConflictError:
    message = _("They came by somebody else already.")
    return ConflictError(
        message, code="already_brought", errors=[FieldError("referral_code", message, "taken")]
    )


def _begin(referral: Referral, definition: ReferralDefinition, now: dt.datetime) -> None:
    """How far it is at first, and whether somebody has to look at it: not at one that brings
    nothing anyway, which they could let pass."""
    begin_if_member(referral, now)
    if definition.newcomers_only and _is_known(referral):
        refuse(referral, "not_new", now)
    elif reasons := reasons_of(referral, definition):
        referral.status, referral.reasons = Status.IN_REVIEW, reasons


def _is_known(referral: Referral) -> bool:
    """Whether they had bought before they joined, or a day before they gave the code: it may be
    told a little after the purchase that it came with."""
    begin = begins_at(referral) or referral.came_at - GIVEN_LATE
    return bought_before(referral.friend, begin)


def _joined_at(referral: Referral) -> dt.datetime | None:
    rows = run_prepared(_JOINED_AT, [current(referral.friend).pk, referral.program_id])
    return rows[0][0] if rows else None


def _bring_up_to_date(pk: int, now: dt.datetime) -> Referral | None:
    found = _KNOWN.first(pk)
    if found is None:
        return None
    case = _open(found, now)
    referral = case.referral
    before = _state(referral)
    if referral.status in OPEN:
        _go_on(case, now)
    elif referral.status == Status.PAID and settle_return(case, now):
        referral.status, referral.closed_at = Status.TAKEN_BACK, now
        referral.further_at = None
    if referral.status == Status.PAID:
        settle_further(case, now)
    if before != _state(referral):
        referral.save()
    return referral


def _state(referral: Referral) -> tuple[object, ...]:
    return (
        referral.status, referral.order_id, referral.due_at, list(referral.reasons),
        referral.further_at,
    )  # fmt: skip


def _open(found: Referral, now: dt.datetime) -> Case:
    """With the wallets and the people locked first, then the budget, then the referral."""
    people = _people(found.friend, found.link)
    terms, opened = open_customers([person.pk for person in people.values()], now)
    run_prepared(_HOLD_PROGRAM, [found.program_id])
    referral = _HELD.one(found.pk)
    program = next((item for item in terms.programs if item.id == referral.program_id), None)
    assert program is not None
    return Case(referral, terms_said(referral), terms, program, people, opened)


def _people(friend: Customer, link: ReferralLink) -> dict[Side, Customer]:
    """Both, as who they are now; an affiliate is no customer."""
    advocate = advocate_of(link)
    people = {Side.FRIEND: current(friend)}
    if advocate is not None:
        people[Side.ADVOCATE] = current(advocate.customer)
    return people


def _go_on(case: Case, now: dt.datetime) -> None:
    """One step after the other, as far as it goes."""
    referral = case.referral
    if referral.status == Status.INVITED:
        begin_if_member(referral, now)
        referral.save()
    if referral.status in (Status.JOINED, Status.LAPSED, Status.IN_REVIEW):
        _look_for_order(case, now)
    elif referral.status == Status.PENDING:
        _look_at_order(case, now)
    if _is_due(referral, now) and is_running(referral.program):
        _pay(case, now)


def _look_for_order(case: Case, now: dt.datetime) -> None:
    referral, definition = case.referral, case.definition
    if referral.order_id is not None:
        _look_at_order(case, now)
        return
    if referral.status == Status.IN_REVIEW and referral.joined_at is None:
        referral.joined_at = _joined_at(referral)
    order = buying_order(referral, definition)
    if order is None or _is_of_another(referral, order):
        if referral.status == Status.JOINED and referral.due_at and referral.due_at <= now:
            referral.status, referral.closed_at = Status.LAPSED, now
        return
    _note_order(referral, order, definition)
    referral.closed_at = None
    if referral.status == Status.IN_REVIEW:
        return
    referral.status = Status.PENDING
    if reasons := reasons_of(referral, definition):
        referral.status, referral.reasons = Status.IN_REVIEW, reasons


def _look_at_order(case: Case, now: dt.datetime) -> None:
    """What went back within its time brings nothing. What was placed before it and told after it
    was the first."""
    referral = case.referral
    assert referral.order is not None
    first = buying_order(referral, case.definition)
    if first is not None and first.placed_at < referral.order.placed_at:
        if not _is_of_another(referral, first):
            _note_order(referral, first, case.definition)
        return
    if not counts(referral.order, case.definition, referral.program):
        refuse(referral, "refunded", now)


def _note_order(referral: Referral, order: Order, definition: ReferralDefinition) -> None:
    referral.order, referral.bought_at = order, order.placed_at
    referral.due_at = order.placed_at + dt.timedelta(days=definition.wait_days)


def _is_of_another(referral: Referral, order: Order) -> bool:
    """After a merge the same order may be in two of them."""
    return bool(run_prepared(_OTHERS, [referral.program_id, order.pk, referral.pk or 0]))


def _is_due(referral: Referral, now: dt.datetime) -> bool:
    """What is held back waits until it is let go."""
    if referral.status != Status.PENDING or referral.due_at is None or referral.due_at > now:
        return False
    return referral.order is not None and referral.order.held_at is None


def _pay(case: Case, now: dt.datetime) -> None:
    referral = case.referral
    # Each step is written down and told.
    referral.save()
    try:
        with transaction.atomic():
            pay(case, now)
    except UnpayableError as error:
        referral.status, referral.reasons = Status.IN_REVIEW, [error.code]
        return
    referral.status, referral.closed_at = Status.PAID, now
