"""How far a new installation has come: from nothing to the first member."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from loyalty.models import Membership, Program
from loyalty.selectors.totals import has_orders
from members.selectors.merchants import DEFAULT_NAME, get_merchant


@dataclass(frozen=True, slots=True)
class FirstDay:
    """What is there already. `program`: the one that goes on, live ones first."""

    named: bool
    orders: bool
    program: Program | None
    members: bool

    @property
    def live(self) -> bool:
        return self.program is not None and self.program.status != Program.Status.DRAFT


def is_first_day() -> bool:
    """Whether something is left to do, in one query. What is live and has members needs no list."""
    return not Membership.objects.filter(~Q(program__status=Program.Status.DRAFT)).exists()


def first_day() -> FirstDay:
    merchant = get_merchant()
    programs = Program.objects.annotate(draft=Q(status=Program.Status.DRAFT))
    return FirstDay(
        named=merchant.name != DEFAULT_NAME,
        orders=has_orders(),
        program=programs.order_by("draft", "-pk").first(),
        members=not is_first_day(),
    )
