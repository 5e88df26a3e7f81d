"""What goes in and out at /bulk-adjustments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import Field

from loyalty.api.v1.amounts import Units, UnitsAboveZero, UnitsIn, units_text
from loyalty.api.v1.transfers import Reason
from loyalty.models import BulkAdjustment, BulkRow
from loyalty.selectors.bulk_adjustments import Result
from loyalty.services.bulk_adjustments import LONGEST_MESSAGE
from loyalty.services.bulk_checking import LONGEST_NOTE
from loyalty.services.bulk_sources import Cells
from members.api.bodies import TEXT, Answer, Body
from members.api.pagination import Page, PageQuery
from members.errors import FieldError
from members.models import Job

MOST_ROWS = 10_000
FREE_TEXT = r"^[^\x00]*$"

Known = Annotated[str, Field(max_length=254, pattern=TEXT)]
Note = Annotated[str, Field(max_length=LONGEST_NOTE, pattern=FREE_TEXT)]
RowState = Literal["", "new", "good", "wrong", "posted", "refused", "undone", "kept"]


class BulkRowIn(Body):
    """One member, by one of these or by several that agree."""

    customer_id: Known = Field("", description="The merchant's number of the customer.")
    membership: Known = Field("", description="The membership's id.")
    card_number: Known = ""
    email: Known = ""
    phone: Known = ""
    units: UnitsIn | None = Field(
        None, description="Of an adjustment: how many to add, or with a minus sign to take."
    )
    note: Note = Field("", description="For the merchant's staff; by default the batch's.")

    def cells(self) -> Cells:
        return {name: text for name, text in self.model_dump().items() if text}


class BulkIn(Body):
    """Adjustments, or gifts of the same to each, that belong together."""

    kind: BulkAdjustment.Kind = BulkAdjustment.Kind.ADJUSTMENT
    program: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        description="The program's code."
    )
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)] = Field(
        description="What the merchant's staff read in the list of bulk adjustments."
    )
    reason: Reason
    note: Note = Field("", description="For rows without a note of their own.")
    units: UnitsAboveZero | None = Field(None, description="Of a grant: what each member gets.")
    budget: UnitsAboveZero | None = Field(
        None, description="Of a grant: the most that all may get together."
    )
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE, pattern=FREE_TEXT)] = Field(
        "", description="Of a grant: what members read beside it."
    )
    rows: Annotated[list[BulkRowIn], Field(min_length=1, max_length=MOST_ROWS)]

    def contradictions(self) -> Iterator[FieldError]:
        """Fields that this kind needs, or that only the other one has."""
        grant = self.kind == BulkAdjustment.Kind.GRANT
        if grant and self.units is None:
            yield FieldError("units", _("Say what each member gets."), "required")
        if not grant:
            for name in ("units", "budget", "message"):
                if getattr(self, name):
                    yield FieldError(name, _("Only a grant has this."), "unexpected")
        for index, row in enumerate(self.rows):
            if grant and row.units is not None:
                message = _("A grant gives everybody the same: say it once, in units.")
                yield FieldError(f"rows[{index}].units", message, "unexpected")
            elif not grant and row.units is None:
                yield FieldError(f"rows[{index}].units", _("This is required."), "required")


class PostIn(Body):
    again: bool = Field(False, description="Even if the very same rows were posted already.")


class NothingIn(Body):
    """Nothing to say."""


class RowCounts(Answer):
    """How many rows are in each state."""

    new: int = Field(description="Not checked yet.")
    good: int = Field(description="Can be posted.")
    wrong: int = Field(description="Cannot be posted; their `problems` say why.")
    posted: int
    refused: int = Field(description="Could not be posted any more when it was their turn.")
    undone: int
    kept: int = Field(description="Could not be undone: spent meanwhile.")


class BulkBrief(Answer):
    id: UUID
    kind: BulkAdjustment.Kind
    state: BulkAdjustment.State
    source: BulkAdjustment.Source
    program: str
    wallet_type: str
    decimals: int
    name: str
    reason: str
    note: str
    message: str
    units: Units | None = Field(description="Of a grant: what each member gets.")
    budget: Units | None
    rows: int = Field(description="How many rows there are.")
    members: int = Field(description="How many of them can be posted, once they are checked.")
    given: Units = Field(description="What these add.")
    taken: Units = Field(description="What these take.")
    created_at: dt.datetime
    posted_at: dt.datetime | None = Field(description="When posting began.")
    undone_at: dt.datetime | None = Field(description="When undoing began.")


class BulkOut(BulkBrief):
    row_states: RowCounts
    outstanding: Units | None = Field(
        description="What all members held by the daily totals when the rows were checked."
    )
    job: UUID | None = Field(description="The work that was begun last for it: GET /jobs/{id}.")
    job_state: Job.State | None
    same_rows: UUID | None = Field(
        description="Another one with the very same rows that was posted, or is about to be."
    )


class BulkPage(Page):
    results: list[BulkBrief]


class RowProblem(Answer):
    field: str
    value: str
    message: str = Field(description="For people, in the language of whoever checked it.")


class BulkRowOut(Answer):
    row: int = Field(description="Its place, counted from 1; in a file the header is row 1.")
    state: BulkRow.State
    membership: UUID | None = Field(description="Whom it concerns, once that is known.")
    units: Units | None = Field(description="Below zero where units are taken.")
    note: str
    spendable_before: Units | None = Field(
        description="While it can be posted: what the member can spend now, …"
    )
    spendable_after: Units | None = Field(description="… and afterwards.")
    transfer: str | None = Field(description="The movement that it became.")
    problems: list[RowProblem]


class BulkRowPage(Page):
    results: list[BulkRowOut]


class BulkQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")


class BulkRowQuery(PageQuery):
    state: RowState = Field("", description="Only those in this state.")


def brief(batch: BulkAdjustment) -> BulkBrief:
    scale = batch.wallet_type.scale
    return BulkBrief(
        id=batch.public_id,
        kind=BulkAdjustment.Kind(batch.kind),
        state=BulkAdjustment.State(batch.state),
        source=BulkAdjustment.Source(batch.source),
        program=batch.wallet_type.program.code,
        wallet_type=batch.wallet_type.code,
        decimals=scale,
        name=batch.source_name,
        reason=batch.reason,
        note=batch.note,
        message=batch.message,
        units=_text(batch.units_each, scale),
        budget=_text(batch.budget, scale),
        rows=batch.row_count,
        members=batch.member_count,
        given=units_text(batch.given, scale),
        taken=units_text(batch.taken, scale),
        created_at=batch.created_at,
        posted_at=batch.posted_at,
        undone_at=batch.undone_at,
    )


def whole(batch: BulkAdjustment, result: Result, same: BulkAdjustment | None) -> BulkOut:
    counts = {name: result.number(name) for name in RowCounts.model_fields}
    return BulkOut(
        **brief(batch).model_dump(),
        row_states=RowCounts(**counts),
        outstanding=_text(batch.outstanding, batch.wallet_type.scale),
        job=batch.job.public_id if batch.job else None,
        job_state=Job.State(batch.job.state) if batch.job else None,
        same_rows=same.public_id if same else None,
    )


def row_out(
    row: BulkRow, effect: tuple[int, int] | None, membership: UUID | None, scale: int
) -> BulkRowOut:
    before, after = effect or (None, None)
    return BulkRowOut(
        row=row.number,
        state=BulkRow.State(row.state),
        membership=membership,
        units=_text(row.units, scale),
        note=row.note,
        spendable_before=_text(before, scale),
        spendable_after=_text(after, scale),
        transfer=str(row.transfer_id) if row.transfer_id else None,
        problems=[
            RowProblem(field=column, value=value, message=reason)
            for column, value, reason in row.problems
        ],
    )


def _text(units: int | None, scale: int) -> str | None:
    return None if units is None else units_text(units, scale)
