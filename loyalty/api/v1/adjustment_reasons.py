"""/adjustment-reasons: the reasons that an adjustment may give."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from loyalty.selectors.adjustment_reasons import reason_label, usable_reasons
from members.api.bodies import Answer, answer
from members.api.views import ApiView


class ReasonOut(Answer):
    code: str
    label: str
    note_required: bool


class ReasonList(Answer):
    results: list[ReasonOut]


class AdjustmentReasons(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="listAdjustmentReasons", responses={200: ReasonList})
    def get(self, request: Request) -> HttpResponse:
        """List the reasons that POST /transfers takes."""
        return answer(
            ReasonList(
                results=[
                    ReasonOut(
                        code=reason.code,
                        label=reason_label(reason.label),
                        note_required=reason.note_required,
                    )
                    for reason in usable_reasons()
                ]
            )
        )
