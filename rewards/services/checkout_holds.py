"""What a checkout keeps, and how each of it is used or comes back. The caller holds the checkout's
lock and those of its member's wallets."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Transfer, Wallet, WalletType
from loyalty.selectors.memberships import wallet_of_kind, wallets_of_account
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.services.order_payments import call_off_payment
from loyalty.services.redemptions import (
    payer_of,
    reverse_redemption,
    spend_for_checkout,
    units_left,
)
from loyalty.services.spending_terms import Bill
from loyalty.services.unit_tenders import pays
from members.errors import DomainError
from members.prepared import KeptQuery
from members.services.audit import Actor
from rewards.errors import CheckoutRefusedError, RewardRefusedError
from rewards.models import (
    Checkout,
    CheckoutReward,
    CheckoutUnits,
    CheckoutVoucher,
    Redemption,
    Reward,
    Voucher,
)
from rewards.services.checkout_cards import card_spends
from rewards.services.checkout_codes import let_cart_go
from rewards.services.given_value import credit_wallets
from rewards.services.redemptions import Holder, cancel_redemption, issue_for_cart, take_reward
from rewards.services.vouchers import release_voucher, use_issued, use_voucher
from rewards.voucher_terms import Taken

# What a cart kept, with what its locks are found by.
_rewards = KeptQuery(
    lambda checkout: (
        CheckoutReward.objects.select_related(
            "redemption__reward", "redemption__spent", "redemption__membership"
        )
        .filter(checkout=checkout)
        .order_by("pk")
    )
)
_units = KeptQuery(
    lambda checkout: (
        CheckoutUnits.objects.select_related("transfer").filter(checkout=checkout).order_by("pk")
    )
)
logger = logging.getLogger(__name__)
Status = Redemption.Status


@dataclass(frozen=True, slots=True)
class Purse:
    """What a cart's member has, read since all of it was locked: their wallets, and the terms of
    their program."""

    member: Membership
    program: ProgramTerms
    wallets: Mapping[int, Wallet]

    def wallet(self, kind: WalletType) -> Wallet:
        wallet = self.wallet_of_kind(kind.pk)
        wallet.wallet_type = kind
        return wallet

    def wallet_of_kind(self, kind: int) -> Wallet:
        """Raises Wallet.DoesNotExist."""
        return self.wallets.get(kind) or wallet_of_kind(self.member.account_id, kind)


def purse_of(member: Membership, program: ProgramTerms) -> Purse:
    """The caller holds the locks of the member's wallets."""
    wallets = {wallet.wallet_type_id: wallet for wallet in wallets_of_account(member.account_id)}
    return Purse(member, program, wallets)


def hold_units(
    checkout: Checkout, units: Mapping[WalletType, int], purse: Purse, *, source: str,
    actor: Actor, now: dt.datetime,
) -> Decimal:  # fmt: skip
    """Spend them for the checkout; what they pay of it. Raises what spending raises, and
    CheckoutRefusedError where they would pay more than there is, or nothing."""
    paid, rows = Decimal(0), []
    bill = Bill(checkout.total, checkout.currency)
    for kind, number in sorted(units.items(), key=lambda item: item[0].pk):
        wallet = purse.wallet(kind)
        payer = payer_of(wallet, purse.program, now, purse.member)
        amount = pays(payer.terms, number, checkout.currency)
        if not amount:
            raise CheckoutRefusedError(_("So few of them pay nothing."), code="worth_nothing")
        paid += amount
        if paid > checkout.total:
            raise CheckoutRefusedError(_("They would pay more than it costs."), code="above_total")
        transfer = spend_for_checkout(
            wallet=wallet, program=purse.program, payer=payer, units=number, source=source,
            key=f"checkout:{checkout.pk}:{checkout.round}:{kind.pk}", actor=actor, now=now,
            bill=bill, checkout=checkout.cart,
        )  # fmt: skip
        rows.append(
            CheckoutUnits(checkout=checkout, wallet_type=kind, transfer_id=transfer, amount=amount)
        )
    CheckoutUnits.objects.bulk_create(rows)
    return paid


def hold_rewards(
    checkout: Checkout, rewards: Sequence[tuple[Reward, Taken]], purse: Purse, *, source: str,
    actor: Actor, now: dt.datetime,
) -> None:  # fmt: skip
    """Reserve them as long as the checkout. Raises what taking a reward raises."""
    rows = []
    for number, (reward, taken) in enumerate(rewards):
        redemption, _replayed = take_reward(
            membership=checkout.membership, reward=reward, source=source, actor=actor, now=now,
            key=f"checkout:{checkout.pk}:{checkout.round}:reward:{number}",
            hold=checkout.reserved_until - now, holder=_holder(purse, reward),
        )  # fmt: skip
        rows.append(CheckoutReward(checkout=checkout, redemption=redemption, amount=taken.amount))
    CheckoutReward.objects.bulk_create(rows)


def keep_vouchers(checkout: Checkout, vouchers: Sequence[tuple[Voucher, Taken]]) -> None:
    """Note what they take off, once they are held for it."""
    CheckoutVoucher.objects.bulk_create(
        CheckoutVoucher(checkout=checkout, voucher=voucher, amount=taken.amount)
        for voucher, taken in vouchers
    )


def use_all(checkout: Checkout, *, actor: Actor, now: dt.datetime) -> dict[Transfer, Decimal]:
    """Use what it kept; the spends that pay for its order. Raises RedemptionStateError,
    RewardRefusedError or VoucherRefusedError where something is not there any more."""
    for item in checkout.vouchers.select_related("voucher").order_by("voucher"):
        _use(item.voucher, checkout, item.amount, actor, now)
    for taken in _rewards.rows(checkout.pk):
        issued, fresh = issue_for_cart(redemption=taken.redemption, actor=actor, now=now)
        if issued.reward.takes_off and issued.voucher is not None:
            _use_reward(issued, issued.voucher, checkout, taken.amount, actor, now, fresh=fresh)
    units = {item.transfer: item.amount for item in _units.rows(checkout.pk)}
    return units | (card_spends(checkout) if checkout.paid_gift_cards else {})


def give_all_back(
    checkout: Checkout, *, reason: str, source: str, actor: Actor, now: dt.datetime
) -> None:
    """Whatever of it has not come back yet: units to their lots, money to its gift cards, vouchers,
    rewards with their stock. A reward of which something was used elsewhere stays with its member,
    and keeps nothing else back. Raises OrderConflictError where its order was told, and stands."""
    transfers = [item.transfer for item in checkout.units.select_related("transfer__wallet_type")]
    transfers += card_spends(checkout)
    if checkout.order_external_id:
        call_off_payment(source=checkout.source, external_id=checkout.order_external_id)
    for taken in checkout.rewards.select_related("redemption__voucher").order_by("pk"):
        _give_up(taken.redemption, checkout, reason, source, actor, now)
    for item in checkout.vouchers.select_related("voucher").order_by("voucher"):
        release_voucher(voucher=item.voucher, checkout=checkout.name, actor=actor, now=now)
    let_cart_go(checkout, now)
    for transfer in transfers:
        left = units_left(transfer)
        if left > 0:
            reverse_redemption(
                transfer=transfer, units=None if left == transfer.amount else left,
                key=f"checkout:{checkout.pk}:{checkout.round}:back:{transfer.pk}", source=source,
                actor=actor, now=now, note=reason, with_reward=True,
            )  # fmt: skip


def _give_up(
    taken: Redemption, checkout: Checkout, reason: str, source: str, actor: Actor, now: dt.datetime
) -> None:
    if taken.status in (Status.CANCELED, Status.EXPIRED):
        return
    if taken.voucher is not None:
        release_voucher(voucher=taken.voucher, checkout=checkout.name, actor=actor, now=now)
        taken.refresh_from_db(fields=["status"])
    if taken.status == Status.USED and not taken.gives_value:
        return
    try:
        # Its money was spent, or its voucher used elsewhere: nothing of this one comes back.
        with transaction.atomic():
            cancel_redemption(
                redemption=taken, reason=reason, source=source, actor=actor, now=now, by_cart=True
            )
    except DomainError as error:
        logger.info("redemption %s of a cart stays: %s", taken.pk, error.code)


def _use(
    voucher: Voucher, checkout: Checkout, amount: Decimal, actor: Actor, now: dt.datetime
) -> None:
    use_voucher(
        voucher=voucher, checkout=checkout.name, occasion=None, told=amount, actor=actor, now=now
    )


def _use_reward(
    issued: Redemption, voucher: Voucher, checkout: Checkout, amount: Decimal, actor: Actor,
    now: dt.datetime, *, fresh: bool,
) -> None:  # fmt: skip
    if fresh and voucher.most_uses is None:
        use_issued(taken=issued, checkout=checkout.name, told=amount, actor=actor, now=now)
    else:
        _use(voucher, checkout, amount, actor, now)


def _holder(purse: Purse, reward: Reward) -> Holder:
    """Raises RewardRefusedError for another program's reward."""
    if reward.program_id != purse.member.program_id:
        raise RewardRefusedError(_("It belongs to another program."), code="not_offered")
    credit = credit_wallets(purse.member, reward)
    if credit:
        lock_wallets(credit)  # one that has just begun
    return Holder(purse.member, purse.wallet_of_kind(reward.wallet_type_id))
