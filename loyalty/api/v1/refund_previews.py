"""/refunds/preview: what a refund would take back, before it is made."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.order_bodies import RefundIn, known_people, refund_input
from loyalty.api.v1.order_outputs import GivenBackOut, given_back_out
from loyalty.api.v1.transfers import ExplanationOut
from loyalty.explanations import explain_transfer
from loyalty.ledger.balances import Holding
from loyalty.models import Membership, Transfer
from loyalty.services.refund_previews import RefundPreview, WalletEffect, preview_refund
from members.api.bodies import Answer, answer, read_body
from members.api.views import ApiView


class HoldingOut(Answer):
    """What a wallet holds."""

    spendable: Units
    pending: Units
    owed: Units


class MovementOut(Answer):
    """A movement that would be made."""

    kind: Transfer.Kind
    units: Units = Field(description="Below zero where units would leave the wallet.")
    explanation: ExplanationOut


class WalletEffectOut(Answer):
    """One wallet before and after."""

    membership: UUID
    program: str
    wallet_type: str
    decimals: int
    before: HoldingOut
    after: HoldingOut
    movements: list[MovementOut]


class RefundPreviewOut(Answer):
    known: bool = Field(
        description="A refund with this number was recorded already; it would change nothing."
    )
    parked: bool = Field(description="Its order has not come yet, so the refund would wait.")
    given_back: GivenBackOut
    wallets: list[WalletEffectOut] = Field(description="Those that would change.")


class RefundPreviews(ApiView):
    scopes = {"POST": "orders:read"}

    @extend_schema(
        operation_id="previewRefund", request=RefundIn, responses={200: RefundPreviewOut}
    )
    def post(self, request: Request) -> HttpResponse:
        """Say what a refund would take back, without recording it: nothing is written."""
        body = read_body(request, RefundIn)
        people = known_people([("customer", body.customer)])
        preview = preview_refund(refund_input(body, people), now=timezone.now())
        return answer(_preview_out(preview))


def _preview_out(preview: RefundPreview) -> RefundPreviewOut:
    # An order counts in all programs; of others than its own a limited key is told nothing.
    accounts = [effect.wallet.account_id for effect in preview.effects]
    members = dict(
        Membership.objects.filter(account__in=accounts).values_list("account", "public_id")
    )
    return RefundPreviewOut(
        known=preview.known,
        parked=preview.parked,
        given_back=given_back_out(preview.given_back),
        wallets=[
            _effect_out(effect, members[effect.wallet.account_id])
            for effect in preview.effects
            if effect.wallet.account_id in members
        ],
    )


def _effect_out(effect: WalletEffect, membership: UUID) -> WalletEffectOut:
    wallet_type = effect.wallet.wallet_type
    return WalletEffectOut(
        membership=membership,
        program=wallet_type.program.code,
        wallet_type=wallet_type.code,
        decimals=wallet_type.scale,
        before=_holding_out(effect.before, wallet_type.scale),
        after=_holding_out(effect.after, wallet_type.scale),
        movements=[_movement_out(transfer) for transfer in effect.movements],
    )


def _holding_out(held: Holding, scale: int) -> HoldingOut:
    return HoldingOut(
        spendable=units_text(held.spendable, scale),
        pending=units_text(held.pending, scale),
        owed=units_text(held.owed, scale),
    )


def _movement_out(transfer: Transfer) -> MovementOut:
    explanation = explain_transfer(transfer)
    return MovementOut(
        kind=Transfer.Kind(transfer.kind),
        units=units_text(transfer.signed_amount, transfer.wallet_type.scale),
        explanation=ExplanationOut(title=explanation.title, steps=list(explanation.steps)),
    )
