"""What another wording of a plan changes, and for whom, before it is saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import PlanVersion, Program, Subscription
from loyalty.plan_definitions import PlanDefinition
from loyalty.selectors.plans import current_versions, plan_definition
from members.formatting import format_day, format_money, format_number


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """`have`: members who have it. `lines`: sentences about who is concerned, and when."""

    have: int
    lines: list[str]


def preview_plan(program: Program, said: PlanDefinition, *, now: dt.datetime) -> PlanPreview:
    current = next(
        (item for item in current_versions(program) if item.plan.code == said.code), None
    )
    if current is None:
        return PlanPreview(0, [_("Nobody has it yet: it is offered to members from now on.")])
    running = Subscription.objects.filter(plan=current.plan, ended_at=None)
    have = running.count()
    return PlanPreview(have, list(_lines(program, current, said, have)))


def _lines(
    program: Program, current: PlanVersion, said: PlanDefinition, have: int
) -> Iterator[str]:
    before = plan_definition(current)
    money = {
        "before": format_money(before.price, program.currency),
        "after": format_money(said.price, program.currency),
        "count": format_number(have),
    }
    if before.price != said.price or before.period != said.period:
        yield _("Who joins from now on pays %(after)s instead of %(before)s.") % money
        yield ngettext(
            "%(count)s member has it and keeps %(before)s until it renews.",
            "%(count)s members have it and keep %(before)s until theirs renews.", have,
        ) % money  # fmt: skip
        yield from _renewals(program, current)
        yield from _monthly(program, before, said, have)
    if before.credits != said.credits:
        yield _("The units that come with it change for each member when theirs renews.")
    if before.benefits != said.benefits:
        yield ngettext(
            "Its benefits change at once, for %s member who has it too.",
            "Its benefits change at once, for the %s members who have it too.", have,
        ) % format_number(have)  # fmt: skip
    if before.trial_days != said.trial_days:
        yield _("The trial changes for who joins from now on. Trials that run stay as they are.")
    if before.offered and not said.offered:
        yield _("Nobody new can take it. Who has it keeps it, and it renews.")
    if not before.offered and said.offered:
        yield _("Members can take it again.")
    if before.upgrade != said.upgrade:
        yield _("When members with a cheaper plan get it changes for those who ask from now on.")
    dunning = ("retry_days", "grace_days", "pay_days")
    if any(getattr(before, name) != getattr(said, name) for name in dunning):
        yield _("Days to pay, retries and grace are for charges from the next renewal on.")


def _renewals(program: Program, current: PlanVersion) -> Iterator[str]:
    ends = (
        Subscription.objects.filter(
            plan=current.plan, ended_at=None, cancel_at_period_end=False, next_plan=None
        )
        .exclude(period_end=None)
        .order_by("period_end")
        .values_list("period_end", flat=True)
    )
    first, last = ends.first(), ends.last()
    if first is not None and last is not None:
        yield _("The first of them renews on %(first)s, the last on %(last)s.") % {
            "first": format_day(first, program.zone), "last": format_day(last, program.zone),
        }  # fmt: skip


def _monthly(
    program: Program, before: PlanDefinition, said: PlanDefinition, have: int
) -> Iterator[str]:
    months = {period.value: number for period, number in PlanVersion.MONTHS.items()}
    change = said.price / months[said.period] - before.price / months[before.period]
    if have and change:
        yield _("If all of them stay, that is %s a month once all have renewed.") % format_money(
            (have * change).quantize(Decimal("0.01")), program.currency, sign=True
        )
