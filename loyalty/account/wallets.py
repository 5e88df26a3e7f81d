"""What a member holds, put into the words and numbers of the home page."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, WalletType
from loyalty.selectors.balances import Balance, get_balances
from loyalty.selectors.forecasts import Change, upcoming_changes
from members.formatting import format_day, format_money, format_points, format_units, unit_name

SOON = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A day on which units become spendable (`gain`), or that is the last one to use them."""

    day: dt.date
    text: str
    gain: bool


@dataclass(frozen=True, slots=True)
class WalletSummary:
    """One wallet as its owner reads it; an empty text says that there is nothing to say."""

    number: str
    unit: str
    plural: str
    worth: str
    pending: str
    owed: str
    expiring: str
    expiring_day: str
    upcoming: Sequence[Upcoming]


def summarize_wallets(membership: Membership, now: dt.datetime) -> list[WalletSummary]:
    """The membership's wallets in the program's order; a constant number of queries."""
    program = membership.program
    balances = get_balances(membership, now)
    changes = upcoming_changes([item.wallet.pk for item in balances], zone=program.zone, now=now)
    today = now.astimezone(program.zone).date()
    return [
        _summary(
            balance,
            [change for change in changes if change.wallet_id == balance.wallet.pk],
            program.currency,
            today,
        )
        for balance in balances
    ]


def _summary(
    balance: Balance, changes: Sequence[Change], currency: str, today: dt.date
) -> WalletSummary:
    wallet_type = balance.wallet_type
    lapse = next((change for change in changes if change.kind == "lapses"), None)
    soon = lapse is not None and lapse.day <= today + SOON
    return WalletSummary(
        number=format_points(balance.spendable, wallet_type.scale),
        unit=unit_name(balance.spendable, wallet_type),
        plural=wallet_type.plural,
        worth=_worth(balance, currency),
        pending=_pending(balance, changes),
        owed=_owed(balance),
        expiring=_expiring(lapse, wallet_type) if lapse and soon else "",
        expiring_day=format_day(lapse.day) if lapse and soon else "",
        upcoming=[_upcoming(change, wallet_type) for change in changes],
    )


def _worth(balance: Balance, currency: str) -> str:
    if not balance.worth:
        return ""
    return _("Worth %s") % format_money(balance.worth, currency)


def _pending(balance: Balance, changes: Sequence[Change]) -> str:
    days = [change.day for change in changes if change.kind == "matures"]
    if not balance.pending or not days:
        return ""
    values = {
        "units": format_units(balance.pending, balance.wallet_type),
        "day": format_day(days[0]),
    }
    if len(days) > 1:
        return _("%(units)s on the way, the first spendable from %(day)s") % values
    return _("%(units)s on the way, spendable from %(day)s") % values


def _owed(balance: Balance) -> str:
    if not balance.owed:
        return ""
    return _("%s still to settle") % format_units(balance.owed, balance.wallet_type)


def _expiring(lapse: Change, wallet_type: WalletType) -> str:
    units = {"units": format_units(lapse.units, wallet_type)}
    count = plural_count(lapse.units, wallet_type.scale)
    return ngettext("%(units)s expires soon", "%(units)s expire soon", count) % units


def _upcoming(change: Change, wallet_type: WalletType) -> Upcoming:
    units = {"units": format_units(change.units, wallet_type)}
    count = plural_count(change.units, wallet_type.scale)
    if change.kind == "matures":
        text = ngettext("%(units)s becomes spendable", "%(units)s become spendable", count)
        return Upcoming(change.day, text % units, gain=True)
    return Upcoming(change.day, _("Last day to use %(units)s") % units, gain=False)


def plural_count(units: int, scale: int) -> int:
    """The number that a language's plural rule is asked about; 1.5 counts as several."""
    return math.ceil(Decimal(units).scaleb(-scale))
