"""What can be drawn out of a mystery gift now, and how likely."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef

from rewards.models import Reward, RewardPrize, Voucher, VoucherPool


def filled_pools(rewards: Iterable[Reward]) -> set[int]:
    """The lists of these rewards, and of what can be drawn from them, that have a code left."""
    all_of_them = [
        item for reward in rewards for item in (reward, *(p.prize for p in reward.prizes.all()))
    ]
    pools = {pool for item in all_of_them if (pool := item.voucher_pool_id) is not None}
    if not pools:
        return set()
    waiting = Voucher.objects.filter(pool=OuterRef("pk"), status=Voucher.Status.WAITING)
    filled = VoucherPool.objects.filter(Exists(waiting), pk__in=pools)
    return set(filled.values_list("pk", flat=True))


def prizes_left(reward: Reward, filled: Collection[int]) -> list[RewardPrize]:
    """What can be drawn: what is not put away and of which something is left. Whether it is on the
    shelf by itself does not matter."""
    return [item for item in reward.prizes.all() if _is_left(item.prize, filled)]


def odds_of(reward: Reward) -> list[tuple[Reward, int, int]]:
    """What can be drawn now, each with its weight and all weights, the most likely first."""
    if reward.kind != Reward.Kind.MYSTERY:
        return []
    left = prizes_left(reward, filled_pools([reward]))
    total = sum(item.weight for item in left)
    found = sorted(left, key=lambda item: (-item.weight, item.pk))
    return [(item.prize, item.weight, total) for item in found]


def _is_left(prize: Reward, filled: Collection[int]) -> bool:
    if prize.status == Reward.Status.ARCHIVED or prize.left == 0:
        return False
    return prize.voucher_pool_id is None or prize.voucher_pool_id in filled
