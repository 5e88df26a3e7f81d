"""Rewards and lists of codes in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import DomainError, FieldError
from members.prepared import KeptQuery, KeptRows
from members.services.audit import Actor
from rewards.definitions import RewardDefinition, VoucherPoolDefinition
from rewards.models import Reward, VoucherPool
from rewards.selectors.rewards import definition_of, rewards
from rewards.services.reward_parts import (
    apply_part,
    refuse_without_part,
    with_part,
    without_parts,
)
from rewards.services.rewards import change_reward, create_reward, move_rewards
from rewards.services.voucher_pools import create_voucher_pool, rename_voucher_pool


def rewards_of(program: Program) -> list[RewardDefinition]:
    """All of them, in their order, with what stands behind them."""
    return [with_part(definition_of(reward), reward) for reward in _rewards.rows(program.pk)]


def pools_of(program: Program) -> list[VoucherPoolDefinition]:
    found = _pools.rows(program.pk)
    return [VoucherPoolDefinition(code=code, name=name) for code, name in found]


_rewards: KeptQuery[Reward] = KeptQuery(
    lambda program: (
        rewards()
        .filter(program=program)
        .select_related("event", "content_item")
        .prefetch_related("gift_days")
    )
)
_pools = KeptRows(
    lambda program: (
        VoucherPool.objects.filter(program=program).order_by("pk").values_list("code", "name")
    ),
    (1, 2),
)


def apply_pools(
    applied: Applied, wanted: Sequence[VoucherPoolDefinition], actor: Actor, _now: dt.datetime
) -> None:
    """Lists that the definition names are made or renamed."""
    if applied.has_none_of(wanted):
        return
    known = {item.code: item for item in applied.program.voucher_pools.all()}
    for item in wanted:
        pool = known.get(item.code)
        if pool is None:
            create_voucher_pool(
                program=applied.program, code=item.code, name=item.name, actor=actor
            )
            applied.changes.append(_("New list of codes: %s") % item.name)
        elif pool.name != item.name:
            rename_voucher_pool(pool=pool, name=item.name, actor=actor)
            applied.changes.append(_("List of codes: %s") % item.name)


def apply_rewards(
    applied: Applied, wanted: Sequence[RewardDefinition], actor: Actor, now: dt.datetime
) -> None:
    """Rewards that the definition names are made or changed, and come in its order before others.
    Raises DomainError naming the place."""
    if not wanted:
        return
    known = {item.code: item for item in rewards().filter(program=applied.program)}
    # What is drawn from must be there first.
    places = sorted(enumerate(wanted), key=lambda place: bool(place[1].prizes))
    for index, item in places:
        try:
            known[item.code] = _apply(applied, known.get(item.code), item, actor, now)
        except DomainError as error:
            errors = [
                FieldError(f"rewards[{index}].{each.field}", each.message, each.code)
                for each in error.errors
            ]
            raise DomainError(error.message, code=error.code, errors=errors) from error
    order = [known[item.code].pk for item in wanted]
    before = [item.pk for item in sorted(known.values(), key=lambda item: item.position)]
    if [pk for pk in before if pk in set(order)] != order:
        move_rewards(program=applied.program, order=order, actor=actor)
        applied.changes.append(_("Rewards in another order"))


def _apply(
    applied: Applied, known: Reward | None, wanted: RewardDefinition, actor: Actor,
    now: dt.datetime,
) -> Reward:  # fmt: skip
    itself = without_parts(wanted)
    if known is None:
        refuse_without_part(wanted)
        made = create_reward(program=applied.program, definition=itself, actor=actor)
        apply_part(made, wanted, actor, now)
        applied.changes.append(_("New reward: %s") % made.name)
        return made
    changed = known
    if definition_of(known) != itself:
        changed = change_reward(reward=known, definition=itself, actor=actor)
    behind = apply_part(changed, wanted, actor, now)
    if behind or changed is not known:
        applied.changes.append(_("Reward changed: %s") % changed.name)
    return changed
