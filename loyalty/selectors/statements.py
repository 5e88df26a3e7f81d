"""A member's statement: what each wallet held when a month or year began, every movement in it, and
what it held in the end.

Movements count from when they occurred, as `loyalty.ledger.past` has it; units that have expired
are gone on their day, also where the ledger writes it down later.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.ledger.past import holdings_then
from loyalty.models import Membership, Transfer, Wallet, WalletType
from loyalty.rules.calendar import add_months, last_instant
from loyalty.selectors.memberships import accounts_with_merged
from loyalty.selectors.transfers import movements_of
from members.errors import DomainError, FieldError

PERIOD = r"^[12]\d{3}(-(0[1-9]|1[0-2]))?$"


@dataclass(frozen=True, slots=True)
class Period:
    """A month ("2026-10") or a year ("2026"); both days are in it."""

    key: str
    first: dt.date
    last: dt.date

    @property
    def is_year(self) -> bool:
        return len(self.key) == len("2026")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A movement with what the wallet held after it; units at the wallet type's scale."""

    transfer: Transfer
    balance: int


@dataclass(frozen=True, slots=True)
class WalletStatement:
    """What a wallet held, all together: spendable and pending, less what was owed.

    opening + added - taken + unwritten = closing. `unwritten`, mostly 0: units that expired in the
    period (below zero), or got more time after they had (above), without a movement of their own.
    """

    wallet_type: WalletType
    opening: int
    lines: Sequence[StatementLine]
    unwritten: int
    closing: int

    @property
    def added(self) -> int:
        return sum(max(line.transfer.signed_amount, 0) for line in self.lines)

    @property
    def taken(self) -> int:
        return -sum(min(line.transfer.signed_amount, 0) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Statement:
    """`until`: the instant that the closing figures are of; before the period's end only where it
    still runs."""

    membership: Membership
    period: Period
    wallets: Sequence[WalletStatement]
    until: dt.datetime
    runs: bool


def parse_period(text: str) -> Period:
    """Read "2026-10" or "2026"; raises DomainError, which names the field `period`."""
    if re.fullmatch(PERIOD, text, re.ASCII) is None:
        raise _refused(_("Name a month like 2026-10 or a year like 2026."))
    year, _dash, month = text.partition("-")
    first = dt.date(int(year), int(month or 1), 1)
    following = add_months(first, 1 if month else 12)
    return Period(text, first, following - dt.timedelta(days=1))


def _refused(message: str) -> DomainError:
    return DomainError(message, errors=[FieldError("period", message)])


def periods_of(membership: Membership, today: dt.date) -> tuple[list[Period], list[Period]]:
    """The months of the last two years, and all years, that the member was there in; newest
    first."""
    joined = membership.enrolled_at.astimezone(membership.program.zone).date()
    this = today.replace(day=1)
    months = [add_months(this, -ago) for ago in range(24)]
    kept = [parse_period(f"{day:%Y-%m}") for day in months if day >= joined.replace(day=1)]
    years = [parse_period(f"{year:04}") for year in range(today.year, joined.year - 1, -1)]
    return kept, years


def make_statement(membership: Membership, period: Period, now: dt.datetime) -> Statement:
    """A constant number of queries. Raises DomainError for a period that has not begun."""
    zone = membership.program.zone
    opening_at, until, runs = _bounds(period, zone, now)
    wallets = _wallets_of(membership)
    opening = _net(wallets, opening_at)
    closing = _net(wallets, until)
    lines: defaultdict[int, list[Transfer]] = defaultdict(list)
    in_time = movements_of([membership]).filter(occurred_at__gt=opening_at, occurred_at__lte=until)
    for transfer in in_time.order_by("occurred_at", "pk"):
        lines[transfer.wallet_type_id].append(transfer)
    found = [
        _wallet_statement(kind, opening[kind.pk], lines[kind.pk], closing[kind.pk])
        for kind in {wallet.wallet_type_id: wallet.wallet_type for wallet in wallets}.values()
    ]
    shown = [item for item in found if item.lines or item.opening or item.closing]
    return Statement(membership, period, shown, until, runs)


def _bounds(
    period: Period, zone: zoneinfo.ZoneInfo, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime, bool]:
    """The last instant before it, the last one that is told, and whether it goes on."""
    opening_at = last_instant(period.first - dt.timedelta(days=1), zone)
    end = last_instant(period.last, zone)
    if opening_at >= now:
        raise _refused(_("This time has not begun."))
    return opening_at, min(end, now), now < end


def _wallets_of(membership: Membership) -> list[Wallet]:
    """In the program's order, with those that were merged into them."""
    accounts = accounts_with_merged([membership.account_id])
    chosen = Wallet.objects.filter(account__in=accounts).select_related("wallet_type__program")
    return list(chosen.order_by("wallet_type_id", "pk"))


def _net(wallets: Sequence[Wallet], at: dt.datetime) -> dict[int, int]:
    held = holdings_then([wallet.pk for wallet in wallets], at)
    found: defaultdict[int, int] = defaultdict(int)
    for wallet in wallets:
        item = held[wallet.pk]
        found[wallet.wallet_type_id] += item.balance + item.pending - item.owed
    return found


def _wallet_statement(
    wallet_type: WalletType, opening: int, moved: Sequence[Transfer], closing: int
) -> WalletStatement:
    balance, lines = opening, []
    for transfer in moved:
        balance += transfer.signed_amount
        lines.append(StatementLine(transfer, balance))
    return WalletStatement(wallet_type, opening, lines, closing - balance, closing)
