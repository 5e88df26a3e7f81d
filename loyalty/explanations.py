"""Why a movement happened, in words: the recorded codes and numbers put into the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from babel.numbers import format_currency, format_decimal
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from loyalty.models import Transfer, WalletType
from loyalty.services.adjustments import REASONS

Audience = Literal["member", "staff"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A title ("Earned with order 4711") and the steps that led to the amount."""

    title: str
    steps: tuple[str, ...]


def explain_transfer(transfer: Transfer, *, audience: Audience = "member") -> Explanation:
    """Staff also read the rule version, the reason's note and who did it."""
    details = transfer.explanation
    steps = [
        _step(step, details.get("currency", ""), transfer.wallet_type)
        for step in details.get("steps", [])
    ]
    if transfer.kind == Transfer.Kind.CLAWBACK and "was" in details:
        steps.append(
            _("The order had earned %(was)s; what was kept deserves %(now)s.")
            % {
                "was": units_text(details["was"], transfer.wallet_type),
                "now": units_text(details["now"], transfer.wallet_type),
            }
        )
    if transfer.debt_change > 0:
        steps.append(
            _("%(units)s more than there were: owed, and repaid by what is earned next.")
            % {"units": units_text(transfer.debt_change, transfer.wallet_type)}
        )
    elif transfer.debt_change < 0:
        steps.append(
            _("%(units)s of it repaid what was owed.")
            % {"units": units_text(-transfer.debt_change, transfer.wallet_type)}
        )
    if audience == "staff":
        steps += _for_staff(transfer)
    return Explanation(_title(transfer), tuple(step for step in steps if step))


def units_text(units: int, wallet_type: WalletType) -> str:
    """ "1,250 Beans" in the reader's number format."""
    amount = Decimal(units).scaleb(-wallet_type.scale)
    name = wallet_type.singular if abs(amount) == 1 else wallet_type.plural
    return f"{format_decimal(amount, locale=_locale())} {name}"


def _title(transfer: Transfer) -> str:
    details = transfer.explanation
    order, refund = details.get("order"), details.get("refund")
    match transfer.kind:
        case Transfer.Kind.ACCRUAL:
            return _("Earned with order %s") % order if order else _("Earned")
        case Transfer.Kind.CLAWBACK if refund and order:
            return _("Taken back: refund %(refund)s of order %(order)s") % {
                "refund": refund,
                "order": order,
            }
        case Transfer.Kind.CLAWBACK if refund:
            return _("Taken back: return %s") % refund
        case Transfer.Kind.CLAWBACK:
            return _("Taken back: order %s changed") % order
        case Transfer.Kind.ADJUSTMENT:
            reason = REASONS.get(transfer.reason)
            return _("Adjusted: %s") % reason if reason else _("Adjusted")
        case Transfer.Kind.REVERSAL:
            return _("An adjustment was undone")
    return transfer.get_kind_display()


def _for_staff(transfer: Transfer) -> list[str]:
    details = transfer.explanation
    steps = []
    if "rule" in details:
        steps.append(
            _("Rule “%(rule)s”, version %(version)s.")
            % {"rule": details["rule"], "version": details["version"]}
        )
    if transfer.note:
        steps.append(_("Note: %s") % transfer.note)
    if transfer.actor_id:
        steps.append(_("By %s.") % transfer.actor)
    return steps


def _step(step: Sequence[str], currency: str, wallet_type: WalletType) -> str:
    code, *values = step
    money = lambda text: _money(text, currency)  # noqa: E731  (a word for the table below)
    match code:
        case "eligible":
            count, of = int(values[0]), int(values[1])
            if count == of:
                return ""
            return ngettext(
                "%(count)s of %(of)s line earns.", "%(count)s of %(of)s lines earn.", of
            ) % {"count": count, "of": of}
        case "goods":
            return _("Goods that earn: %s.") % money(values[0])
        case "quantity":
            return _("Quantity that earns: %s.") % _number(values[0])
        case "before_discounts":
            return _("Before discounts: plus %s.") % money(values[0])
        case "order_discount":
            return _("Share of the order's discount: %s.") % money(values[0])
        case "tax_out":
            return _("Without tax: %s.") % money(values[0])
        case "tax_in":
            return _("With tax: plus %s.") % money(values[0])
        case "shipping":
            return _("With shipping: plus %s.") % money(values[0])
        case "paid_in_kind":
            return _("Paid with points or gift cards: %s.") % money(values[0])
        case "rate":
            per = money(values[1]) if values[2] == "money" else _number(values[1])
            return _("Rate: %(units)s for each %(per)s.") % {
                "units": _units(values[0], wallet_type),
                "per": per,
            }
        case "rounded":
            return _rounded(values, wallet_type)
    return ""


def _rounded(values: Sequence[str], wallet_type: WalletType) -> str:
    mode, per, units = values
    words: dict[tuple[str, str], Any] = {
        ("down", "order"): _("Rounded down: %s."),
        ("nearest", "order"): _("Rounded to the nearest: %s."),
        ("up", "order"): _("Rounded up: %s."),
        ("down", "line"): _("Each line rounded down: %s."),
        ("nearest", "line"): _("Each line rounded to the nearest: %s."),
        ("up", "line"): _("Each line rounded up: %s."),
    }
    return str(words[mode, per] % _units(units, wallet_type))


def _units(text: str, wallet_type: WalletType) -> str:
    return (
        units_text(int(Decimal(text).scaleb(wallet_type.scale)), wallet_type)
        if _fits(text, wallet_type)
        else f"{_number(text)} {wallet_type.plural}"
    )


def _fits(text: str, wallet_type: WalletType) -> bool:
    scaled = Decimal(text).scaleb(wallet_type.scale)
    return scaled == scaled.to_integral_value()


def _money(text: str, currency: str) -> str:
    return format_currency(Decimal(text), currency, locale=_locale()) if currency else _number(text)


def _number(text: str) -> str:
    return format_decimal(Decimal(text), locale=_locale())


def _locale() -> str:
    return to_locale(get_language() or "en")
