"""How orders were paid, as their messages say it: by kind, and with units that are to be spent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.errors import OrderConflictError
from loyalty.models import Tender, WalletType
from loyalty.rules.facts import ZERO
from members.errors import FieldError
from members.formatting import format_money

# The kinds of what the ledger holds.
SPENT = (Tender.Kind.UNITS, Tender.Kind.STORED_VALUE)


@dataclass(frozen=True, slots=True)
class TenderInput:
    """What was paid in a way. `units`, whole ones, of a `wallet_type` are spent with the order;
    without them it is only told that they paid so much. `program`: whose, where several have such
    units."""

    kind: str
    amount: Decimal
    units: Decimal | None = None
    wallet_type: str = ""
    program: str = ""


def tender_kind(wallet_type: WalletType) -> str:
    """As what these units pay."""
    return Tender.Kind.STORED_VALUE if wallet_type.stored_value else Tender.Kind.UNITS


def paid_by_kind(tenders: Iterable[TenderInput]) -> dict[str, Decimal]:
    """Two gift cards paid as much as one; what paid nothing is left out."""
    paid: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for tender in tenders:
        paid[tender.kind] += tender.amount
    return {kind: amount for kind, amount in paid.items() if amount}


def paid_with(tenders: Iterable[TenderInput], kind: str) -> Decimal:
    return sum((tender.amount for tender in tenders if tender.kind == kind), ZERO)


def with_prepaid(
    tenders: tuple[TenderInput, ...], prepaid: Iterable[TenderInput], total: Decimal
) -> tuple[TenderInput, ...]:
    """The tenders, with what units and stored value had paid before. Where they do not say it, it
    is a part of what they call money, or of the rest."""
    before = paid_by_kind(prepaid)
    found = [
        TenderInput(kind, amount - told)
        for kind, amount in before.items()
        if (told := paid_with(tenders, kind)) < amount
    ]
    missing = sum((tender.amount for tender in found), ZERO)
    if not missing:
        return tenders
    others = tenders or (TenderInput(Tender.Kind.MONEY, total),)
    for tender in sorted(others, key=lambda item: item.kind != Tender.Kind.MONEY):
        stays = tender.kind in before or tender.units is not None
        part = ZERO if stays else min(missing, tender.amount)
        missing -= part
        if tender.amount > part:
            found.append(replace(tender, amount=tender.amount - part))
    return tuple(found)


def refuse_overpaid(
    paid: Iterable[TenderInput], total: Decimal, number: str, currency: str
) -> None:
    """Raise OrderConflictError where more was paid for an order before than it costs."""
    before = sum((tender.amount for tender in paid), ZERO)
    if before > total:
        words = {"number": number, "paid": format_money(before, currency)}
        least = _("At least this. To take less, cancel its checkout first, or refund a part of it.")
        raise OrderConflictError(
            _("Units and gift cards have paid %(paid)s of order %(number)s.") % words,
            errors=[FieldError("total", least, "below_paid")],
        )


def wrong_units(tenders: Sequence[TenderInput]) -> Iterable[FieldError]:
    """Units that are spent with the order: each kind once."""
    seen: set[tuple[str, str]] = set()
    for tender in tenders:
        if tender.units is None:
            continue
        if tender.kind not in SPENT or not tender.wallet_type or tender.units <= 0:
            message = _("Units above zero of a wallet type are spent with a tender of that kind.")
            yield FieldError("tenders", message)
        if (tender.program, tender.wallet_type) in seen:
            message = _("%s is there twice.") % tender.wallet_type
            yield FieldError("tenders", message, "duplicate")
        seen.add((tender.program, tender.wallet_type))
