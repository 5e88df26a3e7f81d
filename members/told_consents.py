"""What somebody wants to be told, said where they join or sign up, in a file, or by another system.
A higher application shows what can be asked, and keeps what was said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from members.errors import DomainError
from members.models import Customer
from members.services.audit import Actor

# Where it was said.
JOIN, TILL, STAFF, API, IMPORT, CONNECTION = (
    "join", "till", "staff", "api", "import", "connection",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentBox:
    """A box that is never ticked before somebody ticks it. `needs`: the detail of a customer that
    the way uses."""

    channel: str
    topic: str
    label: str
    needs: str

    @property
    def name(self) -> str:
        return f"consent_{self.channel}_{self.topic}"


@dataclass(frozen=True, slots=True)
class ConsentSaid:
    """`said_at`: where it was said before; `evidence`: how that is known; `wording`: what the box
    said that they ticked; `field`: what it is called where it came from."""

    channel: str
    topic: str
    wanted: bool
    said_at: dt.datetime | None = None
    evidence: str = ""
    wording: str = ""
    locale: str = ""
    field: str = "consents"


@dataclass(frozen=True, slots=True)
class ConsentsTold:
    """`proven`: the detail of the customer that was shown to be theirs, so that a yes need not be
    confirmed by it."""

    customer: Customer
    said: Sequence[ConsentSaid]
    source: str
    actor: Actor
    at: dt.datetime
    proven: str = ""


Boxes = Callable[[], Sequence[ConsentBox]]
# Raises DomainError where there is no such channel or topic.
Keeper = Callable[[ConsentsTold], None]
_registered: list[tuple[Boxes, Keeper]] = []


def register_consents(boxes: Boxes, keeper: Keeper) -> None:
    """Called once, when the application is ready."""
    _registered[:] = [(boxes, keeper)]


def consent_boxes(*, having: Sequence[str]) -> list[ConsentBox]:
    """Those that can be asked of somebody of whom these details are known, or asked for."""
    return [box for boxes, _keep in _registered for box in boxes() if box.needs in having]


def keep_consents(told: ConsentsTold) -> None:
    """Hand over what was said, in the transaction in which somebody joins. Raises DomainError."""
    if told.said and not _registered:
        raise DomainError(_("There is no such topic."))
    for _boxes, keep in _registered:
        if told.said:
            keep(told)


_YES = {"yes", "y", "true", "1", "subscribed", "opted in", "opted_in"}
_NO = {
    "no", "n", "false", "0", "unsubscribed", "opted out", "opted_out", "cleaned", "suppressed",
}  # fmt: skip


def understood_consent(text: str) -> bool | None:
    """Yes or no, as files and tools write it; None: neither."""
    said = text.strip().lower()
    return True if said in _YES else False if said in _NO else None
