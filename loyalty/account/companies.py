"""The company that a member buys for: what they may spend, what they asked for, and for approvers
what others ask."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.account.pages import render_page
from loyalty.account.places import chosen_place, pool_url
from loyalty.models import Membership, Pool, PoolMember, SpendRequest, Transfer
from loyalty.pool_words import describe_limits
from loyalty.selectors.companies import (
    company_of,
    open_requests,
    room_to_spend,
    spend_requests,
)
from loyalty.selectors.pools import pool_balances, pool_wallets
from loyalty.services.spend_requests import (
    approve_spending,
    preview_spending,
    reject_spending,
    why_not_to_decide,
    withdraw_spending,
)
from loyalty.spend_forms import AskForm, DecisionForm
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_units
from members.forms import add_domain_errors, posted
from members.services.audit import Actor

SOURCE = Transfer.Source.ACCOUNT.value
OWN_SHOWN = 10


def company_context(place: PoolMember, now: dt.datetime) -> dict[str, Any]:
    """What the page of a pool says beside that where it is a company; nothing for a household."""
    company = company_of(place.pool)
    if company is None:
        return {}
    waiting = list(open_requests(company, now))
    active = place.membership.status == Membership.Status.ACTIVE
    return {
        "company": company,
        "rooms": [_room_words(place, wallet, now) for wallet in pool_wallets(place.pool)],
        "limits": describe_limits(company, place.pool.program.wallet_types.earliest("pk")),
        "may_ask": active and not place.spends_freely,
        "to_decide": [item for item in waiting if not why_not_to_decide(item, place)],
        "own_requests": list(
            spend_requests().filter(company=company, asked_by=place).order_by("-pk")[:OWN_SHOWN]
        ),
    }


def waiting_words(place: PoolMember, now: dt.datetime) -> str:
    """How many requests wait for this member to decide them; empty if none do."""
    company = company_of(place.pool) if place.decides else None
    if company is None:
        return ""
    count = sum(not why_not_to_decide(item, place) for item in open_requests(company, now))
    if not count:
        return ""
    return ngettext("%s request waits for you", "%s requests wait for you", count) % count


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def spend_ask(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask the company's approvers."""
    chosen, place = chosen_place(request, public_id)
    if place.pool.kind != Pool.Kind.COMPANY or place.spends_freely:
        raise Http404("Only buyers of a company ask.")
    form = AskForm(
        posted(request),
        wallet_types=list(
            place.pool.program.wallet_types.filter(stored_value=False).order_by("pk")
        ),
    )
    if form.is_valid():
        try:
            form.ask(place, actor=Actor.of_user(request.user), source=SOURCE, now=timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Your approvers see it now."))
            return HttpResponseRedirect(pool_url(chosen.membership))
    context = {
        "title": _("Ask for approval"),
        "form": form,
        "pool": place.pool,
        "balances": pool_balances(place.pool, timezone.now()),
        "back": pool_url(chosen.membership),
    }
    status = 422 if form.errors else 200
    return render_page(request, "mypage/spend_ask.html", chosen, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def spend_decide(
    request: CustomerRequest, public_id: uuid.UUID, request_id: uuid.UUID
) -> HttpResponse:
    """What somebody asks for, what is left then, and the answer."""
    chosen, place = chosen_place(request, public_id)
    asked = _request(place, request_id)
    if why_not_to_decide(asked, place):
        raise Http404("Somebody else decides this.")
    form = DecisionForm(posted(request))
    if form.is_valid():
        try:
            message = _decide(request, asked, place, form)
        except DomainError as error:
            add_domain_errors(form, error)
        else:
            messages.success(request, message)
            return HttpResponseRedirect(pool_url(chosen.membership))
    context = {
        "title": _("Decide"),
        "form": form,
        "asked": asked,
        "open": asked.state == SpendRequest.State.WAITING,
        "preview": preview_spending(asked, timezone.now()),
        "back": pool_url(chosen.membership),
    }
    status = 422 if form.errors else 200
    return render_page(request, "mypage/spend_decide.html", chosen, context, status=status)


@require_POST
@customer_view
def spend_withdraw(
    request: CustomerRequest, public_id: uuid.UUID, request_id: uuid.UUID
) -> HttpResponse:
    """Take back what one has asked for."""
    chosen, place = chosen_place(request, public_id)
    asked = _request(place, request_id)
    try:
        withdraw_spending(
            request=asked, member=place, actor=Actor.of_user(request.user), now=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("It is withdrawn."))
    return HttpResponseRedirect(pool_url(chosen.membership))


def _decide(
    request: CustomerRequest, asked: SpendRequest, place: PoolMember, form: DecisionForm
) -> str:
    how: dict[str, Any] = {
        "request": asked, "approver": place, "actor": Actor.of_user(request.user),
        "now": timezone.now(), "note": form.cleaned_data["note"],
    }  # fmt: skip
    if request.POST.get("answer") == "yes":
        transfer = approve_spending(**how)
        units = format_units(transfer.amount, transfer.wallet_type)
        return _("Approved: %s are spent.") % units
    reject_spending(**how)
    return _("Rejected.")


def _request(place: PoolMember, request_id: uuid.UUID) -> SpendRequest:
    return get_object_or_404(spend_requests(), company__pool=place.pool_id, public_id=request_id)


def _room_words(place: PoolMember, wallet: Any, now: dt.datetime) -> str:
    """What the member may spend by themselves now."""
    if not place.can_spend:
        return _("You ask your approvers before you spend.")
    room = room_to_spend(place, wallet, now).now
    if room is None:
        return _("You may spend all of it.")
    words = format_units(room, wallet.wallet_type)
    return _("You may spend %s without asking.") % words
