"""What a message says, whichever shop or tool it came from."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from loyalty.services.activities import ActivityInput
from loyalty.services.order_inputs import CustomerRef, OrderInput, RefundInput
from members.errors import DomainError
from members.told_consents import ConsentSaid

# So many of a version's bits tell apart what happened in the same millisecond.
_RANK_BITS, _TIE_BITS = 4, 16


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A customer as the shop knows them by now. `version` grows with each change; None: the message
    does not say. `verified`: the shop vouches that the e-mail address is theirs; `registered`: they
    have an account there."""

    number: str
    values: Mapping[str, Any]
    version: int | None = None
    verified: bool = False
    registered: bool = True
    consents: tuple[ConsentSaid, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What somebody who is known already wants to be told."""

    customer: CustomerRef
    said: tuple[ConsentSaid, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """All that one message says. Nothing but a `note`: nothing follows from it, and why."""

    orders: tuple[OrderInput, ...] = ()
    refunds: tuple[RefundInput, ...] = ()
    customers: tuple[CustomerFacts, ...] = ()
    activities: tuple[ActivityInput, ...] = ()
    consents: tuple[ConsentFacts, ...] = ()
    # Buyers for whose e-mail address the shop vouches, by number.
    verified: frozenset[str] = frozenset()
    gone_orders: tuple[str, ...] = ()
    back_orders: tuple[str, ...] = ()
    gone_customers: tuple[str, ...] = ()
    # Whose details are to be erased; `forget_everything`: those of all that the connection told of.
    forgotten: tuple[str, ...] = ()
    forget_everything: bool = False
    note: str = ""

    @property
    def people(self) -> list[str]:
        """The numbers of all customers it names."""
        buyers = [order.customer for order in self.orders]
        buyers += [refund.customer for refund in self.refunds]
        buyers += [activity.customer for activity in self.activities]
        buyers += [item.customer for item in self.consents]
        named = {buyer.external_id for buyer in buyers if buyer and buyer.external_id}
        named |= {facts.number for facts in self.customers}
        return sorted(named | set(self.gone_customers) | set(self.forgotten))

    @property
    def happened_at(self) -> dt.datetime | None:
        """When the shop's side of it changed last, as far as it says."""
        times = [order.changed_at for order in self.orders]
        times += [refund.refunded_at for refund in self.refunds]
        return max((at for at in times if at is not None), default=None)

    @property
    def is_empty(self) -> bool:
        return not any((
            self.orders, self.refunds, self.customers, self.activities, self.consents,
            self.gone_orders, self.back_orders, self.gone_customers, self.forgotten,
            self.forget_everything,
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message that stands for itself, and where it is: what it says, or why it cannot
    be read."""

    place: str
    records: Records | None = None
    error: DomainError | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader has to know of the connection."""

    source: str
    customer_prefix: str = ""
    mapping: Mapping[str, Any] = field(default_factory=dict)
    # When it came, and the merchant's time zone, for what says no more than a clock's time.
    received_at: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    zone: dt.tzinfo = dt.UTC

    def customer_number(self, number: str) -> str:
        return f"{self.customer_prefix}{number}"


def version_of(at: dt.datetime, rank: int, payload: Any) -> int:
    """A count that grows with each change, worked out from the message alone. Of two that changed
    in the same moment the one that is further along is the later one, else it is the same one on
    every machine, whichever came first."""
    millis = int(at.timestamp() * 1000)
    content = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS, default=str)
    tie = int.from_bytes(hashlib.blake2b(content, digest_size=_TIE_BITS // 8).digest())
    ranked: int = (millis << _RANK_BITS) | min(rank, 2**_RANK_BITS - 1)
    return (ranked << _TIE_BITS) | tie
