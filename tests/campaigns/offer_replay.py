"""Offers that members really received, as challenges: who completes what when, against what was
recorded."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from campaigns.challenge_definitions import ChallengeDefinition
from campaigns.models import Challenge, ChallengeEntry, ChallengeWin
from campaigns.selectors.challenges import challenges, span_for
from campaigns.services.campaigns import publish_campaign
from campaigns.services.challenge_progress import AT_ONCE, measure_customers
from campaigns.services.challenges import create_challenge
from loyalty.models import Account, Membership, Order, OrderLine, Program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import make_program

# Customer, offer, when.
Completion = tuple[str, str, dt.datetime]
PLENTY = dt.timedelta(days=120)
AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Compared:
    """Each as often as it happened."""

    expected: Counter[Completion]
    found: Counter[Completion]

    @property
    def matches(self) -> int:
        return (self.expected & self.found).total()

    @property
    def extra(self) -> int:
        return (self.found - self.expected).total()

    @property
    def missed(self) -> int:
        return (self.expected - self.found).total()

    @property
    def is_exact(self) -> bool:
        return self.expected == self.found and bool(self.expected)


def replay(folder: Path) -> Compared:
    """Make a program with these customers, orders and challenges in the database, and compare."""
    events = list(_rows(folder / "offer_events.csv.gz"))
    orders = list(_rows(folder / "orders.csv.gz"))
    start = min(_at(row, "at") for row in events)
    program = make_program("offers", at=start, time_zone="UTC", earning_rules=[])
    members = _members(program, _names(events, orders), start)
    _orders(orders, members)
    offers = {row["offer_id"]: row for row in _rows(folder / "offers.csv")}
    made = {key: made for key, row in offers.items() if (made := _challenge(program, row, start))}
    received = [row for row in events if row["event"] == "received" and row["offer_id"] in made]
    _give(received, members, made)
    now, keys = start + PLENTY, sorted(item.customer_id for item in members.values())
    for first in range(0, len(keys), AT_ONCE):
        measure_customers(keys[first : first + AT_ONCE], now=now)
    expected = Counter(
        (row["customer_id"], row["offer_id"], _at(row, "at"))
        for row in events
        if row["event"] == "completed"
    )
    return Compared(expected, _completions(made))


def _challenge(program: Program, offer: Mapping[str, str], start: dt.datetime) -> Challenge | None:
    """None: it only informs, and there is nothing to be done."""
    if offer["offer_type"] not in {"bogo", "discount"}:
        return None
    once = offer["offer_type"] == "bogo"
    step = {"kind": "spend", "amount": offer["difficulty"], "in_one": once, "more_than": once}
    definition = ChallengeDefinition.model_validate(
        {
            "name": offer["offer_id"], "title": "Offer", "badge": "Done", "steps": [step],
            "days": int(offer["duration_days"]), "starts_at": start, "ends_at": start + PLENTY,
        }
    )  # fmt: skip
    made = create_challenge(program=program, definition=definition, actor=SYSTEM, now=start)
    publish_campaign(campaign=made.campaign, actor=SYSTEM, now=start)
    return challenges().get(pk=made.pk)


def _give(
    received: list[dict[str, str]], members: Mapping[str, Membership],
    made: Mapping[str, Challenge],
) -> None:  # fmt: skip
    """All at once, from when on each was received."""
    entries = []
    for row in received:
        challenge, at = made[row["offer_id"]], _at(row, "at")
        starts_at, ends_at = span_for(challenge, at)
        entries.append(
            ChallengeEntry(
                challenge=challenge, membership=members[row["customer_id"]], starts_at=starts_at,
                ends_at=ends_at, created_at=at,
            )
        )  # fmt: skip
    ChallengeEntry.objects.bulk_create(entries, batch_size=AT_A_TIME)


def _completions(made: Mapping[str, Challenge]) -> Counter[Completion]:
    offers = {challenge.pk: key for key, challenge in made.items()}
    rows = ChallengeWin.objects.filter(state=ChallengeWin.State.WON).values_list(
        "entry__challenge", "reached_at", "entry__membership__customer__external_id"
    )
    return Counter((who, offers[challenge], at) for challenge, at, who in rows)


def _names(*tables: list[dict[str, str]]) -> set[str]:
    return {row["customer_id"] for rows in tables for row in rows if row["customer_id"]}


def _members(program: Program, names: set[str], start: dt.datetime) -> dict[str, Membership]:
    people = Customer.objects.bulk_create(Customer(external_id=name) for name in sorted(names))
    accounts = Account.objects.bulk_create(
        Account(kind=Account.Kind.MEMBERSHIP, program=program) for _person in people
    )
    made = Membership.objects.bulk_create(
        Membership(
            program=program, customer=person, account=account, source=Membership.Source.IMPORT,
            card_number=f"O{number}", enrolled_at=start,
        )
        for number, (person, account) in enumerate(zip(people, accounts, strict=True))
    )  # fmt: skip
    return {str(member.customer.external_id): member for member in made}


def _orders(rows: list[dict[str, str]], members: Mapping[str, Membership]) -> None:
    """Sales of known customers, each as one line."""
    sales = [row for row in rows if row["kind"] == "sale" and row["customer_id"]]
    for first in range(0, len(sales), AT_A_TIME):
        some = sales[first : first + AT_A_TIME]
        orders = Order.objects.bulk_create(_order(row, members) for row in some)
        OrderLine.objects.bulk_create(
            OrderLine(order=order, line_no=1, quantity=1, unit_price=order.total, total=order.total)
            for order in orders
        )


def _order(row: Mapping[str, str], members: Mapping[str, Membership]) -> Order:
    at, total = _at(row, "placed_at"), Decimal(row["total"])
    values: dict[str, Any] = {"body_hash": b"0" * 32, "recorded_at": at}
    return Order(
        source="offers", external_id=row["order_id"], placed_at=at, currency=row["currency"],
        customer_id=members[row["customer_id"]].customer_id, total=total, **values,
    )  # fmt: skip


def _at(row: Mapping[str, str], name: str) -> dt.datetime:
    return dt.datetime.fromisoformat(row[name]).replace(tzinfo=dt.UTC)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = path.read_bytes()
    plain = gzip.decompress(text) if path.suffix == ".gz" else text
    yield from csv.DictReader(plain.decode().splitlines())
