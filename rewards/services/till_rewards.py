"""Rewards that are taken at a till and used with the sale, in one go: each once, however often the
sale is told, and given up with it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.models import Membership, Transfer
from members.services.audit import Actor
from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward
from rewards.services.redemption_locks import lock_taken
from rewards.services.redemptions import cancel_redemption, take_reward
from rewards.services.vouchers import release_voucher, use_voucher

SOURCE = Transfer.Source.API.value


@dataclass(frozen=True, slots=True)
class TakenAtTill:
    """A reward of a sale, and what the till took off for it, where it says so."""

    reward: Reward
    amount: Decimal | None = None


def keyed(checkout: str, rewards: Sequence[TakenAtTill]) -> list[tuple[str, TakenAtTill]]:
    """Each with its key: that of the sale, the reward, and which of several alike it is."""
    seen: Counter[int] = Counter()
    found = []
    for item in rewards:
        number, seen[item.reward.pk] = seen[item.reward.pk], seen[item.reward.pk] + 1
        found.append((f"{_stem(checkout)}{item.reward.pk}:{number}", item))
    return found


def take_at_till(
    item: TakenAtTill, *, key: str, member: Membership | None, checkout: str, actor: Actor,
    now: dt.datetime, at: dt.datetime,
) -> Redemption:  # fmt: skip
    """Take it at its price, and use what it takes off for the sale. `at`: when that was. The caller
    has opened a transaction. Raises what taking a reward and using a voucher raise."""
    if member is None:
        message = _("Say whose sale it is: a reward is taken for a member of its program.")
        raise RewardRefusedError(message, code="member_unknown")
    taken, known = take_reward(
        membership=member, reward=item.reward, key=key, source=SOURCE, actor=actor, now=now, at=at
    )
    if not known and item.reward.takes_off and taken.voucher is not None:
        use_voucher(
            voucher=taken.voucher, checkout=checkout, occasion=None, actor=actor, now=at,
            told=item.amount,
        )  # fmt: skip
    return taken


def taken_at_till(checkout: str) -> QuerySet[Redemption]:
    """What was taken with a sale."""
    rows = Redemption.objects.select_related("reward__wallet_type", "reward__program", "voucher")
    return rows.filter(key__startswith=_stem(checkout)).order_by("pk")


def give_up_with_sale(checkout: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The sale did not happen: units and stock come back. Doing it again changes nothing. Raises
    what canceling raises where something of it was used elsewhere. The caller has opened a
    transaction."""
    found = list(taken_at_till(checkout).exclude(status=Redemption.Status.CANCELED))
    if found:
        # Their wallets before their vouchers, and all of them before the first reward.
        lock_taken(found)
    for taken in found:
        if taken.voucher is not None:
            release_voucher(voucher=taken.voucher, checkout=checkout, actor=actor, now=now)
        cancel_redemption(
            redemption=taken, reason=reason, source=Transfer.Source.JOB.value, actor=actor, now=now
        )


def _stem(checkout: str) -> str:
    """Numbers of tills may be longer than a key."""
    return f"till:{hashlib.blake2b(checkout.encode(), digest_size=16).hexdigest()}:"
