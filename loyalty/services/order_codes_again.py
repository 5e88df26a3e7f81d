"""The codes of orders that were called off and are good again: they were let go meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from loyalty.codes_asked import (
    Answers,
    answers_as_json,
    answers_from_json,
    code_keeper,
    order_holder,
)
from loyalty.models import Order, OrderEvaluation
from loyalty.selectors.rulebooks import Terms
from loyalty.selectors.stored_orders import order_occasion
from loyalty.services.contexts import Wish, context_as_json, context_from_json, with_codes_gone
from loyalty.services.order_codes import codes_asked


def called_off(order_ids: Sequence[int]) -> frozenset[int]:
    """Those of these orders that came to nothing and that a promotion's code counted for."""
    if not order_ids or code_keeper() is None:
        return frozenset()
    found = OrderEvaluation.objects.filter(
        order__in=order_ids, order__status__in=Order.VOID, context__has_key="codes"
    )
    return frozenset(found.values_list("order", flat=True))


def claim_codes_again(order_ids: Collection[int], terms: Terms, now: dt.datetime) -> None:
    """Of those that are good again by now: what counts uses the codes once more, and what is gone
    counts no more. Before they are reconciled; the caller holds their buyers' wallets."""
    keeper = code_keeper()
    if keeper is None or not order_ids:
        return
    found = [
        (evaluation, wish, answers_from_json(evaluation.context))
        for evaluation, wish in _evaluated(order_ids, terms)
    ]
    asked = [
        replace(
            codes_asked(wish, order_holder(evaluation.order.source, evaluation.order.external_id)),
            codes=tuple(answer.code for answer in before if answer.counts),
        )
        for evaluation, wish, before in found
    ]
    answers = keeper.claim_again(asked, now)
    for (evaluation, wish, before), after in zip(found, answers, strict=True):
        if not all(answer.counts for answer in after):
            _keep(evaluation, wish, before, after)


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
            order_occasion(row.order, program), context_from_json(row.context),
        )  # fmt: skip


def _keep(evaluation: OrderEvaluation, wish: Wish, before: Answers, after: Answers) -> None:
    fresh = {answer.code: answer for answer in after}
    codes = tuple(
        replace(answer, reason=fresh[answer.code].reason) if answer.code in fresh else answer
        for answer in before
    )
    context = with_codes_gone(wish.context, replace(wish, codes=codes))
    evaluation.context |= context_as_json(context) | answers_as_json(codes)
    evaluation.save(update_fields=["context"])
