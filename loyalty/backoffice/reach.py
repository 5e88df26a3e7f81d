"""How far the person before the screen may go when units are moved by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from loyalty.models import Program, WalletType
from loyalty.selectors.adjustment_limits import Limits, limits_of, whole_units
from loyalty.services.adjustment_limits import room_today
from members.formatting import format_number
from members.models import User
from members.policy import role_of


@dataclass(frozen=True, slots=True)
class Reach:
    """A person's limits in one program; `room`: whole units left today, None: no limit."""

    user: User
    role: str
    limits: Limits
    room: Decimal | None

    def problem(self, wallet_type: WalletType, units: int) -> str:
        """Why so many may not be moved, or nothing."""
        whole = whole_units(units, wallet_type.scale)
        if not self.limits.allows(whole):
            return _("Your role may move at most %(limit)s %(plural)s at once.") % {
                "limit": format_number(self.limits.most_at_once or 0),
                "plural": wallet_type.plural,
            }
        if not self.asks(wallet_type, units) and self.room is not None and whole > self.room:
            return _("You may move %(room)s more %(plural)s today.") % {
                "room": format_number(self.room),
                "plural": wallet_type.plural,
            }
        return ""

    def asks(self, wallet_type: WalletType, units: int) -> bool:
        """Whether somebody else would have to approve it."""
        return self.limits.needs_approval(whole_units(units, wallet_type.scale))


def reach_of(request: HttpRequest, program: Program, now: dt.datetime) -> Reach:
    user, role = request.user, role_of(request.user)
    if not isinstance(user, User) or role is None:
        raise PermissionDenied
    limits = limits_of(role, program)
    room = room_today(limits, user=user, role=role, program=program, now=now)
    return Reach(user, role, limits, room)
