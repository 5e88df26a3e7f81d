"""Undoing an adjustment: what would be left is shown first, and what was spent is explained."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.adjustments import Effect, effect_of, get_wallet
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.movements import MovementRow, movement_rows
from loyalty.backoffice.reach import Reach, reach_of
from loyalty.errors import LedgerError
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.transfers import transfers
from loyalty.services.staff_adjustments import undo_as_staff
from members.errors import ConflictError
from members.formatting import format_units
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.selectors.erased import refuse_erased


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.adjust")
def transfer_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that takes an adjustment back; only adjustments have this page."""
    transfer = get_object_or_404(transfers().filter(kind=Transfer.Kind.ADJUSTMENT), pk=pk)
    wallet, membership = get_wallet(transfer.wallet_id)
    row = movement_rows([transfer], request.user)[0]
    reach = _undoing(transfer, reach_of(request, membership.program, timezone.now()))
    problem, refused = "", False
    if row.undone:
        problem = _("This adjustment was undone already.")
    elif request.method == "POST":
        problem = _refused(transfer, membership, reach)
        if not problem:
            try:
                return _undo(request, transfer, wallet, membership)
            except LedgerError:
                pass  # What is left explains it.
            except ConflictError as error:
                problem = str(error.message)
        refused = True
    effect = _effect(transfer, wallet, reach, problem)
    context = _context(row, wallet, membership, effect)
    return render(
        request,
        "loyalty/backoffice/transfer_undo.html",
        context,
        status=422 if refused else 200,
    )


def _refused(transfer: Transfer, membership: Membership, reach: Reach) -> str:
    """Why it may not be undone, whatever is left of it."""
    try:
        refuse_erased(membership.customer)
    except ConflictError as error:
        return str(error.message)
    return reach.problem(transfer.wallet_type, transfer.amount)


def _undo(
    request: HttpRequest, transfer: Transfer, wallet: Wallet, membership: Membership
) -> HttpResponse:
    """Undo it and end the dialog. Raises as `undo_as_staff` does."""
    now = timezone.now()
    undo_as_staff(transfer=transfer, actor=acting(request), now=now)
    wallet.refresh_from_db()
    after = holdings([wallet], now)[wallet.pk].spendable
    return dialog_done(
        request,
        url=customer_url(membership.customer),
        changed="wallet",
        message=_("The adjustment was undone: %(customer)s now has %(after)s.")
        % {"customer": membership.customer, "after": format_units(after, wallet.wallet_type)},
    )


def _undoing(transfer: Transfer, reach: Reach) -> Reach:
    """Undoing asks nobody, and one's own movements are undone whatever was moved since."""
    own = transfer.actor_id == reach.user.pk
    limits = replace(reach.limits, approval_above=None)
    return replace(reach, limits=limits, room=None if own else reach.room)


def _effect(transfer: Transfer, wallet: Wallet, reach: Reach, problem: str) -> Effect:
    now = timezone.now()
    if problem:
        return Effect(holdings([wallet], now)[wallet.pk].spendable, problem=problem)
    effect = effect_of(wallet, -transfer.signed_amount, reach, now)
    if effect.problem and effect.before < transfer.signed_amount:
        return Effect(effect.before, problem=_spent_text(transfer, wallet, effect.before))
    return effect


def _spent_text(transfer: Transfer, wallet: Wallet, left: int) -> str:
    """Why a gift that was spent meanwhile cannot be taken back as a whole."""
    words = {
        "given": format_units(transfer.amount, wallet.wallet_type),
        "left": format_units(left, wallet.wallet_type),
    }
    if left == 0:
        return _("%(given)s were given, and nothing is left of the balance: they have been spent "
                 "or have expired, so they cannot be taken back.") % words  # fmt: skip
    return _("%(given)s were given, but only %(left)s are left to spend, so the adjustment cannot "
             "be undone as a whole. You can take away what is left instead.") % words  # fmt: skip


def _context(
    row: MovementRow, wallet: Wallet, membership: Membership, effect: Effect
) -> dict[str, object]:
    return {
        "title": _("Undo this adjustment?"),
        "row": row,
        "wallet": wallet,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "effect": effect,
        "back": customer_url(membership.customer),
    }
