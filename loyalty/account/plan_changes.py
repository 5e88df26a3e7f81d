"""Another plan instead of the one that a member has: which there are, what it costs now, and
taking it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.account.chosen import choose_membership
from loyalty.account.pages import render_page
from loyalty.models import Membership, Plan, Subscription
from loyalty.plan_words import change_words, price_words, what_it_brings
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.plan_changes import PlanChange, preview_change
from loyalty.selectors.plans import current_versions
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_changes import change_as_offered
from members.account.access import CustomerRequest, customer_view
from members.errors import ConflictError, DomainError
from members.services.audit import Actor


@dataclass(frozen=True, slots=True)
class OtherPlan:
    """A plan that could be had instead, with what it would mean now."""

    change: PlanChange
    price: str
    brings: list[str]
    terms: list[str]


def other_plans(running: Subscription, membership: Membership) -> Iterator[OtherPlan]:
    """Those that are offered; none while the present one cannot be changed."""
    for version in current_versions(membership.program):
        if version.plan.offered and version.plan != running.plan:
            try:
                yield _other(running, membership, version.plan)
            except ConflictError:
                return


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def plan_change(request: CustomerRequest, public_id: uuid.UUID, code: str) -> HttpResponse:
    """What another plan would cost, to be confirmed; then one has it, or will. The plan that one
    has calls a change off."""
    chosen = choose_membership(request, public_id)
    running = running_of(chosen.membership) if chosen else None
    if chosen is None or running is None:
        raise Http404("There is no plan to change.")
    membership = chosen.membership
    plan = Plan.objects.filter(program=membership.program, code=code, ended_at=None).first()
    if plan is None or (plan == running.plan and request.method != "POST"):
        raise Http404("There is no such plan.")
    if request.method == "POST":
        return _change(request, running, plan, membership)
    try:
        other = _other(running, membership, plan)
    except ConflictError as error:
        messages.error(request, str(error.message))
        return _back(membership)
    context = {"title": _("Change to %s?") % other.change.version.name, "other": other}
    return render_page(request, "mypage/plan_change.html", chosen, context)


def _change(
    request: CustomerRequest, running: Subscription, plan: Plan, membership: Membership
) -> HttpResponse:
    now, pays_now = timezone.now(), _sum(request.POST.get("pays_now", "0"))
    if pays_now is None:
        return _back(membership)
    try:
        found = change_as_offered(
            subscription=running, plan=plan, actor=Actor.of_user(request.user), now=now,
            pays_now=pays_now,
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, str(error.message))
        return _back(membership)
    if plan == running.plan:
        messages.success(request, _("Your plan stays as it is."))
    elif found.plan == plan:
        messages.success(request, _("You have %s now.") % found.version.name)
    else:
        messages.success(request, _("Your plan changes when it renews."))
    return _back(membership)


def _sum(typed: str) -> Decimal | None:
    """None: no number, or one that cannot be compared."""
    try:
        found = Decimal(typed)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _other(running: Subscription, membership: Membership, plan: Plan) -> OtherPlan:
    program = membership.program
    change = preview_change(running, plan, now=timezone.now())
    return OtherPlan(
        change,
        price_words(change.version, program.currency),
        what_it_brings(change.version, program.currency, unit_names(program.pk)),
        list(change_words(running, change, program.currency, program.zone)),
    )


def _back(membership: Membership) -> HttpResponse:
    return HttpResponseRedirect(reverse("mypage:plan_of", args=[membership.public_id]))
