"""Pools: the list of them, one as a page, and the panel on the page of a customer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import Crumbs, customer_crumbs
from loyalty.backoffice.movements import movement_rows
from loyalty.models import Membership, Pool, PoolMember, Program
from loyalty.pool_words import describe_pool
from loyalty.selectors.pools import (
    balances_by_pool,
    current_members,
    places_of,
    pool_balances,
    pool_transfers,
    pools,
)
from members.audit import Difference, action_label, differences, target_of
from members.models import Customer
from members.navigation import Tab
from members.paging import paginate
from members.policy import is_allowed, staff_view
from members.responses import is_htmx
from members.selectors.audit import filter_entries
from members.selectors.erased import erased_among, is_known


@require_safe
@staff_view("customers.view")
def pool_list(request: HttpRequest) -> HttpResponse:
    """Every household's by name, with what it holds; closed ones on a tab of their own. Companies
    have a list of theirs."""
    closed = request.GET.get("show") == "closed"
    status = Pool.Status.CLOSED if closed else Pool.Status.OPEN
    found = pools().filter(status=status, kind=Pool.Kind.HOUSEHOLD)
    text = request.GET.get("q", "").replace("\x00", "").strip()
    if text:
        found = found.filter(name__icontains=text)
    page = paginate(found, request=request, orderings={"": ("name", "pk")}, default="")
    balances = balances_by_pool(page, timezone.now())
    path = reverse("loyalty_backoffice:pool_list")
    context = {
        "page": page,
        "rows": [(pool, balances[pool.pk]) for pool in page],
        "closed": closed,
        "query": text,
        "may_edit": _may_edit(request),
        "tabs": [
            Tab(_("Open"), path, current=not closed),
            Tab(_("Closed"), f"{path}?show=closed", current=closed),
        ],
    }
    template = "loyalty/backoffice/pool_list.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)


@require_safe
@staff_view("customers.view")
def pool_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who is in a pool, what it holds, how it works, and what has moved."""
    pool = get_object_or_404(pools(), public_id=public_id)
    if pool.kind == Pool.Kind.COMPANY:
        return redirect(pool_url(pool))
    members = current_members(pool)
    page = paginate(
        pool_transfers(pool),
        request=request,
        orderings={"": ("-occurred_at", "-pk")},
        default="",
        per_page=10,
    )
    is_open = pool.status == Pool.Status.OPEN
    context = {
        "pool": pool,
        "title": pool.name,
        "breadcrumbs": pool_crumbs(),
        "balances": pool_balances(pool, timezone.now()),
        "members": members,
        "erased": erased_among(member.membership.customer for member in members),
        "sentences": describe_pool(pool),
        "page": page,
        "rows": movement_rows(page, request.user),
        "may_edit": is_open and _may_edit(request),
        "changes": pool_changes(pool),
    }
    return render(request, "loyalty/backoffice/pool_page.html", context)


@require_safe
@staff_view("customers.view")
def pool_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The customer's pools, and the way into one."""
    customer = get_object_or_404(Customer, public_id=public_id)
    places = places_of(customer)
    balances = balances_by_pool([place.pool for place in places], timezone.now())
    within = [place.membership_id for place in places]
    joinable = Membership.objects.filter(
        customer=customer,
        status=Membership.Status.ACTIVE,
        program__status=Program.Status.LIVE,
    ).exclude(pk__in=within)
    context = {
        "customer": customer,
        "title": _("Pool"),
        "panel_id": "pool",
        "panel_icon": "home-heart",
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "places": [(place, balances[place.pool_id]) for place in places],
        "joinable": list(joinable.select_related("program")),
        "may_edit": is_known(customer) and _may_edit(request),
    }
    return render(request, "loyalty/backoffice/pool_panel.html", context)


def pool_url(pool: Pool) -> str:
    page = "company_page" if pool.kind == Pool.Kind.COMPANY else "pool_page"
    return reverse(f"loyalty_backoffice:{page}", args=[pool.public_id])


def pool_crumbs(pool: Pool | None = None) -> Crumbs:
    """From the list of pools down to one of them."""
    crumbs = [(_("Pools"), reverse("loyalty_backoffice:pool_list"))]
    return [*crumbs, (pool.name, pool_url(pool))] if pool else crumbs


# What is among the movements already.
_MOVES = ("pool.put_in", "pool.taken", "spending.asked", "spending.approved", "spending.rejected")


def pool_changes(pool: Pool) -> list[dict[str, object]]:
    """What was done to the pool, with the names that members have now."""
    names = {
        member.membership.card_number: str(member.membership.customer)
        for member in pool.members.select_related("membership__customer")
    }
    words = names | {value: str(label) for value, label in PoolMember.Role.choices}
    entries = filter_entries(target=target_of(pool)).exclude(action__in=_MOVES)[:10]
    return [
        {
            "entry": entry,
            "action": action_label(entry.action),
            "differences": [_named(item, names, words) for item in differences(entry)],
        }
        for entry in entries
    ]


def _named(item: Difference, names: dict[str, str], words: dict[str, str]) -> Difference:
    """A member's name instead of the card, which is what the log keeps."""
    label = _("Member") if item.after in names else item.label
    return Difference(label, words.get(item.before, item.before), words.get(item.after, item.after))


def _may_edit(request: HttpRequest) -> bool:
    return is_allowed(request.user, "pools.edit")
