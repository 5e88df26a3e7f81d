"""/programs/{code}/discounts: what discount rules took off orders."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import EarningRule
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.discount_costs import DiscountCost, discount_costs
from loyalty.selectors.programs import get_program
from loyalty.selectors.rules import rules_alike
from members.api.bodies import Answer, Day, Query, answer, money_text, read_query
from members.api.schema import query_parameters
from members.api.views import ApiView


class DiscountsQuery(Query):
    first: Day | None = Field(
        None, description="Orders placed from this day on, in the program's time zone."
    )
    last: Day | None = Field(None, description="Orders placed until the end of this day.")


class DiscountCostOut(Answer):
    """What one rule took off, of orders that named it."""

    rule: str
    name: str
    orders: int
    customers: int
    given: str = Field(description="Money off, in the program's currency.")
    kept: str = Field(description="The same without what came back of those orders.")
    revenue: str = Field(description="What those orders came to, without what came back.")


class DiscountCostsOut(Answer):
    program: str
    currency: str
    first: dt.date | None
    last: dt.date | None
    results: list[DiscountCostOut] = Field(
        description="Every discount rule, in their order of evaluation."
    )


class ProgramDiscounts(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(
        operation_id="getDiscountCosts",
        parameters=query_parameters(DiscountsQuery),
        responses={200: DiscountCostsOut},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read what each discount rule took off the orders of some days."""
        query = read_query(request, DiscountsQuery)
        program = get_program(code)
        costs = discount_costs(
            program,
            start_of_day(query.first, program.zone) if query.first else None,
            end_of_day(query.last, program.zone) if query.last else None,
        )
        return answer(
            DiscountCostsOut(
                program=program.code,
                currency=program.currency,
                first=query.first,
                last=query.last,
                results=[
                    _cost(rule, costs.get(rule.pk, DiscountCost()))
                    for rule in rules_alike(program, discount=True)
                ],
            )
        )


def _cost(rule: EarningRule, cost: DiscountCost) -> DiscountCostOut:
    return DiscountCostOut(
        rule=rule.code,
        name=rule.name,
        orders=cost.orders,
        customers=cost.customers,
        given=money_text(cost.given),
        kept=money_text(cost.kept),
        revenue=money_text(cost.revenue),
    )
