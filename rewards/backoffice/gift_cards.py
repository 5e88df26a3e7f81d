"""Gift cards: the list of them, one card with what it was used for, those of a customer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import customer_crumbs
from loyalty.explanations import explain_transfer
from loyalty.models import Transfer, WalletType
from loyalty.plain_numbers import units_text
from loyalty.services.stored_value import money_of
from members.list_files import ListFile, hand_out
from members.models import Customer
from members.navigation import Tab
from members.paging import Page, paginate
from members.plain_money import money_text
from members.policy import is_allowed, staff_view
from members.states import state_label
from rewards.backoffice.links import NAMESPACE, gift_card_crumbs, ways_to_stored_value
from rewards.codes import plain
from rewards.models import GiftCard
from rewards.selectors.gift_cards import (
    STATES,
    balance_of,
    balances_of,
    bought_by,
    gift_cards,
    in_state,
    movements_of,
    state_of,
)

NEWEST = {"": ("-created_at", "-pk")}


# The code itself is money: how it ends tells cards apart.
FILE: ListFile[GiftCard] = ListFile(
    "gift-cards",
    {
        "id": lambda row: row.public_id,
        "ends_with": lambda row: row.last_four,
        "program": lambda row: row.program.code,
        "state": lambda row: row.status,
        "currency": lambda row: row.program.currency,
        "amount": lambda row: money_text(row.amount),
        "left": lambda row: units_text(row.held or 0, row.scale or 0),  # type: ignore[attr-defined]
        "buyer": lambda row: row.buyer.email if row.buyer else "",
        "recipient": lambda row: row.recipient_name,
        "recipient_email": lambda row: row.recipient_email,
        "issued_at": lambda row: row.created_at,
        "activated_at": lambda row: row.activated_at,
    },
    personal=True,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def gift_card_list(request: HttpRequest) -> HttpResponse:
    """All cards, newest first; found by how their code ends or by whose they are."""
    shown = request.GET.get("state", "")
    shown = shown if shown in STATES else ""
    text = request.GET.get("q", "").replace("\x00", "").strip()
    found = in_state(gift_cards(), shown) if shown else gift_cards()
    if text:
        found = found.filter(_matching(text))
    if request.method == "POST":
        return hand_out(request, FILE, found, orderings=NEWEST)
    page = paginate(found, request=request, orderings=NEWEST, default="")
    sold = WalletType.objects.filter(stored_value=True).exists()
    context = {
        "title": _("Gift cards"),
        "page": page,
        "rows": rows_of(page.items),
        "query": text,
        "file": FILE.offered(request),
        "shown": shown,
        "tabs": _tabs(shown),
        "may_issue": is_allowed(request.user, "gift_cards.issue"),
        "sold_somewhere": sold,
        "ways": [] if sold else ways_to_stored_value(request.user),
    }
    return render(request, "rewards/backoffice/gift_card_list.html", context)


@require_safe
@staff_view("customers.view")
def gift_card_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A card with what is on it and what was done with it."""
    card, now = get_object_or_404(gift_cards(), public_id=public_id), timezone.now()
    balance = balance_of(card, now)
    moves: Page[Transfer] = paginate(
        movements_of(card).order_by(), request=request,
        orderings={"": ("-occurred_at", "-pk")}, default="", per_page=20,
    )  # fmt: skip
    state = state_of(card, balance, now)
    context = {
        "title": _("Gift card %s") % card,
        "breadcrumbs": gift_card_crumbs(),
        "card": card,
        "program": card.program,
        "balance": balance,
        "state": state,
        "page": moves,
        "moves": [(item, explain_transfer(item).title, _money(item)) for item in moves],
        "replaced_by": GiftCard.objects.filter(replaces=card).first(),
        "people": card.recipient_name or card.recipient_email or card.message or card.sender_name,
        "may_serve": is_allowed(request.user, "gift_cards.serve"),
        "may_issue": is_allowed(request.user, "gift_cards.issue"),
        "open": card.status in ("inactive", "active", "blocked"),
    }
    return render(request, "rewards/backoffice/gift_card_page.html", context)


@require_safe
@staff_view("customers.view")
def gift_card_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Cards that a customer bought or took as a reward."""
    customer = get_object_or_404(Customer, public_id=public_id)
    page = paginate(
        bought_by(customer).order_by(), request=request, orderings=NEWEST, default="", per_page=6
    )
    context = {
        "customer": customer,
        "title": _("Gift cards"),
        "panel_id": "gift-cards",
        "panel_icon": "gift-card",
        "panel_flush": True,
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": rows_of(page.items),
    }
    return render(request, "rewards/backoffice/gift_card_panel.html", context)


def rows_of(cards: list[GiftCard]) -> list[dict[str, Any]]:
    """Each with what is on it and the state it is in."""
    now = timezone.now()
    balances = balances_of(cards, now)
    return [
        {
            "card": card,
            "balance": balances[card.pk],
            "state": state_of(card, balances[card.pk], now),
        }
        for card in cards
    ]


def _matching(text: str) -> Q:
    """How a code ends, or a part of a name or an address of who bought it or whom it is for."""
    named = Q()
    for field in ("buyer__given_name", "buyer__family_name", "buyer__email", "recipient_name",
                  "recipient_email"):  # fmt: skip
        named |= Q(**{f"{field}__icontains": text})
    ending = plain(text)
    return named | Q(last_four=ending[-4:]) if len(ending) == len(text) == 4 else named


def _tabs(shown: str) -> list[Tab]:
    path = reverse(f"{NAMESPACE}:gift_card_list")
    named = ("", "active", "used_up", "inactive", "blocked", "cancelled")
    return [
        Tab(
            state_label(name)[0] if name else _("All"),
            f"{path}?state={name}" if name else path,
            current=name == shown,
        )
        for name in named
    ]


def _money(transfer: Transfer) -> Any:
    return money_of(transfer.signed_amount, transfer.wallet_type)


def programs_with_cards() -> QuerySet[WalletType]:
    """The kinds of stored value of programs that are running."""
    found = WalletType.objects.filter(stored_value=True, program__status="live")
    return found.select_related("program").order_by("program__name")
