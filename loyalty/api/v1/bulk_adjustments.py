"""/bulk-adjustments: units of many members moved together. Checked first, looked at, posted by a
worker, undone as a whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request

from loyalty.api.v1.amounts import parse_units
from loyalty.api.v1.bulk_bodies import (
    BulkIn,
    BulkOut,
    BulkPage,
    BulkQuery,
    BulkRowOut,
    BulkRowPage,
    BulkRowQuery,
    NothingIn,
    PostIn,
    brief,
    row_out,
    whole,
)
from loyalty.models import BulkAdjustment, BulkRow, Membership, WalletType
from loyalty.selectors.bulk_adjustments import batches, effects_of, get_batch, result_of
from loyalty.services.bulk_adjustments import (
    Plan,
    create_bulk,
    post_bulk,
    resume_bulk,
    same_source,
    undo_bulk,
    withdraw_bulk,
)
from loyalty.services.bulk_sources import from_rows
from members.api.bodies import answer, read_body, read_query, refuse_field
from members.api.idempotency import idempotent
from members.api.pagination import paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import ConflictError, DomainError
from members.services.job_runs import queue_job

State = BulkAdjustment.State
Act = Callable[[BulkAdjustment], BulkAdjustment]


class BulkAdjustments(ApiView):
    scopes = {"GET": "transfers:read", "POST": "transfers:write"}

    @extend_schema(
        operation_id="listBulkAdjustments",
        parameters=query_parameters(BulkQuery),
        responses={200: BulkPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List bulk adjustments, newest first, wherever they were made."""
        query = read_query(request, BulkQuery)
        found = batches()
        if query.program:
            code = query.program.replace("\x00", "\n")
            found = found.filter(wallet_type__program__code=code)
        return answer(BulkPage(**paginate(request, found, query, ordering=["-pk"], row=brief)))

    @extend_schema(operation_id="createBulkAdjustment", request=BulkIn, responses={201: BulkOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Make a bulk adjustment. Its rows are checked by a worker; nothing moves before it is
        posted. Follow `state` until it is `checked`."""
        body = read_body(request, BulkIn)
        errors = list(body.contradictions())
        if errors:
            raise DomainError(_("Some fields are not right."), errors=errors[:100])
        batch = create_bulk(
            plan=_plan(body),
            source=from_rows([row.cells() for row in body.rows], body.name),
            actor=self.actor,
            now=timezone.now(),
        )
        return _answer(_begun(batch), HTTPStatus.CREATED)


class OneBulkAdjustment(ApiView):
    scopes = {"GET": "transfers:read"}

    @extend_schema(operation_id="getBulkAdjustment", responses={200: BulkOut})
    def get(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """Read a bulk adjustment: what it would do, how far it is, what became of it."""
        return _answer(get_batch(bulk_id))


class BulkRows(ApiView):
    scopes = {"GET": "transfers:read"}

    @extend_schema(
        operation_id="listBulkRows",
        parameters=query_parameters(BulkRowQuery),
        responses={200: BulkRowPage},
    )
    def get(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """List the rows in their order: what is wrong with them, what each would do to its member's
        balance, what became of it."""
        query = read_query(request, BulkRowQuery)
        batch = get_batch(bulk_id)
        found = batch.rows.select_related("wallet__merged_into")
        if query.state:
            found = found.filter(state=query.state)
        page = paginate(request, found, query, ordering=["number"], row=lambda row: row)
        page["results"] = _rows_out(batch, page["results"])
        return answer(BulkRowPage(**page))


class _Step(ApiView):
    """A step in the life of a bulk adjustment. A repeat finds it taken, and changes nothing."""

    scopes = {"POST": "transfers:write"}

    def take(self, bulk_id: UUID, act: Act, *reached: State) -> HttpResponse:
        batch = get_batch(bulk_id)
        if batch.state in reached:
            return _answer(batch)
        try:
            changed = act(batch)
        except ConflictError:
            # The same request may have come twice at once.
            if get_batch(bulk_id).state not in reached:
                raise
            return _answer(get_batch(bulk_id))
        return _answer(_begun(changed))


class BulkPosting(_Step):
    @extend_schema(operation_id="postBulkAdjustment", request=PostIn, responses={200: BulkOut})
    @idempotent()
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """Post the rows that are good, with the key that made it. A worker does it; follow `state`
        until it is `posted`. The very same rows as were posted before are refused (409
        `same_rows`) unless `again` is true."""
        body = read_body(request, PostIn)

        def post(batch: BulkAdjustment) -> BulkAdjustment:
            return post_bulk(batch=batch, actor=self.actor, now=timezone.now(), again=body.again)

        return self.take(bulk_id, post, State.POSTING, State.POSTED)


class BulkUndoing(_Step):
    @extend_schema(operation_id="undoBulkAdjustment", request=NothingIn, responses={200: BulkOut})
    @idempotent()
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """Take back everything that was posted. What was spent meanwhile stays, and its rows are
        `kept`."""
        read_body(request, NothingIn)

        def undo(batch: BulkAdjustment) -> BulkAdjustment:
            return undo_bulk(batch=batch, actor=self.actor, now=timezone.now())

        return self.take(bulk_id, undo, State.UNDOING, State.UNDONE)


class BulkWithdrawal(_Step):
    @extend_schema(
        operation_id="withdrawBulkAdjustment", request=NothingIn, responses={200: BulkOut}
    )
    @idempotent()
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """Leave it, with the key that made it: nothing was moved, and nothing will be."""
        read_body(request, NothingIn)

        def withdraw(batch: BulkAdjustment) -> BulkAdjustment:
            return withdraw_bulk(batch=batch, actor=self.actor)

        return self.take(bulk_id, withdraw, State.WITHDRAWN)


class BulkResumption(_Step):
    @extend_schema(operation_id="resumeBulkAdjustment", request=NothingIn, responses={200: BulkOut})
    @idempotent()
    def post(self, request: Request, bulk_id: UUID) -> HttpResponse:
        """Go on with work that failed or was stopped; nothing is done twice."""
        read_body(request, NothingIn)

        def resume(batch: BulkAdjustment) -> BulkAdjustment:
            return resume_bulk(batch=batch, actor=self.actor)

        return self.take(bulk_id, resume)


def _plan(body: BulkIn) -> Plan:
    wallet_type = _wallet_type(body.program, body.wallet_type)

    def units(field: str) -> int | None:
        text = getattr(body, field)
        return parse_units(text, wallet_type, field) if text else None

    return Plan(
        kind=body.kind,
        wallet_type=wallet_type,
        reason=body.reason,
        note=body.note,
        message=body.message,
        units_each=units("units"),
        budget=units("budget"),
    )


def _wallet_type(program: str, code: str) -> WalletType:
    found = WalletType.objects.select_related("program").filter(program__code=program)
    by_code = {item.code: item for item in found}
    if not by_code:
        raise refuse_field("program", _("There is no such program."), "not_found")
    if code not in by_code:
        known = ", ".join(by_code)
        raise refuse_field("wallet_type", _("One of: %(known)s.") % {"known": known}, "not_found")
    return by_code[code]


def _begun(batch: BulkAdjustment) -> BulkAdjustment:
    """Have a worker begin once this is committed."""
    job = batch.job
    working = {State.CHECKING, State.POSTING, State.UNDOING}
    if job is not None and batch.state in working:
        transaction.on_commit(partial(queue_job, job))
    return batch


def _answer(batch: BulkAdjustment, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    body: BaseModel = whole(batch, result_of(batch), same_source(batch))
    return answer(body, status)


def _rows_out(batch: BulkAdjustment, rows: list[BulkRow]) -> list[BulkRowOut]:
    effects = effects_of(rows, batch.wallet_type, timezone.now())
    accounts = [row.wallet.account_id for row in rows if row.wallet is not None]
    members = dict(
        Membership.objects.filter(account__in=accounts).values_list("account", "public_id")
    )
    scale = batch.wallet_type.scale
    return [
        row_out(
            row,
            effects.get(row.pk),
            members.get(row.wallet.account_id) if row.wallet is not None else None,
            scale,
        )
        for row in rows
    ]
