"""Short ways to two customers who are one person: what each holds, merging and parting them."""

import datetime as dt

from loyalty.models import (
    Lot,
    Membership,
    Wallet,
)
from members.models import Customer, CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    order,
    record,
    refund,
    wallet_of,
)

MONTH = {"kind": "months", "length": 1, "last_day": "start_of_day"}
YEAR = {"kind": "months", "length": 12, "last_day": "start_of_day"}


def customer(number: str) -> Customer:
    return Customer.objects.get(external_id=number)


def merge(into: str = "c1", duplicate: str = "c2", *, now: dt.datetime = NOW) -> CustomerMerge:
    return merge_customers(
        kept=customer(into), merged=customer(duplicate), actor=SYSTEM, source="backoffice", now=now
    )[0]


def part(merge: CustomerMerge, *, now: dt.datetime = NOW) -> None:
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=now)


def holds(number: str, at: dt.datetime = NOW) -> tuple[int, int, int]:
    """Balance, pending, owed."""
    found = held(number, at)
    return found.balance, found.pending, found.owed


def membership(number: str) -> Membership:
    return Membership.objects.get(customer__external_id=number)


def wallet(number: str) -> Wallet:
    return wallet_of(membership(number).account_id)


def buy(number: str, total: str, buyer: str, at: float = 0) -> None:
    record(order(number, total, buyer=buyer, at=day(at)))


def owe(number: str, units: int) -> None:
    """Leave a debt: units that were spent come back with their order."""
    buy(f"debt-{number}", str(units), number)
    adjust(wallet(number), -units, f"spent-{number}")
    give_back(refund(f"debt-{number}", str(units), of=f"debt-{number}"))


def times_of_lots(wallet: Wallet) -> dict[int, tuple[object, ...]]:
    """What is left in a wallet, by the transfer that first granted it."""
    return {
        lot.origin_id: (lot.remaining, lot.earned_at, lot.spendable_at, lot.expires_at)
        for lot in Lot.objects.filter(wallet=wallet, due_at__isnull=False)
    }
