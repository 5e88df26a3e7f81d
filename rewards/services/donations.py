"""Rewards that are a donation: taking one gives its units to a charity, and nothing is left."""

from __future__ import annotations

import datetime as dt

from loyalty.models import Transfer, Wallet
from loyalty.selectors.charities import Worth, worth_of_money, worth_of_things, worth_of_units
from loyalty.services.gift_reversals import undo_gift
from loyalty.services.gifts import donate_units
from members.services.audit import Actor
from rewards.models import Redemption, Reward


def worth_there(reward: Reward, units: int) -> Worth:
    """What the charity of a reward gets for these units."""
    charity = reward.charity
    assert charity is not None
    if reward.things is not None:
        return worth_of_things(charity, reward.things)
    if reward.amount is not None:
        return worth_of_money(charity, reward.amount)
    return worth_of_units(charity, reward.wallet_type, units)


def donate(
    reward: Reward, *, wallet: Wallet, units: int, key: str, source: str, actor: Actor,
    now: dt.datetime, at: dt.datetime,
) -> Transfer:  # fmt: skip
    """The price of a reward, given to its charity at this moment. The caller holds the wallet's
    lock. Raises as `donate_units` does."""
    assert reward.charity is not None
    given, _replayed = donate_units(
        wallet=wallet, charity=reward.charity.account, units=units, actor=actor, key=key,
        source=source, now=now, occurred_at=at, reward=reward.name,
        worth=worth_there(reward, units),
    )  # fmt: skip
    return given


def mark_given(redemption: Redemption, now: dt.datetime) -> None:
    """With being handed out it is done: nothing is left to be used."""
    redemption.status = Redemption.Status.USED
    redemption.issued_at, redemption.closed_at = now, now
    redemption.save(update_fields=["status", "issued_at", "closed_at"])


def take_donation_back(
    spent: Transfer, reason: str, source: str, actor: Actor, now: dt.datetime
) -> Transfer:
    """Its units come back, and its line at the charity is taken back."""
    undone, _replayed = undo_gift(
        transfer=spent, actor=actor, source=source, now=now, note=reason, with_reward=True
    )
    return undone
