"""Returns without their order: each takes back what its own amount would earn."""

from __future__ import annotations

from typing import Any

from loyalty.ledger.posting import Movement
from loyalty.models import Refund
from loyalty.rules.basket import as_basket
from loyalty.rules.engine import Award, evaluate
from loyalty.rules.exchange import Exchange, as_counted
from loyalty.rules.facts import Occasion
from loyalty.selectors.exchange_rates import recorded_exchanges
from loyalty.selectors.partners import AtPartner
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.selectors.stored_orders import as_return
from loyalty.services.awards import clawback, explain_award
from loyalty.services.contexts import Wish, with_contexts
from loyalty.services.conversions import conversion_told
from loyalty.services.order_batches import MemberRef
from members.conditions.moments import Moment


def own_amount_movements(
    refund: Refund,
    *,
    terms: Terms,
    members: dict[tuple[int | None, int], MemberRef],
    transfer_source: str,
) -> list[Movement]:
    """What a return without its order takes back: as much as its own amount would earn that day."""
    basket = as_basket(as_return(refund))
    exchanges, partner = _exchanges(refund, terms), _partner_of(refund)
    movements = []
    for program in terms.programs:
        member = members.get((refund.customer_id, program.id))
        exchange = exchanges.get(program.id)
        if member is None or (program.currency != refund.currency and exchange is None):
            continue
        if not _stands_alone(refund, program, partner):
            continue
        occasion = as_counted(
            Occasion(
                basket, Moment(refund.refunded_at, program.zone), currency=refund.currency,
                partner=partner.code if partner else "",
            ),
            exchange,
        )  # fmt: skip
        assert refund.customer_id is not None
        (wish,) = with_contexts(
            [
                Wish(
                    program, program.rulebook.in_force(refund.refunded_at), member.membership_id,
                    refund.customer_id, occasion, came_back=True,
                )
            ]
        )  # fmt: skip
        decision = evaluate(
            wish.versions, occasion, context=wish.context, multiplying=program.multiplying
        )
        for award in decision.awards:
            if award.units:
                told = conversion_told(basket, exchange)
                movements.append(
                    _unlinked(award, refund, member, program, told, transfer_source, partner)
                )
    return movements


def _partner_of(refund: Refund) -> AtPartner | None:
    """At whose it was bought, which is where it goes back to."""
    partner = refund.order.partner if refund.order is not None else None
    return AtPartner.of(partner) if partner is not None else None


def _exchanges(refund: Refund, terms: Terms) -> dict[int, Exchange]:
    """By program, the rate by which its order was converted there."""
    if refund.order_id is None or all(p.currency == refund.currency for p in terms.programs):
        return {}
    recorded = recorded_exchanges([refund.order_id])
    return {program: exchange for (_order, program), exchange in recorded.items()}


def _stands_alone(refund: Refund, program: ProgramTerms, partner: AtPartner | None) -> bool:
    """Whether a return takes back its own amount; not one of an order that could earn nothing."""
    if partner is not None and partner.program_id != program.id:
        return False
    if not refund.order_external_id:
        return program.takes_back_unlinked and not program.visiting
    order = refund.order
    earned = order is None or program.times.earns_at(order.placed_at)
    return earned and not program.reconciles_linked


def _unlinked(
    award: Award, refund: Refund, member: MemberRef, program: ProgramTerms, told: dict[str, Any],
    transfer_source: str, partner: AtPartner | None,
) -> Movement:  # fmt: skip
    return clawback(
        award,
        units=award.units,
        member=member,
        terms=program,
        occurred_at=refund.refunded_at,
        key=f"refund:{refund.pk}:{award.version.id}",
        source=transfer_source,
        explanation=explain_award(
            award, currency=program.currency, refund=refund.external_id, partner=partner, **told
        ),
        refund_id=refund.pk,
        partner=partner,
    )
