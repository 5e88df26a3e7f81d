"""Whether everybody has what they must, worked out from the plan and from what was acknowledged,
and not from the lots."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection
from django.db.models import Case, F, Q, Sum, When

from config.simulation import BrokenError
from config.simulation.plan import PROGRAMS, Act, Plan, Sale
from config.simulation.programs import BONUS, BUDGET, MOST, REACHED
from loyalty.ledger.balances import holdings
from loyalty.ledger.checks import verify_ledger
from loyalty.models import Order, Refund, Transfer, Wallet, WindowAward
from loyalty.services.expiry import write_down_expired
from loyalty.services.refunds import link_parked_refunds

# Tables that a repeated message must leave alone.
TABLES = ("loyalty_order", "loyalty_refund", "loyalty_transfer", "loyalty_lot", "loyalty_lotuse",
          "loyalty_lotchange", "loyalty_orderevaluation", "loyalty_windowaward",
          "loyalty_membership", "members_customer", "members_auditentry")  # fmt: skip
SIGNED = Case(When(to_account=F("wallet__account"), then=F("amount")), default=-F("amount"))


@dataclass
class Told:
    """What was acknowledged."""

    plan: Plan
    # By key: the act, and how many units were moved.
    done: dict[str, tuple[Act, int]] = field(default_factory=dict)

    def note(self, act: Act, units: int) -> None:
        # However often it is undone, it is undone once.
        key = f"undone:{act.about['of']}" if act.kind == "undo" else act.key
        known = self.done.setdefault(key, (act, units))
        if known[1] != units:
            raise BrokenError(
                f"{act} moved {known[1]} units first and {units} when it was repeated"
            )

    def units(self, *kinds: str) -> Iterable[tuple[Act, int]]:
        return (found for found in self.done.values() if found[0].kind in kinds)


def check_coherent(now: dt.datetime) -> None:
    """The ledger agrees with itself."""
    drifts = verify_ledger(now)
    if drifts:
        rows = "\n".join(f"  {row}" for drift in drifts for row in (drift.check, *drift.rows[:5]))
        raise BrokenError(f"The ledger does not agree with itself:\n{rows}")


def check_books(told: Told, now: dt.datetime) -> int:
    """Everything that can be said once all has been told. Returns how many facts were checked."""
    # What runs every minute: a refund and its order that came in one moment did not see each other.
    while link_parked_refunds(now=now):
        pass
    write_down_expired(now)
    check_coherent(now)
    checks = (_orders, _refunds, _once, _earned, _held, _bonuses, _caps)
    return sum(check(told, now) for check in checks)


def digest() -> str:
    """What the books hold, except for what is only kept for speed."""
    found = hashlib.blake2b()
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY id), '')) FROM {table} t"
            )
            found.update(cursor.fetchone()[0].encode())
    return found.hexdigest()


def check_all_expired(now: dt.datetime) -> int:
    """Long after the last activity nothing is left in a program whose units expire."""
    wallets = list(Wallet.objects.exclude(wallet_type__program__code="plain"))
    for wallet in wallets:
        held = holdings([wallet], now)[wallet.pk]
        if held.balance or held.pending:
            raise BrokenError(f"Wallet {wallet.pk} still holds {held} after everything expired")
    return len(wallets)


# --- what was told


def _orders(told: Told, _now: dt.datetime) -> int:
    found = {order.external_id: order for order in Order.objects.select_related("customer")}
    for sale in told.plan.sales.values():
        order = found.pop(sale.number, None)
        if order is None:
            raise BrokenError(f"Order {sale.number} was acknowledged and is lost")
        said = (order.status, order.total, order.sequence)
        if said != (sale.status, sale.total, sale.sequence):
            raise BrokenError(f"Order {sale.number} is {said}, the shop said last {sale}")
        if (order.customer is None) != (sale.buyer is None):
            raise BrokenError(f"Order {sale.number} belongs to {order.customer}, not {sale.buyer}")
    if found:
        raise BrokenError(f"Nobody knows of the orders {sorted(found)[:5]}")
    return len(told.plan.sales)


def _refunds(told: Told, _now: dt.datetime) -> int:
    wanted = {act.key: act for act in told.plan.of_kind("refund")}
    found = {refund.external_id: refund for refund in Refund.objects.select_related("order")}
    if wanted.keys() != found.keys():
        raise BrokenError(f"Refunds lost or invented: {sorted(wanted.keys() ^ found.keys())[:5]}")
    for key, act in wanted.items():
        order = found[key].order
        if (order.external_id if order else "") != act.about["of"]:
            raise BrokenError(f"Refund {key} is linked to {order}, not to {act.about['of']!r}")
    return len(wanted)


def _once(told: Told, _now: dt.datetime) -> int:
    """What has a key is there if it was acknowledged, and only then."""
    posted = dict(
        Transfer.objects.filter(key__regex=r"^simulated:\d+$").values_list("key", "amount")
    )
    keyed = {
        act.key: units
        for act, units in told.units(
            "redeem", "give_back", "give", "donate", "adjust", "settle", "reinstate",
            "put_into_pool", "take_from_pool", "spend_from_pool",
        )
    }  # fmt: skip
    for key in sorted(posted.keys() | keyed.keys()):
        if posted.get(key) != keyed.get(key):
            raise BrokenError(
                f"{key} was acknowledged with {keyed.get(key)} units and moved {posted.get(key)}"
            )
    return len(keyed)


# --- what orders earn


def entitlement(plan: Plan, sale: Sale, program: str) -> int:
    """What is earned by what the customer kept, at the rate of the day on which they bought it."""
    if sale.buyer is None:
        return 0
    return int(sale.net * (plan.rate_at(sale.placed_at) if program == "plain" else 1))


def _earned(told: Told, _now: dt.datetime) -> int:
    rows = (
        Transfer.objects.filter(
            kind__in=[Transfer.Kind.ACCRUAL, Transfer.Kind.CLAWBACK], order__isnull=False
        )
        .values_list("order__external_id", "wallet_type__program__code")
        .annotate(units=Sum(SIGNED))
    )
    posted = {(number, program): units for number, program, units in rows}
    for sale in told.plan.sales.values():
        for program in PROGRAMS:
            found, due = (
                posted.get((sale.number, program), 0),
                entitlement(told.plan, sale, program),
            )
            if found != due:
                raise BrokenError(f"{sale} earned {found} units of {program} and deserves {due}")
    return len(told.plan.sales) * len(PROGRAMS)


# --- what members have


def _held(told: Told, now: dt.datetime) -> int:
    """What each holds less what they owe: what their orders earn, and all that was acknowledged
    since; who shared a pool or a name with others is one with them."""
    shared = set(told.plan.shared_customers())
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for who, program, units in _deserved(told):
        expected["shared" if who in shared else who, program] += units
    found = _worth(shared, now)
    for who, program in sorted(expected.keys() | found.keys()):
        has, due = found.get((who, program), 0), expected.get((who, program), 0)
        if has != due:
            raise BrokenError(f"{who} has {has} units of {program}, and should have {due}")
    return len(found)


def _deserved(told: Told) -> Iterable[tuple[str, str, int]]:
    """Who has which units of which program by the plan and what was acknowledged of it."""
    plan = told.plan
    for sale in plan.sales.values():
        for program in PROGRAMS:
            if sale.buyer is not None:
                yield sale.buyer, program, entitlement(plan, sale, program)
    for act in plan.of_kind("refund"):
        if act.about["buyer"] is not None:
            rate = plan.rate_at(act.about["at"])
            yield act.about["buyer"], "plain", -int(act.about["amount"] * rate)
    for act, units in told.done.values():
        yield from _changes(told, act, units)


def _changes(told: Told, act: Act, units: int) -> Iterable[tuple[str, str, int]]:
    """Who has how many more or fewer by an act."""
    about = act.about
    match act.kind:
        case "redeem" | "donate":
            yield about["who"], about["program"], -units
        case "spend_from_pool":
            yield about["who"], "plain", -units
        case "adjust":
            yield about["who"], about["program"], units if about["units"] > 0 else -units
        case "give":
            yield about["who"], about["program"], -units
            yield about["to"], about["program"], units
        case "undo":
            made, moved = told.done[about["of"]]
            for who, program, change in _changes(told, made, moved):
                yield who, program, -units if change > 0 else units
        case "settle" if about["way"] == "write_off":
            yield about["who"], about["program"], units


def _worth(shared: set[str], now: dt.datetime) -> dict[tuple[str, str], int]:
    """What is held less what is owed, and what went by itself: it expired, or came back with the
    order that it had paid."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    wallets = Wallet.objects.filter(wallet_type__program__code__in=PROGRAMS).select_related(
        "wallet_type__program", "account__membership__customer", "account__pool"
    )
    by_itself = _by_itself()
    for wallet in wallets:
        membership = getattr(wallet.account, "membership", None)
        who = str(membership.customer.external_id) if membership else "shared"
        held = holdings([wallet], now)[wallet.pk]
        worth = held.balance + held.pending - held.owed - by_itself.get(wallet.pk, 0)
        found["shared" if who in shared else who, wallet.wallet_type.program.code] += worth
    return found


def _by_itself() -> dict[int, int]:
    """By wallet: units that expired, were brought back, or returned to it, which the plan alone
    does not tell."""
    kinds = [Transfer.Kind.EXPIRY, Transfer.Kind.REINSTATEMENT, Transfer.Kind.SETTLEMENT]
    spent = Transfer.Kind.REDEMPTION
    returned = Q(corrects__kind=spent) | Q(reverses__kind=spent)
    rows = Transfer.objects.filter(Q(kind__in=kinds) | returned).values_list("wallet")
    return dict(rows.annotate(units=Sum(SIGNED)))


# --- bonuses and caps


def _bonuses(told: Told, _now: dt.datetime) -> int:
    """Who reached so much in a month has its bonus, once; nobody else has one."""
    shared = set(told.plan.shared_customers())
    reached: dict[tuple[str, dt.date], Decimal] = defaultdict(Decimal)
    for sale in told.plan.sales.values():
        if sale.buyer is not None and sale.buyer not in shared:
            reached[sale.buyer, _month(sale.placed_at)] += sale.net
    rows = WindowAward.objects.select_related("membership__customer")
    given = {(str(row.membership.customer.external_id), row.window_start): row.units
             for row in rows}  # fmt: skip
    for address, money in reached.items():
        due = BONUS if money >= REACHED else 0
        if given.get(address, 0) != due:
            raise BrokenError(
                f"{address} came to {money} and has {given.get(address, 0)}, not {due}"
            )
    return len(reached)


def _caps(told: Told, _now: dt.datetime) -> int:
    """No rule gave more than it may."""
    shared = set(told.plan.shared_customers())
    given: dict[tuple[str, dt.date], int] = defaultdict(int)
    rows = (
        Transfer.objects.filter(wallet_type__program__code="capped", order__isnull=False,
                                kind__in=[Transfer.Kind.ACCRUAL, Transfer.Kind.CLAWBACK])
        .values_list("order__placed_at", "order__customer__external_id")
        .annotate(units=Sum(SIGNED))
    )  # fmt: skip
    for placed_at, who, units in rows:
        given[str(who), _month(placed_at)] += units
    for (who, month), units in given.items():
        if who not in shared and units > MOST:
            raise BrokenError(f"{who} was given {units} in {month}, and the rule allows {MOST}")
    if sum(given.values()) > BUDGET:
        raise BrokenError(f"{sum(given.values())} were given from a budget of {BUDGET}")
    return len(given)


def _month(at: dt.datetime) -> dt.date:
    return at.date().replace(day=1)
