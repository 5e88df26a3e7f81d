"""Giving units to another member or to a charity: written, looked at, confirmed."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.gift_forms import GiftForm
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.gifts import charities_of, find_recipient, givable_wallets, room_to_give
from loyalty.services.gift_lookups import may_look_up
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_units
from members.forms import posted
from members.navigation import Tab
from members.services.audit import Actor


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def give(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """The form; what it would do, to be confirmed; then it is done."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    wallets = givable_wallets(chosen.membership, timezone.now())
    if not wallets:
        raise Http404("Nothing of this membership can be given away.")
    wallet = next(
        (item for item in wallets if item.wallet_type.code == request.GET.get("units")), wallets[0]
    )
    form = _form(request, posted(request), wallet, chosen.membership)
    if "edit" not in request.POST and form.is_valid():
        try:
            if "confirmed" in request.POST:
                return _give(request, form)
            return _confirm(request, chosen, form, wallet)
        except DomainError as error:
            form.refuse(error)
    return _page(request, chosen, form, wallet, wallets)


def _page(
    request: CustomerRequest, chosen: Chosen, form: GiftForm, wallet: Wallet, wallets: list[Wallet]
) -> HttpResponse:
    now = timezone.now()
    room = room_to_give(wallet, now) if wallet.wallet_type.gifts_to_members else None
    context = {
        "title": _("Give %s") % wallet.wallet_type.plural,
        "form": form,
        "wallet_type": wallet.wallet_type,
        "spendable": holdings([wallet], now)[wallet.pk].spendable,
        "room": room,
        "kinds": _kinds(request, wallet, wallets),
        "back": reverse("mypage:home_of", args=[chosen.membership.public_id]),
    }
    status = 422 if form.is_bound and form.errors and "edit" not in request.POST else 200
    return render_page(request, "mypage/give.html", chosen, context, status=status)


def _confirm(
    request: CustomerRequest, chosen: Chosen, form: GiftForm, wallet: Wallet
) -> HttpResponse:
    """What the giver will have and what the other gains; never what the other has."""
    preview = form.preview(now=timezone.now())
    context = {
        "title": _("Is this right?"),
        "preview": preview.giver,
        "amount": form.amount,
        "receiver": _name_of(form),
        "addressed": form.cleaned_data.get("to", "") if form.chosen_charity is None else "",
        "message": form.cleaned_data.get("message", ""),
        "charity": form.chosen_charity,
        "wallet_type": wallet.wallet_type,
        "kept": [(name, form.cleaned_data[name]) for name in form.fields],
    }
    return render_page(request, "mypage/give_confirm.html", chosen, context)


def _give(request: CustomerRequest, form: GiftForm) -> HttpResponse:
    transfer = form.give(
        actor=Actor.of_user(request.user),
        source=Transfer.Source.ACCOUNT.value,
        now=timezone.now(),
    )
    words = {
        "units": format_units(transfer.amount, transfer.wallet_type),
        "receiver": _name_of(form),
    }
    messages.success(request, _("You gave %(units)s to %(receiver)s.") % words)
    return HttpResponseRedirect(reverse("mypage:history_movement", args=[transfer.pk]))


def _form(
    request: CustomerRequest, data: QueryDict | None, wallet: Wallet, membership: Membership
) -> GiftForm:
    program = membership.program

    def find(text: str) -> Membership | None:
        return find_recipient(program, text) if may_look_up(request.customer) else None

    return GiftForm(data, wallet=wallet, charities=charities_of(program), find=find)


def _name_of(form: GiftForm) -> str:
    """A charity's name; of a member the given name only, or what the giver typed."""
    if form.chosen_charity is not None:
        return form.chosen_charity.name
    return form.receiver.customer.given_name or str(form.cleaned_data["to"])


def _kinds(request: CustomerRequest, wallet: Wallet, wallets: list[Wallet]) -> list[Tab]:
    """The kinds of units to choose from, where there are several."""
    if len(wallets) < 2:
        return []
    return [
        Tab(
            item.wallet_type.plural,
            f"{request.path}?units={item.wallet_type.code}",
            current=item == wallet,
        )
        for item in wallets
    ]
