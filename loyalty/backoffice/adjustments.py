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

from loyalty.backoffice.adjustment_forms import AdjustmentForm
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.reach import Reach, reach_of
from loyalty.errors import InsufficientBalanceError, KeyReusedError
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.adjustment_reasons import usable_reasons
from loyalty.selectors.balances import balances_of
from loyalty.selectors.memberships import current_wallet, list_memberships
from loyalty.services.adjustments import preview_adjustment
from loyalty.services.staff_adjustments import adjust_as_staff
from loyalty.unit_input import read_units
from members.errors import DomainError
from members.formatting import format_number, format_units
from members.models import Customer
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done


@dataclass(frozen=True, slots=True)
class Effect:
    """What can be spent before and after, or why it cannot be done. `asks`: somebody else would
    have to approve it."""

    before: int
    after: int | None = None
    units: int = 0
    problem: str = ""
    asks: bool = False


def effect_of(wallet: Wallet, units: int, reach: Reach, now: dt.datetime) -> Effect:
    """What moving these units would do, without doing it."""
    before = holdings([wallet], now)[wallet.pk].spendable
    problem = reach.problem(wallet.wallet_type, units)
    if problem:
        return Effect(before, problem=problem)
    try:
        after = preview_adjustment(wallet=wallet, units=units, now=now).after
    except InsufficientBalanceError as error:
        return Effect(before, problem=insufficient_text(wallet, error))
    return Effect(before, after, units, asks=reach.asks(wallet.wallet_type, units))


def insufficient_text(wallet: Wallet, error: InsufficientBalanceError) -> str:
    if error.spendable == 0:
        return _("There is nothing that could be taken away.")
    return _("Only %s can be taken away.") % format_units(error.spendable, wallet.wallet_type)


def get_wallet(pk: int) -> tuple[Wallet, Membership]:
    """A member's wallet with its owner, or 404; for a merged one the one that counts."""
    found = get_object_or_404(Wallet.objects.select_related("wallet_type__program"), pk=pk)
    wallet = current_wallet(found)
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
    reach = reach_of(request, membership.program, now)
    form = AdjustmentForm(
        request.POST or None,
        wallet_type=wallet.wallet_type,
        reasons=usable_reasons(reach.role),
    )
    effect = Effect(holdings([wallet], now)[wallet.pk].spendable)
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            effect = effect_of(wallet, form.cleaned_data["units"], reach, now)
        else:
            done = _adjust(request, form, wallet, membership, reach)
            if done is not None:
                return done
    context = {
        "title": _("Adjust %s") % wallet.wallet_type.plural,
        "form": form,
        "wallet": wallet,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "effect": effect,
        "limits": _limits_text(reach, wallet),
        "back": customer_url(membership.customer),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/wallet_adjust.html", context, status=status)


@require_safe
@staff_view("points.adjust")
def wallet_adjust_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the amount typed so far would do."""
    wallet, membership = get_wallet(pk)
    now = timezone.now()
    try:
        units = read_units(
            request.GET.get("amount", "")[:32],
            wallet.wallet_type,
            direction=request.GET.get("direction", ""),
        )
        effect = effect_of(wallet, units, reach_of(request, membership.program, now), now)
    except forms.ValidationError as error:
        before = holdings([wallet], now)[wallet.pk].spendable
        typed = request.GET.get("amount", "").strip(" +-")
        effect = Effect(before, problem=str(error.messages[0]) if typed else "")
    context = {"wallet_type": wallet.wallet_type, "effect": effect}
    return render(request, "loyalty/backoffice/wallet_adjust_effect.html", context)


def _adjust(
    request: HttpRequest,
    form: AdjustmentForm,
    wallet: Wallet,
    membership: Membership,
    reach: Reach,
) -> HttpResponse | None:
    """Move the units and end the dialog; None when the form now says why that was refused."""
    data = form.cleaned_data
    now = timezone.now()
    try:
        outcome = adjust_as_staff(
            wallet=wallet,
            units=data["units"],
            reason=data["reason"],
            note=data["note"],
            actor=acting(request),
            key=f"backoffice:{data['key']}",
            now=now,
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
        _add_refusal(form, wallet, data["units"], reach, error)
        return None
    back = customer_url(membership.customer)
    if outcome.transfer is None:
        asked = _asked_text(wallet, membership, data["units"])
        return dialog_done(request, url=back, changed="wallet", message=asked)
    wallet.refresh_from_db()
    after = holdings([wallet], now)[wallet.pk].spendable
    return dialog_done(
        request,
        url=back,
        changed="wallet",
        message=_done_text(outcome.transfer, wallet, membership, after),
        undo_url=reverse("loyalty_backoffice:transfer_undo", args=[outcome.transfer.pk]),
    )


def _add_refusal(
    form: AdjustmentForm, wallet: Wallet, units: int, reach: Reach, error: DomainError
) -> None:
    if isinstance(error, InsufficientBalanceError):
        form.add_error("amount", insufficient_text(wallet, error))
    elif error.code in {"limit_exceeded", "day_limit_exceeded"}:
        form.add_error("amount", reach.problem(wallet.wallet_type, units) or str(error.message))
    elif error.errors and error.errors[0].field in form.fields:
        form.add_error(error.errors[0].field, str(error.errors[0].message))
    else:
        form.add_error(None, str(error.message))


def _limits_text(reach: Reach, wallet: Wallet) -> str:
    """How far this person may go, in one line; nothing where there is no limit."""
    limits, plural = reach.limits, wallet.wallet_type.plural
    parts = []
    if limits.most_at_once is not None:
        words = {"limit": format_number(limits.most_at_once), "plural": plural}
        parts.append(_("you may move at most %(limit)s %(plural)s at once") % words)
    if reach.room is not None:
        parts.append(_("%(room)s more today") % {"room": format_number(reach.room)})
    if limits.approval_above is not None:
        words = {"limit": format_number(limits.approval_above)}
        parts.append(_("above %(limit)s somebody else approves") % words)
    return ", ".join(parts)


def _asked_text(wallet: Wallet, membership: Membership, units: int) -> str:
    return _("%(units)s for %(customer)s wait until somebody else approves them.") % {
        "units": format_units(units, wallet.wallet_type, sign=True),
        "customer": membership.customer,
    }


def _done_text(transfer: Transfer, wallet: Wallet, membership: Membership, after: int) -> str:
    words = {
        "units": format_units(transfer.amount, wallet.wallet_type),
        "customer": str(membership.customer),
        "after": format_units(after, wallet.wallet_type),
    }
    if transfer.signed_amount > 0:
        return _("Added %(units)s for %(customer)s: now %(after)s.") % words
    return _("Took %(units)s from %(customer)s: now %(after)s.") % words
