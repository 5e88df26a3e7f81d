"""What members save for, and what they want taken by itself: chosen and given up by them."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Wallet
from loyalty.plain_numbers import whole
from loyalty.services.usable_units import spendable_units
from members.errors import DomainError, FieldError
from members.formatting import format_units
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.errors import RewardRefusedError
from rewards.models import AutoTake, Reward, RewardGoal
from rewards.services.eligibility import offers_for


def choose_goal(
    *, membership: Membership, reward: Reward, actor: Actor, now: dt.datetime
) -> RewardGoal:
    """The member saves for this one from now on, in place of another. Again changes nothing."""
    _refuse_not_offered(membership, reward)

    def choose() -> RewardGoal:
        goal, new = RewardGoal.objects.get_or_create(
            membership=membership, defaults={"reward": reward, "chosen_at": now}
        )
        if not new and goal.reward_id == reward.pk:
            return goal
        goal.reward, goal.chosen_at = reward, now
        goal.save()
        _audit("reward.goal_chosen", membership, reward, actor)
        return goal

    return run_atomically(choose)


def drop_goal(*, membership: Membership, actor: Actor) -> None:
    """The member saves for nothing in particular any more. Again changes nothing."""

    def drop() -> None:
        goal = RewardGoal.objects.select_for_update().filter(membership=membership).first()
        if goal is not None:
            _audit("reward.goal_dropped", membership, goal.reward, actor)
            goal.delete()

    run_atomically(drop)


def set_auto_take(
    *, membership: Membership, reward: Reward, balance: int | None, actor: Actor, now: dt.datetime
) -> AutoTake:
    """Have the reward taken whenever the member's balance comes to so much, in the smallest units;
    None: to its price. Who has that much already takes it by hand; it begins when they reach it
    again. Raises DomainError where the balance is below the price, or it costs nothing."""
    _refuse_not_offered(membership, reward)
    [offer] = offers_for([reward], membership, now)
    if not offer.price:
        words = _("It costs nothing, so no balance is waited for. Take it now.")
        raise DomainError(words, errors=[FieldError("balance", words)])
    at = offer.price if balance is None else balance
    if at < offer.price:
        words = _("At least its price, %s.") % format_units(offer.price, reward.wallet_type)
        raise DomainError(words, errors=[FieldError("balance", words)])

    def keep() -> AutoTake:
        # As whoever posts does: first the wallet, then who waits for it.
        lock_wallets(
            list(
                Wallet.objects.filter(
                    account=membership.account_id, wallet_type=reward.wallet_type_id
                ).values_list("pk", flat=True)
            )
        )
        held = spendable_units([membership.pk], now).get(membership.pk, {})
        armed = held.get(reward.wallet_type_id, 0) < at
        found, new = AutoTake.objects.select_for_update().get_or_create(
            membership=membership, reward=reward,
            defaults={"balance": at, "armed": armed, "chosen_at": now},
        )  # fmt: skip
        if not new and found.balance == at:
            return found
        found.balance, found.armed, found.chosen_at, found.refusal = at, armed, now, ""
        found.save()
        _audit("reward.auto_chosen", membership, reward, actor, balance=at)
        return found

    return run_atomically(keep)


def end_auto_take(*, membership: Membership, reward: Reward, actor: Actor) -> None:
    """It is taken by hand again. Again changes nothing."""

    def end() -> None:
        found = AutoTake.objects.select_for_update().filter(membership=membership, reward=reward)
        if found.first() is not None:
            found.delete()
            _audit("reward.auto_ended", membership, reward, actor)

    run_atomically(end)


def _refuse_not_offered(membership: Membership, reward: Reward) -> None:
    offered = reward.status == Reward.Status.LIVE and reward.on_shelf
    if not offered or reward.program_id != membership.program_id:
        raise RewardRefusedError(_("It is not offered any more."), code="not_offered")


def _audit(
    action: str, membership: Membership, reward: Reward, actor: Actor, balance: int | None = None
) -> None:
    after = {"reward": reward.name}
    if balance is not None:
        after["balance"] = str(whole(balance, reward.wallet_type))
    record_audit(
        actor=actor, action=action, target=membership.customer, about=membership, after=after
    )
