"""What a checkout keeps, and how each of it is used or comes back. The caller holds the checkout's
lock and those of its member's wallets."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership, Transfer, Wallet, WalletType
from loyalty.selectors.memberships import current_wallet, wallet_of_kind
from loyalty.services.order_payments import call_off_payment
from loyalty.services.redemptions import (
    payer_of,
    redeem_units,
    reverse_redemption,
    terms_of,
    units_left,
)
from loyalty.services.spending_terms import Bill
from loyalty.services.unit_tenders import pays
from members.errors import DomainError
from members.services.audit import Actor
from rewards.errors import CheckoutRefusedError
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
from rewards.services.redemptions import cancel_redemption, issue_redemption, take_reward
from rewards.services.vouchers import release_voucher, use_voucher
from rewards.voucher_terms import Taken

logger = logging.getLogger(__name__)
Status = Redemption.Status


def hold_units(
    checkout: Checkout, units: Mapping[WalletType, int], *, source: str, actor: Actor,
    now: dt.datetime,
) -> Decimal:  # fmt: skip
    """Spend them for the checkout; what they pay of it. Raises what spending raises, and
    CheckoutRefusedError where they would pay more than there is, or nothing."""
    paid = Decimal(0)
    bill = Bill(checkout.total, checkout.currency)
    for kind, number in sorted(units.items(), key=lambda item: item[0].pk):
        wallet = _wallet_of(checkout.membership, kind)
        payer = payer_of(wallet, terms_of(wallet), now)
        amount = pays(payer.terms, number, checkout.currency)
        if not amount:
            raise CheckoutRefusedError(_("So few of them pay nothing."), code="worth_nothing")
        paid += amount
        if paid > checkout.total:
            raise CheckoutRefusedError(_("They would pay more than it costs."), code="above_total")
        transfer, _replayed = redeem_units(
            wallet=wallet, units=number, source=source, actor=actor, now=now, bill=bill,
            key=f"checkout:{checkout.pk}:{checkout.round}:{kind.pk}", checkout=checkout.cart,
        )  # fmt: skip
        CheckoutUnits.objects.create(
            checkout=checkout, wallet_type=kind, transfer=transfer, amount=amount
        )
    return paid


def hold_rewards(
    checkout: Checkout, rewards: Sequence[tuple[Reward, Taken]], *, source: str, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Reserve them as long as the checkout. Raises what taking a reward raises."""
    for number, (reward, taken) in enumerate(rewards):
        redemption, _replayed = take_reward(
            membership=checkout.membership, reward=reward, source=source, actor=actor, now=now,
            key=f"checkout:{checkout.pk}:{checkout.round}:reward:{number}",
            hold=checkout.reserved_until - now,
        )  # fmt: skip
        CheckoutReward.objects.create(checkout=checkout, redemption=redemption, amount=taken.amount)


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
    for taken in checkout.rewards.select_related("redemption__reward").order_by("pk"):
        issued = issue_redemption(redemption=taken.redemption, actor=actor, now=now, by_cart=True)
        if issued.reward.takes_off and issued.voucher is not None:
            _use(issued.voucher, checkout, taken.amount, actor, now)
    spends = checkout.units.select_related("transfer")
    units = {item.transfer: item.amount for item in spends.order_by("pk")}
    return units | card_spends(checkout)


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
    if taken.status in (Status.CANCELLED, Status.EXPIRED):
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


def _wallet_of(membership: Membership, kind: WalletType) -> Wallet:
    wallet = wallet_of_kind(membership.account_id, kind.pk)
    if wallet.merged_into_id is not None:
        return current_wallet(wallet)
    wallet.wallet_type = kind
    return wallet
