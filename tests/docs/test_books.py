"""The tables of docs/books.md: a story, what is owed after each of its steps, and its journal."""

import datetime as dt
from collections.abc import Callable

import pytest

from loyalty.definitions import ProgramDefinition
from loyalty.ledger.checks import verify_books
from loyalty.models import WalletType
from loyalty.selectors.journal import read_journal
from loyalty.selectors.programs import definition_of
from loyalty.services.closing import close_books
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.docs.story import Story
from tests.docs.tables import executed_tables

TABLES = {table.name: table for table in executed_tables("books.md")}


class BookStory(Story):
    """Also closes books, and gives units another worth."""

    def _steps(self) -> dict[str, Callable[..., None]]:
        return super()._steps() | {r"close (\S+)": self._close, r"worth ([\d.]+)": self._revalue}

    def _close(self, until: str) -> None:
        close_books(
            program=self.program, until=dt.date.fromisoformat(until), actor=SYSTEM, now=self.now
        )

    def _revalue(self, worth: str) -> None:
        data = definition_of(self.program, self.now).model_dump(mode="json")
        data["wallet_types"][0]["unit_value"] = worth
        apply_definition(ProgramDefinition.model_validate(data), actor=SYSTEM, now=self.now)

    def wallet_type(self) -> WalletType:
        return self.program.wallet_types.select_related("program").get()


@pytest.fixture
def story(db: None) -> BookStory:
    """Told to its end; each row of the table compared on the way."""
    story = BookStory()
    for number, row in enumerate(TABLES["books"].rows, start=1):
        day = dt.date.fromisoformat(row["on"])
        story.play(day, row["what happens"])
        deliver_waiting(1000)
        journal = read_journal(story.wallet_type(), dt.date(2026, 1, 1), day)
        found = (journal.owed_units, journal.unwritten, journal.liability.units)
        expected = tuple(
            int(row[name]) for name in ("booked", "expired, not written down", "liability")
        )
        assert found == expected, f"row {number}: {row['what happens']}"
        assert verify_books(story.now) == []
    return story


def test_every_marked_table_is_executed() -> None:
    assert TABLES.keys() == {"books", "journal"}


def test_the_story_and_its_journal(story: BookStory) -> None:
    journal = read_journal(story.wallet_type(), dt.date(2026, 1, 1), dt.date(2026, 2, 28))
    found = [
        {
            "account": item.account.code, "role": item.account.role,
            "opening": str(item.opening_units), "debit": str(item.debit_units),
            "credit": str(item.credit_units), "closing": str(item.closing_units),
            "closing worth": f"{item.closing_worth:.2f}",
        }
        for item in journal.balances
    ]  # fmt: skip
    assert found == list(TABLES["journal"].rows)
