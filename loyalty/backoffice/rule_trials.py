"""What the trial of a rule that is being written shows: what each rule gives, why, and what limits
leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.arithmetic import arithmetic
from loyalty.backoffice.trial_forms import TrialForm
from loyalty.models import Activity, EarningRule, Order, Program, WalletType
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.bodies import WindowedBody
from loyalty.rules.caps import smallest_units
from loyalty.rules.engine import Award
from loyalty.services.trials import Trial, TrialRow, buyer_in, try_rule
from members.formatting import format_money, format_units
from members.models import Customer
from members.timeline_view import WhyStep


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A rule's row with the arithmetic in words, and what its limits leave."""

    row: TrialRow
    why: tuple[WhyStep, ...]
    windowed: bool
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """What the pane shows. `who`: the customer whose facts and limits count, if it is one's."""

    rows: tuple[ShownRow, ...]
    totals: list[tuple[WalletType, int, int]]
    order: Order | None
    activity: Activity | None
    who: Customer | None

    @property
    def limited(self) -> bool:
        return any(row.limits for row in self.rows)


def shown_trial(
    form: TrialForm,
    *,
    program: Program,
    definition: EarningRuleDefinition,
    rule: EarningRule | None,
    now: dt.datetime,
) -> ShownTrial | None:
    """The trial that the form asks for; None, with an error, if there is no such order."""
    if not form.is_valid():
        return None
    tried = form.tried(definition, now)
    if tried is None:
        return None
    member = form.cleaned_data["member"]
    real = tried if isinstance(tried, Order | Activity) else None
    who = real.customer if real else member and member.customer
    trial = try_rule(
        program=program, definition=definition, rule=rule, tried=tried, now=now,
        buyer=buyer_in(program.pk, member.customer_id) if member else None,
    )  # fmt: skip
    return ShownTrial(
        tuple(_shown(trial, program.currency, who)),
        trial.totals(),
        real if isinstance(real, Order) else None,
        real if isinstance(real, Activity) else None,
        who,
    )


def _shown(trial: Trial, currency: str, who: Customer | None) -> Iterable[ShownRow]:
    for row in trial.rows:
        award = row.then or row.now
        assert award is not None
        body = award.version.body
        yield ShownRow(
            row,
            _words(award, row.wallet_type, currency),
            isinstance(body, WindowedBody) and body.windowed,
            tuple(_limits(row, award, who, currency)),
        )


def _words(award: Award, wallet_type: WalletType, currency: str) -> tuple[WhyStep, ...]:
    return tuple(arithmetic(award.steps, wallet_type=wallet_type, currency=currency))


def _limits(row: TrialRow, award: Award, who: Customer | None, currency: str) -> Iterator[str]:
    """What the caps of a rule leave: to this member in the period, and to all."""
    caps, room, unit = award.version.body.caps, row.room, row.wallet_type
    if room is None:
        return
    for period, most in caps.per_member.said:
        words = {"most": format_units(smallest_units(most, unit.scale), unit), "who": who or ""}
        if not who:
            yield _left_to_nobody(period) % words
        elif period == room.period and room.member is not None:
            # Of several that one decides.
            yield _left_to_member(period) % (words | {"left": format_units(room.member, unit)})
    if caps.budget is not None and room.budget is not None:
        yield _("Left of its budget: %(left)s of %(most)s.") % {
            "left": format_units(room.budget, unit),
            "most": format_units(smallest_units(caps.budget, unit.scale), unit),
        }
    if caps.budget_money is not None and room.money is not None:
        yield _("Left of its budget of %(most)s: so much as %(left)s are worth.") % {
            "left": format_units(room.money, unit),
            "most": format_money(caps.budget_money, currency),
        }


def _left_to_member(period: str) -> str:
    return {
        "day": _("Left to %(who)s that day: %(left)s of %(most)s."),
        "week": _("Left to %(who)s that week: %(left)s of %(most)s."),
        "month": _("Left to %(who)s that month: %(left)s of %(most)s."),
        "year": _("Left to %(who)s that year: %(left)s of %(most)s."),
        "lifetime": _("Left to %(who)s: %(left)s of %(most)s."),
    }[period]


def _left_to_nobody(period: str) -> str:
    return {
        "day": _("At most %(most)s for one member a day; all of it is taken to be left."),
        "week": _("At most %(most)s for one member a week; all of it is taken to be left."),
        "month": _("At most %(most)s for one member a month; all of it is taken to be left."),
        "year": _("At most %(most)s for one member a year; all of it is taken to be left."),
        "lifetime": _("At most %(most)s for one member, ever; all of it is taken to be left."),
    }[period]
