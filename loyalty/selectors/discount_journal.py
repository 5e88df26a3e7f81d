"""What discounts cost, as accountants keep it: beside the journals of units, since discounts move
money and no units, and of a program as a whole.

What was taken off is a cost; its other side is what sales came in less by.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, QuerySet, Sum, Value, When

from loyalty.models import DiscountEntry, Program
from loyalty.rules.calendar import end_of_period
from loyalty.selectors.closed_periods import first_open_day
from loyalty.selectors.journal import Balance, BookAccount, Entry
from loyalty.selectors.money_journal import MoneyJournal
from loyalty.selectors.programs import account_codes_of

DISCOUNT = "discount"
DISCOUNTS = "discounts"
COST_OF = {
    DiscountEntry.Kind.RULE.value: "rule_discounts",
    DiscountEntry.Kind.REWARD.value: "reward_discounts",
    DiscountEntry.Kind.VOUCHER.value: "voucher_discounts",
    DiscountEntry.Kind.WORTH.value: "tier_worth",
}


@dataclass(frozen=True, slots=True)
class DiscountJournal(MoneyJournal):
    """What discounts cost in these days."""

    @property
    def cost(self) -> Decimal:
        """Of these days, less what came back in them."""
        return sum(
            (item.debit_worth - item.credit_worth for item in self.balances
             if item.account.role != DISCOUNTS), Decimal(0),
        )  # fmt: skip


def read_discount_journal(
    program: Program, since: dt.date, until: dt.date, *, monthly: bool = False
) -> DiscountJournal:
    """The journal of some days; with `monthly` the days of a month are added up."""
    codes = account_codes_of(program).model_dump()
    costs = {kind: BookAccount(codes[role], role) for kind, role in COST_OF.items()}
    sales = BookAccount(codes[DISCOUNTS], DISCOUNTS)
    balances = {account: Balance(account) for account in (*costs.values(), sales)}
    lines = DiscountEntry.objects.filter(program=program)
    before = lines.filter(booked_on__lt=since).values("kind").annotate(money=Sum("amount"))
    for kind, money in before.order_by("kind").values_list("kind", "money"):
        balances[costs[kind]].opening_worth += money
        balances[sales].opening_worth -= money
    open_from = first_open_day(program)
    sums: defaultdict[tuple[dt.date, BookAccount, bool], Decimal] = defaultdict(Decimal)
    days = lines.filter(booked_on__gte=since, booked_on__lte=until)
    for day, kind, back, money in _moved(days):
        begins = max(day.replace(day=1), since) if monthly else day
        sums[begins, costs[kind], back] += abs(money)
    entries = tuple(_entries(sums, sales, until, open_from, monthly=monthly))
    for entry in entries:
        balances[entry.debit].debit_worth += entry.worth
        balances[entry.credit].credit_worth += entry.worth
    used = tuple(item for _account, item in sorted(balances.items()) if item.used)
    return DiscountJournal(program, since, until, entries, used, open_from)


def _moved(lines: QuerySet[DiscountEntry]) -> Iterator[tuple[dt.date, str, bool, Decimal]]:
    """By day, kind, and whether it came back."""
    back = Case(When(amount__lt=0, then=Value(True)), default=Value(False))
    found = lines.annotate(back=back).values("booked_on", "kind", "back")
    money = found.annotate(money=Sum("amount")).order_by("booked_on", "kind", "back")
    yield from money.values_list("booked_on", "kind", "back", "money")


def _entries(
    sums: dict[tuple[dt.date, BookAccount, bool], Decimal], sales: BookAccount, until: dt.date,
    open_from: dt.date | None, *, monthly: bool,
) -> Iterator[Entry]:  # fmt: skip
    for (begins, cost, back), money in sorted(sums.items()):
        ends = min(end_of_period(begins, 1, 0), until) if monthly else begins
        yield Entry(
            since=begins, until=ends, kind=DISCOUNT, debit=sales if back else cost,
            credit=cost if back else sales, units=0, worth=money,
            closed=open_from is not None and ends < open_from,
        )  # fmt: skip
