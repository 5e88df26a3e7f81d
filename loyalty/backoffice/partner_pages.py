"""What the pages of staff and of a partner's own people show of a partner: the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from loyalty.models import Order, Partner, PartnerSettlement, Transfer
from loyalty.selectors.goals import today_of
from loyalty.selectors.partner_statements import (
    closed_statement,
    running_statement,
    settlements_of,
)
from loyalty.selectors.partners import partners
from members.csv_files import csv_response
from members.file_cells import harmless
from members.paging import Page, paginate

HEADER = (
    "day", "movement", "order", "kind", "wallet_type", "units", "corrects", "settlement",
)  # fmt: skip
LATEST = 10
MONTHS = 24


def partner_context(partner: Partner, today: dt.date) -> dict[str, Any]:
    """Its rates, what is not settled, and the months that are."""
    running = running_statement(partner, today)
    return {
        "partner": partner,
        "program": partner.account.program,
        "title": partner.account.name,
        "running": running,
        "settlements": settlements_of(partner)[:MONTHS],
        "rates": list(partner.rates.all()),
    }


def settlement_context(settlement: PartnerSettlement) -> dict[str, Any]:
    statement = closed_statement(settlement)
    return {
        "settlement": settlement,
        "partner": settlement.partner,
        "program": settlement.partner.account.program,
        "statement": statement,
        "owed": abs(settlement.net),
    }


def settlements() -> QuerySet[PartnerSettlement]:
    return PartnerSettlement.objects.select_related("partner__account__program")


def partner_orders(request: HttpRequest, partner: Partner) -> Page[Order]:
    """What was sold there, the newest first."""
    found = Order.objects.filter(partner=partner).select_related("customer")
    orderings = {"": ("-placed_at", "-pk")}
    return paginate(found, request=request, orderings=orderings, default="", per_page=LATEST)


def settlement_file(settlement: PartnerSettlement) -> HttpResponse:
    """Every movement that it holds, without anybody's name."""
    code = settlement.partner.code
    rows = _rows(settlement)
    return csv_response(f"settlement-{code}-{settlement.number}.csv", chain([HEADER], rows))


def partner_today(partner: Partner) -> dt.date:
    return today_of(partner.account.program, timezone.now())


def live_partner(pk: int | None) -> Partner | None:
    return partners().filter(pk=pk).first() if pk is not None else None


def _rows(settlement: PartnerSettlement) -> Iterator[list[str]]:
    found = Transfer.objects.filter(settled__settlement=settlement).select_related(
        "wallet_type", "order", "corrects", "reverses"
    )  # fmt: skip
    for transfer in found.order_by("booked_on", "pk").iterator(chunk_size=2_000):
        origin = transfer.reverses or transfer.corrects or transfer
        taken_in = origin.kind == Transfer.Kind.REDEMPTION
        sign = 1 if (transfer.from_account_id == settlement.partner_id) != taken_in else -1
        units = Decimal(sign * transfer.amount).scaleb(-transfer.wallet_type.scale)
        yield [
            transfer.booked_on.isoformat(), str(transfer.pk),
            harmless(transfer.order.external_id if transfer.order else ""),
            "taken_in" if taken_in else "issued", transfer.wallet_type.code, str(units),
            "yes" if origin.booked_on < settlement.since else "no", str(settlement.number),
        ]  # fmt: skip
