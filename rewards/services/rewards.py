"""The catalog: one way in for the screen, the API and files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import StoredValueError
from loyalty.models import Charity, Program, Tier, WalletType
from loyalty.selectors.charities import charities
from loyalty.services.stored_value import coins, stored_value_type
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit
from rewards.definitions import RewardDefinition
from rewards.models import AccessWindow, Reward, RewardPrice, RewardPrize, VoucherPool
from rewards.numbers import smallest
from rewards.selectors.rewards import definition_of

# What stays as it was first said.
FIXED = ("code", "kind", "wallet_type", "charity")


@transaction.atomic
def create_reward(*, program: Program, definition: RewardDefinition, actor: Actor) -> Reward:
    """A further reward, the last in the catalog. Raises ConflictError where its code is taken."""
    lock_catalog(program)
    if Reward.objects.filter(program=program, code=definition.code).exists():
        message = _("There is a reward with this short name already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    last = Reward.objects.filter(program=program).aggregate(last=Max("position"))["last"] or 0
    reward = Reward(program=program, position=last + 1)
    _write(reward, definition)
    record_audit(
        actor=actor, action="reward.created", target=reward,
        after=definition.model_dump(mode="json", exclude_defaults=True),
    )  # fmt: skip
    return reward


@transaction.atomic
def change_reward(*, reward: Reward, definition: RewardDefinition, actor: Actor) -> Reward:
    """Bring a reward to what the definition says. What was taken stays as it was told. A repeat
    changes nothing. Raises DomainError where its kind or units would change, or less would be in
    stock than is taken."""
    lock_catalog(reward.program)
    found = Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
    before = definition_of(found)
    if before == definition:
        return found
    for name in FIXED:
        if getattr(before, name) != getattr(definition, name):
            message = _("It stays as it is. Make another reward instead.")
            raise DomainError(message, errors=[FieldError(name, message)])
    if definition.sent and RewardPrize.objects.filter(prize=found).exists():
        message = _("It is in a mystery gift, and what is drawn is not sent.")
        raise DomainError(message, errors=[FieldError("sent", message)])
    promised = found.taken + found.kept
    if definition.stock is not None and definition.stock < promised:
        message = _("%s of them are taken already.") % promised
        raise DomainError(message, errors=[FieldError("stock", message)])
    if before.stock is None and definition.stock is not None:
        # Who is taking one has looked by now, and is waited for; whoever comes waits, and counts.
        Reward.objects.select_for_update().only("pk").get(pk=found.pk)
    _write(found, definition)
    old, new = before.model_dump(mode="json"), definition.model_dump(mode="json")
    changed = [name for name in new if new[name] != old[name]]
    record_audit(
        actor=actor, action="reward.changed", target=found,
        before={name: old[name] for name in changed}, after={name: new[name] for name in changed},
    )  # fmt: skip
    return found


@transaction.atomic
def move_rewards(*, program: Program, order: Sequence[int], actor: Actor) -> None:
    """Put the rewards of a program into this order of keys; those not named come after."""
    lock_catalog(program)
    known = list(Reward.objects.filter(program=program).order_by("position", "pk"))
    place = {pk: number for number, pk in enumerate(order)}
    arranged = sorted(known, key=lambda item: place.get(item.pk, len(order)))
    moved = [item for number, item in enumerate(arranged, start=1) if item.position != number]
    for number, item in enumerate(arranged, start=1):
        item.position = number
    if moved:
        Reward.objects.bulk_update(moved, ["position"])
        record_audit(
            actor=actor, action="rewards.sorted", target=program,
            after={"rewards": [item.code for item in arranged]},
        )  # fmt: skip


def lock_catalog(program: Program) -> None:
    """The program's row is the lock of its catalog."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)


def _archived_at(reward: Reward, definition: RewardDefinition) -> dt.datetime | None:
    if definition.status != Reward.Status.ARCHIVED.value:
        return None
    return timezone.now() if reward.status == Reward.Status.LIVE else reward.archived_at


def _write(reward: Reward, definition: RewardDefinition) -> None:
    program = reward.program
    wallet_type = WalletType.objects.filter(program=program, code=definition.wallet_type).first()
    if wallet_type is None:
        raise _wrong("wallet_type", _("The program has no such units."))
    _refuse_money(program, definition, wallet_type)
    values: dict[str, Any] = definition.model_dump(
        exclude={
            "wallet_type",
            "price",
            "tier_prices",
            "voucher_pool",
            "charity",
            "prizes",
            "event",
            "content",
            "gift_days",
            "window",
        }
    )
    reward.archived_at = _archived_at(reward, definition)
    values["texts"] = definition.model_dump(mode="json", exclude_defaults=True).get("texts", {})
    for name, value in values.items():
        setattr(reward, name, list(value) if isinstance(value, tuple) else value)
    reward.wallet_type = wallet_type
    reward.price = _units("price", definition.price, wallet_type.scale)
    reward.voucher_pool = _pool(program, definition.voucher_pool)
    reward.charity = _charity(program, definition)
    reward.window = sale_of(program, definition.window)
    if reward.window is not None and definition.starts_at is not None:
        raise _wrong("window", _("It begins with a sale or at a time of its own, not both."))
    tiers = _tier_prices(program, definition, wallet_type.scale)
    prizes = _prizes(program, definition)
    reward.save()
    reward.tier_prices.all().delete()
    RewardPrice.objects.bulk_create(
        RewardPrice(reward=reward, tier=tier, price=price) for tier, price in tiers.items()
    )
    reward.prizes.all().delete()
    RewardPrize.objects.bulk_create(
        RewardPrize(reward=reward, prize=prize, weight=weight) for prize, weight in prizes
    )
    # Those that were read along before are others now.
    reward.__dict__.pop("_prefetched_objects_cache", None)


def _refuse_money(program: Program, definition: RewardDefinition, wallet_type: WalletType) -> None:
    """Money is given for units, where the program has any to give, and is not spent on rewards."""
    if wallet_type.stored_value:
        raise _wrong("wallet_type", _("Rewards are taken for what members earn."))
    if definition.kind in Reward.STORED_VALUE and definition.amount is not None:
        try:
            coins(definition.amount, stored_value_type(program))
        except StoredValueError as error:
            raise _wrong("kind", str(error.message)) from error


def _tier_prices(program: Program, definition: RewardDefinition, scale: int) -> dict[str, int]:
    wanted = definition.tier_prices
    known = set(
        Tier.objects.filter(tier_set__program=program, code__in=wanted).values_list(
            "code", flat=True
        )
    )
    for tier in wanted:
        if tier not in known:
            raise _wrong("tier_prices", _("The program has no tier “%s”.") % tier)
    return {tier: _units("tier_prices", price, scale) for tier, price in wanted.items()}


def _prizes(program: Program, definition: RewardDefinition) -> list[tuple[Reward, int]]:
    plain = Reward.objects.filter(program=program, kind__in=Reward.DRAWN, sent=False)
    known = {item.code: item for item in plain.filter(code__in=definition.prizes)}
    for code in definition.prizes:
        if code not in known:
            raise _wrong("prizes", _("The program has no reward “%s” that can be in it.") % code)
    return [(known[code], weight) for code, weight in definition.prizes.items()]


def _pool(program: Program, code: str) -> VoucherPool | None:
    if not code:
        return None
    found = VoucherPool.objects.filter(program=program, code=code).first()
    if found is None:
        raise _wrong("voucher_pool", _("The program has no such pool of vouchers."))
    return found


def _charity(program: Program, definition: RewardDefinition) -> Charity | None:
    if not definition.charity:
        return None
    found = charities().filter(account__program=program, account__code=definition.charity).first()
    if found is None:
        raise _wrong("charity", _("The program has no charity “%s”.") % definition.charity)
    if definition.things is not None and not found.thing_singular:
        message = _("%s counts no things. Give an amount of money, or nothing.")
        raise _wrong("things", message % found.account.name)
    return found


def sale_of(program: Program, code: str) -> AccessWindow | None:
    """The sale that something comes with. Raises DomainError where there is none of this code."""
    if not code:
        return None
    found = AccessWindow.objects.filter(program=program, code=code).first()
    if found is None:
        raise _wrong("window", _("The program has no sale “%s”.") % code)
    return found


def _units(field: str, whole: Decimal, scale: int) -> int:
    try:
        return smallest(whole, scale)
    except ValueError as error:
        message = _("Whole units only.") if not scale else _("At most %s decimals.") % scale
        raise _wrong(field, message) from error


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
