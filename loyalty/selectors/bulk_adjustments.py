"""Reading bulk adjustments and their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings, spendable_of
from loyalty.models import BulkAdjustment, BulkRow, WalletType
from members.errors import NotFoundError
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
        "wallet_type__program",
        "created_by",
        "api_key",
        "decided_by",
        "undone_by",
        "undone_key",
        "job",
    )


def get_batch(public_id: UUID) -> BulkAdjustment:
    """Raises NotFoundError."""
    batch = batches().filter(public_id=public_id).first()
    if batch is None:
        raise NotFoundError(_("There is no such bulk adjustment."))
    return batch


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
    effects = effects_of(rows, batch.wallet_type, now)
    return [
        RowPreview(row, row.wallet.account.membership.customer, *effects[row.pk])
        for row in rows
        if row.wallet is not None
    ]


def effects_of(
    rows: Sequence[BulkRow], wallet_type: WalletType, now: dt.datetime
) -> dict[int, tuple[int, int]]:
    """What the members of those that can be posted can spend before and after, by the row's key. A
    wallet that was merged into another stands for that one."""
    good = [
        (row, row.wallet.merged_into or row.wallet)
        for row in rows
        if row.state == State.GOOD and row.wallet is not None
    ]
    for _row, wallet in good:
        wallet.wallet_type = wallet_type
    held = holdings([wallet for _row, wallet in good], now)
    found = {}
    for row, wallet in good:
        holding, units = held[wallet.pk], row.units or 0
        after = spendable_of(holding.balance + units, holding.owed, blocks=holding.blocked)
        found[row.pk] = (holding.spendable, after)
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
        rows.select_related(
            "wallet__merged_into", "wallet__account__membership__customer"
        ).order_by("number")[:limit]
    )


def problem_rows(batch: BulkAdjustment, limit: int | None = None) -> Iterator[BulkRow]:
    """The rows that something is wrong with, or that were refused, streamed."""
    states = [State.WRONG, State.REFUSED, State.KEPT]
    rows = batch.rows.filter(state__in=states).order_by("number")
    return iter(rows[:limit]) if limit is not None else rows.iterator(chunk_size=1_000)
