"""Members with all they bought and gave back, ready to be replayed: a range of customers at a time,
in a constant number of queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F

from loyalty.ledger.past import holdings_then
from loyalty.models import Membership, Order, Program, Refund, Tender, Wallet
from loyalty.rules import events as replay
from loyalty.rules.amounts import Amounts
from loyalty.rules.behavior import Behavior
from loyalty.rules.celebrations import Keeping, KeptDay
from loyalty.rules.companies import CompanyFacts
from loyalty.rules.events import Event, GivenBack, Person, Sale, in_order
from loyalty.rules.exchange import Exchange, as_counted
from loyalty.rules.facts import ZERO, Basket, Line, Occasion
from loyalty.rules.margins import with_margins
from loyalty.rules.plans import PlanSpan
from loyalty.selectors.behavior import behavior_before, orders_between
from loyalty.selectors.company_facts import companies_before
from loyalty.selectors.member_tiers import tiered_program
from loyalty.selectors.program_times import program_times
from loyalty.selectors.replayed_days import days_of, members_between
from loyalty.selectors.replayed_elsewhere import known_elsewhere
from loyalty.selectors.rulebooks import ProgramTerms, terms_of
from loyalty.selectors.stored_orders import as_return
from loyalty.selectors.subscriptions import plan_spans
from loyalty.selectors.tier_facts import manual_tiers, tier_facts
from loyalty.selectors.tier_previews import with_draft
from loyalty.tier_definitions import TiersDefinition
from loyalty.tiers.paths import TierPath
from members.conditions.fields import BEHAVIOR, COMPANY, CUSTOMER, JOINED, MEMBER, PLAN, TIER
from members.conditions.moments import Moment
from members.models import Customer
from members.selectors.segments import segments_of

BEGINNING = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
BOUGHT_AT_ONCE = 8_000
UNITS, STORED_VALUE = Tender.Kind.UNITS.value, Tender.Kind.STORED_VALUE.value
NOTHING_PAID: Mapping[str, Decimal] = {}
NOTHING_IN_KIND = ZERO, ZERO
NONE: tuple[str, ...] = ()
# Money of lines has four decimals.
PARTS = 10_000
_Lines = tuple[list[Line], list[int]]
NO_LINES: _Lines = [], []


@dataclass(frozen=True, slots=True)
class Replayed:
    """One customer's part of a replay."""

    customer_id: int
    person: Person
    events: list[Event]
    # The days of the year that they keep, in the order of time.
    days: Sequence[KeptDay] = ()
    # Their tiers under the draft, where that has others.
    drafted: TierPath | None = None
    is_member: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which orders: those of `program`, placed in [since, until). `scopes`: of which facts of their
    buyers something is asked. `among`: a choice of customers; None: all of them."""

    program: Program
    since: dt.datetime
    until: dt.datetime
    scopes: frozenset[str] = frozenset()
    among: tuple[int, ...] | None = None
    # Days of the year that something is given for, and other tiers from `draft_from` on.
    keeping: frozenset[Keeping] = frozenset()
    tiers: TiersDefinition | None = None
    draft_from: dt.datetime | None = None

    @property
    def everybody(self) -> bool:
        """Members who bought nothing matter too."""
        return bool(self.keeping or self.tiers)


def program_of_replay(program: Program) -> replay.Program:
    return replay.Program(
        program.zone,
        program.currency,
        program.linked_returns == Program.LinkedReturns.RECONCILE,
        program.unlinked_returns == Program.UnlinkedReturns.OWN_AMOUNT,
        program_times([program])[program.pk],
    )


def customer_ranges(
    since: dt.datetime, until: dt.datetime, size: int = BOUGHT_AT_ONCE
) -> Iterator[tuple[int, int, int]]:
    """Disjoint ranges of customers (first, last) with about so many orders in [since, until), and
    how many those are."""
    buyers = (
        Order.objects.filter(customer__isnull=False, placed_at__gte=since, placed_at__lt=until)
        .values("customer_id")
        .annotate(orders=Count("pk"))
        .order_by("customer_id")
        .values_list("customer_id", "orders")
    )
    first = last = count = 0
    for customer_id, orders in buyers.iterator(chunk_size=10_000):
        if count >= size:
            yield first, last, count
            first = count = 0
        first, last, count = first or customer_id, customer_id, count + orders
    if count:
        yield first, last, count


def replayed_customers(stretch: Stretch, first: int, last: int) -> Iterator[Replayed]:
    """Each customer in [first, last] who bought something in the stretch, with their facts."""
    sales = _sales(stretch, first, last)
    events: defaultdict[int, list[Event]] = defaultdict(list)
    returned, void = _refunds(stretch, first, last, sales)
    for customer_id, sale in sales.values():
        if sale.id not in void:
            sale.returned = sale.id in returned
            events[customer_id].append(sale)
    unsorted: set[int] = set()
    for order_id, refunds in returned.items():
        sale_of = sales[order_id][1] if order_id in sales else None
        for customer_id, back in refunds:
            if order_id not in void:
                events[customer_id].append(replace(back, sale=sale_of))
                unsorted.add(customer_id)
    if stretch.everybody:
        for customer_id in members_between(stretch, first, last):
            events[customer_id]
    members = _memberships(stretch, events)
    people = _people(stretch, events, members)
    days = days_of(stretch, members) if stretch.keeping else {}
    drafted = _drafted_tiers(stretch, members)
    for customer_id in sorted(events):
        member, own = members.get(customer_id), events[customer_id]
        yield Replayed(
            customer_id, people[customer_id], in_order(own) if customer_id in unsorted else own,
            days.get(customer_id, ()), drafted.get(customer_id),
            member is not None and member.status == Membership.Status.ACTIVE,
        )  # fmt: skip


# Instants as plain times of UTC, and nothing as NULL, cost less to read.
_ORDERS = """
    SELECT o.id, o.customer_id, o.placed_at AT TIME ZONE 'UTC', o.currency, nullif(o.tax_total, 0),
           o.taxes_included, nullif(o.shipping_total, 0), nullif(o.discount_total, 0), o.channel,
           o.store, o.payment_method, nullif(o.coupons, '{}'),
           c.id IS NOT NULL OR o.currency = %(currency)s AND (
               e.id IS NOT NULL OR ((%(automatic)s OR m.id IS NOT NULL)
               AND o.recorded_at < %(live_since)s)),
           o.status = ANY(%(void)s), c.rate, c.digits, a.code
      FROM loyalty_order o
      LEFT JOIN loyalty_account a ON a.id = o.partner_id
      LEFT JOIN loyalty_orderconversion c ON c.order_id = o.id AND c.program_id = %(program)s
      LEFT JOIN loyalty_orderevaluation e ON e.order_id = o.id AND e.program_id = %(program)s
      LEFT JOIN loyalty_membership m ON m.customer_id = o.customer_id
            AND m.program_id = %(program)s AND m.status = 'active'
     WHERE o.customer_id BETWEEN %(first)s AND %(last)s
       AND (o.partner_id IS NULL OR a.program_id = %(program)s)
       AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
       AND (%(among)s::bigint[] IS NULL OR o.customer_id = ANY(%(among)s))
     ORDER BY o.customer_id, o.placed_at, o.id
"""
_LINES = """
    SELECT order_id, line_no, total, (total * 10000)::bigint, sku, category, nullif(tags, '{}'),
           quantity, nullif(discount, 0), nullif(tax, 0), stored_value, brand, unit_cost
      FROM loyalty_orderline WHERE order_id = ANY(%s::bigint[]) ORDER BY order_id, line_no
"""
_TENDERS = "SELECT order_id, kind, amount FROM loyalty_tender WHERE order_id = ANY(%s::bigint[])"


def _sales(stretch: Stretch, first: int, last: int) -> dict[int, tuple[int, Sale]]:
    """By order: whose it is and the order; those that came to nothing have no lines."""
    program = stretch.program
    asked: dict[str, Any] = {
        "program": program.pk, "currency": program.currency, "first": first, "last": last,
        "since": stretch.since, "until": stretch.until, "void": list(Order.VOID),
        "among": None if stretch.among is None else list(stretch.among),
        "automatic": program.takes_in_everybody,
        "live_since": program.live_since or "infinity",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, asked)
        rows = cursor.fetchall()
        # As text at once, which costs less than thousands of arguments.
        ids = f"{{{','.join([str(row[0]) for row in rows])}}}"
        cursor.execute(_LINES, [ids])
        lines = _lines(cursor.fetchall())
        tenders: defaultdict[int, dict[str, Decimal]] = defaultdict(dict)
        cursor.execute(_TENDERS, [ids])
        for order_id, kind, amount in cursor.fetchall():
            tenders[order_id][kind] = amount
    return {
        row[0]: (
            row[1],
            _sale(row, lines.get(row[0], NO_LINES), tenders.get(row[0], NOTHING_PAID), program),
        )
        for row in rows
    }


def _lines(rows: Iterable[tuple[Any, ...]]) -> dict[int, _Lines]:
    """By order, in the order of their numbers; and what each comes to, in parts of which `PARTS`
    are one."""
    found: defaultdict[int, _Lines] = defaultdict(lambda: ([], []))
    for row in rows:
        order_id, number, total, parts, sku, category, tags, quantity, discount, tax, *rest = row
        lines, numbers = found[order_id]
        numbers.append(parts)
        lines.append(
            Line(
                number, total, sku, category, tuple(tags) if tags else NONE, quantity,
                discount or ZERO, tax or ZERO, *rest,
            )
        )  # fmt: skip
    return found


def _sale(
    row: tuple[Any, ...], found: _Lines, paid: Mapping[str, Decimal], program: Program
) -> Sale:
    (
        pk, _customer, placed_at, currency, tax, included, shipping, discount,
        channel, store, payment_method, coupons, judged, void, rate, digits, partner,
    ) = row  # fmt: skip
    lines, numbers = NO_LINES if void else found
    basket = Basket(
        tuple(lines), tax or ZERO, included, shipping or ZERO, discount or ZERO,
        *((paid.get(UNITS, ZERO), paid.get(STORED_VALUE, ZERO)) if paid else NOTHING_IN_KIND),
    )  # fmt: skip
    occasion = Occasion(
        with_margins(basket), Moment(placed_at.replace(tzinfo=dt.UTC), program.zone), currency,
        channel, store, payment_method, tuple(coupons) if coupons else NONE,
        tuple(sorted(paid)) if paid else NONE, partner or "",
    )  # fmt: skip
    if rate is not None:
        # By the rate that was recorded with its first judgment.
        exchange = Exchange(currency, program.currency, rate, digits, "table")
        return Sale(pk, as_counted(occasion, exchange), judged and not void)
    return Sale(pk, occasion, judged and not void, goods=Amounts([*numbers, 0], PARTS))


def _refunds(
    stretch: Stretch, first: int, last: int, sales: Mapping[int, tuple[int, Sale]]
) -> tuple[dict[int, list[tuple[int, GivenBack]]], set[int]]:
    """What came back, by order (0: of none that is known), and which orders came to nothing.

    What belongs to an order from before the stretch is only what the member did.
    """
    void = {pk for pk, (_customer, sale) in sales.items() if not sale.occasion.basket.lines}
    found: defaultdict[int, list[tuple[int, GivenBack]]] = defaultdict(list)
    own = Refund.objects.filter(
        order__customer__gte=first,
        order__customer__lte=last,
        order__placed_at__gte=stretch.since,
        order__placed_at__lt=stretch.until,
    )
    other = Refund.objects.filter(
        customer__gte=first,
        customer__lte=last,
        refunded_at__gte=stretch.since,
        refunded_at__lt=stretch.until,
    ).exclude(order__status__in=Order.VOID)
    if stretch.among is not None:
        own = own.filter(order__customer__in=stretch.among)
        other = other.filter(customer__in=stretch.among)
    for refunds, of_sales in ((own, True), (other, False)):
        dated = refunds.annotate(
            ordered_at=F("order__placed_at"), partner_in=F("order__partner__account__program")
        )
        for refund in dated.prefetch_related("lines").order_by("refunded_at", "pk"):
            order_id = refund.order_id or 0
            known = order_id in sales
            if known is not of_sales:
                continue
            customer_id = sales[order_id][0] if known else refund.customer_id
            if customer_id is not None:
                back = _given_back(refund, refund.ordered_at, refund.partner_in, stretch.program)
                found[order_id if known else 0].append((customer_id, back))
    return found, void


def _given_back(
    refund: Refund, ordered_at: dt.datetime | None, partner_in: int | None, program: Program
) -> GivenBack:
    """A program that there is not yet is treated as if it had been told of everything. What was
    bought at a partner counts in its program alone (`partner_in`)."""
    elsewhere = bool(program.pk) and refund.only_program_id not in (None, program.pk)
    elsewhere = elsewhere or partner_in not in (None, program.pk)
    return GivenBack(
        refund.refunded_at, refund.currency, as_return(refund),
        linked=bool(refund.order_external_id), ordered_at=ordered_at, elsewhere=elsewhere,
    )  # fmt: skip


def _people(
    stretch: Stretch, events: Mapping[int, Sequence[Event]], members: Mapping[int, Membership]
) -> dict[int, Person]:
    """The facts of buyers that are asked for. Who they are, and in which segments, is as today;
    what they did before, and what was bought for their company, is as it was."""
    ids = events.keys()
    customers = Customer.objects.in_bulk(ids) if CUSTOMER in stretch.scopes else {}
    segments = segments_of(ids)
    behaviors: dict[int, Behavior] = {}
    if BEHAVIOR in stretch.scopes and stretch.since > BEGINNING:
        wanted = [(pk, stretch.since) for pk in ids]
        behaviors = dict(zip(ids, behavior_before(wanted), strict=True))
    balances = _balances(stretch, members) if MEMBER in stretch.scopes else {}
    tiers = _tiers(stretch, members) if TIER in stretch.scopes else {}
    plans = _plans(members) if PLAN in stretch.scopes else {}
    companies = _companies(stretch, members, events) if COMPANY in stretch.scopes else {}
    joined = _orders_as_member(stretch, members) if JOINED in stretch.scopes else {}
    elsewhere = known_elsewhere(stretch.program, stretch.scopes, events)
    return {
        pk: Person(
            customers.get(pk),
            segments.get(pk, frozenset()),
            members[pk].enrolled_at if pk in members else None,
            balances.get(pk, {}),
            behaviors.get(pk, Behavior()),
            tiers.get(pk),
            plans.get(pk, ()),
            companies.get(pk, {}),
            elsewhere[pk],
            joined.get(pk, 0),
        )
        for pk in ids
    }


def _orders_as_member(stretch: Stretch, members: Mapping[int, Membership]) -> dict[int, int]:
    """How many orders they had placed when the stretch began, since they joined; by customer."""
    wanted = [(pk, member.enrolled_at, stretch.since) for pk, member in members.items()]
    return dict(zip(members, orders_between(wanted), strict=True))


def _memberships(stretch: Stretch, ids: Collection[int]) -> dict[int, Membership]:
    found = Membership.objects.filter(program=stretch.program, customer__in=list(ids))
    return {membership.customer_id: membership for membership in found}


def _tiers(stretch: Stretch, members: Mapping[int, Membership]) -> dict[int, TierPath]:
    """How their tiers went, by customer: from all that counted, also before the stretch."""
    program = tiered_program(stretch.program.pk)
    return _paths(program, members) if program is not None else {}


def _drafted_tiers(stretch: Stretch, members: Mapping[int, Membership]) -> dict[int, TierPath]:
    """How they would go with the tiers of the draft."""
    if stretch.tiers is None or stretch.draft_from is None:
        return {}
    return _paths(with_draft(terms_of(stretch.program), stretch.tiers, stretch.draft_from), members)


def _paths(program: ProgramTerms, members: Mapping[int, Membership]) -> dict[int, TierPath]:
    if program.tiers is None:
        return {}
    ids = [member.pk for member in members.values()]
    facts, by_hand = tier_facts(program, ids), manual_tiers(ids)
    return {
        customer_id: TierPath(
            program.tiers.ladders, facts.get(member.pk, ()), by_hand.get(member.pk, ()),
            member.enrolled_at, program.zone, program.tiers.ends_at,
        )
        for customer_id, member in members.items()
    }  # fmt: skip


def _plans(members: Mapping[int, Membership]) -> dict[int, tuple[PlanSpan, ...]]:
    """When they had which paid plan, by customer."""
    spans = plan_spans([item.pk for item in members.values()])
    return {pk: tuple(spans[item.pk]) for pk, item in members.items() if item.pk in spans}


def _companies(
    stretch: Stretch, members: Mapping[int, Membership], events: Mapping[int, Sequence[Event]]
) -> dict[int, dict[dt.datetime, CompanyFacts]]:
    """The companies that they bought for, by customer and the moment of each order."""
    wanted = [
        (customer_id, members[customer_id].pk, event.at)
        for customer_id, own in events.items()
        if customer_id in members
        for event in own
        if isinstance(event, Sale)
    ]
    zone = stretch.program.zone
    facts = companies_before([(member, at) for _customer, member, at in wanted], zone)
    found: defaultdict[int, dict[dt.datetime, CompanyFacts]] = defaultdict(dict)
    for (customer_id, _member, at), company in zip(wanted, facts, strict=True):
        if company is not None:
            found[customer_id][at] = company
    return found


def _balances(stretch: Stretch, members: Mapping[int, Membership]) -> dict[int, dict[int, int]]:
    """What they held when the stretch began, by customer and wallet type."""
    owners = {member.account_id: customer_id for customer_id, member in members.items()}
    wallets = list(Wallet.objects.filter(account__in=owners))
    held = holdings_then([wallet.pk for wallet in wallets], stretch.since)
    balances: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for wallet in wallets:
        units = held[wallet.pk].spendable if wallet.pk in held else 0
        balances[owners[wallet.account_id]][wallet.wallet_type_id] = units
    return balances
