"""A customer's surveys: what they answered and what it brought, or why nothing."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.models import Survey, SurveyResponse
from campaigns.selectors.survey_rewards import brings, brought
from campaigns.selectors.surveys import asked_of
from loyalty.backoffice.links import customer_crumbs
from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.models import Customer
from members.paging import paginate
from members.policy import staff_view

ORDERINGS = {"": ("-answered_at", "-pk")}
PER_PANEL = 5


@require_safe
@staff_view("customers.view")
def customer_surveys(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Which they are asked now, and what came of those that they answered."""
    customer = get_object_or_404(Customer, public_id=public_id)
    members = list(Membership.objects.filter(customer=customer, merged_into=None))
    now = timezone.now()
    page = paginate(
        _answered(members), request=request, orderings=ORDERINGS, default="", per_page=PER_PANEL
    )
    asked = [item for member in members if _takes_part(member) for item in asked_of(member, now)]
    context = {
        "customer": customer,
        "title": _("Surveys"),
        "panel_id": "surveys",
        "panel_icon": "message-question",
        "panel_flush": True,
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": [_row(response) for response in page.items],
        "asked": [{"survey": item, "brings": brings(item, now)} for item in asked],
    }
    return render(request, "surveys/backoffice/customer_surveys.html", context)


def has_surveys() -> bool:
    return Survey.objects.exclude(state=Survey.State.DRAFT).exists()


def _takes_part(member: Membership) -> bool:
    return member.status == Membership.Status.ACTIVE


def _answered(members: list[Membership]) -> QuerySet[SurveyResponse]:
    found = SurveyResponse.objects.filter(membership__in=selves(members))
    return found.select_related("survey__program", "survey__activity_type", "activity")


def _row(response: SurveyResponse) -> dict[str, Any]:
    gave = brought(response)
    return {"response": response, "brought": gave, "why": "" if gave else _why_nothing(response)}


def _why_nothing(response: SurveyResponse) -> str:
    if response.unrewarded:
        return response.unrewarded
    if response.survey.activity_type is None:
        return _("Nothing is promised for this survey.")
    if response.activity is None:
        return _("Nothing was promised for it when it was answered.")
    return _("No rule gave anything for it: see Activities.")
