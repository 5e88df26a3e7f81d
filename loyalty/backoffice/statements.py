"""A customer's statement, as they would read it, for who asks for it on the phone."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from loyalty.models import Membership
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.statements import make_statement, parse_period, periods_of
from loyalty.statement_files import statement_response
from loyalty.statement_words import period_words, told_statement
from members.errors import DomainError
from members.languages import language_of
from members.models import Customer
from members.policy import staff_view


@require_safe
@staff_view("customers.view")
def customer_statement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The file (PDF) of `membership` and `period` in the address, in the customer's language; by
    default of the membership they have had for longest, and of this month."""
    customer = get_object_or_404(Customer, public_id=public_id)
    membership = _membership(customer, request.GET.get("membership", ""))
    now = timezone.now()
    today = now.astimezone(membership.program.zone).date()
    key = request.GET.get("period") or f"{today:%Y-%m}"
    with translation.override(language_of(customer) or translation.get_language()):
        try:
            told = told_statement(make_statement(membership, parse_period(key), now))
        except DomainError as error:
            raise Http404(str(error)) from error
        return statement_response(told, period=key)


def statement_periods(membership: Membership, now: dt.datetime) -> list[tuple[str, str]]:
    """What can be chosen, with its words."""
    months, years = periods_of(membership, now.astimezone(membership.program.zone).date())
    return [(period.key, period_words(period)) for period in [*months, *years]]


def _membership(customer: Customer, named: str) -> Membership:
    memberships = list_memberships(customer)
    chosen = [item for item in memberships if not named or str(item.public_id) == named]
    if not chosen:
        raise Http404("This customer has no such membership.")
    return chosen[0]
