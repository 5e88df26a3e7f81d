"""Redeeming for a member: how many of their units, and what they pay for; the effect is shown
first."""

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
from loyalty.backoffice.reason_forms import UnitsForm
from loyalty.backoffice.rehearsed_dialogs import RehearsedDialog, answer_dialog
from loyalty.descriptions import describe_spending
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Order, Transfer, Wallet
from loyalty.selectors.programs import spending_of
from loyalty.selectors.rulebooks import spending_terms
from loyalty.services.redemptions import redeem_for_member, redeem_units
from loyalty.services.rehearsals import rehearse
from members.formatting import format_day, format_money, format_units
from members.forms import posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.services.audit import SYSTEM

LATEST = 20


class OrderField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of some orders, with what it came to and when."""

    def label_from_instance(self, obj: Order) -> str:
        return " · ".join(
            (obj.external_id, format_money(obj.total, obj.currency), format_day(obj.placed_at))
        )


class RedemptionForm(UnitsForm):
    """How many, and for which of the member's latest orders."""

    order = OrderField(
        label=gettext_lazy("Which order do they pay for?"),
        queryset=Order.objects.none(),
        required=False,
        empty_label=gettext_lazy("None: a reward"),
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["order"]
        assert isinstance(field, OrderField)
        field.queryset = orders_to_pay(membership)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("points.adjust")
def wallet_redeem(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that spends a member's units for them."""
    wallet, membership = get_wallet(pk)
    wallet_type = wallet.wallet_type
    spendable = holdings([wallet], timezone.now())[wallet.pk].spendable
    most = spending_terms(wallet_type).most(spendable)
    back = customer_url(membership.customer)

    def act(values: dict[str, Any]) -> HttpResponse:
        made = redeem_for_member(
            wallet=wallet,
            membership=membership,
            units=values["units"],
            order=values["order"],
            actor=acting(request),
            key=f"backoffice:{values['key']}",
            now=timezone.now(),
            note=values["reason"],
        )
        words = {
            "customer": membership.customer,
            "units": format_units(made.amount, made.wallet_type),
        }
        message = _("%(customer)s redeemed %(units)s.") % words
        return dialog_done(request, url=back, changed="wallet", message=message)

    dialog = RehearsedDialog(
        title=_("Redeem %s") % wallet_type.plural,
        verb=_("Redeem"),
        template="loyalty/backoffice/wallet_redeem.html",
        effect="loyalty/backoffice/wallet_redeem_effect.html",
        back=back,
        start={"units": most, "order": None},
        look=lambda values: _look(wallet, values["units"], values.get("order")),
        act=act,
    )
    form = RedemptionForm(
        posted(request), wallet_type=wallet_type, units_left=most, membership=membership
    )
    words = format_units(spendable, wallet_type)
    context = {
        "blocked": "" if most else _("Nothing can be redeemed yet: there are %s.") % words,
        "terms": describe_spending(spending_of(wallet_type), wallet_type),
        "wallet_type": wallet_type,
        "membership": membership,
    }
    return answer_dialog(request, form, dialog, context)


def orders_to_pay(membership: Membership) -> Any:
    """The member's latest orders in the program's currency that are not void."""
    found = Order.objects.filter(
        customer=membership.customer_id, currency=membership.program.currency
    ).exclude(status__in=Order.VOID)
    latest = found.order_by("-placed_at", "-pk").values("pk")[:LATEST]
    return Order.objects.filter(pk__in=latest).order_by("-placed_at", "-pk")


def _look(wallet: Wallet, units: int, order: Order | None) -> dict[str, Any]:
    now = timezone.now()

    def write() -> None:
        redeem_units(
            wallet=wallet,
            units=units,
            key=f"rehearsal:redeem:{wallet.pk}",
            source=Transfer.Source.BACKOFFICE.value,
            actor=SYSTEM,
            now=now,
            order=order,
        )

    _none, [effect] = rehearse(write, wallets=[wallet.pk], now=now)
    return {"effect": effect}
