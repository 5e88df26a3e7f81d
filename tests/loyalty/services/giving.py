"""Short ways to charities and what they are given."""

import datetime as dt
from decimal import Decimal

from loyalty.models import Charity, CharityEntry, Membership, Program, StandingGift, Transfer
from loyalty.selectors.charities import charities
from loyalty.selectors.impact import impact_of_charity
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.gifts import donate_units
from loyalty.services.pledge_events import count_events
from loyalty.services.standing_gifts import set_standing_gift
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.loyalty.factories import NOW, day, make_program, make_wallet, order, record, wallet_of

TREES = {
    "code": "trees", "name": "City Trees", "thing_singular": "tree", "thing_plural": "trees",
    "thing_price": "5", "rates": [{"units": "50", "things": "1"}],
}  # fmt: skip
SEAS = {"code": "seas", "name": "Clean Seas"}
EACH_ORDER = {
    "code": "orders", "charity": "trees", "name": "A tree for each order", "event": "order",
    "status": "live", "things": "1", "starts_at": day(-30).isoformat(),
}  # fmt: skip


def club(*pledges: dict, **said) -> Program:
    """A program with two charities; a point is worth a cent."""
    unit = {"unit_value": "0.01"} | said.pop("unit", {})
    return make_program(
        unit=unit, charities=said.pop("charities", [TREES, SEAS]), pledges=list(pledges), **said
    )


def trees() -> Charity:
    return charities().get(account__code="trees")


def seas() -> Charity:
    return charities().get(account__code="seas")


def member(number: str = "ann", bought: str = "100") -> Membership:
    wallet = make_wallet(Program.objects.first(), number)
    if bought:
        record(order(f"{number}-1", bought, buyer=number))
    return Membership.objects.select_related("customer", "program").get(account=wallet.account_id)


def donate(who: Membership, units: int, key: str = "d1", *, to: Charity | None = None, now=NOW,
           **how) -> Transfer:  # fmt: skip
    return donate_units(
        wallet=wallet_of(who.account_id), charity=(to or trees()).account, units=units,
        actor=SYSTEM, key=key, source="account", now=now, **how,
    )[0]  # fmt: skip


def undo(gift: Transfer, *, now=NOW) -> Transfer:
    return undo_movement(transfer=gift, actor=SYSTEM, source="backoffice", now=now)[0]


def merge(kept: Membership, merged: Membership):
    return merge_customers(
        kept=kept.customer, merged=merged.customer, actor=SYSTEM, source="api", now=day(1)
    )[0]


def count(*customers: str, now: dt.datetime = NOW) -> None:
    people = Customer.objects.filter(external_id__in=customers)
    count_events(customers=people.values_list("pk", flat=True), now=now)


def lines(kind: str = "") -> list[tuple[Decimal, Decimal]]:
    found = CharityEntry.objects.filter(kind=kind) if kind else CharityEntry.objects.all()
    return [(item.money, item.things) for item in found.order_by("pk")]


def given() -> Decimal:
    return impact_of_charity(trees()).worth.things


def share(who: Membership, percent: int, *, now=NOW, to: Charity | None = None) -> StandingGift:
    return set_standing_gift(
        membership=who, wallet_type=who.program.wallet_types.get(), charity=to or trees(),
        percent=Decimal(percent), actor=SYSTEM, now=now,
    )  # fmt: skip
