"""Operations: what waits for a second person, and their decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.activities import activity_rows
from loyalty.backoffice.adjustments import Effect, insufficient_text
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.waiting_lists import (
    WaitingForOthers,
    WaitingList,
    WaitingRow,
    waiting_lists,
)
from loyalty.errors import InsufficientBalanceError
from loyalty.ledger.balances import holdings
from loyalty.models import (
    AdjustmentRequest,
    BulkAdjustment,
    EarningRuleVersion,
    TierDraft,
)
from loyalty.selectors.activities import (
    counted_activities,
    decided_activities,
    waiting_activities,
)
from loyalty.selectors.adjustment_limits import limits_by_program, whole_units
from loyalty.selectors.adjustment_reasons import reason_labels
from loyalty.selectors.adjustment_requests import (
    count_to_decide,
    requests,
    waiting_batches,
    waiting_requests,
)
from loyalty.selectors.rules import waiting_rules
from loyalty.selectors.tier_drafts import waiting_tiers
from loyalty.services.adjustment_requests import (
    WAITS,
    approve_request,
    reject_request,
    why_not_to_decide,
    withdraw_request,
)
from loyalty.services.adjustments import preview_adjustment
from members.errors import DomainError
from members.formatting import format_units
from members.forms import errors_on, posted
from members.models import Customer, User
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, require, role_of, staff_view
from members.prepared import KeptRows
from members.responses import dialog_done

State = AdjustmentRequest.State
# Activities on the page; further ones follow when these are decided.
SHOWN = 50


class DecisionForm(forms.Form):
    """Why not."""

    note = forms.CharField(
        label=gettext_lazy("Why not"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "data-focus": True}),
        help_text=gettext_lazy("Whoever asked reads it."),
    )


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A request as a row: whose, how many, why, and whether the reader may decide it."""

    request: AdjustmentRequest
    customer: Customer
    reason: str
    is_own: bool
    why_not: str


@require_safe
@staff_view("approvals.view")
def approval_list(request: HttpRequest) -> HttpResponse:
    """What waits, or what was decided: everybody's for those who approve, else one's own."""
    now = timezone.now()
    user = _user(request)
    decided = request.GET.get("show") == "decided"
    # Who only looks, an auditor, looks at everybody's.
    sees_all = is_allowed(user, "points.approve") or not is_allowed(user, "points.adjust")
    found = requests().exclude(state=State.WAITING) if decided else waiting_requests(now)
    found = found if sees_all else found.filter(asked_by=user)
    ordering = ("-decided_at", "-pk") if decided else ("asked_at", "pk")
    page = paginate(found, request=request, orderings={"": ordering}, default="")
    path = reverse("loyalty_backoffice:approval_list")
    shown = decided_activities() if decided else waiting_activities()
    context = {
        "page": page,
        "rows": _rows(page.items, user),
        "batches": list(_batches(user, now)) if sees_all and not decided else [],
        "rules": [] if decided else _waiting_rules(user),
        "tiers": [] if decided else _waiting_tiers(user),
        "others": [] if decided else _others(user),
        "activities": activity_rows(shown[:SHOWN]) if is_allowed(user, "activities.decide") else [],
        "activity_count": 0 if decided else counted_activities().count(),
        "decided": decided,
        "may_approve": sees_all,
        "tabs": [
            Tab(_("Waiting"), path, current=not decided),
            Tab(_("Decided"), f"{path}?show=decided", current=decided),
        ],
    }
    return render(request, "loyalty/backoffice/approval_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("approvals.view")
def approval(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One request with the balance before and after; sending it approves."""
    user = _user(request)
    if request.method == "POST":
        require(user, "points.adjust")
    item = _get(public_id)
    row = _rows([item], user)[0]
    problem = ""
    if request.method == "POST":
        try:
            approve_request(request=item, actor=acting(request), now=timezone.now())
        except InsufficientBalanceError as error:
            problem = insufficient_text(item.wallet, error)
        except DomainError as error:
            problem = str(error.message)
        else:
            return _done(request, item, _("Approved: %(units)s for %(customer)s."))
    context = _context(item, row, problem)
    return render(
        request, "loyalty/backoffice/approval.html", context, status=422 if problem else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.approve")
def approval_reject(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say no, and why."""
    item = _get(public_id)
    form = DecisionForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            reject_request(
                request=item,
                actor=acting(request),
                now=timezone.now(),
                note=form.cleaned_data["note"],
            )
            return _done(request, item, _("Rejected: %(units)s for %(customer)s."))
    context = {
        "title": _("Reject this?"),
        "form": form,
        "item": item,
        "wallet_type": item.wallet.wallet_type,
        "customer": _customer(item),
        "back": reverse("loyalty_backoffice:approval_list"),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/approval_reject.html", context, status=status)


@require_POST
@staff_view("points.adjust")
def approval_withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take back what one has asked for."""
    item = _get(public_id)
    try:
        withdraw_request(request=item, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The request is withdrawn. Nothing was moved."))
    return redirect("loyalty_backoffice:approval_list")


def waiting_badge(request: HttpRequest) -> int:
    """How many wait for this reader's decision, for the menu and the home page."""
    if not is_allowed(request.user, "points.approve"):
        return 0
    now = timezone.now()
    role = role_of(request.user)
    assert role is not None
    return count_to_decide(_user(request), role, now, now - WAITS)


def menu_badge(request: HttpRequest) -> int:
    """All that waits for this reader: adjustments, rules, tiers and activities."""
    decided = [_ACTIVITIES, _RULES, _TIERS, *(item.others for item in waiting_lists())]
    own = tuple(kind for kind in decided if is_allowed(request.user, kind.permission))
    others = _kept(own).count(_user(request).pk) if own else 0
    return waiting_badge(request) + others


@lru_cache
def _kept(kinds: tuple[WaitingForOthers, ...]) -> KeptRows:
    """Of all kinds at once: every page asks for them."""

    def build(reader: int) -> QuerySet[Any, Any]:
        first, *further = (kind.rows(reader) for kind in kinds)
        return first.union(*further, all=True) if further else first

    return KeptRows(build, (-1, -2))


def _count(request: HttpRequest, kind: WaitingForOthers) -> int:
    if not is_allowed(request.user, kind.permission):
        return 0
    return _kept((kind,)).count(_user(request).pk)


def activities_badge(request: HttpRequest) -> int:
    """How many activities wait for somebody like this reader."""
    return _count(request, _ACTIVITIES)


def rules_to_publish(request: HttpRequest) -> int:
    """How many drafts of others wait for this reader to publish them."""
    return _count(request, _RULES)


def tiers_to_publish(request: HttpRequest) -> int:
    """How many drafts of tiers wait for this reader to publish them."""
    return _count(request, _TIERS)


def _rules_of_others(reader: int) -> QuerySet[Any, Any]:
    waiting = waiting_rules().select_related(None).exclude(asked_by=reader)
    return waiting.order_by().values("pk")


def _tiers_of_others(reader: int) -> QuerySet[Any, Any]:
    waiting = waiting_tiers().select_related(None).exclude(asked_by=reader)
    return waiting.order_by().values("pk")


_ACTIVITIES = WaitingForOthers("activities.decide", lambda _reader: counted_activities())
_RULES = WaitingForOthers("rules.publish", _rules_of_others)
_TIERS = WaitingForOthers("programs.edit", _tiers_of_others)


def _others(user: User) -> list[tuple[WaitingList, Sequence[WaitingRow]]]:
    """What higher applications have waiting."""
    found = [(item, item.rows(user)) for item in waiting_lists()]
    return [(item, rows) for item, rows in found if rows]


def _waiting_tiers(user: User) -> list[tuple[TierDraft, bool]]:
    """As rules: everybody's for those who may publish them, else one's own."""
    found = waiting_tiers()
    if not is_allowed(user, "programs.edit"):
        found = found.filter(asked_by=user)
    return [(draft, draft.asked_by_id == user.pk) for draft in found]


def _waiting_rules(user: User) -> list[tuple[EarningRuleVersion, bool]]:
    """Drafts that wait to be published: everybody's for those who may, else one's own."""
    found = waiting_rules()
    if not is_allowed(user, "rules.publish"):
        found = found.filter(asked_by=user)
    return [(draft, draft.asked_by_id == user.pk) for draft in found]


def _get(public_id: UUID) -> AdjustmentRequest:
    return get_object_or_404(requests(), public_id=public_id)


def _rows(items: Sequence[AdjustmentRequest], user: User) -> list[ApprovalRow]:
    labels = reason_labels(item.reason for item in items)
    programs = {item.wallet.wallet_type.program_id for item in items}
    limits = limits_by_program(role_of(user), programs)
    rows = []
    for item in items:
        wallet_type = item.wallet.wallet_type
        whole = whole_units(item.units, wallet_type.scale)
        own_limits = limits[wallet_type.program_id]
        row = ApprovalRow(
            request=item,
            customer=_customer(item),
            reason=labels.get(item.reason, item.reason),
            is_own=item.asked_by_id == user.pk,
            why_not=why_not_to_decide(user, item.asked_by, own_limits, whole),
        )
        rows.append(row)
    return rows


def _batches(user: User, now: dt.datetime) -> list[tuple[BulkAdjustment, bool]]:
    return [
        (batch, batch.created_by_id == user.pk)
        for batch in waiting_batches(now - WAITS).order_by("asked_at", "pk")
    ]


def _context(item: AdjustmentRequest, row: ApprovalRow, problem: str) -> dict[str, Any]:
    now = timezone.now()
    waits = item.state == State.WAITING and item.expires_at > now
    effect = None
    if waits:
        before = holdings([item.wallet], now)[item.wallet_id].spendable
        try:
            after = preview_adjustment(
                wallet=item.wallet, units=item.units, now=now, key=item.key
            ).after
            effect = Effect(before, after, item.units, problem=problem)
        except InsufficientBalanceError as error:
            effect = Effect(before, problem=problem or insufficient_text(item.wallet, error))
    return {
        "title": _("Approve this?") if waits and not row.why_not else _("Request"),
        "item": item,
        "row": row,
        "state": State.EXPIRED.value if item.state == State.WAITING and not waits else item.state,
        "waits": waits,
        "wallet_type": item.wallet.wallet_type,
        "effect": effect,
        "problem": problem,
        "customer_url": customer_url(row.customer),
        "back": reverse("loyalty_backoffice:approval_list"),
    }


def _customer(item: AdjustmentRequest) -> Customer:
    return item.wallet.account.membership.customer


def _done(request: HttpRequest, item: AdjustmentRequest, message: str) -> HttpResponse:
    words = {
        "units": format_units(item.units, item.wallet.wallet_type, sign=True),
        "customer": str(_customer(item)),
    }
    return dialog_done(
        request,
        url=reverse("loyalty_backoffice:approval_list"),
        changed="wallet",
        message=message % words,
    )


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # staff_view has let nobody else in
    return request.user
