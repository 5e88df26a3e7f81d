"""The rows of a file brought together: which order each belongs to, and what it says of a line."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.rules.calendar import localize
from loyalty.services.import_rows import address
from loyalty.services.row_errors import RowError
from loyalty.shop_exports.cells import DayOrder, Mark, amount, moment
from loyalty.shop_exports.columns import LINE_NAMES
from loyalty.shop_exports.matching import folded

# Numbers that shops give to nobody in particular.
NOBODY = {"", "0", "-", "guest", "gast", "null", "none", "n/a"}
# States of orders that were never paid or are no more, as `folded` has them.
NEVER_PAID = frozenset(
    folded(word)
    for word in (
        "cancelled", "canceled", "wc-cancelled", "voided", "failed", "wc-failed", "pending",
        "wc-pending", "expired", "on-hold", "wc-on-hold", "draft", "checkout-draft", "trash",
        "unpaid", "abandoned", "storniert", "abgebrochen", "offen", "annulé", "annulée",
        "cancelado", "pendiente", "annullato", "geannuleerd", "dibatalkan", "dibatal",
        "ακυρωμένη", "已取消", "待付款",
    )
)  # fmt: skip
GIVEN_BACK = frozenset(
    folded(word)
    for word in (
        "refunded", "wc-refunded", "erstattet", "rückerstattet", "zurückerstattet", "remboursé",
        "remboursée", "reembolsado", "rimborsato", "terugbetaald", "dibayar balik",
        "επιστράφηκε", "επιστροφή χρημάτων", "已退款",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read: which column has what, and how numbers and days are written."""

    columns: Mapping[str, int]
    mark: Mark
    days: DayOrder
    currency: str
    zone: zoneinfo.ZoneInfo
    now: dt.datetime

    @property
    def has_lines(self) -> bool:
        return bool({*self.columns} & {*LINE_NAMES})


@dataclass(slots=True)
class Group:
    """An order: what its rows say, first come first served, and its lines."""

    row: int
    said: dict[str, str]
    totals: set[str] = field(default_factory=set)
    lines: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    further: list[int] = field(default_factory=list)


class WrongRowError(Exception):
    """An order is left out because of one cell."""

    def __init__(self, row: int, name: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.error = RowError("orders", row, name, value[:200], reason[:300])


def grouped(rows: Iterable[tuple[int, list[str]]], reading: Reading) -> dict[str, Group]:
    """Every order of the file by its number; rows without one stand under nothing."""
    groups: dict[str, Group] = {}
    for number, row in rows:
        cells = {
            name: row[place].strip() if place < len(row) else ""
            for name, place in reading.columns.items()
        }
        key = cells["order_id"]
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(number, dict(cells))
        else:
            group.further.append(number)
            for name, text in cells.items():
                if text and not group.said[name]:
                    group.said[name] = text
        if cells.get("total"):
            group.totals.add(cells["total"])
        line = {name: cells.get(name, "") for name in LINE_NAMES}
        if any(line.values()):
            group.lines.append((number, line))
    return groups


def is_left_out(group: Group, reading: Reading) -> bool:
    """Whether its state says that it was not paid, or given back whole."""
    state = folded(group.said.get("status", ""))
    if state in NEVER_PAID:
        return True
    return state in GIVEN_BACK and not group.said.get("refunded")


def number_in(group: Group, name: str, reading: Reading) -> Decimal | None:
    return read_number(group.row, name, group.said.get(name, ""), reading)


def read_number(row: int, name: str, text: str, reading: Reading) -> Decimal | None:
    """A cell's amount; None where it is empty. Raises WrongRowError."""
    if not text:
        return None
    value = amount(text, reading.mark)
    if value is None:
        raise WrongRowError(row, name, text, _("Write a number such as 12.50."))
    return value


def time_in(group: Group, reading: Reading) -> dt.datetime:
    text = group.said["placed_at"]
    at = moment(text, reading.days)
    if at is None or not 1900 <= at.year <= 2200:
        raise WrongRowError(
            group.row, "placed_at", text, _("This is no day in the order that was chosen.")
        )
    return localize(at, reading.zone) if at.tzinfo is None else at


@dataclass(slots=True)
class Buyers:
    """Who is who: people are known by the shop's number, else by their e-mail address."""

    # Numbers by address, of those who are here already.
    known: Mapping[str, str]
    # The shop's numbers in the file that somebody here has.
    here: Set[str] = frozenset()
    of_file: dict[str, str] = field(default_factory=dict)

    def learn(self, groups: Iterable[Group]) -> None:
        for group in groups:
            number, email = number_of(group), address(group.said.get("email", ""))
            if number and email:
                self.of_file.setdefault(email, number)

    def person(self, group: Group) -> tuple[str, str, str, str]:
        """Number, address, first and last name. Without a number and an address: a guest."""
        said = group.said
        email = address(said.get("email", ""))
        number = number_of(group)
        if number not in self.here:
            number = self.known.get(email) or self.of_file.get(email) or number or email
        given, family = said.get("given_name", ""), said.get("family_name", "")
        if not given and not family:
            given, _blank, family = said.get("full_name", "").rpartition(" ")
        return number, email, given.strip(), family.strip()


def number_of(group: Group) -> str:
    number = group.said.get("customer_id", "")
    return "" if number.casefold() in NOBODY else number
