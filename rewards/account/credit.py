"""Gift cards and credit of a customer: what they have, a card to add, cards that they bought."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.movements import entry_of
from loyalty.account.pages import no_membership, render_page
from loyalty.card_numbers import qr_code
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.transfers import history_of
from loyalty.services.stored_value import money_of
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_money
from members.forms import add_domain_errors, posted
from members.services.audit import Actor
from rewards.models import GiftCard
from rewards.selectors.gift_cards import balance_of, balances_of, bought_by, state_of
from rewards.services.gift_card_money import move_to_credit
from rewards.services.gift_cards import code_of, find_gift_card
from rewards.services.guesses import MOST_OF_A_PERSON

LATEST = 10
SHOWN = 30


class AddForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    code = forms.CharField(
        label=gettext_lazy("Code of the gift card"), max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Capitals and hyphens do not matter."),
    )  # fmt: skip


@require_safe
@customer_view
def credit(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What they can spend, and how it came and went."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    return _page(request, chosen, AddForm())


@require_http_methods(["POST"])
@customer_view
def add_card(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """Put what is on a gift card to their own credit, once for each look at the page."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        raise Http404("This customer has no such membership.")
    form = AddForm(posted(request))
    if form.is_valid():
        try:
            moved = _add(request, chosen.membership, form)
            messages.success(request, _("%s is in your credit now.") % moved)
            url = reverse("rewards_account:credit_of", args=[chosen.membership.public_id])
            return HttpResponseRedirect(url)
        except DomainError as error:
            add_domain_errors(form, error)
    return _page(request, chosen, form)


@require_safe
@customer_view
def gift_card(request: CustomerRequest, card_id: uuid.UUID) -> HttpResponse:
    """A card that they bought or took: its code until somebody uses it, ready to be printed."""
    card = bought_by(request.customer).filter(public_id=card_id).first()
    chosen = choose_membership(request, None)
    if card is None or chosen is None:
        raise Http404("This customer has no such gift card.")
    now = timezone.now()
    balance, code = balance_of(card, now), code_of(card)
    context = {
        "title": _("Gift card %s") % card,
        "card": card,
        "currency": card.program.currency,
        "balance": balance,
        "state": state_of(card, balance, now),
        "code": code,
        "qr_code": qr_code(code) if code else "",
        "breadcrumbs": [
            (
                _("Gift cards and credit"),
                reverse("rewards_account:credit_of", args=[chosen.membership.public_id]),
            )
        ],
    }
    response = render_page(request, "rewards/account/gift_card.html", chosen, context)
    response["Cache-Control"] = "no-store"
    return response


def _add(request: CustomerRequest, member: Membership, form: AddForm) -> str:
    card = find_gift_card(
        form.cleaned_data["code"], (f"customer:{request.customer.pk}", MOST_OF_A_PERSON)
    )
    moved, _replayed = move_to_credit(
        card=card, membership=member, key=f"account:{form.cleaned_data['key']}",
        source=Transfer.Source.ACCOUNT.value, actor=Actor.of_user(request.user),
        now=timezone.now(),
    )  # fmt: skip
    return format_money(money_of(moved.amount, moved.wallet_type), member.program.currency)


def _page(request: CustomerRequest, chosen: Chosen, form: AddForm) -> HttpResponse:
    member, now = chosen.membership, timezone.now()
    wallets = Wallet.objects.select_related("wallet_type").filter(
        account=member.account_id, wallet_type__stored_value=True
    )
    wallet = wallets.first()
    if wallet is None:
        raise Http404("The program has no store credit.")
    spendable = holdings([wallet], now)[wallet.pk].spendable
    moves = history_of([member]).filter(wallet_type=wallet.wallet_type)
    cards = list(bought_by(request.customer).filter(program=member.program_id)[:SHOWN])
    context = {
        "title": _("Gift cards and credit"),
        "tabs": _tabs_of(chosen),
        "form": form,
        "money": format_money(money_of(spendable, wallet.wallet_type), member.program.currency),
        "entries": [
            entry_of(item, zone=member.program.zone, now=now)
            for item in moves.order_by("-occurred_at", "-pk")[:LATEST]
        ],
        "cards": _shown(cards),
    }
    status = 422 if form.errors else 200
    return render_page(request, "rewards/account/credit.html", chosen, context, status=status)


def _shown(cards: list[GiftCard]) -> list[tuple[GiftCard, str, str]]:
    """Each with what is on it and its state."""
    now = timezone.now()
    balances = balances_of(cards, now)
    return [
        (
            card,
            format_money(balances[card.pk], card.program.currency),
            state_of(card, balances[card.pk], now),
        )
        for card in cards
    ]


def _tabs_of(chosen: Chosen) -> list[object]:
    """The same page of those other memberships whose program has credit."""
    having = set(
        Wallet.objects.filter(
            account__in=[item.account_id for item in chosen.all], wallet_type__stored_value=True
        ).values_list("account", flat=True)
    )
    kept = [item for item in chosen.all if item.account_id in having]
    return list(Chosen(chosen.membership, kept).tabs("rewards_account:credit_of"))
