"""The pages of one membership: home, history and card."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from loyalty.account.carried_cards import discount_views, stamp_views
from loyalty.account.charities import impact_card
from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.history_filters import DIRECTIONS, history_filters
from loyalty.account.home_cards import home_cards
from loyalty.account.movements import entry_of, lot_steps
from loyalty.account.pages import no_membership, render_months, render_page
from loyalty.account.plans import plan_card
from loyalty.account.pools import pool_card
from loyalty.account.wallets import summarize_wallets
from loyalty.card_numbers import grouped, qr_code
from loyalty.explanations import explain_transfer, purchase_words
from loyalty.models import Membership, Transfer
from loyalty.program_words import leftover_words, notices
from loyalty.selectors.member_tiers import member_standing
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.program_times import ProgramState, program_state
from loyalty.selectors.transfers import Direction, movements_of
from loyalty.selectors.wallet_passes import wallets_offered
from loyalty.services.ending_conversions import units_left_then
from loyalty.services.member_cards import cards_of
from members.account.access import CustomerRequest, customer_view
from members.paging import paginate

LATEST = 5
PER_PAGE = 20
NEWEST_FIRST = {"newest": ("-occurred_at", "-pk")}


@require_safe
@customer_view
def home(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What there is to spend, what comes next, and what happened last."""
    chosen = choose_membership(request, public_id, with_causes=True)
    if chosen is None:
        return no_membership(request)
    now = timezone.now()
    program = chosen.membership.program
    state = program_state(program, now)
    cards = cards_of(chosen.membership, now)
    latest = movements_of([chosen.membership]).order_by("-occurred_at", "-pk")[:LATEST]
    context = {
        "tabs": chosen.tabs("mypage:home_of"),
        "earns": state.state == "live",
        "wallets": summarize_wallets(chosen.membership, now, hidden=cards.hides),
        "stamp_cards": stamp_views(cards, program.currency),
        "discount_cards": discount_views(cards, program.currency),
        "entries": [entry_of(transfer, zone=program.zone, now=now) for transfer in latest],
        "pool": pool_card(chosen.membership),
        "giving": impact_card(chosen.membership),
        "plan": plan_card(chosen.membership),
        "tier": member_standing(chosen.membership, now),
        "notices": notices(state),
        "leftovers": _leftovers(state, chosen.membership),
        "cards": home_cards(chosen.membership, now),
        "founding": getattr(chosen.membership, "founding_grant", None),
        **_card(chosen),
    }
    return render_page(request, "mypage/home.html", chosen, context)


def _leftovers(state: ProgramState, membership: Membership) -> list[str]:
    """What becomes of what they hold when the program ends, once they are told of it."""
    end = state.times.end
    if end is None or not state.is_told:
        return []
    return leftover_words(state, units_left_then(membership, end.spend_until))


@require_safe
@customer_view
def history(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """Every movement by month; HTMX is given the next rows only."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    zone = chosen.membership.program.zone
    now = timezone.now()
    direction = request.GET.get("show", "")
    direction = direction if direction in DIRECTIONS else ""
    page = paginate(
        movements_of([chosen.membership], cast(Direction, direction)),
        request=request,
        orderings=NEWEST_FIRST,
        default="newest",
        per_page=PER_PAGE,
    )
    entries = [entry_of(transfer, zone=zone, now=now) for transfer in page]
    count = len(page.items)
    context = {
        "title": _("History"),
        "summary": _("Everything that was added or taken off, and why."),
        "tabs": chosen.tabs("mypage:history_of"),
        "filters": history_filters(chosen, direction),
        "statement_url": reverse("mypage:statement_of", args=[chosen.membership.public_id]),
        "icon": "history",
        "empty": _nothing(direction),
        "added": ngettext("%d more movement", "%d more movements", count) % count,
    }
    return render_months(request, chosen, page, entries, context)


def _nothing(direction: str) -> tuple[str, str]:
    if direction == "out":
        return (
            _("Nothing was taken off"),
            _("What you spend, and what returns take back, will be listed here."),
        )
    return (
        _("Nothing has happened yet"),
        _("Show your card with your next purchase. What it earns appears here, with the reason."),
    )


@require_safe
@customer_view
def movement(request: CustomerRequest, pk: int) -> HttpResponse:
    """One movement with everything that led to it."""
    memberships = list_memberships(request.customer)
    transfer = movements_of(memberships).filter(pk=pk).first()
    if transfer is None:
        raise Http404("This customer has no such movement.")
    program_id = transfer.wallet_type.program_id
    owner = next(item for item in memberships if item.program_id == program_id)
    chosen = Chosen(owner, memberships)
    zone = chosen.membership.program.zone
    explained = explain_transfer(transfer)
    context = {
        "title": explained.title,
        "transfer": transfer,
        "entry": entry_of(transfer, zone=zone, now=timezone.now()),
        "purchase": purchase_words(transfer),
        "purchase_url": _purchase_url(transfer, owner),
        "message": explained.message,
        "why": explained.why,
        "terms": lot_steps(transfer, zone=zone),
        "breadcrumbs": [(_("History"), reverse("mypage:history"))],
    }
    return render_page(request, "mypage/movement.html", chosen, context)


@require_safe
@customer_view
def card(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """The card alone, as large as the screen allows, to hold out at a till."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    context = {
        "tabs": chosen.tabs("mypage:card_of"),
        "wallets": wallets_offered(chosen.membership, timezone.now()),
        **_card(chosen),
    }
    return render_page(request, "mypage/card.html", chosen, context)


def _card(chosen: Chosen) -> dict[str, Any]:
    number = chosen.membership.card_number
    return {"card_number": grouped(number), "qr_code": qr_code(number)}


def _purchase_url(transfer: Transfer, owner: Membership) -> str:
    """Where the purchase that it was for is told rule by rule."""
    order = transfer.order
    if order is None or order.customer_id != owner.customer_id:
        return ""
    return reverse("mypage:purchase", args=[owner.public_id, order.pk])
