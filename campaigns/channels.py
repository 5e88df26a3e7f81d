"""The ways by which members are told. Each is registered with what it needs; another way is
another `Channel`, and nothing else has to know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.approved_words import Approved
from members.models import Customer


@dataclass(frozen=True, slots=True)
class Letter:
    """What is handed over. `name`: by which the delivery is known, also to the provider."""

    name: str
    to: str
    subject: str
    text: str
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    # Words that the provider has approved, filled in: sent in the place of the text.
    approved: Approved | None = None
    # For another system: what it is about, and for whom.
    about: Mapping[str, Any] = field(default_factory=dict)


class HandOverError(Exception):
    """It was not taken for certain. `later`: another attempt may go better; `lasting`: the address
    is the reason, and always will be; `outage`: nothing else would be taken now either; `stopped`:
    its owner told the provider that they want nothing more."""

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        later: bool,
        lasting: bool = False,
        outage: bool = False,
        stopped: bool = False,
    ) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.later, self.lasting = reason, detail, later, lasting
        self.outage, self.stopped = outage, stopped


class UnclearError(Exception):
    """Nobody knows whether it was taken: the line broke before the answer came."""


class Line(Protocol):
    """An open line to a provider."""

    def hand_over(self, letter: Letter) -> str:
        """Returns the provider's name for it. Raises HandOverError, UnclearError."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """`open_line`: how letters go out; none: a message is told as soon as it is written, because
    it is read here. `markup`: its bodies are MJML. `address`: where somebody is reached; empty:
    nowhere.

    `is_set_up`: it needs a provider, which the merchant names. `addresses`: where several are
    reached, in as many queries as for one. `devices`: somebody may have several, and is told at
    each: which they have now. `titled`: the subject is read, not only listed.
    `is_short`: every character costs, so its words are counted. `needs_yes`: nobody is told by it
    what they have not said yes to. `confirms`: a yes may be confirmed by a message there.
    `by_word`: a word that is sent back declines it. `takes_key`: who gets a letter twice knows it
    by its name, so what may have been taken is sent again. `short_links`: links in its texts are
    short ones of ours, by which it is counted that they were followed.
    `by_approval`: it may have to name words that the provider has approved."""

    key: str
    label: Promise
    icon: str
    markup: bool
    address: Callable[[Customer], str]
    open_line: Callable[[], AbstractContextManager[Line]] | None = None
    is_set_up: bool = False
    addresses: Callable[[Sequence[Customer]], Mapping[int, str]] | None = None
    devices: Callable[[Sequence[Customer]], Mapping[int, Sequence[UUID]]] | None = None
    titled: bool = True
    is_short: bool = False
    needs_yes: bool = False
    confirms: bool = True
    by_word: bool = False
    takes_key: bool = False
    short_links: bool = False
    by_approval: bool = False

    def addresses_of(self, customers: Sequence[Customer]) -> Mapping[int, str]:
        """Where each is reached, by customer; who is not, is left out."""
        if self.addresses is not None:
            return self.addresses(customers)
        return {one.pk: found for one in customers if (found := self.address(one))}


# Where somebody is met and nothing is sent: what they say of it is said beside the ways.
SHOP = Channel("shop", _("In the shop"), "building-store", False, lambda _customer: "")
_channels: dict[str, Channel] = {}


def register_channel(channel: Channel) -> None:
    """Make it known; the same key again replaces it."""
    _channels[channel.key] = channel


def all_channels() -> list[Channel]:
    return list(_channels.values())


def channel_named(key: str) -> Channel | None:
    return _channels.get(key)


def sending_channels() -> list[Channel]:
    """Those by which something goes out, whether or not they are set up."""
    return [channel for channel in _channels.values() if channel.open_line is not None]
