"""What is given to charities in money, as accountants keep it: pledges are a cost, round-ups came
in with orders, and both are owed to the charities. What members give in units is in the journals
of these units.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from django.db.models import Case, Sum, Value, When

from loyalty.models import CharityEntry, Program
from loyalty.rules.calendar import end_of_period
from loyalty.selectors.closed_periods import first_open_day
from loyalty.selectors.journal import Balance, BookAccount, Entry
from loyalty.selectors.money_journal import MoneyJournal
from loyalty.selectors.programs import account_codes_of

GIVING = "giving"
OWED = "charity_money"
COMES_FROM = {
    CharityEntry.Kind.PLEDGE.value: "pledges",
    CharityEntry.Kind.ROUND_UP.value: "round_ups",
}
# The day, the debited account, the credited account.
_Key = tuple[dt.date, BookAccount, BookAccount]


def read_giving_journal(
    program: Program, since: dt.date, until: dt.date, *, monthly: bool = False
) -> MoneyJournal:
    """The journal of some days; with `monthly` the days of a month are added up."""
    reader = _Reader(program)
    balances: defaultdict[BookAccount, Balance] = _Balances()
    lines = CharityEntry.objects.filter(
        charity__account__program=program, kind__in=COMES_FROM, booked_on__lte=until
    ).exclude(money=0)
    before = lines.filter(booked_on__lt=since).values("kind", "charity__account__code")
    for row in before.annotate(sum=Sum("money")).order_by("kind", "charity__account__code"):
        source, owed = reader.accounts(row["kind"], row["charity__account__code"])
        balances[source].opening_worth += row["sum"]
        balances[owed].opening_worth -= row["sum"]
    entries = []
    open_from = first_open_day(program)
    sums: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    back = Case(When(money__lt=0, then=Value(True)), default=Value(False))
    named = ("booked_on", "kind", "charity__account__code", "back")
    days = lines.filter(booked_on__gte=since).annotate(back=back).values(*named)
    for row in days.annotate(sum=Sum("money")).order_by(*named):
        day = row["booked_on"]
        begins = max(day.replace(day=1), since) if monthly else day
        source, owed = reader.accounts(row["kind"], row["charity__account__code"])
        debit, credit = (owed, source) if row["back"] else (source, owed)
        sums[begins, debit, credit] += abs(row["sum"])
    for (begins, debit, credit), money in sorted(sums.items()):
        ends = min(end_of_period(begins, 1, 0), until) if monthly else begins
        entries.append(
            Entry(begins, ends, GIVING, debit, credit, 0, money,
                  closed=open_from is not None and ends < open_from)
        )  # fmt: skip
        balances[debit].debit_worth += money
        balances[credit].credit_worth += money
    used = tuple(item for _account, item in sorted(balances.items()) if item.used)
    return MoneyJournal(program, since, until, tuple(entries), used, open_from)


class _Balances(defaultdict[BookAccount, Balance]):
    def __missing__(self, account: BookAccount) -> Balance:
        found = self[account] = Balance(account)
        return found


class _Reader:
    """The accounts of a line."""

    def __init__(self, program: Program) -> None:
        self.codes = account_codes_of(program).model_dump()

    def accounts(self, kind: str, charity: str) -> tuple[BookAccount, BookAccount]:
        """Where it comes from, and to whom it is owed."""
        source = COMES_FROM[kind]
        return (
            BookAccount(self.codes[source], source),
            BookAccount(self.codes[OWED], OWED, charity),
        )
