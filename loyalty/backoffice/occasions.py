"""What was given for birthdays and anniversaries, why not, and taking it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.adjustments import get_wallet
from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.backoffice.movements import movement_rows
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.backoffice.rehearsed_dialogs import RehearsedDialog, answer_dialog
from loyalty.models import Transfer
from loyalty.occasion_verdicts import all_verdicts
from loyalty.selectors.memberships import current_wallet
from loyalty.selectors.transfers import transfers
from loyalty.services.occasion_reversals import is_of_occasion, undo_occasion
from loyalty.services.rehearsals import rehearse
from members.formatting import format_units
from members.forms import posted
from members.models import Customer
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.services.audit import SYSTEM

SOURCE = Transfer.Source.BACKOFFICE


@require_safe
@staff_view("customers.view")
def occasion_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Of each rule and reward for a day of the year one sentence to read out."""
    customer = get_object_or_404(Customer, public_id=public_id)
    context = {
        "customer": customer,
        "title": _("Birthday and anniversaries"),
        "panel_id": "occasions",
        "panel_icon": "cake",
        "panel_refresh": "customer-changed wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "verdicts": all_verdicts(customer, timezone.now()),
    }
    return render(request, "loyalty/backoffice/occasion_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("activities.decide")
def occasion_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that takes a gift for a day of the year back, and asks why."""
    transfer = get_object_or_404(transfers().filter(kind=Transfer.Kind.ACCRUAL), pk=pk)
    if not is_of_occasion(transfer):
        raise Http404
    wallet, membership = get_wallet(current_wallet(transfer.wallet).pk)
    row = movement_rows([transfer], request.user)[0]
    back = customer_url(membership.customer)

    def look(_values: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()

        def write() -> None:
            undo_occasion(transfer=transfer, actor=SYSTEM, source=SOURCE, now=now)

        _none, [effect] = rehearse(write, wallets=[wallet.pk], now=now)
        return {"effect": effect}

    def act(values: dict[str, Any]) -> HttpResponse:
        made, _replayed = undo_occasion(
            transfer=transfer, actor=acting(request), source=SOURCE, now=timezone.now(),
            note=values["reason"],
        )  # fmt: skip
        message = _("%(units)s were taken back from %(customer)s.") % {
            "units": format_units(made.amount, wallet.wallet_type),
            "customer": membership.customer,
        }
        return dialog_done(request, url=back, changed="wallet", message=message)

    dialog = RehearsedDialog(
        title=_("Take this back?"),
        verb=_("Take back"),
        template="loyalty/backoffice/occasion_undo.html",
        effect="loyalty/backoffice/occasion_undo_effect.html",
        back=back,
        start={},
        look=look,
        act=act,
    )
    context = {
        "row": row,
        "blocked": _("This was taken back already.") if row.undone else "",
        "wallet_type": wallet.wallet_type,
        "membership": membership,
    }
    return answer_dialog(request, ReasonForm(posted(request)), dialog, context)
