"""/lot-exports: all lots of a program as a file, written by a worker."""

from __future__ import annotations

import datetime as dt
from functools import partial
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.import_bodies import CSV, NDJSON
from loyalty.models import Program
from loyalty.services.lot_exports import KIND, fetch_export, start_lot_export
from members.api.bodies import Answer, Body, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.errors import NotFoundError
from members.models import Job
from members.services.job_runs import queue_job


class LotExportIn(Body):
    program: str = Field(max_length=64, description="Code of the program.")
    wallet_type: str = Field("", max_length=64, description="Only of these units; else of all.")
    format: Literal["csv", "ndjson"] = "csv"


class LotExportOut(Answer):
    id: UUID
    program: str
    format: Literal["csv", "ndjson"]
    as_of: dt.datetime = Field(description="The instant whose balances they are.")
    state: Job.State
    done: int = Field(description="Wallets read, …")
    total: int = Field(description="… of so many.")
    lots: int = Field(description="Lots written.")
    error: str = Field(description="Why it failed.")
    created_at: dt.datetime
    finished_at: dt.datetime | None


class LotExports(ApiView):
    scopes = {"POST": "balances:read"}

    @extend_schema(
        operation_id="createLotExport", request=LotExportIn, responses={202: LotExportOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Have all lots of a program written into a file, as of now. It is kept for a week, and
        `POST /imports` takes it."""
        body = read_body(request, LotExportIn)
        program = Program.objects.filter(code=body.program.replace("\x00", "\n")).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        job = start_lot_export(
            program=program, wallet_type=body.wallet_type, form=body.format, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        transaction.on_commit(partial(queue_job, job))
        return answer(_out(job), HTTPStatus.ACCEPTED)


class OneLotExport(ApiView):
    scopes = {"GET": "balances:read"}

    @extend_schema(operation_id="getLotExport", responses={200: LotExportOut})
    def get(self, request: Request, export_id: UUID) -> HttpResponse:
        """Read how far an export is."""
        return answer(_out(_found(export_id)))


class LotExportFile(ApiView):
    scopes = {"GET": "balances:read"}
    file_types = (CSV, NDJSON, "text/*")

    @extend_schema(
        operation_id="getLotExportFile",
        responses={(200, CSV): OpenApiTypes.STR, (200, NDJSON): OpenApiTypes.STR},
    )
    def get(self, request: Request, export_id: UUID) -> HttpResponse:
        """Fetch the file of an export that has ended. 409 before, and once it is not kept any
        more."""
        job = _found(export_id)
        path = fetch_export(job=job, actor=self.actor)
        kind = CSV if job.params["format"] == "csv" else NDJSON
        return FileResponse(path.open("rb"), content_type=kind)  # type: ignore[return-value]


def _found(export_id: UUID) -> Job:
    job = Job.objects.filter(kind=KIND, public_id=export_id).first()
    if job is None:
        raise NotFoundError(_("There is no such export."))
    return job


def _out(job: Job) -> LotExportOut:
    return LotExportOut(
        id=job.public_id,
        program=Program.objects.get(pk=job.params["program"]).code,
        format=job.params["format"],
        as_of=dt.datetime.fromisoformat(job.params["at"]),
        state=Job.State(job.state),
        done=job.done,
        total=job.total,
        lots=job.result.get("lots", 0),
        error=job.error,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
