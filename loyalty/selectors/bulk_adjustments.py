"""Reading bulk adjustments and their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from loyalty.ledger.balances import holdings, spendable_of
from loyalty.models import BulkAdjustment, BulkRow
from members.models import Customer

State = BulkRow.State


@dataclass(frozen=True, slots=True)
class Result:
    """How many rows are in which state, and what was moved and taken back."""

    counts: dict[str, int]
    given: int
    taken: int

    def number(self, state: str) -> int:
        return self.counts.get(state, 0)


@dataclass(frozen=True, slots=True)
class RowPreview:
    """A row with its member, and what they can spend before and after while it is not posted."""

    row: BulkRow
    customer: Customer
    before: int = 0
    after: int = 0


def batches() -> QuerySet[BulkAdjustment]:
    return BulkAdjustment.objects.select_related(
        "wallet_type__program", "created_by", "decided_by", "undone_by", "job"
    )


def result_of(batch: BulkAdjustment) -> Result:
    """One query over the batch's rows."""
    moved = [State.POSTED, State.KEPT]
    rows = (
        batch.rows.order_by()
        .values("state")
        .annotate(
            count=Count("pk"),
            given=Sum("units", filter=Q(units__gt=0, state__in=moved), default=0),
            taken=Sum("units", filter=Q(units__lt=0, state__in=moved), default=0),
        )
    )
    found = {row["state"]: row for row in rows}
    return Result(
        {state: row["count"] for state, row in found.items()},
        sum(row["given"] for row in found.values()),
        -sum(row["taken"] for row in found.values()),
    )


def preview_rows(batch: BulkAdjustment, now: dt.datetime, limit: int) -> list[RowPreview]:
    """The first rows that can be posted, with the balance before and after."""
    rows = _first(batch, [State.GOOD], limit)
    wallets = [row.wallet for row in rows if row.wallet is not None]
    held = holdings(wallets, now)
    found = []
    for row, wallet in zip(rows, wallets, strict=True):
        holding, units = held[wallet.pk], row.units or 0
        after = spendable_of(holding.balance + units, holding.owed, blocks=holding.blocked)
        customer = wallet.account.membership.customer
        found.append(RowPreview(row, customer, holding.spendable, after))
    return found


def posted_rows(batch: BulkAdjustment, limit: int) -> list[RowPreview]:
    """The first rows that were posted, undone or not."""
    return [
        RowPreview(row, row.wallet.account.membership.customer)
        for row in _first(batch, [State.POSTED, State.UNDONE, State.KEPT], limit)
        if row.wallet is not None
    ]


def _first(batch: BulkAdjustment, states: list[BulkRow.State], limit: int) -> list[BulkRow]:
    rows = batch.rows.filter(state__in=states)
    return list(
        rows.select_related("wallet__account__membership__customer").order_by("number")[:limit]
    )


def problem_rows(batch: BulkAdjustment, limit: int | None = None) -> Iterator[BulkRow]:
    """The rows that something is wrong with, or that were refused, streamed."""
    states = [State.WRONG, State.REFUSED, State.KEPT]
    rows = batch.rows.filter(state__in=states).order_by("number")
    return iter(rows[:limit]) if limit is not None else rows.iterator(chunk_size=1_000)
