"""The registry of what members may be told: each occasion with the variables that its words use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from campaigns.models import Message
    from loyalty.models import Membership

Kind = Literal["text", "units", "money", "day", "code", "link"]
KINDS: dict[Kind, Promise] = {
    "text": _("text"), "units": _("amount of units"), "money": _("money"), "day": _("day"),
    "code": _("code"), "link": _("link"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variable:
    """A word that a template may use. `sample`: what a preview without a member shows."""

    name: str
    label: Promise
    kind: Kind
    sample: str
    # May say nothing, so a text should have {{#name}}…{{/name}} around it.
    may_be_empty: bool = False

    @property
    def kind_words(self) -> Promise:
        return KINDS[self.kind]


# In every message.
COMMON = (
    Variable("given_name", _("Given name"), "text", "Olivia", may_be_empty=True),
    Variable("merchant", _("Your name"), "text", "Oakmarket"),
    Variable("program", _("The program's name"), "text", "Oak Points"),
    Variable("link", _("Where the button leads"), "link", "https://shop.example/me/"),
)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that happens to a member. `priority`: the lower, the sooner it is sent where not
    everything may be; `news_for`: how long it is worth telling."""

    code: str
    label: Promise
    description: Promise
    icon: str
    topic: str
    priority: int
    variables: tuple[Variable, ...] = ()
    news_for: dt.timedelta = dt.timedelta(days=7)
    # Called for those that were told together, once for each way, in the transaction that says so.
    told: Callable[[Sequence[Message], dt.datetime], None] | None = field(default=None)
    # Not switched on and off, and by one way alone.
    always_by: str = ""
    # Only journeys tell it, so it is not switched on and off.
    only_in_journeys: bool = False
    # Its words open something to whoever reads them: staff see that it was sent, and not what.
    for_reader_alone: bool = False
    # Of no program, so its words can say nothing of one.
    of_no_program: bool = False
    # What its variables say of a member now, where that does not follow from what happened.
    values_now: Callable[[Membership, dt.datetime], Mapping[str, str]] | None = field(default=None)

    @property
    def all_variables(self) -> tuple[Variable, ...]:
        if self.of_no_program:
            return tuple(variable for variable in COMMON if variable.name != "program")
        return (*COMMON, *self.variables)

    @property
    def sample(self) -> dict[str, str]:
        return {variable.name: variable.sample for variable in self.all_variables}


_occasions: dict[str, Occasion] = {}
# Those of which each has words of its own, by the code before their number: "broadcast-12".
_families: dict[str, Occasion] = {}


def register_occasion(occasion: Occasion) -> None:
    """Make it known; the same code again replaces it."""
    _occasions[occasion.code] = occasion


def register_family(occasion: Occasion) -> None:
    """Make many known that are alike but for their words, each by the code and its number."""
    _families[occasion.code] = occasion


def families() -> list[Occasion]:
    return list(_families.values())


def family_of(code: str) -> Occasion | None:
    """What one that has words of its own is one of; None: it is of no family."""
    family, _sign, number = code.partition("-")
    return _families.get(family) if number.isdecimal() else None


def all_occasions() -> list[Occasion]:
    """In the order in which they were registered."""
    return list(_occasions.values())


def subject_for_staff(code: str, subject: str) -> str:
    """What a message is called before staff: its subject, unless that is for its reader alone."""
    occasion = occasion_named(code)
    if occasion is None:
        return subject or code
    return str(occasion.label) if occasion.for_reader_alone or not subject else subject


def occasion_named(code: str) -> Occasion | None:
    family = family_of(code)
    return replace(family, code=code) if family else _occasions.get(code)
