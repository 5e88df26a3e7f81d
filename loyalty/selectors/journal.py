"""The books as accountants keep them: double entries by day or month, with opening and closing
balances of every account.

All that is owed to members stands on one account; whatever moves their units has its other side on
another. Money is what a unit was worth on the day; where that changed, the difference for the units
that there were is an entry of its own, so that balances in money stay those of the units.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Sum

from loyalty.models import Account, DailyTotal, WalletType
from loyalty.rules.calendar import end_of_period
from loyalty.selectors.closed_periods import first_open_day
from loyalty.selectors.liability import Liability, get_liability
from loyalty.selectors.lot_totals import booked_units
from loyalty.selectors.programs import account_codes_of
from loyalty.selectors.unit_values import UnitValues, unit_values

REVALUATION = "revaluation"
MEMBERS = "members"
STORED_VALUE = "stored_value"
# Whom something is owed to: members for what they earned, holders of what was paid in.
OWED_TO = (MEMBERS, STORED_VALUE)
# Accounts that stored value has for itself, by the kind of account in the ledger.
OF_STORED_VALUE = {
    Account.Kind.SOLD: "stored_value_sold",
    Account.Kind.REFUNDED: "stored_value_refunded",
    Account.Kind.REDEEMED: "stored_value_spent",
    Account.Kind.EXPIRED: "stored_value_expired",
}
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, order=True)
class BookAccount:
    """An account of the merchant's bookkeeping; `role` says what it is for, `party` which partner
    or charity."""

    code: str
    role: str
    party: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """So many units, worth so much, from the credited account to the debited one."""

    since: dt.date
    until: dt.date
    kind: str
    debit: BookAccount
    credit: BookAccount
    units: int
    worth: Decimal
    closed: bool


@dataclass(slots=True)
class Balance:
    """What an account held before, what came and went, and what it holds after: debits are above
    zero, credits below."""

    account: BookAccount
    opening_units: int = 0
    opening_worth: Decimal = NOTHING
    debit_units: int = 0
    debit_worth: Decimal = NOTHING
    credit_units: int = 0
    credit_worth: Decimal = NOTHING

    @property
    def closing_units(self) -> int:
        return self.opening_units + self.debit_units - self.credit_units

    @property
    def closing_worth(self) -> Decimal:
        return self.opening_worth + self.debit_worth - self.credit_worth

    @property
    def used(self) -> bool:
        return any((self.opening_units, self.opening_worth, self.debit_units, self.credit_units,
                    self.debit_worth, self.credit_worth))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Journal:
    """Of one kind of unit, for days `since` to `until`."""

    wallet_type: WalletType
    since: dt.date
    until: dt.date
    entries: tuple[Entry, ...]
    balances: tuple[Balance, ...]
    liability: Liability
    # Books are closed up to the day before; None: all are open.
    open_from: dt.date | None

    @property
    def members(self) -> Balance:
        return next(item for item in self.balances if item.account.role in OWED_TO)

    @property
    def owed_units(self) -> int:
        """The closing balance of what is owed to members."""
        return -self.members.closing_units

    @property
    def owed_worth(self) -> Decimal:
        return -self.members.closing_worth

    @property
    def unwritten(self) -> int:
        """What of it has expired, though no entry says so yet: what the liability is less."""
        return self.owed_units - self.liability.units

    @property
    def closed(self) -> bool:
        """Whether it never changes any more."""
        return self.open_from is not None and self.until < self.open_from


def read_journal(
    wallet_type: WalletType, since: dt.date, until: dt.date, *, monthly: bool = False
) -> Journal:
    """The journal of some days; with `monthly` the days of a month are added up."""
    open_from = first_open_day(wallet_type.program)
    reader = _Reader(wallet_type, unit_values(wallet_type), open_from)
    entries = tuple(reader.entries(since, until, monthly=monthly))
    balances = reader.opening(since)
    for entry in entries:
        debited, credited = balances[entry.debit], balances[entry.credit]
        debited.debit_units += entry.units
        debited.debit_worth += entry.worth
        credited.credit_units += entry.units
        credited.credit_worth += entry.worth
    return Journal(
        wallet_type=wallet_type,
        since=since,
        until=until,
        entries=entries,
        balances=tuple(item for _account, item in sorted(balances.items()) if _shown(item)),
        liability=get_liability(wallet_type, until),
        open_from=open_from,
    )


def _shown(item: Balance) -> bool:
    return item.used or item.account.role in OWED_TO


class _Reader:
    """Reads totals of days as entries and balances of accounts."""

    def __init__(
        self, wallet_type: WalletType, values: UnitValues, open_from: dt.date | None
    ) -> None:
        self.wallet_type, self.values, self.open_from = wallet_type, values, open_from
        self.codes = account_codes_of(wallet_type.program).model_dump()
        owed_to = STORED_VALUE if wallet_type.stored_value else MEMBERS
        self.members = BookAccount(self.codes[owed_to], owed_to)
        self.revaluation = BookAccount(self.codes[REVALUATION], REVALUATION)
        program = wallet_type.program
        self.accounts = {
            account.pk: self._account(account)
            for account in Account.objects.filter(program=program).exclude(kind__in=Account.HOLDERS)
        }

    def opening(self, since: dt.date) -> dict[BookAccount, Balance]:
        """What every account held before a day."""
        before = since - dt.timedelta(days=1)
        balances = {
            account: Balance(account)
            for account in (*self.accounts.values(), self.members, self.revaluation)
        }
        for account, units, worth in self._moved_until(before):
            _add(balances[account], units, worth)
            _add(balances[self.members], -units, -worth)
        for _day, worth in self._revaluations(None, before):
            _add(balances[self.revaluation], 0, worth)
            _add(balances[self.members], 0, -worth)
        return balances

    def entries(self, since: dt.date, until: dt.date, *, monthly: bool) -> Iterator[Entry]:
        """By day or month, kind and account; what came to members apart from what left them."""
        sums: defaultdict[tuple[dt.date, str, BookAccount, bool], list[Decimal]]
        sums = defaultdict(lambda: [NOTHING, NOTHING])
        totals = DailyTotal.objects.filter(
            wallet_type=self.wallet_type, day__gte=since, day__lte=until
        ).order_by("day", "kind", "account")
        for total in totals:
            begins = max(total.day.replace(day=1), since) if monthly else total.day
            for units, came in ((total.incoming, True), (total.outgoing, False)):
                if units:
                    found = sums[begins, total.kind, self.accounts[total.account_id], came]
                    found[0] += units
                    found[1] += self.values.worth(units, total.day)
        for day, worth in self._revaluations(since, until):
            begins = max(day.replace(day=1), since) if monthly else day
            found = sums[begins, REVALUATION, self.revaluation, worth > 0]
            found[1] += abs(worth)
        for (begins, kind, account, came), (moved, worth) in sorted(sums.items()):
            ends = min(end_of_period(begins, 1, 0), until) if monthly else begins
            yield Entry(
                since=begins,
                until=ends,
                kind=kind,
                debit=account if came else self.members,
                credit=self.members if came else account,
                units=int(moved),
                worth=worth,
                closed=self.open_from is not None and ends < self.open_from,
            )

    def _moved_until(self, last: dt.date) -> Iterator[tuple[BookAccount, int, Decimal]]:
        """Units and worth that came to members from each account, up to the end of a day."""
        for era in self.values.eras:
            if era.first is not None and era.first > last:
                return
            ends = min(era.last, last) if era.last else last
            totals = DailyTotal.objects.filter(wallet_type=self.wallet_type, day__lte=ends)
            if era.first is not None:
                totals = totals.filter(day__gte=era.first)
            moved = totals.values("account").annotate(net=Sum(F("incoming") - F("outgoing")))
            for account, net in moved.order_by("account").values_list("account", "net"):
                yield self.accounts[account], net, self.values.worth(net, ends)

    def _revaluations(
        self, since: dt.date | None, until: dt.date
    ) -> Iterator[tuple[dt.date, Decimal]]:
        """On which days the units that there were became worth more (or less, below zero)."""
        for before in self.values.eras:
            if before.last is None:
                return
            day = before.last + dt.timedelta(days=1)
            if (since is None or day >= since) and day <= until:
                units = booked_units(self.wallet_type, before.last)
                change = self.values.worth(units, day) - self.values.worth(units, before.last)
                if change:
                    yield day, change

    def _account(self, account: Account) -> BookAccount:
        if account.kind == Account.Kind.PARTNER:
            return BookAccount(self.codes["partners"], "partners", account.code)
        if account.kind == Account.Kind.CHARITY:
            return BookAccount(self.codes["charities"], "charities", account.code)
        own = OF_STORED_VALUE.get(Account.Kind(account.kind))
        # Those of sales and refunds have no other use.
        of_money = self.wallet_type.stored_value or account.kind in Account.STORED_VALUE_KINDS
        role = own if own and of_money else account.kind
        return BookAccount(self.codes[role], role)


def _add(balance: Balance, units: int, worth: Decimal) -> None:
    balance.opening_units += units
    balance.opening_worth += worth
