"""What conditions can ask of the company that somebody buys for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty.models import PoolMember
from loyalty.pool_roles import COMPANY as COMPANY_KIND
from loyalty.pool_roles import ROLES_OF
from loyalty.rules.companies import CompanyFacts
from members.conditions import values
from members.conditions.fields import COMPANY, Field


def _company(
    name: str, label: Any, kind: values.ValueType, help: Any = "",
    read: Callable[[CompanyFacts], Any] | None = None,
    choices: Callable[[], Sequence[tuple[str, str]]] | None = None,
) -> Field:  # fmt: skip
    return Field(
        f"company.{name}", label, kind, COMPANY, read or attrgetter(name), help=help,
        choices=choices, closed=choices is not None,
    )  # fmt: skip


def _roles() -> Sequence[tuple[str, str]]:
    words = dict(PoolMember.Role.choices)
    return [(role, str(words[role])) for role in ROLES_OF[COMPANY_KIND]]


FIELDS = (
    _company("buyer", _("buyer for a company"), values.YES_NO,
             _("A company of this program, when the order was placed."),
             lambda _company: True),
    _company("tags", _("tags of the company"), values.LIST),
    _company("role", _("role in the company"), values.TEXT, choices=_roles),
    _company("number", _("number of the company"), values.TEXT,
             _("As your own system calls it."), attrgetter("external_id")),
    _company("employees", _("employees of the company"), values.NUMBER),
    _company("buyers", _("buyers of the company"), values.NUMBER,
             _("How many buy for it.")),
    _company("orders", _("orders of the company"), values.NUMBER,
             _("Of all its buyers, before this one.")),
    _company("spend", _("spend of the company"), values.MONEY,
             _("What all its buyers bought for it and kept, before this order.")),
    _company("spend_year", _("spend of the company in the year"), values.MONEY,
             _("In the calendar year of the order.")),
    _company("spend_12_months", _("spend of the company in twelve months"), values.MONEY,
             _("In the twelve months before the order.")),
)  # fmt: skip
