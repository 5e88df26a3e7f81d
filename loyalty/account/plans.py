"""The member's paid plan: what is offered, taking it, and leaving it again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.account.plan_changes import other_plans
from loyalty.models import Membership, PlanCharge, PlanVersion, Program, Subscription
from loyalty.payments.base import ProviderError
from loyalty.payments.providers import provider_named, usual_provider
from loyalty.plan_words import (
    INVOICE_STATES,
    STATES,
    offer_words,
    price_words,
    trial_words,
    what_comes_next,
    what_it_brings,
)
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.plans import current_version, current_versions
from loyalty.selectors.subscriptions import had_a_plan, history_of, running_of
from loyalty.services.subscriptions import cancel_at_period_end, resume, subscribe
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_day
from members.services.audit import Actor


@dataclass(frozen=True, slots=True)
class PlanCard:
    """The plan as the home page shows it, or that there is one."""

    title: str
    hint: str
    url: str


def plan_card(membership: Membership) -> PlanCard | None:
    """None: there is nothing to have, and nothing they have. Without plans nothing is asked."""
    if not getattr(membership, "has_plans", True):
        return None
    url = reverse("mypage:plan_of", args=[membership.public_id])
    running = running_of(membership)
    program = membership.program
    if running is not None:
        words = what_comes_next(running, program.currency, program.zone)
        return PlanCard(running.version.name, words, url)
    offers = _offers(membership)
    if not offers:
        return None
    first = offers[0]
    words = price_words(first, program.currency)
    trial = _trial(membership, first)
    if trial:
        words = f"{trial_words(trial)}, {words}"
    return PlanCard(_("Have more with %s") % first.name, words, url)


@require_safe
@customer_view
def plan(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """The plan that one has, with its invoices; else what is offered."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    membership = chosen.membership
    running, offers = running_of(membership), _offers(membership)
    past = history_of([membership])
    changes_to = next((item.version.name for item in past if item.takes_over), "")
    # While money for it is on its way, nothing can be done about it.
    given_back = any(
        charge.giving_back for item in past if item == running for charge in item.charges.all()
    )
    unsettled = bool(changes_to) or given_back
    if running is None and not offers and not past:
        raise Http404("This program has no paid plans.")
    context = {
        "title": _("Your plan") if running else _("Plans"),
        "tabs": chosen.tabs("mypage:plan_of"),
        "running": _running(running, membership) if running else None,
        "changes_to": changes_to,
        "given_back": given_back,
        "unsettled": unsettled,
        "others": list(other_plans(running, membership)) if running and not unsettled else [],
        "offers": [] if running else [_offer(version, membership) for version in offers],
        "invoices": [
            (charge, *INVOICE_STATES[charge.state])
            for item in past
            for charge in item.charges.all()
        ],
    }
    return render_page(request, "mypage/plan.html", chosen, context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def plan_join(request: CustomerRequest, public_id: uuid.UUID, code: str) -> HttpResponse:
    """What taking a plan means, to be confirmed; then one has it."""
    chosen = _chosen(request, public_id)
    membership = chosen.membership
    version = next((item for item in _offers(membership) if item.plan.code == code), None)
    if version is None or running_of(membership) is not None:
        raise Http404("This plan cannot be taken.")
    if request.method == "POST":
        try:
            found = subscribe(
                membership=membership, plan=version.plan, source=Subscription.Source.ACCOUNT.value,
                actor=Actor.of_user(request.user), now=timezone.now(),
            )  # fmt: skip
        except DomainError as error:
            messages.error(request, str(error.message))
            return _back(membership)
        messages.success(request, _joined_words(found))
        return _back(membership)
    context = {"title": version.name, **_offer(version, membership)}
    return render_page(request, "mypage/plan_join.html", chosen, context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def plan_cancel(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """What canceling means, to be confirmed; what is paid for lasts."""
    chosen = _chosen(request, public_id)
    running = _of(chosen.membership)
    if request.method == "POST":
        try:
            cancel_at_period_end(
                subscription=running, actor=Actor.of_user(request.user), now=timezone.now()
            )
            messages.success(request, _("Your plan is canceled."))
        except DomainError as error:
            messages.error(request, str(error.message))
        return _back(chosen.membership)
    context = {
        "title": _("Cancel %s?") % running.version.name,
        **_running(running, chosen.membership),
        "until": format_day(running.period_end, chosen.membership.program.zone)
        if running.period_end and running.in_force(timezone.now())
        else "",
    }
    return render_page(request, "mypage/plan_cancel.html", chosen, context)


@require_POST
@customer_view
def plan_resume(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """It renews after all."""
    membership = _chosen(request, public_id).membership
    try:
        resume(subscription=_of(membership), actor=Actor.of_user(request.user), now=timezone.now())
        messages.success(request, _("Your plan renews again."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return _back(membership)


@require_safe
@customer_view
def plan_payment(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """On to the payment provider, where one gives leave to collect."""
    membership = _chosen(request, public_id).membership
    running = _of(membership)
    provider = provider_named(running.provider)
    if not provider.collects:
        raise Http404("This plan is paid by invoice.")
    page = request.build_absolute_uri(reverse("mypage:plan_of", args=[membership.public_id]))
    try:
        url = provider.permission_url(
            subscription=str(running.public_id), email=request.customer.email or "", done=page,
            back=page,
        )  # fmt: skip
    except ProviderError:
        messages.error(request, _("The payment page does not answer. Try again in a few minutes."))
        return _back(membership)
    return HttpResponseRedirect(url)


def _joined_words(found: Subscription) -> str:
    if found.state == Subscription.State.TRIALING:
        return _("Your trial has begun.")
    if provider_named(found.provider).collects and not found.provider_method:
        return _("One step is left: say how you pay.")
    if found.state == Subscription.State.WAITING:
        return _("Thank you. Your plan begins when your first payment has come.")
    return _("Your plan has begun.")


def _offers(membership: Membership) -> list[PlanVersion]:
    active = membership.status == Membership.Status.ACTIVE
    if not active or membership.program.status != Program.Status.LIVE:
        return []
    return [item for item in current_versions(membership.program) if item.plan.offered]


def _trial(membership: Membership, version: PlanVersion) -> int:
    return 0 if had_a_plan(membership) else version.trial_days


def _offer(version: PlanVersion, membership: Membership) -> dict[str, Any]:
    program = membership.program
    trial, now = _trial(membership, version), timezone.now()
    terms = offer_words(version, program.currency, trial, now=now, zone=program.zone)
    if not usual_provider().collects and not trial:
        terms = _("%s You get an invoice, and the plan begins once it is paid.") % terms
    return {
        "version": version,
        "price": price_words(version, program.currency),
        "trial": trial_words(trial) if trial else "",
        "brings": what_it_brings(version, program.currency, unit_names(program.pk)),
        "terms": terms,
    }


def _running(found: Subscription, membership: Membership) -> dict[str, Any]:
    program = membership.program
    newest = current_version(found.plan)
    provider = provider_named(found.provider)
    open_charges = found.charges.filter(state__in=PlanCharge.UNPAID)
    return {
        "subscription": found,
        "state": STATES[Subscription.State(found.state)],
        "price": price_words(found.version, program.currency),
        "brings": what_it_brings(newest, program.currency, unit_names(program.pk)),
        "next": what_comes_next(found, program.currency, program.zone),
        "becomes": current_version(found.next_plan).name if found.next_plan else "",
        "needs_method": provider.collects
        and (not found.provider_method or open_charges.filter(state="failed").exists()),
    }


def _chosen(request: CustomerRequest, public_id: uuid.UUID) -> Chosen:
    chosen = choose_membership(request, public_id)
    if chosen is None:
        raise Http404("This customer has no membership.")
    return chosen


def _of(membership: Membership) -> Subscription:
    found = running_of(membership)
    if found is None:
        raise Http404("There is no plan.")
    return found


def _back(membership: Membership) -> HttpResponse:
    return HttpResponseRedirect(reverse("mypage:plan_of", args=[membership.public_id]))
