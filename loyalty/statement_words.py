"""A statement in the reader's language: the same words on the page and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty.card_numbers import grouped
from loyalty.explanations import circumstances_of, explain_transfer
from loyalty.selectors.statements import Period, Statement, StatementLine, WalletStatement
from members.formatting import format_day, format_month, format_points

COLUMNS = ("day", "what", "units", "held")


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A row of the table. `detail`: what was bought, where something was."""

    day: str
    what: str
    detail: str
    units: str
    held: str


@dataclass(frozen=True, slots=True)
class ToldWallet:
    """`figures`: pairs of a label and a number, in the order in which they add up."""

    name: str
    figures: Sequence[tuple[str, str]]
    lines: Sequence[ToldLine]


@dataclass(frozen=True, slots=True)
class ToldStatement:
    """`facts`: pairs of a label and a value about whose statement it is."""

    title: str
    period: str
    facts: Sequence[tuple[str, str]]
    wallets: Sequence[ToldWallet]
    note: str


def told_statement(statement: Statement) -> ToldStatement:
    membership = statement.membership
    zone = membership.program.zone
    facts = [
        (_("Name"), str(membership.customer)),
        (_("Program"), membership.program.name),
        (_("Card number"), grouped(membership.card_number)),
        (_("Period"), _days(statement.period)),
    ]
    until = format_day(statement.until, zone)
    return ToldStatement(
        title=_("Statement"),
        period=period_words(statement.period),
        facts=facts,
        wallets=[_wallet(item, statement) for item in statement.wallets],
        note=_("This period still runs; figures as of %s.") % until if statement.runs else "",
    )


def period_words(period: Period) -> str:
    return period.key if period.is_year else format_month(period.first)


def nothing_words() -> str:
    """What is said where there is no movement."""
    return _("Nothing moved in this time.")


def column_labels() -> dict[str, str]:
    """By the name of a column."""
    return {
        "day": pgettext("of a movement", "Day"),
        "what": pgettext("of a movement", "What"),
        "units": pgettext("of a movement", "Change"),
        "held": _("Balance"),
    }


def _days(period: Period) -> str:
    words = {"first": format_day(period.first), "last": format_day(period.last)}
    return _("%(first)s to %(last)s") % words


def _wallet(item: WalletStatement, statement: Statement) -> ToldWallet:
    scale = item.wallet_type.scale
    figures = [
        (_("At the beginning"), format_points(item.opening, scale)),
        (_("Added"), format_points(item.added, scale, sign=True)),
        (_("Taken off"), format_points(-item.taken, scale, sign=True)),
        *_unwritten(item),
        (_("Now") if statement.runs else _("At the end"), format_points(item.closing, scale)),
    ]
    lines = [_line(line, item, statement) for line in item.lines]
    return ToldWallet(item.wallet_type.plural, figures, lines)


def _unwritten(item: WalletStatement) -> list[tuple[str, str]]:
    if not item.unwritten:
        return []
    label = _("Expired") if item.unwritten < 0 else _("Got more time")
    return [(label, format_points(item.unwritten, item.wallet_type.scale, sign=True))]


def _line(line: StatementLine, item: WalletStatement, statement: Statement) -> ToldLine:
    transfer, scale = line.transfer, item.wallet_type.scale
    explained = explain_transfer(transfer)
    return ToldLine(
        day=format_day(transfer.occurred_at, statement.membership.program.zone),
        what=explained.title,
        detail=circumstances_of(transfer) or explained.message,
        units=format_points(transfer.signed_amount, scale, sign=True),
        held=format_points(line.balance, scale),
    )
