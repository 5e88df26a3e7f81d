"""The journal as rows of a file: what every account opened with, the entries, what it closed with,
and what the liability is beside that."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from loyalty.models import Program, WalletType
from loyalty.plain_numbers import exact, whole
from loyalty.selectors.discount_journal import DiscountJournal
from loyalty.selectors.journal import BookAccount, Journal
from loyalty.selectors.money_journal import MoneyJournal

HEADER = (
    "row", "entry", "date", "program", "wallet_type", "movement", "account", "account_name",
    "party", "debit_units", "credit_units", "debit", "credit", "currency", "books",
)  # fmt: skip
Row = tuple[str, ...]


def journal_name(journal: Journal) -> str:
    """The name of the file."""
    wallet_type = journal.wallet_type
    return (
        f"journal-{wallet_type.program.code}-{wallet_type.code}-{journal.since}-{journal.until}.csv"
    )


def journal_rows(journal: Journal) -> Iterator[Row]:
    """Without the header. Each entry is two rows with one number: a debit and a credit."""
    line = _Line(journal.wallet_type.program, journal.wallet_type)
    yield from _booked(journal, line)
    yield from _liability(journal, line)


def money_rows(journal: MoneyJournal) -> Iterator[Row]:
    """The same of what moves money alone: rows without units."""
    yield from _booked(journal, _Line(journal.program))


def discount_journal_name(journal: DiscountJournal) -> str:
    """The name of the file."""
    return f"discounts-{journal.program.code}-{journal.since}-{journal.until}.csv"


def giving_journal_name(journal: MoneyJournal) -> str:
    """The name of the file."""
    return f"giving-{journal.program.code}-{journal.since}-{journal.until}.csv"


def _booked(journal: Journal | MoneyJournal, line: _Line) -> Iterator[Row]:
    """Opening balances, entries, closing balances."""
    books = "closed" if journal.closed else "open"
    since, until = journal.since.isoformat(), journal.until.isoformat()
    for item in journal.balances:
        yield line.balance(
            "opening", since, item.account, item.opening_units, item.opening_worth, books
        )
    for number, entry in enumerate(journal.entries, start=1):
        state = "closed" if entry.closed else "open"
        day = entry.until.isoformat()
        for account, side in ((entry.debit, 1), (entry.credit, -1)):
            yield line.row(
                "entry", str(number), day, entry.kind, account, side * entry.units,
                side * entry.worth, state, side=side,
            )  # fmt: skip
    for item in journal.balances:
        yield line.balance(
            "closing", until, item.account, item.closing_units, item.closing_worth, books
        )


def _liability(journal: Journal, line: _Line) -> Iterator[Row]:
    """What of the closing balance has expired without an entry, and what is left: the liability."""
    until, found = journal.until.isoformat(), journal.liability
    members = journal.members.account
    books = "closed" if journal.closed else "open"
    unwritten = journal.unwritten
    yield line.balance(
        "expired_unwritten", until, members, unwritten, found.worth_of(unwritten), books
    )
    yield line.balance("liability", until, members, -found.units, -found.worth, books)


class _Line:
    """Writes rows with what is the same in all of them."""

    def __init__(self, program: Program, wallet_type: WalletType | None = None) -> None:
        self.program, self.wallet_type = program, wallet_type

    def balance(
        self, row: str, day: str, account: BookAccount, units: int, worth: Decimal, books: str
    ) -> Row:
        return self.row(row, "", day, "", account, units, worth, books)

    def row(
        self,
        row: str,
        number: str,
        day: str,
        kind: str,
        account: BookAccount,
        units: int,
        worth: Decimal,
        books: str,
        *,
        side: int = 0,
    ) -> Row:
        """Above zero: a debit; below: a credit. An entry without units says by `side` which."""
        debit = side > 0 or (side == 0 and (worth > 0 or (worth == 0 and units >= 0)))
        amounts = (self._units(units), exact(abs(worth), 2))
        none = ("", "")
        (debit_units, debit_worth), (credit_units, credit_worth) = (
            (amounts, none) if debit else (none, amounts)
        )
        program, units_of = self.program, self.wallet_type
        return (
            row, number, day, program.code, units_of.code if units_of else "", kind, account.code,
            account.role, account.party, debit_units, credit_units, debit_worth, credit_worth,
            program.currency, books,
        )  # fmt: skip

    def _units(self, units: int) -> str:
        """Nothing where it is money alone."""
        return exact(whole(abs(units), self.wallet_type), 0) if self.wallet_type else ""
