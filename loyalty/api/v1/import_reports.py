"""/imports/{id}/errors: the rows that were refused, page by page and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import UUID

import orjson
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from loyalty.api.v1.import_bodies import CSV, NDJSON, RowErrorOut, RowErrorPage, error_out
from loyalty.api.v1.imports import ImportView
from members.api.bodies import answer, read_query
from members.api.pagination import PageQuery, paginate
from members.api.schema import query_parameters
from members.file_cells import harmless
from members.models import Job

FIELDS = tuple(RowErrorOut.model_fields)


class ErrorQuery(PageQuery):
    """Which of the rows that were refused."""


class _Report(ImportView):
    scopes = {"GET": ImportView.scopes["GET"]}


class ImportErrors(_Report):
    @extend_schema(
        operation_id="listImportErrors",
        parameters=query_parameters(ErrorQuery),
        responses={200: RowErrorPage},
    )
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """List what is wrong with rows, in the order of their lines."""
        query = read_query(request, ErrorQuery)
        errors = self.found(import_id).errors.all()
        page = paginate(request, errors, query, ordering=["row", "pk"], row=error_out)
        return answer(RowErrorPage(**page))


class ImportErrorsCsv(_Report):
    file_types = (CSV, "text/*")

    @extend_schema(operation_id="getImportErrorsCsv", responses={(200, CSV): OpenApiTypes.STR})
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """Read all that is wrong with rows as CSV."""
        return _file(_csv_lines(self.found(import_id)), CSV)


class ImportErrorsNdjson(_Report):
    file_types = (NDJSON,)

    @extend_schema(
        operation_id="getImportErrorsNdjson", responses={(200, NDJSON): OpenApiTypes.STR}
    )
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """Read all that is wrong with rows as NDJSON: one object in each line."""
        return _file(_json_lines(self.found(import_id)), NDJSON)


def _file(lines: Iterator[bytes], content_type: str) -> HttpResponse:
    # As it is read: there may be as many errors as rows.
    return StreamingHttpResponse(lines, content_type=content_type)  # type: ignore[return-value]


def _errors(job: Job) -> Iterator[RowErrorOut]:
    return map(error_out, job.errors.order_by("row", "pk").iterator())


def _csv_lines(job: Job) -> Iterator[bytes]:
    yield _line(FIELDS)
    for error in _errors(job):
        yield _line(tuple(harmless(str(getattr(error, name))) for name in FIELDS))


def _line(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _json_lines(job: Job) -> Iterator[bytes]:
    for error in _errors(job):
        yield orjson.dumps(error.model_dump()) + b"\n"
