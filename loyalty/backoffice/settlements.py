"""Settling what a member owes: forgiven, or taken from the balance; the effect first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.adjustments import get_wallet
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.reason_forms import KeyedForm
from loyalty.backoffice.rehearsed_dialogs import RehearsedDialog, answer_dialog
from loyalty.ledger.balances import holdings
from loyalty.models import Transfer, Wallet
from loyalty.services.lots import settle_debt
from loyalty.services.rehearsals import rehearse
from members.formatting import format_units
from members.forms import posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.services.audit import SYSTEM


class SettlementForm(KeyedForm):
    """In which way all of it is settled."""

    way = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=[
            ("write_off", gettext_lazy("Write it off: nobody repays it")),
            ("repay", gettext_lazy("Take it from the balance")),
        ],
        widget=forms.RadioSelect,
        initial="write_off",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("debts.settle")
def wallet_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that settles what a wallet owes."""
    wallet, membership = get_wallet(pk)
    back = customer_url(membership.customer)
    held = holdings([wallet], timezone.now())[wallet.pk]

    def look(values: dict[str, Any]) -> dict[str, Any]:
        return _look(wallet, values["way"])

    def act(values: dict[str, Any]) -> HttpResponse:
        made = settle_debt(
            wallet=wallet,
            way=values["way"],
            actor=acting(request),
            note=values["reason"],
            key=f"backoffice:{values['key']}",
            source=Transfer.Source.BACKOFFICE,
            now=timezone.now(),
        )
        words = {
            "customer": membership.customer,
            "units": format_units(made.amount, wallet.wallet_type),
        }
        message = _("%(customer)s owes nothing any more: %(units)s were settled.") % words
        return dialog_done(request, url=back, changed="wallet", message=message)

    dialog = RehearsedDialog(
        title=_("Settle what is owed"),
        verb=_("Settle"),
        template="loyalty/backoffice/wallet_settle.html",
        effect="loyalty/backoffice/wallet_settle_effect.html",
        back=back,
        start={"way": "write_off"},
        look=look,
        act=act,
    )
    context = {
        "held": held,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "blocked": "" if held.owed or request.method == "POST" else _("Nothing is owed."),
    }
    return answer_dialog(request, SettlementForm(posted(request)), dialog, context)


def _look(wallet: Wallet, way: str) -> dict[str, Any]:
    now = timezone.now()

    def write() -> None:
        settle_debt(
            wallet=wallet,
            way=way,
            actor=SYSTEM,
            note="",
            key=f"rehearsal:{wallet.pk}",
            source=Transfer.Source.BACKOFFICE,
            now=now,
        )

    _none, [effect] = rehearse(write, wallets=[wallet.pk], now=now)
    return {"effect": effect, "way": way}
