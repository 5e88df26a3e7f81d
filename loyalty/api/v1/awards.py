"""What orders and refunds moved, with the reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language
from pydantic import Field

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.transfers import ExplanationOut
from loyalty.explanations import earned_title, explain_transfer
from loyalty.models import EarningRule, Transfer, WalletType
from loyalty.rules.engine import Award, Step
from loyalty.selectors.rulebooks import current_terms, reload_terms
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.order_inputs import OrderInput
from loyalty.services.orders import OrderResult
from members.api.bodies import Answer
from members.formatting import NamesOfUnit
from members.program_scope import is_in_scope


class AwardBrief(Answer):
    """Units that an order moved."""

    program: str
    wallet_type: str
    decimals: int
    units: Units = Field(description="Below zero where units were taken back.")


class AwardOut(AwardBrief):
    explanation: ExplanationOut


def new_awards(result: OrderResult, order: OrderInput) -> list[AwardOut]:
    """What each rule gives a new order, also nothing, and why. An order counts in all programs;
    whoever tells it may be limited to some."""
    wallet_types = _types_of([result])
    return [
        AwardOut.model_construct(
            **_brief(award, wallet_types),
            explanation=_explanation(award, order, wallet_types[award.version.wallet_type_id]),
        )
        for program, award in result.awards
        if is_in_scope(program)
    ]


def _types_of(results: Sequence[OrderResult]) -> dict[int, WalletType]:
    """The units of what orders earned. Those of a partner were judged by the terms of its program
    alone, which may be newer than what is kept of all."""
    wanted = {award.version.wallet_type_id for result in results for _pk, award in result.awards}
    known = wallet_types_of(current_terms())
    return known if wanted <= known.keys() else wallet_types_of(reload_terms(None))


def reasons_in_words(award: Award, currency: str, wallet_type: WalletType) -> list[str]:
    """Why a rule gives so much, also nothing."""
    unit = NamesOfUnit.of(wallet_type)
    return _in_words(award.steps, currency, unit, get_language())


def _explanation(award: Award, order: OrderInput, wallet_type: WalletType) -> ExplanationOut:
    steps = reasons_in_words(award, order.currency, wallet_type)
    return ExplanationOut.model_construct(title=earned_title(order.external_id), steps=steps)


def explained_award(
    rule: EarningRule, units: int, steps: Sequence[Sequence[str]], title: str
) -> AwardOut:
    """What a rule gave, also nothing, from the steps that were kept of it."""
    wallet_type = rule.wallet_type
    unit = NamesOfUnit.of(wallet_type)
    words = _in_words(tuple(map(tuple, steps)), "", unit, get_language())
    return AwardOut(
        program=rule.program.code,
        wallet_type=wallet_type.code,
        decimals=wallet_type.scale,
        units=units_text(units, wallet_type.scale),
        explanation=ExplanationOut(title=title, steps=words),
    )


@lru_cache(maxsize=8192)
def _in_words(
    steps: tuple[Step, ...], currency: str, unit: NamesOfUnit, _language: str | None
) -> list[str]:
    """Putting numbers into words takes longer than finding them, and the same sums come again."""
    example = Transfer(
        kind=Transfer.Kind.ACCRUAL,
        wallet_type=WalletType(
            singular=unit.singular,
            plural=unit.plural,
            scale=unit.scale,
            plural_language=unit.plural_language,
            plural_forms=unit.plural_forms,
        ),
        explanation={"steps": steps, "currency": currency},
    )
    return list(explain_transfer(example).steps)


def awards_of(order_id: int) -> list[AwardOut]:
    """What a known order has moved until now."""
    found = Transfer.objects.filter(order=order_id).select_related("wallet", "wallet_type__program")
    return moved_awards(found.order_by("pk"))


def moved_awards(transfers: Iterable[Transfer]) -> list[AwardOut]:
    awards = []
    for transfer in transfers:
        wallet_type, explanation = transfer.wallet_type, explain_transfer(transfer)
        awards.append(
            AwardOut(
                program=wallet_type.program.code,
                wallet_type=wallet_type.code,
                decimals=wallet_type.scale,
                units=units_text(transfer.signed_amount, wallet_type.scale),
                explanation=ExplanationOut(title=explanation.title, steps=list(explanation.steps)),
            )
        )
    return awards


def brief_awards(results: Iterable[OrderResult]) -> list[list[AwardBrief]]:
    """Of each order the units alone."""
    results = list(results)
    wallet_types = _types_of(results)
    return [
        [
            AwardBrief.model_construct(**_brief(award, wallet_types))
            for program, award in result.awards
            if is_in_scope(program)
        ]
        for result in results
    ]


def _brief(award: Award, wallet_types: dict[int, WalletType]) -> dict[str, Any]:
    wallet_type = wallet_types[award.version.wallet_type_id]
    return {
        "program": wallet_type.program.code,
        "wallet_type": wallet_type.code,
        "decimals": wallet_type.scale,
        "units": units_text(award.units, wallet_type.scale),
    }
