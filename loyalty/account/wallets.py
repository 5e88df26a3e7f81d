"""What a member holds, put into the words and numbers of the home page."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, WalletType
from loyalty.selectors.balances import Balance, get_balances
from loyalty.selectors.forecasts import Change, upcoming_changes
from loyalty.selectors.gifts import givable
from loyalty.selectors.rulebooks import spending_terms
from members.formatting import (
    format_day,
    format_days,
    format_money,
    format_points,
    format_units,
    unit_name,
)

SOON = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """Days of a month on which units become spendable (`gain`), or are usable for the last time."""

    days: str
    text: str
    gain: bool


@dataclass(frozen=True, slots=True)
class WalletSummary:
    """One wallet as its owner reads it; an empty text says that there is nothing to say."""

    code: str
    icon: str
    number: str
    unit: str
    plural: str
    worth: str
    pending: str
    usable: str
    owed: str
    owed_why: str
    expiring: str
    expiring_first: str
    upcoming: Sequence[Upcoming]
    givable: bool


def summarize_wallets(
    membership: Membership,
    now: dt.datetime,
    *,
    hidden: Callable[[WalletType], bool] = lambda wallet_type: False,
) -> list[WalletSummary]:
    """The membership's wallets in the program's order; a constant number of queries. Those that are
    `hidden` are left out while there is nothing in them."""
    program = membership.program
    balances = [
        balance
        for balance in get_balances(membership, now)
        if balance.balance
        or balance.pending
        or balance.owed
        # Credit that nobody has given yet is no news.
        or not (balance.wallet_type.stored_value or hidden(balance.wallet_type))
    ]
    changes = upcoming_changes([item.wallet.pk for item in balances], zone=program.zone, now=now)
    today = now.astimezone(program.zone).date()
    may_give = {
        wallet.pk for wallet in givable(membership, [item.wallet for item in balances], now)
    }
    return [
        _summary(
            balance,
            [change for change in changes if change.wallet_id == balance.wallet.pk],
            program.currency,
            today,
            givable=balance.wallet.pk in may_give,
        )
        for balance in balances
    ]


def _summary(
    balance: Balance,
    changes: Sequence[Change],
    currency: str,
    today: dt.date,
    *,
    givable: bool,
) -> WalletSummary:
    wallet_type = balance.wallet_type
    soon = [c for c in changes if c.kind == "lapses" and c.day <= today + SOON]
    return WalletSummary(
        code=wallet_type.code,
        icon=wallet_type.icon,
        number=format_points(balance.spendable, wallet_type.scale),
        unit=unit_name(balance.spendable, wallet_type),
        plural=wallet_type.plural,
        worth=_worth(balance, currency),
        pending=_pending(balance, changes),
        usable=_usable(balance),
        owed=_owed(balance),
        owed_why=_owed_why(balance) if balance.owed else "",
        expiring=_expiring(soon, wallet_type) if soon else "",
        expiring_first=_expiring_first(soon, wallet_type) if soon else "",
        upcoming=[_upcoming(month, wallet_type) for month in _by_month(changes)],
        givable=givable,
    )


def _worth(balance: Balance, currency: str) -> str:
    if not balance.worth:
        return ""
    return _("Worth %s") % format_money(balance.worth, currency)


def _usable(balance: Balance) -> str:
    """How many of them can be used, where that is not simply all of them."""
    wallet_type = balance.wallet_type
    terms = spending_terms(wallet_type)
    most = terms.most(balance.spendable)
    if most == balance.spendable:
        return ""
    if not most:
        missing = max(terms.least, terms.step) - balance.spendable
        least = format_units(max(terms.least, terms.step), wallet_type)
        words = {"least": least, "missing": format_units(missing, wallet_type)}
        return _("You can use them from %(least)s on: %(missing)s more.") % words
    words = {
        "units": format_units(most, wallet_type), "step": format_units(terms.step, wallet_type),
    }  # fmt: skip
    return _("You can use %(units)s now, in steps of %(step)s.") % words


def _pending(balance: Balance, changes: Sequence[Change]) -> str:
    days = [change.day for change in changes if change.kind == "matures"]
    if not balance.pending:
        return ""
    if not days:
        return _("%s on the way") % format_units(balance.pending, balance.wallet_type)
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


def _owed_why(balance: Balance) -> str:
    came_back = _("A purchase came back after what it had earned was spent.")
    if balance.blocked:
        then = _("Until this is settled nothing can be redeemed; what you earn stays yours. "
                 "Please talk to us.")  # fmt: skip
    else:
        then = _("What you earn next settles this first; there is nothing to pay.")
    return f"{came_back} {then}"


def _expiring(soon: Sequence[Change], wallet_type: WalletType) -> str:
    total = sum(change.units for change in soon)
    units = {"units": format_units(total, wallet_type)}
    count = plural_count(total, wallet_type.scale)
    return ngettext("%(units)s expires soon", "%(units)s expire soon", count) % units


def _expiring_first(soon: Sequence[Change], wallet_type: WalletType) -> str:
    first = soon[0]
    values = {"units": format_units(first.units, wallet_type), "day": format_day(first.day)}
    if len(soon) == 1:
        return _("Last day of use: %(day)s") % values
    return _("The first %(units)s can be used until %(day)s") % values


def _by_month(changes: Sequence[Change]) -> list[list[Change]]:
    """Together what happens in one month: who buys every day would read a line for every day."""
    months: dict[tuple[str, int, int], list[Change]] = {}
    for change in changes:
        months.setdefault((change.kind, change.day.year, change.day.month), []).append(change)
    return list(months.values())


def _upcoming(month: Sequence[Change], wallet_type: WalletType) -> Upcoming:
    total = sum(change.units for change in month)
    units = {"units": format_units(total, wallet_type)}
    days = format_days(month[0].day, month[-1].day)
    if month[0].kind == "matures":
        count = plural_count(total, wallet_type.scale)
        text = ngettext("%(units)s becomes spendable", "%(units)s become spendable", count)
        return Upcoming(days, text % units, gain=True)
    text = ngettext("Last day to use %(units)s", "Last days to use %(units)s", len(month))
    return Upcoming(days, text % units, gain=False)


def plural_count(units: int, scale: int) -> int:
    """The number that a language's plural rule is asked about; 1.5 counts as several."""
    return math.ceil(Decimal(units).scaleb(-scale))
