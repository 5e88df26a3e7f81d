"""What imports are asked for, and what is said of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Count
from drf_spectacular.types import OpenApiTypes
from pydantic import Field

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.order_bodies import Source
from loyalty.models import Program, WalletType
from loyalty.services.balance_imports import KIND as BALANCES
from loyalty.services.balance_imports import totals_of_all
from loyalty.services.import_jobs import is_dry
from loyalty.services.import_kinds import last_undos, what_of
from members.api.bodies import TEXT, Answer, Body, Query, Reason
from members.api.pagination import Page, PageQuery
from members.models import Job, JobError

What = Literal["orders", "customers", "balances"]
CSV, NDJSON, PARTS = "text/csv", "application/x-ndjson", "multipart/form-data"


class ImportQuery(Query):
    kind: What = Field(description="What each row is.")
    program: str = Field(
        "", max_length=64,
        description="Code of the program that it goes into; of balances it is needed. Without one"
        " orders are kept as history, and customers are members of nothing.",
    )  # fmt: skip
    source: Source = Field(
        "shop", description="The system whose numbers these are: two may use the same ones."
    )
    dry_run: bool = Field(
        False,
        description="Only say what would come in; `/imports/{id}/confirm` brings it in then."
        " Balances always begin so.",
    )
    name: str = Field(
        "", max_length=64, pattern=TEXT, description="What people are to know the file by."
    )  # fmt: skip


class ImportParts(Body):
    """The file, in parts of its own."""

    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})] = Field(
        description="CSV; or NDJSON, by the ending `.ndjson` or `.jsonl` of its name."
    )
    lines: Annotated[bytes, Field(json_schema_extra={"format": "binary"})] = Field(
        b"", description="With orders in CSV: their lines."
    )
    mapping: str = Field(
        "{}", description="What the files call a column, as JSON: `{\"order_id\": \"Order no.\"}`."
    )  # fmt: skip


BODY: dict[str, Any] = {
    CSV: OpenApiTypes.STR, NDJSON: OpenApiTypes.STR, PARTS: ImportParts,
}  # fmt: skip


class ImportRowCounts(Answer):
    total: int = Field(description="Rows there are; 0 until the file is read.")
    done: int = Field(description="Rows worked on, …")
    failed: int = Field(description="… of which so many were refused: see the errors.")


class UnitTotal(Answer):
    wallet_type: str
    units: Units


class ImportOut(Answer):
    id: UUID
    kind: What
    label: str
    program: str | None
    source: str
    dry_run: bool
    state: Job.State
    rows: ImportRowCounts
    outcomes: dict[str, int] = Field(
        description="What became of the rows, once it has ended: `created`, `updated`,"
        " `unchanged`, `enrolled`, `refused`."
    )
    totals: list[UnitTotal] = Field(
        description="Of balances: the units that come in, less what is owed, by kind."
    )
    error: str = Field(description="Why it failed as a whole.")
    undo: UUID | None = Field(description="The job that undid it last, or does.")
    undo_state: str = Field(description="How that is; empty where there is none.")
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class ImportPage(Page):
    results: list[ImportOut]


class ImportListQuery(PageQuery):
    kind: Literal["", "orders", "customers", "balances"] = Field(
        "", description="Only those that brought these."
    )


class RowErrorOut(Answer):
    file: str = Field(examples=["orders"])
    line: int = Field(
        description="Counted from 1: of NDJSON the line; of CSV the row, the header being row 1:"
        " a row may have several lines."
    )
    field: str = Field(description="Column, or path to the field; empty: the row as a whole.")
    value: str = Field(description="What stood there, at most 200 characters.")
    code: str = Field(description="For programs; stable.")
    message: str = Field(description="What is wrong, and what to write instead.")


class RowErrorPage(Page):
    results: list[RowErrorOut]


class ImportUndoIn(Body):
    reason: Reason
    erase: bool = Field(
        False, description="Also erase the people whom it brought, of whom nothing else is known."
    )


def error_out(error: JobError) -> RowErrorOut:
    return RowErrorOut(
        file=error.file, line=error.row, field=error.column, value=error.value, code=error.code,
        message=error.reason,
    )  # fmt: skip


def import_out(job: Job) -> ImportOut:
    return imports_out([job])[0]


def imports_out(jobs: Sequence[Job]) -> list[ImportOut]:
    """What is said of each, by a constant number of queries."""
    undos, totals = last_undos(jobs), totals_of_all([job for job in jobs if job.kind == BALANCES])
    programs = Program.objects.in_bulk({job.params.get("program") or 0 for job in jobs})
    failed = _failed(jobs)
    return [
        _import_out(
            job, programs.get(job.params.get("program") or 0), undos.get(job.pk), failed[job.pk],
            totals.get(job.pk, []),
        )
        for job in jobs
    ]  # fmt: skip


def _failed(jobs: Sequence[Job]) -> dict[int, int]:
    """How many rows were refused: as it is kept, or, until then, as they are named."""
    failed = {job.pk: int(job.result.get("refused", 0)) for job in jobs}
    counting = [job.pk for job in jobs if "refused" not in job.result]
    named = JobError.objects.filter(job__in=counting).order_by().values("job", "file")
    for found in named.annotate(rows=Count("row", distinct=True)):
        failed[found["job"]] += found["rows"]
    return failed


def _import_out(
    job: Job,
    program: Program | None,
    undo: Job | None,
    failed: int,
    totals: Sequence[tuple[WalletType, int]],
) -> ImportOut:
    counts = {name: count for name, count in job.result.items() if isinstance(count, int)}
    return ImportOut(
        id=job.public_id,
        kind=what_of(job),
        label=job.label,
        program=program.code if program else None,
        source=job.params.get("source", ""),
        dry_run=is_dry(job),
        state=Job.State(job.state),
        rows=ImportRowCounts(total=job.total, done=job.done, failed=failed),
        outcomes=counts,
        totals=[
            UnitTotal(wallet_type=kind.code, units=units_text(units, kind.scale))
            for kind, units in totals
        ],
        error=job.error,
        undo=undo.public_id if undo else None,
        undo_state=undo.state if undo else "",
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
