"""/jobs: long work, to be watched by whoever has begun it or waits for it."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, JsonValue
from rest_framework.request import Request

from members.api.bodies import Answer, answer, read_query
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError
from members.job_access import jobs_of_key
from members.models import Job

State = Literal["", "queued", "running", "succeeded", "failed", "cancelled"]


class JobOut(Answer):
    id: UUID
    kind: str = Field(examples=["order_import"])
    label: str
    state: Job.State
    done: int = Field(description="How much is done, in whatever `total` counts.")
    total: int = Field(description="How much there is; 0 while that is not known.")
    error: str = Field(description="Why it failed.")
    result: dict[str, JsonValue] = Field(description="Counts; which ones depends on the kind.")
    created_at: dt.datetime
    started_at: dt.datetime | None = Field(description="When its last run began.")
    finished_at: dt.datetime | None


class JobPage(Page):
    results: list[JobOut]


class JobQuery(PageQuery):
    state: State = Field("", description="Only those in this state.")
    kind: str = Field("", max_length=64, description="Only those of this kind.")


class Jobs(ApiView):
    scopes = {"GET": "jobs:read"}

    @extend_schema(
        operation_id="listJobs", parameters=query_parameters(JobQuery), responses={200: JobPage}
    )
    def get(self, request: Request) -> HttpResponse:
        """List jobs, newest first."""
        query = read_query(request, JobQuery)
        found = jobs_of_key(self.api_key)
        if query.state:
            found = found.filter(state=query.state)
        if query.kind:
            # A NUL fits no column, so nothing is of this kind.
            found = found.filter(kind=query.kind.replace("\x00", "\n"))
        return answer(JobPage(**paginate(request, found, query, ordering=["-pk"], row=job_out)))


class OneJob(ApiView):
    scopes = {"GET": "jobs:read"}

    @extend_schema(operation_id="getJob", responses={200: JobOut})
    def get(self, request: Request, job_id: UUID) -> HttpResponse:
        """Read a job: how far it is, and what came of it."""
        job = jobs_of_key(self.api_key).filter(public_id=job_id).first()
        if job is None:
            raise NotFoundError(_("There is no such job."))
        return answer(job_out(job))


def job_out(job: Job) -> JobOut:
    values = {name: getattr(job, name) for name in JobOut.model_fields if name != "id"}
    return JobOut(id=job.public_id, **values)
