"""The first reward of a program: what its terms promise is filled in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from loyalty.backoffice.program_fields import plain
from loyalty.models import Program
from members.formatting import format_money
from rewards.models import Reward


def promised_reward(program: Program) -> dict[str, Any]:
    """What a form for the first reward begins with: the least that can be used, at its worth in
    money. Empty where there is a reward already, or nothing of it was said."""
    unit = program.wallet_types.filter(stored_value=False).order_by("pk").first()
    if unit is None or not unit.spend_least or not unit.unit_value:
        return {}
    if Reward.objects.filter(program=program).exists():
        return {}
    price = Decimal(unit.spend_least).scaleb(-unit.scale)
    coin = Decimal(1).scaleb(-get_currency_precision(program.currency))
    worth = (price * unit.unit_value).quantize(coin)
    if not worth:
        return {}
    name = _("%s off") % format_money(worth, program.currency)
    return {"name": name, "amount": plain(worth), "price": plain(price)}
