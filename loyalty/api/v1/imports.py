"""/imports: orders, customers and balances as files, taken in by a worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.v1.bulk_bodies import NothingIn
from loyalty.api.v1.import_bodies import (
    BODY,
    CSV,
    NDJSON,
    PARTS,
    ImportListQuery,
    ImportOut,
    ImportPage,
    ImportQuery,
    ImportUndoIn,
    import_out,
    imports_out,
)
from loyalty.models import Program
from loyalty.services.balance_imports import SCOPES
from loyalty.services.balance_undoing import kinds_brought
from loyalty.services.import_files import (
    discard_folder,
    discard_old_files,
    is_ndjson,
    new_folder,
    too_large,
)
from loyalty.services.import_kinds import (
    KINDS,
    Wanted,
    begin_import,
    confirm_import,
    imports_among,
    start_import_undo,
    what_of,
)
from loyalty.services.import_uploads import PIECE, store_upload
from members.api.authentication import require_scope
from members.api.bodies import TEXT, answer, read_body, read_query, refuse_field
from members.api.idempotency import REPLAYED, idempotent
from members.api.pagination import paginate
from members.api.problems import ApiError
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError
from members.job_access import jobs_of_key
from members.models import Job
from members.services.job_runs import queue_job
from members.services.jobs import cancel_job, retry_job

WRITES = {"orders": "orders:write", "customers": "customers:write", "balances": "transfers:write"}
# Whom a file brings become customers and members: what that takes, too.
_JOINING = "memberships:write"
_FURTHER = {"orders": (), "customers": (), "balances": ("customers:write",)}
READS = {"orders": "orders:read", "customers": "customers:read", "balances": "transfers:read"}
# Of what a file says of itself: how it is packed.
_PLAIN, _GZIP = ("", "identity"), "gzip"
_MAPPING_MOST = 10_000


class ImportView(ApiView):
    """An import is read and led by whoever may read and send what it brings."""

    scopes = {"GET": tuple(READS.values()), "POST": tuple(WRITES.values())}

    def imports(self) -> QuerySet[Job]:
        return imports_among(jobs_of_key(self.api_key))

    def found(self, import_id: UUID) -> Job:
        """Raises NotFoundError; ApiError where the key is not for what it brings."""
        job = self.imports().filter(public_id=import_id).first()
        if job is None:
            raise NotFoundError(_("There is no such import."))
        what = what_of(job)
        if self.request.method == "POST":
            self.require_writing(what, joining=bool(job.params.get("program")))
        else:
            require_scope(self.api_key, READS[what], WRITES[what])
        return job

    def require_writing(self, what: str, *, joining: bool) -> None:
        """Refuse a key that may not do all that a file does; `joining`: into a program."""
        for scope in (WRITES[what], *_FURTHER[what], *([_JOINING] if joining else [])):
            require_scope(self.api_key, scope)


class Imports(ImportView):
    """The file is written as it comes, before the Idempotency-Key is looked up: what it says is
    part of what the key stands for."""

    wanted: Wanted | None = None
    folder: Path | None = None
    # Whether an import has been made of what is in the folder.
    is_used = False

    @extend_schema(
        operation_id="listImports",
        parameters=query_parameters(ImportListQuery),
        responses={200: ImportPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List imports, newest first, wherever they were begun: of what the key may read."""
        query = read_query(request, ImportListQuery)
        may = [what for what in KINDS if {READS[what], WRITES[what]} & set(self.api_key.scopes)]
        kinds = [KINDS[what] for what in may if query.kind in ("", what)]
        found = self.imports().filter(kind__in=kinds)
        page = paginate(request, found, query, ordering=["-pk"], row=lambda job: job)
        return answer(ImportPage(**{**page, "results": imports_out(page["results"])}))

    @extend_schema(
        operation_id="createImport",
        parameters=query_parameters(ImportQuery),
        request=BODY,
        responses={202: ImportOut},
    )
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Import a file: CSV, NDJSON, or parts with a mapping of columns. A line of NDJSON is what
        `POST /orders`, `/refunds` or `/customers` take. A worker does it; follow `state`. The same
        file that waits or failed is the same import; while it runs it is refused."""
        assert self.wanted is not None
        job = begin_import(wanted=self.wanted, actor=self.actor)
        self.is_used = True
        return _begun(job)

    def content_of(self, request: Request) -> bytes:
        if request.method != "POST":
            return super().content_of(request)
        query = read_query(request, ImportQuery)
        self.require_writing(query.kind, joining=bool(query.program))
        program = _program(query.program)
        discard_old_files(timezone.now())
        self.folder = new_folder()
        said = _receive(request, query, self.folder)
        self.wanted = Wanted(
            kind=query.kind, program=program, name=query.name or said.pop("name"),
            source=query.source, dry_run=query.dry_run, **said.pop("files"),
        )  # fmt: skip
        return f"{request.META.get('QUERY_STRING', '')}\n{said['digest']}".encode()

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Response:
        # It was refused, or had come before.
        taken = self.is_used and response.status_code == HTTPStatus.ACCEPTED
        if self.folder is not None and not (taken and REPLAYED not in response.headers):
            discard_folder(self.folder)
        return super().finalize_response(request, response, *args, **kwargs)


class OneImport(ImportView):
    scopes = {"GET": ImportView.scopes["GET"]}

    @extend_schema(operation_id="getImport", responses={200: ImportOut})
    def get(self, request: Request, import_id: UUID) -> HttpResponse:
        """Read an import: how far it is, and what became of its rows."""
        return answer(import_out(self.found(import_id)))


class _Step(ImportView):
    scopes = {"POST": ImportView.scopes["POST"]}


class ImportConfirmation(_Step):
    @extend_schema(operation_id="confirmImport", request=NothingIn, responses={202: ImportOut})
    @idempotent()
    def post(self, request: Request, import_id: UUID) -> HttpResponse:
        """Bring in what a dry run has tried. It is an import of its own, with the same file."""
        read_body(request, NothingIn)
        return _begun(confirm_import(job=self.found(import_id), actor=self.actor))


class ImportCancellation(_Step):
    @extend_schema(operation_id="cancelImport", request=NothingIn, responses={200: ImportOut})
    @idempotent()
    def post(self, request: Request, import_id: UUID) -> HttpResponse:
        """Stop an import. What came in stays, and it can go on later."""
        read_body(request, NothingIn)
        return answer(import_out(cancel_job(job=self.found(import_id), actor=self.actor)))


class ImportResumption(_Step):
    @extend_schema(operation_id="resumeImport", request=NothingIn, responses={202: ImportOut})
    @idempotent()
    def post(self, request: Request, import_id: UUID) -> HttpResponse:
        """Go on with an import that failed or was stopped, where it was; nothing counts twice."""
        read_body(request, NothingIn)
        return _begun(retry_job(job=self.found(import_id), actor=self.actor))


class ImportUndoing(_Step):
    @extend_schema(operation_id="undoImport", request=ImportUndoIn, responses={202: ImportOut})
    @idempotent()
    def post(self, request: Request, import_id: UUID) -> HttpResponse:
        """Take back what an import brought, as far as it can be. A worker does it; follow
        `undo_state`."""
        body = read_body(request, ImportUndoIn)
        job = self.found(import_id)
        if body.erase:
            require_scope(self.api_key, "privacy:write")
        # What a key makes by a file it may take back by its undo.
        for kind in sorted(kinds_brought(job)):
            require_scope(self.api_key, SCOPES[kind])
        undo = start_import_undo(
            job=job, reason=body.reason, actor=self.actor, erase=body.erase
        )  # fmt: skip
        _queue(undo)
        return answer(import_out(job), HTTPStatus.ACCEPTED)


def _begun(job: Job) -> HttpResponse:
    _queue(job)
    return answer(import_out(job), HTTPStatus.ACCEPTED)


def _queue(job: Job) -> None:
    """Have a worker begin once this is committed."""
    transaction.on_commit(partial(queue_job, job))


def _program(code: str) -> Program | None:
    if not code:
        return None
    program = Program.objects.filter(code=code.replace("\x00", "\n")).first()
    if program is None:
        raise refuse_field("program", _("There is no such program."), "not_found")
    return program


def _receive(request: Request, query: ImportQuery, folder: Path) -> dict[str, Any]:
    """Write what is sent: `files` as `Wanted` takes them, the `digest` of all, a `name`."""
    kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    packed = _packed(request)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.IMPORT_MOST_SENT:
        raise too_large()
    if kind == PARTS and not packed:
        return _receive_parts(request, query, folder)
    endings = {CSV: "csv", NDJSON: "ndjson"}
    if kind not in endings:
        words = _("Send text/csv, application/x-ndjson, or multipart/form-data.")
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)
    name = f"{query.kind}.{endings[kind]}"
    stored = store_upload(folder, name, _pieces(request._request.read), packed=packed)  # noqa: SLF001
    return {"files": {"path": stored.path}, "digest": stored.digest, "name": name}


def _packed(request: Request) -> bool:
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in _PLAIN:
        return False
    if encoding != _GZIP:
        words = _("Of the encodings only gzip is read.")
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)
    return True


def _receive_parts(request: Request, query: ImportQuery, folder: Path) -> dict[str, Any]:
    try:
        # Files are written by Django as they come, too.
        parts, fields = request._request.FILES, request._request.POST  # noqa: SLF001
    except MultiPartParserError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, _("The request cannot be read.")) from error
    known = {"file", *(["lines"] if query.kind == "orders" else [])}
    unknown = (set(parts) - known) | (set(fields) - {"mapping"})
    if unknown:
        raise refuse_field(min(unknown), _("There is no such field."), "unknown")
    if "file" not in parts:
        raise refuse_field("file", _("Send the file as this part."), "required")
    _refuse_twofold(parts)
    mapping = _mapping(fields.get("mapping", ""))
    files: dict[str, Any] = {"mapping": mapping}
    digests = [orjson.dumps(mapping, option=orjson.OPT_SORT_KEYS).decode()]
    for part, name in (("file", "path"), ("lines", "lines")):
        sent: Any = parts.get(part)
        if sent is not None:
            ending = "ndjson" if is_ndjson(Path(sent.name or "")) else "csv"
            stored = store_upload(folder, f"{part}.{ending}", sent.chunks(), packed=False)
            files[name] = stored.path
            digests.append(stored.digest)
    return {"files": files, "digest": " ".join(digests), "name": files["path"].name}


def _refuse_twofold(parts: Mapping[str, Any]) -> None:
    """Lines are a file beside orders in CSV: an order in NDJSON has its own."""
    if "lines" in parts and any(is_ndjson(Path(sent.name or "")) for sent in parts.values()):
        words = _("Lines are CSV, beside orders in CSV. In NDJSON each order has its own lines.")
        raise refuse_field("lines", words)


def _mapping(text: str) -> dict[str, str]:
    """Our names of columns to what the file calls them."""
    if not text:
        return {}
    try:
        said = orjson.loads(text) if len(text) <= _MAPPING_MOST else None
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or not all(map(_is_name, [*said, *said.values()])):
        words = _("Write JSON: our names of columns, and what the file calls them.")
        raise refuse_field("mapping", words)
    return said


def _is_name(said: object) -> bool:
    return isinstance(said, str) and re.fullmatch(TEXT, said) is not None


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while piece := read(PIECE):
        yield piece
