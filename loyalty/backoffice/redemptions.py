"""Undoing a redemption, as a whole or in part: what comes back is shown first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.adjustments import get_wallet
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.movements import movement_rows
from loyalty.backoffice.reach import Reach, reach_of
from loyalty.backoffice.reason_forms import UnitsForm
from loyalty.backoffice.rehearsed_dialogs import RehearsedDialog, answer_dialog
from loyalty.errors import LedgerError
from loyalty.models import Transfer, Wallet
from loyalty.selectors.transfers import transfers
from loyalty.services.redemptions import reverse_redemption, units_left
from loyalty.services.rehearsals import Rehearsal, rehearse
from loyalty.services.staff_adjustments import give_back_as_staff
from members.formatting import format_units
from members.forms import posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.services.audit import SYSTEM


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.adjust")
def redemption_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that gives units back that were spent."""
    transfer = get_object_or_404(transfers().filter(kind=Transfer.Kind.REDEMPTION), pk=pk)
    wallet, membership = get_wallet(transfer.wallet_id)
    left = units_left(transfer)
    reach = reach_of(request, membership.program, timezone.now())
    back = customer_url(membership.customer)

    def look(values: dict[str, Any]) -> dict[str, Any]:
        _check(reach, wallet, values["units"])
        return _look(transfer, values["units"])

    def act(values: dict[str, Any]) -> HttpResponse:
        made, _replayed = give_back_as_staff(
            transfer=transfer,
            units=values["units"],
            actor=acting(request),
            key=f"backoffice:{values['key']}",
            now=timezone.now(),
            note=values["reason"],
        )
        words = {
            "customer": membership.customer,
            "units": format_units(made.amount, wallet.wallet_type),
        }
        message = _("%(customer)s got %(units)s back.") % words
        return dialog_done(request, url=back, changed="wallet", message=message)

    dialog = RehearsedDialog(
        title=_("Undo this redemption?"),
        verb=_("Give back"),
        template="loyalty/backoffice/redemption_undo.html",
        effect="loyalty/backoffice/redemption_undo_effect.html",
        back=back,
        start={"units": left},
        look=look,
        act=act,
    )
    form = UnitsForm(posted(request), wallet_type=wallet.wallet_type, units_left=left)
    context = {
        "row": movement_rows([transfer], request.user)[0],
        "blocked": "" if left else _("All of it has come back already."),
        "wallet_type": wallet.wallet_type,
        "membership": membership,
    }
    return answer_dialog(request, form, dialog, context)


def _check(reach: Reach, wallet: Wallet, units: int) -> None:
    """Undoing asks nobody, however much it is."""
    alone = replace(reach, limits=replace(reach.limits, approval_above=None))
    problem = alone.problem(wallet.wallet_type, units)
    if problem:
        raise LedgerError(problem, code="limit_exceeded")


def _look(transfer: Transfer, units: int) -> dict[str, Any]:
    now = timezone.now()

    def write() -> None:
        reverse_redemption(
            transfer=transfer,
            units=units,
            key=f"rehearsal:{transfer.pk}",
            source=Transfer.Source.BACKOFFICE,
            actor=SYSTEM,
            now=now,
        )

    _none, [effect] = rehearse(write, wallets=[transfer.wallet_id], now=now)
    return {"effect": effect, "gone": units - _arrived(effect)}


def _arrived(effect: Rehearsal) -> int:
    """How many units are there that were not there before; what has expired meanwhile is not."""
    before, after = effect.before, effect.after
    return (
        after.balance + after.pending - after.owed - (before.balance + before.pending - before.owed)
    )
