"""The codes of orders that were called off and are good again: they were let go meanwhile, or never
used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from loyalty.codes_asked import (
    Answers,
    CodesAsked,
    answers_as_json,
    answers_from_json,
    code_keeper,
    order_holder,
)
from loyalty.models import Order, OrderEvaluation
from loyalty.rules.exchange import as_counted
from loyalty.selectors.exchange_rates import recorded_exchange
from loyalty.selectors.rulebooks import Terms
from loyalty.selectors.stored_orders import order_occasion
from loyalty.services.contexts import Wish, context_as_json, context_from_json, with_codes_anew
from loyalty.services.order_codes import codes_asked
from members.prepared import run_prepared

_CALLED_OFF = """
    SELECT o.id FROM loyalty_order o JOIN loyalty_orderevaluation e ON e.order_id = o.id
     WHERE o.id = ANY(%s::bigint[]) AND o.status = ANY(%s::text[])
       AND (e.context ? 'codes' OR cardinality(o.coupons) > 0)
"""


def called_off(order_ids: Sequence[int]) -> frozenset[int]:
    """Those of these orders that came to nothing and brought codes: of which some counted before,
    or that came as nothing, so that nobody has asked of their codes."""
    if not order_ids or code_keeper() is None:
        return frozenset()
    found = run_prepared(_CALLED_OFF, [list(order_ids), [str(status) for status in Order.VOID]])
    return frozenset(pk for (pk,) in found)


def claim_codes_again(order_ids: Collection[int], terms: Terms, now: dt.datetime) -> None:
    """Of those that are good again by now: what counts uses the codes once more, and what is gone
    counts no more. Codes that nobody has asked of are asked of as when it was placed. Before they
    are reconciled; the caller holds their buyers' wallets."""
    keeper = code_keeper()
    if keeper is None or not order_ids:
        return
    found = [
        (evaluation, wish, answers_from_json(evaluation.context))
        for evaluation, wish in _evaluated(order_ids, terms)
    ]
    again = [item for item in found if item[2]]
    answers = keeper.claim_again([_asked(*item) for item in again], now)
    for (evaluation, wish, before), after in zip(again, answers, strict=True):
        if not all(answer.counts for answer in after):
            _keep(evaluation, wish, _gone(before, after))
    first = [item for item in found if not item[2] and item[1].occasion.coupons]
    answers = keeper.claim([_asked(*item) for item in first], now)
    for (evaluation, wish, _none), after in zip(first, answers, strict=True):
        _keep(evaluation, wish, after)


def _asked(evaluation: OrderEvaluation, wish: Wish, before: Answers) -> CodesAsked:
    """What counted before; all of them, where nothing was asked before."""
    order = evaluation.order
    asked = codes_asked(wish, order_holder(order.source, order.external_id))
    counted = tuple(answer.code for answer in before if answer.counts)
    return replace(asked, codes=counted) if before else asked


def _evaluated(order_ids: Collection[int], terms: Terms) -> Iterator[tuple[OrderEvaluation, Wish]]:
    programs = {program.id: program for program in terms.programs}
    good = OrderEvaluation.objects.filter(order__in=order_ids, program__in=list(programs))
    rows = good.exclude(order__status__in=Order.VOID).order_by("order", "program")
    for row in rows.select_related("order", "membership").prefetch_related(
        "order__lines", "order__tenders"
    ):
        program, member = programs[row.program_id], row.membership
        assert row.order.customer_id is not None
        yield row, Wish(
            program, program.rulebook.named(row.rule_versions),
            member.merged_into_id or member.pk, row.order.customer_id,
            as_counted(order_occasion(row.order, program), recorded_exchange(row.order, program)),
            context_from_json(row.context),
        )  # fmt: skip


def _gone(before: Answers, after: Answers) -> Answers:
    fresh = {answer.code: answer for answer in after}
    return tuple(
        replace(answer, reason=fresh[answer.code].reason) if answer.code in fresh else answer
        for answer in before
    )


def _keep(evaluation: OrderEvaluation, wish: Wish, codes: Answers) -> None:
    context = with_codes_anew(wish.context, replace(wish, codes=codes))
    evaluation.context |= context_as_json(context) | answers_as_json(codes)
    evaluation.save(update_fields=["context"])
