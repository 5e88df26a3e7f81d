"""/order-explanations: what every rule said about an order."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.codes import PromoCodeOut, codes_out
from loyalty.selectors.orders import get_order
from loyalty.services.judgments import Judgment, explain_order
from members.api.bodies import Answer, answer
from members.api.views import ApiView


class VerdictOut(Answer):
    """What one rule gave, as the order is now."""

    rule: str
    name: str
    version: int
    wallet_type: str
    decimals: int
    units: Units
    reason: str = Field(description="Why it gave nothing; empty where it gave something.")
    why: list[str] = Field(description="Its arithmetic.")


class JudgmentOut(Answer):
    program: str
    name: str
    reason: str = Field(description="Why it did not judge the order; empty where it did.")
    rules: list[VerdictOut]
    codes: list[PromoCodeOut] = Field(description="Of its coupons those that a promotion has.")


class OrderExplanationOut(Answer):
    programs: list[JudgmentOut]


class OrderExplanation(ApiView):
    scopes = {"GET": "orders:read"}

    @extend_schema(operation_id="explainOrder", responses={200: OrderExplanationOut})
    def get(self, request: Request, source: str, external_id: str) -> HttpResponse:
        """Say for each rule of each program what it gave for an order, or why it gave nothing."""
        order = get_order(source, external_id)
        return answer(OrderExplanationOut(programs=[_out(found) for found in explain_order(order)]))


def _out(judgment: Judgment) -> JudgmentOut:
    return JudgmentOut(
        program=judgment.program.code,
        name=judgment.name,
        reason=judgment.reason,
        rules=[
            VerdictOut(
                rule=verdict.version.rule_code,
                name=verdict.version.rule_name,
                version=verdict.version.number,
                wallet_type=verdict.wallet_type.code,
                decimals=verdict.wallet_type.scale,
                units=units_text(verdict.units, verdict.wallet_type.scale),
                reason=verdict.reason,
                why=[f"{step.text}: {step.value}" if step.value else step.text
                     for step in verdict.why],
            )
            for verdict in judgment.verdicts
        ],
        codes=codes_out(judgment.codes),
    )  # fmt: skip
