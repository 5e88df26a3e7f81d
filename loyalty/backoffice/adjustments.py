"""Adding and taking units by hand: the effect is shown first, happens once, and can be undone."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.adjustment_forms import AdjustmentForm, read_units
from loyalty.backoffice.links import customer_url
from loyalty.errors import InsufficientBalanceError, KeyReusedError, LedgerError
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.balances import balances_of
from loyalty.selectors.memberships import list_memberships
from loyalty.services.adjustments import adjust_units, preview_adjustment
from members.errors import DomainError
from members.formatting import format_number, format_units
from members.models import Customer
from members.policy import acting, adjustment_limit, is_allowed, staff_view
from members.responses import dialog_done


@dataclass(frozen=True, slots=True)
class Effect:
    """What can be spent before and after, or why it cannot be done."""

    before: int
    after: int | None = None
    units: int = 0
    problem: str = ""


def effect_of(wallet: Wallet, units: int, limit: int | None, now: dt.datetime) -> Effect:
    """What moving these units would do, without doing it."""
    before = holdings([wallet], now)[wallet.pk].spendable
    problem = limit_problem(wallet, units, limit)
    if problem:
        return Effect(before, problem=problem)
    try:
        return Effect(
            before, preview_adjustment(wallet=wallet, units=units, now=now).after, units=units
        )
    except InsufficientBalanceError as error:
        return Effect(before, problem=insufficient_text(wallet, error))


def limit_problem(wallet: Wallet, units: int, limit: int | None) -> str:
    """Why a role may not move so many units, or nothing."""
    if limit is None or abs(units) <= limit * 10**wallet.wallet_type.scale:
        return ""
    return _("Your role may move at most %(limit)s %(plural)s at once.") % {
        "limit": format_number(limit),
        "plural": wallet.wallet_type.plural,
    }


def insufficient_text(wallet: Wallet, error: InsufficientBalanceError) -> str:
    if error.spendable == 0:
        return _("There is nothing that could be taken away.")
    return _("Only %s can be taken away.") % format_units(error.spendable, wallet.wallet_type)


def get_wallet(pk: int) -> tuple[Wallet, Membership]:
    """A member's wallet with its owner, or 404."""
    wallet = get_object_or_404(Wallet.objects.select_related("wallet_type__program"), pk=pk)
    memberships = Membership.objects.select_related("customer", "program")
    return wallet, get_object_or_404(memberships, account=wallet.account_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.adjust")
def customer_adjust(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog of the customer's only wallet, or the choice between several."""
    customer = get_object_or_404(Customer, public_id=public_id)
    memberships = list_memberships(customer)
    balances = balances_of(memberships, timezone.now()) if memberships else {}
    held = [
        (membership, balance)
        for membership in memberships
        for balance in balances.get(membership.pk, [])
    ]
    if len(held) == 1:
        return wallet_adjust(request, held[0][1].wallet.pk)
    context = {
        "title": _("Which wallet?") if held else _("There is no wallet yet"),
        "customer": customer,
        "held": held,
        "may_enroll": is_allowed(request.user, "customers.edit"),
        "back": customer_url(customer),
    }
    return render(request, "loyalty/backoffice/customer_adjust.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.adjust")
def wallet_adjust(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that moves units."""
    wallet, membership = get_wallet(pk)
    now = timezone.now()
    form = AdjustmentForm(request.POST or None, wallet_type=wallet.wallet_type)
    limit = adjustment_limit(request.user)
    effect = Effect(holdings([wallet], now)[wallet.pk].spendable)
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            effect = effect_of(wallet, form.cleaned_data["units"], limit, now)
        else:
            done = _adjust(request, form, wallet, membership)
            if done is not None:
                return done
    context = {
        "title": _("Adjust %s") % wallet.wallet_type.plural,
        "form": form,
        "wallet": wallet,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "effect": effect,
        "limit": None if limit is None else limit * 10**wallet.wallet_type.scale,
        "back": customer_url(membership.customer),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/wallet_adjust.html", context, status=status)


@require_safe
@staff_view("points.adjust")
def wallet_adjust_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the amount typed so far would do."""
    wallet, _membership = get_wallet(pk)
    now = timezone.now()
    try:
        units = read_units(
            request.GET.get("amount", "")[:32],
            wallet.wallet_type,
            direction=request.GET.get("direction", ""),
        )
        effect = effect_of(wallet, units, adjustment_limit(request.user), now)
    except forms.ValidationError as error:
        before = holdings([wallet], now)[wallet.pk].spendable
        typed = request.GET.get("amount", "").strip(" +-")
        effect = Effect(before, problem=str(error.messages[0]) if typed else "")
    context = {"wallet_type": wallet.wallet_type, "effect": effect}
    return render(request, "loyalty/backoffice/wallet_adjust_effect.html", context)


def _adjust(
    request: HttpRequest, form: AdjustmentForm, wallet: Wallet, membership: Membership
) -> HttpResponse | None:
    """Move the units and end the dialog; None when the form now says why that was refused."""
    data = form.cleaned_data
    now = timezone.now()
    try:
        transfer, _replayed = adjust_units(
            wallet=wallet,
            units=data["units"],
            reason=data["reason"],
            note=data["note"],
            actor=acting(request),
            key=f"backoffice:{data['key']}",
            source=Transfer.Source.BACKOFFICE.value,
            now=now,
            whole_limit=adjustment_limit(request.user),
        )
    except KeyReusedError:
        # The form had moved units already and came back changed: say so, and start afresh.
        form.renew("key", str(uuid.uuid4()))
        form.add_error(
            None,
            _("This form was already sent once. Look at the balance below; "
              "if you want to move more, confirm again."),
        )  # fmt: skip
        return None
    except DomainError as error:
        _add_refusal(form, wallet, data["units"], adjustment_limit(request.user), error)
        return None
    wallet.refresh_from_db()
    after = holdings([wallet], now)[wallet.pk].spendable
    return dialog_done(
        request,
        url=customer_url(membership.customer),
        changed="wallet",
        message=_done_text(transfer, wallet, membership, after),
        undo_url=reverse("loyalty_backoffice:transfer_undo", args=[transfer.pk]),
    )


def _add_refusal(
    form: AdjustmentForm, wallet: Wallet, units: int, limit: int | None, error: DomainError
) -> None:
    if isinstance(error, InsufficientBalanceError):
        form.add_error("amount", insufficient_text(wallet, error))
    elif isinstance(error, LedgerError) and error.code == "limit_exceeded":
        form.add_error("amount", limit_problem(wallet, units, limit))
    else:
        form.add_error(None, str(error.message))


def _done_text(transfer: Transfer, wallet: Wallet, membership: Membership, after: int) -> str:
    words = {
        "units": format_units(transfer.amount, wallet.wallet_type),
        "customer": str(membership.customer),
        "after": format_units(after, wallet.wallet_type),
    }
    if transfer.signed_amount > 0:
        return _("Added %(units)s for %(customer)s: now %(after)s.") % words
    return _("Took %(units)s from %(customer)s: now %(after)s.") % words
