"""Short ways to a program, its orders and what became of them. All go through the services."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from loyalty.definitions import ActivityTypeDefinition, ProgramDefinition
from loyalty.ledger.balances import Holding, holdings
from loyalty.models import ActivityType, Membership, Program, Transfer, Wallet
from loyalty.services.activities import ActivityInput, ActivityResult, record_activities
from loyalty.services.activity_types import save_activity_type
from loyalty.services.adjustments import adjust_units
from loyalty.services.memberships import enroll_customer, enroll_many
from loyalty.services.order_inputs import (
    CustomerRef,
    LineInput,
    OrderInput,
    RefundInput,
    RefundLineInput,
)
from loyalty.services.orders import OrderResult, record_orders
from loyalty.services.programs import apply_definition
from loyalty.services.refunds import RefundResult, record_refunds
from loyalty.services.tender_inputs import TenderInput
from members.models import Customer
from members.prepared import KeptQuery, insert_row
from members.services.audit import SYSTEM

# Before any clock that runs the tests, so that times around it have passed.
NOW = dt.datetime(2024, 3, 15, 12, tzinfo=dt.UTC)


def day(offset: float) -> dt.datetime:
    return NOW + dt.timedelta(days=offset)


def define(
    code: str = "club", *, unit: dict[str, Any] | None = None, **changes: Any
) -> ProgramDefinition:
    """A live program with a point for each dollar; `unit` changes its wallet type."""
    values: dict[str, Any] = {
        "code": code,
        "name": "Club",
        "currency": "USD",
        "status": "live",
        "wallet_types": [unit or {}],
        "earning_rules": [{}],
    }
    return ProgramDefinition.model_validate(values | changes)


def make_program(
    code: str = "club", *, unit: dict[str, Any] | None = None, at: dt.datetime = NOW, **changes: Any
) -> Program:
    return apply_definition(define(code, unit=unit, **changes), actor=SYSTEM, now=at).program


def make_wallet(program: Program, number: str = "c1", at: dt.datetime = NOW) -> Wallet:
    """The first wallet of a new member."""
    customer = CUSTOMERS.first(number)
    if customer is None:
        customer = Customer(external_id=number)
        insert_row(customer)
    membership, _ = enroll_customer(
        customer=customer, program=program, source=Membership.Source.STAFF, at=at, actor=SYSTEM
    )
    return wallet_of(membership.account_id)


# Nearly every test begins with them.
CUSTOMERS: KeptQuery[Customer] = KeptQuery(
    lambda number: Customer.objects.filter(external_id=number)
)
WALLETS: KeptQuery[Wallet] = KeptQuery(
    lambda account_id: (
        Wallet.objects.select_related("wallet_type__program")
        .filter(account=account_id)
        .order_by("wallet_type")
    )
)


def wallet_of(account_id: int) -> Wallet:
    return WALLETS.first(account_id)


def enroll_all(program: Program, numbers: Iterable[str], at: dt.datetime = NOW) -> list[Membership]:
    """Many new members in a few statements, as those of a file are."""
    named = list(numbers)
    Customer.objects.bulk_create(
        [Customer(external_id=number) for number in named], ignore_conflicts=True
    )
    people = list(Customer.objects.filter(external_id__in=named).values_list("pk", flat=True))
    enroll_many(
        program_id=program.pk, enrolled=dict.fromkeys(people, at), source=Membership.Source.STAFF
    )
    rows = Membership.objects.select_related("program", "customer")
    return list(rows.filter(program=program, customer__in=people).order_by("pk"))


def line(number: int, total: str, **details: Any) -> LineInput:
    return LineInput(number, Decimal(total), **details)


def tender(kind: str, amount: str) -> TenderInput:
    return TenderInput(kind, Decimal(amount))


def order(number: str = "A1", total: str = "10", *, at: dt.datetime = NOW, buyer: str | None = "c1",
          **details: Any) -> OrderInput:  # fmt: skip
    customer = details.pop("customer", CustomerRef(buyer) if buyer else None)
    return OrderInput(
        number, at, details.pop("currency", "USD"), Decimal(total), customer, **details
    )


def returned(number: int, total: str, **details: Any) -> RefundLineInput:
    return RefundLineInput(number, Decimal(total), **details)


def refund(number: str = "R1", total: str = "10", *, of: str = "", at: dt.datetime = NOW,
           buyer: str | None = None, **details: Any) -> RefundInput:  # fmt: skip
    return RefundInput(
        number, at, details.pop("currency", "USD"), Decimal(total),
        CustomerRef(buyer) if buyer else None, of, **details,
    )  # fmt: skip


def record(*orders: OrderInput, now: dt.datetime | None = None, **how: Any) -> list[OrderResult]:
    """Record orders as the API does, at their own time."""
    at = now or max((found.placed_at for found in orders), default=NOW)
    return record_orders(orders, now=at, transfer_source=Transfer.Source.API, **how)


def give_back(
    *refunds: RefundInput, now: dt.datetime | None = None, **how: Any
) -> list[RefundResult]:
    at = now or max((found.refunded_at for found in refunds), default=NOW)
    return record_refunds(refunds, now=at, transfer_source=Transfer.Source.API, **how)


def adjust(wallet: Wallet, units: int, key: str, *, now: dt.datetime = NOW, **how: Any) -> Transfer:
    given = {"reason": "goodwill", "note": "", "actor": SYSTEM, "source": "backoffice"} | how
    return adjust_units(wallet=wallet, units=units, key=key, now=now, **given)[0]


def held(number: str = "c1", at: dt.datetime = NOW, program: Program | None = None) -> Holding:
    """What a customer's first wallet holds at an instant."""
    memberships = Membership.objects.filter(customer__external_id=number)
    if program is not None:
        memberships = memberships.filter(program=program)
    wallet = wallet_of(memberships.get().account_id)
    return holdings([wallet], at)[wallet.pk]


def spendable(number: str = "c1", at: dt.datetime = NOW, program: Program | None = None) -> int:
    return held(number, at, program).spendable


def moves(number: str = "c1") -> list[tuple[str, int]]:
    """A customer's transfers in the order they were posted, as (kind, signed units)."""
    found = Transfer.objects.select_related("wallet").filter(
        wallet__account__membership__customer__external_id=number
    )
    return [(transfer.kind, transfer.signed_amount) for transfer in found.order_by("pk")]


def make_type(code: str = "review", **changes: Any) -> ActivityType:
    """A type of activity that is taken as it is told."""
    values = {"code": code, "name": code.capitalize()} | changes
    definition = ActivityTypeDefinition.model_validate(values)
    return save_activity_type(definition, actor=SYSTEM)[0]


def reward(activity: str = "review", units: int | str = 50, **changes: Any) -> dict[str, Any]:
    """A rule for activities of a type."""
    rule = {"code": activity, "name": activity.capitalize(), "kind": "activity"}
    return rule | {"activity": activity, "units": units} | changes


def told(number: str = "V1", type: str = "review", *, at: dt.datetime = NOW, buyer: str = "c1",
         **details: Any) -> ActivityInput:  # fmt: skip
    return ActivityInput(number, CustomerRef(buyer), type, at, **details)


def tell(*activities: ActivityInput, now: dt.datetime | None = None) -> list[ActivityResult]:
    """Record activities as the API does, at their own time."""
    at = now or max(found.occurred_at for found in activities)
    return record_activities(activities, now=at, transfer_source=Transfer.Source.API)
