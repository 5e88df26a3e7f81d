"""What a program's definition may say of stored value: money that is paid in, never earned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from loyalty.definitions import ProgramDefinition


def check_stored_value(program: ProgramDefinition) -> None:
    """Raise ValueError where it would be earned, or is no money of the program."""
    kinds = [item for item in program.wallet_types if item.stored_value]
    if not kinds:
        return
    if len(kinds) > 1:
        raise ValueError(_("wallet_types: one of them is stored value at most."))
    [kind] = kinds
    if program.wallet_types[0].stored_value:
        raise ValueError(_("wallet_types: first what members earn, then stored value."))
    decimals = min(get_currency_precision(program.currency), 4)
    if kind.decimals != decimals:
        raise ValueError(
            _("decimals: %(currency)s has %(decimals)s, and so has stored value.")
            % {"currency": program.currency, "decimals": decimals}
        )
    if kind.code in _earned(program):
        raise ValueError(_("%s are paid in: nothing can award them.") % kind.plural.capitalize())


def _earned(program: ProgramDefinition) -> Iterator[str]:
    """The codes of the wallet types that something awards, or that tiers count."""
    for rule in program.earning_rules:
        yield rule.wallet_type
    if program.tiers:
        yield from program.tiers.wallet_types().values()
    if program.launch and program.launch.founding:
        yield program.launch.founding.wallet_type
    for plan in program.plans:
        if plan.credits:
            yield plan.credits.wallet_type
        for benefit in plan.benefits:
            yield getattr(benefit, "wallet_type", "")
