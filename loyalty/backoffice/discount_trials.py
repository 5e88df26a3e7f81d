"""What the trial of a discount rule that is being written shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from loyalty.backoffice.trial_forms import TrialForm
from loyalty.discount_words import discount_reasons
from loyalty.models import Activity, EarningRule, Order, Program
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.services.discount_trials import DiscountTrial, DiscountTrialRow, try_discount
from loyalty.services.trials import buyer_in
from members.models import Customer
from members.timeline_view import WhyStep


@dataclass(frozen=True, slots=True)
class ShownDiscount:
    """A rule's row with the arithmetic in words."""

    row: DiscountTrialRow
    why: tuple[WhyStep, ...]


@dataclass(frozen=True, slots=True)
class ShownDiscountTrial:
    """What the pane shows. `who`: the customer whose facts count, if it is one's."""

    rows: tuple[ShownDiscount, ...]
    trial: DiscountTrial
    order: Order | None
    who: Customer | None


def shown_discount_trial(
    form: TrialForm,
    *,
    program: Program,
    definition: DiscountRuleDefinition,
    rule: EarningRule | None,
    now: dt.datetime,
) -> ShownDiscountTrial | None:
    """The trial that the form asks for; None, with an error, if there is no such order."""
    tried = form.tried(definition, now) if form.is_valid() else None
    if tried is None:
        return None
    assert not isinstance(tried, Activity)
    member = form.cleaned_data["member"]
    real = tried if isinstance(tried, Order) else None
    trial = try_discount(
        program=program, definition=definition, rule=rule, tried=tried, now=now,
        buyer=buyer_in(program.pk, member.customer_id) if member else None,
    )  # fmt: skip
    return ShownDiscountTrial(
        tuple(
            ShownDiscount(row, tuple(discount_reasons(row.then.steps, program.currency)))
            for row in trial.rows
        ),
        trial,
        real,
        real.customer if real else member and member.customer,
    )
