"""Giving units of a customer to another member or a charity, on their behalf, and undoing it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.adjustments import get_wallet
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.movements import movement_rows
from loyalty.gift_forms import GiftForm
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.adjustment_limits import limits_of
from loyalty.selectors.balances import balances_of
from loyalty.selectors.gifts import charities_of, find_member, givable_wallets
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.transfers import transfers
from loyalty.services.gift_reversals import KINDS, gift_legs, left_of_gift, undo_gift
from loyalty.services.gifts import GiftPreview
from members.errors import DomainError
from members.formatting import format_units
from members.forms import posted
from members.models import Customer
from members.policy import acting, role_of, staff_view
from members.responses import dialog_done


@dataclass(frozen=True, slots=True)
class Effect:
    """What a gift would do for both sides, or why it cannot be made."""

    preview: GiftPreview | None = None
    receiver: str = ""
    problem: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gifts.make")
def customer_give(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog of the only wallet that may be given from, or the choice between several."""
    customer = get_object_or_404(Customer, public_id=public_id)
    memberships, now = list_memberships(customer), timezone.now()
    givable = {wallet.pk for member in memberships for wallet in givable_wallets(member, now)}
    balances = balances_of(memberships, now) if givable else {}
    held = [
        (membership, balance)
        for membership in memberships
        for balance in balances.get(membership.pk, [])
        if balance.wallet.pk in givable
    ]
    if len(held) == 1:
        return wallet_give(request, held[0][1].wallet.pk)
    context = {
        "title": _("Give from which wallet?") if held else _("Nothing can be given"),
        "customer": customer,
        "held": held,
        "back": customer_url(customer),
    }
    return render(request, "loyalty/backoffice/customer_give.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gifts.make")
def wallet_give(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that gives units away."""
    wallet, membership = get_wallet(pk)
    form = _form(posted(request), wallet, membership)
    effect = Effect()
    if form.is_valid():
        if "preview" in request.POST:
            effect = _effect(request, form)
        else:
            done = _give(request, form, membership)
            if done is not None:
                return done
    context = {
        "title": _("Give %s") % wallet.wallet_type.plural,
        "form": form,
        "wallet": wallet,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "effect": effect,
        "back": customer_url(membership.customer),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/wallet_give.html", context, status=status)


@require_safe
@staff_view("gifts.make")
def wallet_give_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the gift typed so far would do."""
    wallet, membership = get_wallet(pk)
    typed = request.GET.copy()
    typed["key"] = str(uuid.uuid4())
    form = _form(typed, wallet, membership, asks_why=False)
    effect = Effect()
    if form.is_valid():
        effect = _effect(request, form)
    elif all(typed.get(name, "").strip() for name in ("units", "to") if _asked(form, name)):
        effect = Effect(problem=_first_problem(form))
    context = {"wallet_type": wallet.wallet_type, "membership": membership, "effect": effect}
    return render(request, "loyalty/backoffice/wallet_give_effect.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gifts.make")
def gift_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that returns what is left of a gift to whoever gave it."""
    transfer = get_object_or_404(transfers().filter(kind__in=KINDS), pk=pk)
    _wallet, membership = get_wallet(transfer.wallet_id)
    row = movement_rows([transfer], request.user)[0]
    now = timezone.now()
    is_gift = transfer.kind == Transfer.Kind.GIFT
    left = left_of_gift(gift_legs(transfer).came, now).units if is_gift else transfer.amount
    problem, refused = "", False
    if row.undone:
        problem = _("This was undone already.")
    elif left == 0:
        problem = _("Nothing is left of this gift: it was spent, shared, given on, or expired.")
    elif request.method == "POST":
        try:
            return _undo(request, transfer, membership)
        except DomainError as error:
            problem, refused = str(error.message), True
    context = {
        "title": _("Undo this gift?"),
        "row": row,
        "membership": membership,
        "wallet_type": transfer.wallet_type,
        "left": left,
        "whole": left == transfer.amount,
        "problem": problem,
        "back": customer_url(membership.customer),
    }
    status = 422 if refused else 200
    return render(request, "loyalty/backoffice/gift_undo.html", context, status=status)


def _form(
    data: QueryDict | None, wallet: Wallet, membership: Membership, *, asks_why: bool = True
) -> GiftForm:
    program = membership.program
    form = GiftForm(
        data,
        wallet=wallet,
        charities=charities_of(program),
        find=lambda text: find_member(program, text),
        asks_why=asks_why,
    )
    if "to" in form.fields:
        form.fields["to"].label = _("Card number, e-mail address or customer number")
    return form


def _most(request: HttpRequest, wallet: Wallet) -> int | None:
    """Whole units that somebody of this role may move at once without a second person."""
    limits = limits_of(role_of(request.user), wallet.wallet_type.program)
    known = [most for most in (limits.most_at_once, limits.approval_above) if most is not None]
    return min(known, default=None)


def _asked(form: GiftForm, name: str) -> bool:
    return name in form.fields and form.fields[name].required


def _effect(request: HttpRequest, form: GiftForm) -> Effect:
    receiver = _receiver(form)
    try:
        preview = form.preview(now=timezone.now(), whole_limit=_most(request, form.wallet))
    except DomainError as error:
        form.refuse(error)
        return Effect(receiver=receiver, problem=_first_problem(form))
    return Effect(preview, receiver)


def _first_problem(form: GiftForm) -> str:
    return str(next(iter(form.errors.values()))[0])


def _receiver(form: GiftForm) -> str:
    charity = form.chosen_charity
    return charity.name if charity is not None else str(form.receiver.customer)


def _give(request: HttpRequest, form: GiftForm, membership: Membership) -> HttpResponse | None:
    """Give it and end the dialog; None when the form now says why that was refused."""
    try:
        transfer = form.give(
            actor=acting(request),
            source=Transfer.Source.BACKOFFICE.value,
            now=timezone.now(),
            whole_limit=_most(request, form.wallet),
        )
    except DomainError as error:
        form.refuse(error)
        return None
    words = {
        "units": format_units(transfer.amount, transfer.wallet_type),
        "giver": str(membership.customer),
        "receiver": _receiver(form),
    }
    return dialog_done(
        request,
        url=customer_url(membership.customer),
        changed="wallet",
        message=_("%(giver)s gave %(units)s to %(receiver)s.") % words,
        undo_url=reverse("loyalty_backoffice:gift_undo", args=[transfer.pk]),
    )


def _undo(request: HttpRequest, transfer: Transfer, membership: Membership) -> HttpResponse:
    undone, _replayed = undo_gift(
        transfer=transfer,
        actor=acting(request),
        source=Transfer.Source.BACKOFFICE.value,
        now=timezone.now(),
    )
    units = format_units(undone.amount, undone.wallet_type)
    return dialog_done(
        request,
        url=customer_url(membership.customer),
        changed="wallet",
        message=_("The gift was undone: %s went back.") % units,
    )
