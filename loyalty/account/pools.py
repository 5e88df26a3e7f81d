"""The member's pool: what is in it, who is in it, what one shares, and leaving it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.companies import company_context, waiting_words
from loyalty.account.movements import pool_entry
from loyalty.account.pages import no_membership, render_page
from loyalty.account.places import chosen_place, place_or_404, pool_url
from loyalty.models import Membership, Pool, PoolMember, Transfer
from loyalty.pool_forms import PoolMoveForm
from loyalty.pool_words import describe_pool
from loyalty.selectors.pools import current_members, place_of, pool_balances, pool_transfers
from loyalty.services.pool_leaving import leave_pool, returns_of_leaving, summed
from loyalty.services.pools import change_pool_member
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_units
from members.forms import posted
from members.paging import paginate
from members.services.audit import Actor

SOURCE = Transfer.Source.ACCOUNT.value
PER_PAGE = 15


@dataclass(frozen=True, slots=True)
class PoolMate:
    """Somebody in the pool as the others read it: by the given name alone."""

    name: str
    # What they are in it; empty for plain members of a household.
    role: str
    is_you: bool


@dataclass(frozen=True, slots=True)
class PoolCard:
    """The pool as the home page shows it: a name, and what it holds in words."""

    title: str
    amounts: list[str]
    url: str
    # What waits for this member to decide, in words.
    waiting: str = ""
    icon: str = "home-heart"


@require_safe
@customer_view
def pool(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What the pool holds, who is in it, and everything that moved."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    place = place_or_404(chosen)
    now = timezone.now()
    page = paginate(
        pool_transfers(place.pool),
        request=request,
        orderings={"newest": ("-occurred_at", "-pk")},
        default="newest",
        per_page=PER_PAGE,
    )
    context = {
        "title": pool_title(place.pool),
        "place": place,
        "pool": place.pool,
        "balances": pool_balances(place.pool, now),
        "mates": _mates(place),
        "sentences": describe_pool(place.pool),
        "may_share": _is_active(place) and place.pool.percent > 0,
        "may_move": _is_active(place),
        "entries": [pool_entry(transfer) for transfer in page],
        "page": page,
        **company_context(place, now),
    }
    return render_page(request, "mypage/pool.html", chosen, context)


@require_POST
@customer_view
def pool_sharing(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """The switch: whether what one earns goes into the pool."""
    chosen, place = chosen_place(request, public_id)
    shares = request.POST.get("contributes") == "on"
    change_pool_member(
        member=place, changes={"contributes": shares}, actor=Actor.of_user(request.user)
    )
    messages.success(
        request,
        _("What you earn goes into the pool.")
        if shares
        else _("What you earn stays with you from now on."),
    )
    return _back(chosen)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def pool_move(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """Put something in or take something out: looked at first, then confirmed."""
    chosen, place = chosen_place(request, public_id)
    if not _is_active(place):
        raise Http404("Only active members move units.")
    form = PoolMoveForm(
        posted(request),
        wallet_types=list(
            place.pool.program.wallet_types.filter(stored_value=False).order_by("pk")
        ),
        may_take=place.can_spend,
    )
    if "edit" not in request.POST and form.is_valid():
        try:
            if "confirmed" in request.POST:
                return _move(request, chosen, place, form)
            mine, common = form.preview(place, timezone.now())
        except DomainError as error:
            form.refuse(error)
        else:
            context = {
                "title": _("Is this right?"),
                "form": form,
                "pool": place.pool,
                "wallet_type": form.chosen_type,
                "mine": mine,
                "common": common,
                "kept": [(name, request.POST.get(name, "")) for name in form.fields],
            }
            return render_page(request, "mypage/pool_move_confirm.html", chosen, context)
    context = {
        "title": _("Put in or take out") if place.can_spend else _("Put into the pool"),
        "form": form,
        "pool": place.pool,
        "balances": pool_balances(place.pool, timezone.now()),
        "back": pool_url(chosen.membership),
    }
    status = 422 if form.errors and "edit" not in request.POST else 200
    return render_page(request, "mypage/pool_move.html", chosen, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def pool_leave(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """What one gets back is shown first."""
    chosen, place = chosen_place(request, public_id)
    now = timezone.now()
    if request.method == "POST":
        actor = Actor.of_user(request.user)
        leave_pool(member=place, actor=actor, source=SOURCE, now=now)
        messages.success(request, _("You have left %s.") % place.pool.name)
        return HttpResponseRedirect(reverse("mypage:home_of", args=[chosen.membership.public_id]))
    context = {
        "title": _("Leave %s?") % place.pool.name,
        "pool": place.pool,
        "returns": summed(returns_of_leaving(place, now)),
        "last": len(current_members(place.pool)) == 1,
        "back": pool_url(chosen.membership),
    }
    return render_page(request, "mypage/pool_leave.html", chosen, context)


def pool_card(membership: Membership) -> PoolCard | None:
    """The member's pool for the home page, if there is one."""
    place = place_of(membership) if membership.pools else None  # type: ignore[attr-defined]
    if place is None:
        return None
    balances = pool_balances(place.pool, timezone.now())
    return PoolCard(
        pool_title(place.pool),
        [format_units(item.spendable, item.wallet_type) for item in balances],
        pool_url(membership),
        waiting_words(place, timezone.now()),
        "building" if place.pool.kind == Pool.Kind.COMPANY else "home-heart",
    )


def pool_title(pool: Pool) -> str:
    """ "Our household: The Harts" """
    if pool.kind == Pool.Kind.COMPANY:
        return _("Our company: %s") % pool.name
    return _("Our household: %s") % pool.name


def _move(
    request: CustomerRequest, chosen: Chosen, place: PoolMember, form: PoolMoveForm
) -> HttpResponse:
    transfer = form.move(
        place, actor=Actor.of_user(request.user), source=SOURCE, now=timezone.now()
    )
    units = format_units(transfer.amount, transfer.wallet_type)
    text = _("%s went into the pool.") if form.into else _("%s are yours now.")
    messages.success(request, text % units)
    return _back(chosen)


def _mates(place: PoolMember) -> list[PoolMate]:
    return [
        PoolMate(
            member.membership.customer.given_name or _("A member"),
            "" if member.role == PoolMember.Role.MEMBER else member.get_role_display(),
            member.membership_id == place.membership_id,
        )
        for member in current_members(place.pool)
    ]


def _is_active(place: PoolMember) -> bool:
    return place.membership.status == Membership.Status.ACTIVE


def _back(chosen: Chosen) -> HttpResponse:
    return HttpResponseRedirect(pool_url(chosen.membership))
