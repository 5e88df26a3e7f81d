"""/customers/{id}/merge: two records of one person become one, and part again."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import Answer, Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.models import CustomerMerge
from members.selectors.customers import get_customer
from members.selectors.merges import get_merge_of
from members.services.merging import LONGEST_REASON, merge_customers, undo_merge

SOURCE = "api"


class MergeIn(Body):
    duplicate: CustomerAddress = Field(
        description="Who is merged into the customer of the address."
    )
    reason: Annotated[str, Field(max_length=LONGEST_REASON, pattern=r"^[^\x00]*$")] = ""


class UndoIn(Body):
    """Nothing to say."""


class MergeOut(Answer):
    kept: UUID
    duplicate: UUID
    reason: str
    merged_at: dt.datetime
    undone_at: dt.datetime | None


class Merge(ApiView):
    scopes = {"POST": "customers:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(
        operation_id="mergeCustomers",
        request=MergeIn,
        responses={200: MergeOut, 201: MergeOut},
    )
    @idempotent()
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Merge a duplicate into this customer, with all that it holds. Merging the same two again
        changes nothing and answers 200."""
        body = read_body(request, MergeIn)
        merge, replayed = merge_customers(
            kept=get_customer(customer_id),
            merged=find_customer(body.duplicate, "duplicate"),
            actor=self.actor,
            source=SOURCE,
            now=timezone.now(),
            reason=body.reason,
        )
        return answer(_merge_out(merge), HTTPStatus.OK if replayed else HTTPStatus.CREATED)


class MergeUndo(ApiView):
    scopes = {"POST": "customers:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(operation_id="undoMerge", request=UndoIn, responses={200: MergeOut})
    @idempotent()
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Undo the merge of this duplicate: what came with it goes back as far as it is there.
        Undoing it again changes nothing."""
        read_body(request, UndoIn)
        merge, _replayed = undo_merge(
            merge=get_merge_of(get_customer(customer_id)),
            actor=self.actor,
            source=SOURCE,
            now=timezone.now(),
        )
        return answer(_merge_out(merge))


def _merge_out(merge: CustomerMerge) -> MergeOut:
    return MergeOut(
        kept=merge.kept.public_id,
        duplicate=merge.merged.public_id,
        reason=merge.reason,
        merged_at=merge.merged_at,
        undone_at=merge.undone_at,
    )
