"""/lots/{id}/extension and /transfers/{id}/reinstatement: more time for units, or time again."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import UnitsAboveZero, parse_units
from loyalty.api.v1.balances import LotOut, lot_out
from loyalty.api.v1.transfers import (
    LARGEST_ID,
    Note,
    TransferOut,
    ledger_key,
    listed_transfer,
    transfer_out,
)
from loyalty.ledger.past import held_lots_then
from loyalty.models import Lot, Program, Transfer
from loyalty.rules.calendar import end_of_day
from loyalty.selectors.past_balances import with_origins
from loyalty.services.lots import extend_lot, reinstate_units
from members.api.bodies import Body, DayOrInstant, answer, read_body
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.errors import NotFoundError


class ExtensionIn(Body):
    until: DayOrInstant = Field(
        description="The last day of use in the program's time zone, or the instant from which on"
        " they are gone; later than before."
    )
    note: Note = Field("", description="For the merchant's staff; the member does not see it.")


class ReinstatementIn(ExtensionIn):
    units: UnitsAboveZero


class LotExtension(ApiView):
    scopes = {"POST": "transfers:write"}

    @extend_schema(operation_id="extendLot", request=ExtensionIn, responses={200: LotOut})
    @idempotent()
    def post(self, request: Request, lot_id: int) -> HttpResponse:
        """Let what is left of a lot last longer. Units that expire by inactivity expire together,
        so all of the wallet's get more time. Repeating it changes nothing."""
        body = read_body(request, ExtensionIn)
        lot = _lot(lot_id)
        now = timezone.now()
        extend_lot(
            lot=lot,
            until=_instant(body.until, lot.wallet.wallet_type.program),
            actor=self.actor,
            note=body.note,
            now=now,
        )
        held = [item for item in held_lots_then([lot.wallet_id], now) if item.lot_id == lot.pk]
        [shown] = with_origins(held)
        return answer(lot_out(shown, lot.wallet.wallet_type))


class Reinstatement(ApiView):
    scopes = {"POST": "transfers:write"}

    @extend_schema(operation_id="reinstate", request=ReinstatementIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request, transfer_id: int) -> HttpResponse:
        """Bring units back that an expiry took, with time to use them."""
        body = read_body(request, ReinstatementIn)
        transfer = listed_transfer(transfer_id)
        made, _replayed = reinstate_units(
            transfer=transfer,
            units=parse_units(body.units, transfer.wallet_type),
            until=_instant(body.until, transfer.wallet_type.program),
            actor=self.actor,
            note=body.note,
            key=ledger_key(self, request),
            source=Transfer.Source.API,
            now=timezone.now(),
        )
        return answer(transfer_out(listed_transfer(made.pk)), HTTPStatus.CREATED)


def _instant(until: dt.date | dt.datetime, program: Program) -> dt.datetime:
    return until if isinstance(until, dt.datetime) else end_of_day(until, program.zone)


def _lot(lot_id: int) -> Lot:
    found = None
    if lot_id <= LARGEST_ID:
        lots = Lot.objects.select_related("wallet__wallet_type__program")
        # Only what `listLots` shows has a number here.
        found = lots.filter(pk=lot_id, wallet__account__membership__isnull=False).first()
    if found is None:
        raise NotFoundError(_("There is no such lot."))
    return found
