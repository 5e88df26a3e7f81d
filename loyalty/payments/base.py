"""What every payment provider can do. Services know no other names than these.

Each call that moves money has a key: the same call with the same key happens once, so that whoever
was killed between asking and writing down may ask again.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from django.utils.functional import Promise


class ProviderError(Exception):
    """The provider could not be asked, or did not understand: nothing is known of the money."""


class RefusedError(Exception):
    """The provider says no, and why, as a short code: no money was given back."""


class BadSignatureError(Exception):
    """A notice that does not come from the provider."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Money to be collected from somebody. `customer`, `method`: the provider's own references."""

    key: str
    amount: Decimal
    currency: str
    customer: str
    method: str
    charge: str  # our number of it, which comes back with notices


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of it. `open`: not known yet. `failure`: why not, as a short code."""

    state: Literal["paid", "failed", "open"]
    reference: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a provider tells by itself, by its number there."""

    event_id: str
    kind: str
    happened_at: dt.datetime
    # Of a charge of ours …
    charge: str = ""
    collected: Collected | None = None
    # … or of a subscription, whose payer gave leave to collect.
    subscription: str = ""
    customer: str = ""
    method: str = ""
    # … or of money that was to be given back and was not: under which key, of which payment.
    refund: str = ""
    refund_of: str = ""
    failure: str = ""


class PaymentProvider(ABC):
    code: ClassVar[str]
    label: ClassVar[Promise | str]
    # Whether it collects by itself; else people see to it.
    collects: ClassVar[bool]

    @abstractmethod
    def collect(self, wanted: Wanted) -> Collected:
        """Ask for money. Raises ProviderError."""

    @abstractmethod
    def look_up(self, reference: str) -> Collected:
        """What has become of money that was asked for. Raises ProviderError."""

    @abstractmethod
    def give_back(
        self, *, reference: str, amount: Decimal, currency: str, key: str, again: bool
    ) -> None:
        """Give money back, or leave it to people. `again`: it may have been asked for under this
        key, perhaps so long ago that the provider has forgotten the key. Raises ProviderError and
        RefusedError."""

    @abstractmethod
    def permission_url(self, *, subscription: str, email: str, done: str, back: str) -> str:
        """Where a payer gives leave to collect, and is sent to afterwards. Raises
        ProviderError."""

    @abstractmethod
    def read_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        """What it tells; None: nothing that matters here. Raises BadSignatureError."""
