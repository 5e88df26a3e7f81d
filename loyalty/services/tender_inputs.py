"""How orders were paid, as their messages say it: by kind, and with units that are to be spent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import Tender
from loyalty.rules.facts import ZERO
from members.errors import FieldError


@dataclass(frozen=True, slots=True)
class TenderInput:
    """What was paid in a way. `units`, whole ones, of a `wallet_type` are spent with the order;
    without them it is only told that units paid so much. `program`: whose, where several have such
    units."""

    kind: str
    amount: Decimal
    units: Decimal | None = None
    wallet_type: str = ""
    program: str = ""


def paid_by_kind(tenders: Iterable[TenderInput]) -> dict[str, Decimal]:
    """Two gift cards paid as much as one; what paid nothing is left out."""
    paid: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for tender in tenders:
        paid[tender.kind] += tender.amount
    return {kind: amount for kind, amount in paid.items() if amount}


def paid_with(tenders: Iterable[TenderInput], kind: str) -> Decimal:
    return sum((tender.amount for tender in tenders if tender.kind == kind), ZERO)


def with_prepaid(
    tenders: tuple[TenderInput, ...], prepaid: Decimal, total: Decimal
) -> tuple[TenderInput, ...]:
    """The tenders, with what units had paid before. Where they do not say it, it is a part of what
    they call money, or of the rest."""
    missing = prepaid - paid_with(tenders, Tender.Kind.UNITS)
    if missing <= 0:
        return tenders
    found = [TenderInput(Tender.Kind.UNITS, missing)]
    others = tenders or (TenderInput(Tender.Kind.MONEY, total),)
    for tender in sorted(others, key=lambda item: item.kind != Tender.Kind.MONEY):
        part = min(missing, tender.amount) if tender.kind != Tender.Kind.UNITS else ZERO
        missing -= part
        if tender.amount > part:
            found.append(replace(tender, amount=tender.amount - part))
    return tuple(found)


def wrong_units(tenders: Sequence[TenderInput]) -> Iterable[FieldError]:
    """Units that are spent with the order: each kind once."""
    seen: set[tuple[str, str]] = set()
    for tender in tenders:
        if tender.units is None:
            continue
        if tender.kind != Tender.Kind.UNITS or not tender.wallet_type or tender.units <= 0:
            message = _("Units above zero of a wallet type are spent with a tender of that kind.")
            yield FieldError("tenders", message)
        if (tender.program, tender.wallet_type) in seen:
            message = _("%s is there twice.") % tender.wallet_type
            yield FieldError("tenders", message, "duplicate")
        seen.add((tender.program, tender.wallet_type))
