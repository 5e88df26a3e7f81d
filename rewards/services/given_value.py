"""Rewards that give money: a gift card, or credit of the member's own. It is given with the units
that are spent for it, and goes back with them while nothing of it was spent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from loyalty.errors import StoredValueError
from loyalty.models import Account, Membership, Wallet
from loyalty.services.store_credit import credit_of
from loyalty.services.stored_value import coins, deposit, take_deposit_back
from members.services.audit import Actor
from rewards.errors import RedemptionStateError
from rewards.models import Redemption, Reward
from rewards.services.gift_cards import GiftCardPeople, cancel_gift_card, issue_gift_card

Status = Redemption.Status


def credit_wallets(membership: Membership, reward: Reward) -> list[int]:
    """The wallet that a reward would pay into, to be locked with the one that it is paid from."""
    return [credit_of(membership).pk] if reward.kind == Reward.Kind.STORE_CREDIT else []


def value_wallets(taken: Iterable[Redemption]) -> list[int]:
    """The wallets of what these gave."""
    items = list(taken)
    accounts = [item.gift_card.account_id for item in items if item.gift_card is not None]
    found = [item.credit.wallet_id for item in items if item.credit is not None]
    for item in items:
        found += credit_wallets(item.membership, item.reward)
    return [*found, *Wallet.objects.filter(account__in=accounts).values_list("pk", flat=True)]


def give_value(redemption: Redemption, actor: Actor, now: dt.datetime) -> None:
    """Issue the card or pay in the credit: with that it is done, nothing is left to be used up. The
    caller holds the locks."""
    reward, member = redemption.reward, redemption.membership
    assert reward.amount is not None
    why = {"paid": "reward", "reward": reward.name}
    if reward.kind == Reward.Kind.GIFT_CARD:
        redemption.gift_card, _replayed = issue_gift_card(
            program=reward.program, amount=reward.amount, key=f"reward:{redemption.pk}",
            source=redemption.source, actor=actor, now=now, paid_from=Account.Kind.ISSUED, why=why,
            people=GiftCardPeople(buyer=member.customer),
        )  # fmt: skip
    else:
        wallet = credit_of(member)
        redemption.credit, _replayed = deposit(
            wallet=wallet, units=coins(reward.amount, wallet.wallet_type),
            paid_from=Account.Kind.ISSUED, key=f"credit:reward:{redemption.pk}",
            source=redemption.source, actor=actor, now=now, explanation=why,
        )  # fmt: skip
    redemption.status, redemption.issued_at, redemption.closed_at = Status.USED, now, now
    redemption.save(update_fields=["gift_card", "credit", "status", "issued_at", "closed_at"])


def take_value_back(
    redemption: Redemption, reason: str, source: str, actor: Actor, now: dt.datetime
) -> None:
    """What it gave, before its units come back. Raises RedemptionStateError (`credit_spent`) or
    GiftCardRefusedError (`gift_card_spent`) where something of it was spent."""
    if redemption.gift_card is not None:
        card = redemption.gift_card
        while hasattr(card, "replaced_by"):
            card = card.replaced_by
        cancel_gift_card(card=card, reason=reason, source=source, actor=actor, now=now)
    if redemption.credit is not None:
        try:
            take_deposit_back(
                transfer=redemption.credit, source=source, actor=actor, now=now, note=reason
            )
        except StoredValueError as error:
            raise RedemptionStateError(str(error.message), code="credit_spent") from error
