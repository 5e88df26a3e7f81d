"""The charities of a program, and what is worth how much there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from django.db.models import Q, QuerySet

from loyalty.giving_definitions import (
    CharityDefinition,
    CharityRateDefinition,
    CharityText,
    PledgeDefinition,
)
from loyalty.models import Account, Charity, CharityEntry, Pledge, Program, WalletType
from members.errors import NotFoundError
from members.prepared import KeptQuery

NOTHING = Decimal(0)
_SMALLEST = Decimal("0.0001")


class Worth(NamedTuple):
    """Money and things that something comes to."""

    money: Decimal
    things: Decimal

    def __neg__(self) -> Worth:
        return Worth(-self.money, -self.things)


def charities() -> QuerySet[Charity]:
    """With all that showing one needs."""
    return Charity.objects.select_related("account__program").prefetch_related("rates__wallet_type")


def round_ups() -> QuerySet[CharityEntry]:
    """What was given on top of orders, and was not taken back."""
    return CharityEntry.objects.filter(
        kind=CharityEntry.Kind.ROUND_UP, reverses=None, reversed_by=None
    ).select_related("charity__account__program")


def charities_in(program: Program, *, live: bool = True) -> list[Charity]:
    """Of a program, in their order."""
    found = _charities.rows(Account.Kind.CHARITY, program.pk)
    return [item for item in found if item.status == Charity.Status.LIVE] if live else found


_charities: KeptQuery[Charity] = KeptQuery(
    lambda kind, program: charities().filter(account__kind=kind, account__program=program)
)


def charity_names(program: Program) -> list[str]:
    """Those that members may give to now."""
    live = Charity.objects.filter(_of(program), status=Charity.Status.LIVE)
    return list(live.values_list("account__name", flat=True))


def get_charity(public_id: uuid.UUID) -> Charity:
    """Raises NotFoundError."""
    found = charities().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such charity.")
    return found


def worth_of_units(charity: Charity, wallet_type: WalletType, units: int) -> Worth:
    """What units come to there now: by the charity's rate, else what they are worth to members."""
    rate = next(
        (item for item in charity.rates.all() if item.wallet_type_id == wallet_type.pk), None
    )
    whole = Decimal(units).scaleb(-wallet_type.scale)
    if rate is None:
        return worth_of_money(charity, whole * wallet_type.unit_value)
    share = Decimal(units) / Decimal(rate.units)
    if rate.money is not None:
        return worth_of_money(charity, rate.money * share)
    things = (rate.things or NOTHING) * share
    if charity.thing_price is None:
        return Worth(_exact(whole * wallet_type.unit_value), _exact(things))
    return worth_of_things(charity, things)


def worth_of_money(charity: Charity, money: Decimal) -> Worth:
    things = money / charity.thing_price if charity.thing_price else NOTHING
    return Worth(_exact(money), _exact(things))


def worth_of_things(charity: Charity, things: Decimal) -> Worth:
    return Worth(_exact(things * (charity.thing_price or NOTHING)), _exact(things))


def charity_definitions(program: Program) -> tuple[CharityDefinition, ...]:
    """As a program file says them."""
    return tuple(charity_definition(item) for item in charities_in(program, live=False))


def charity_definition(charity: Charity) -> CharityDefinition:
    same = (
        "status", "summary", "website", "icon", "thing_singular", "thing_plural", "thing_price",
    )  # fmt: skip
    return CharityDefinition(
        code=charity.account.code,
        name=charity.account.name,
        texts={
            language: CharityText.model_validate(texts)
            for language, texts in sorted(charity.texts.items())
        },
        rates=tuple(
            CharityRateDefinition(
                wallet_type=rate.wallet_type.code,
                units=Decimal(rate.units).scaleb(-rate.wallet_type.scale),
                money=rate.money,
                things=rate.things,
            )
            for rate in sorted(charity.rates.all(), key=lambda rate: rate.wallet_type_id)
        ),
        **{name: getattr(charity, name) for name in same},
    )


def pledges() -> QuerySet[Pledge]:
    """With all that showing one needs."""
    return Pledge.objects.select_related("charity__account__program", "activity_type")


def pledges_in(program: Program) -> QuerySet[Pledge]:
    return pledges().filter(_of(program, "charity__"))


def running_pledges(program: Program, at: object) -> list[Pledge]:
    """Those that count events now and have something left."""
    live = pledges_in(program).filter(status=Pledge.Status.LIVE, starts_at__lte=at)
    live = live.filter(Q(ends_at=None) | Q(ends_at__gt=at), charity__status=Charity.Status.LIVE)
    return [pledge for pledge in live if pledge.left]


def pledge_definitions(program: Program) -> tuple[PledgeDefinition, ...]:
    found = _pledges.rows(Account.Kind.CHARITY, program.pk)
    return tuple(pledge_definition(item) for item in found)


_pledges: KeptQuery[Pledge] = KeptQuery(
    lambda kind, program: pledges().filter(
        charity__account__kind=kind, charity__account__program=program
    )
)


def pledge_definition(pledge: Pledge) -> PledgeDefinition:
    same = ("code", "name", "status", "event", "least", "when", "budget", "starts_at", "ends_at")
    return PledgeDefinition.model_validate(
        {
            "charity": pledge.charity.account.code,
            "activity_type": pledge.activity_type.code if pledge.activity_type else "",
            pledge.unit: pledge.amount,
            **{name: getattr(pledge, name) for name in same},
        }
    )


def _of(program: Program, path: str = "") -> Q:
    """The kind too, so that it is looked for among the accounts of few kinds that are no member's:
    of a program alone the database would expect all of its accounts."""
    account = {"program": program, "kind": Account.Kind.CHARITY}
    return Q(**{f"{path}account__{name}": value for name, value in account.items()})


def by_key(found: Iterable[Charity]) -> dict[int, Charity]:
    return {charity.pk: charity for charity in found}


def _exact(amount: Decimal) -> Decimal:
    return amount.quantize(_SMALLEST, rounding=ROUND_HALF_UP)
