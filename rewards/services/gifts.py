"""Giving a reward: it costs the member nothing, and asks for no conditions and no limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Program, Transfer
from loyalty.plain_numbers import whole
from loyalty.selectors.adjustment_limits import limits_of
from loyalty.selectors.memberships import memberships, wallet_ids
from loyalty.services.adjustment_limits import lock_staff, require_at_once
from members.errors import DomainError, FieldError
from members.selectors.erased import erased_at, was_erased
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically
from rewards.errors import RewardRefusedError
from rewards.models import Event, Redemption, Reward
from rewards.services.deliveries import begin_delivery
from rewards.services.draws import handed_out
from rewards.services.eligibility import event_of
from rewards.services.given_value import credit_wallets, give_value
from rewards.services.issuing import issue_voucher
from rewards.services.redemptions import same_redemption, wallet_of
from rewards.services.stock import reward_as_it_is

Gift = Redemption.Gift


def give_reward(
    *, membership: Membership, reward: Reward, gift: str, message: str, key: str, source: str,
    actor: Actor, now: dt.datetime, reason: str = "",
) -> tuple[Redemption, bool]:  # fmt: skip
    """Give it, issued at once. Returns it, and whether that had been done before by this key.
    `gift`: why, one of `Redemption.Gift`; `message`: what the member reads; `reason`: for the log.

    Raises RewardRefusedError where the program does not run, the membership is not active, the
    member was erased, the reward is not live or none is left, KeyReusedError.
    """

    def give() -> tuple[Redemption, bool]:
        wallet = wallet_of(membership, reward)
        lock_wallets([wallet.pk, *credit_wallets(membership, reward)])
        known = Redemption.objects.filter(key=key).first()
        if known is not None:
            return _same(known, membership, reward), True
        member = memberships().get(account=wallet.account_id)
        found = reward_as_it_is(reward)
        _refuse(found, member, now)
        given = Redemption(
            reward=found, membership=member, status=Redemption.Status.ISSUED, units=0, gift=gift,
            message=message.strip(), stocked=found.stock is not None, key=key, source=source,
            created_at=now, issued_at=now, staff=actor.user,
        )  # fmt: skip
        if found.is_stored_value:
            given.save()
            give_value(given, actor, now)
        else:
            given.voucher = issue_voucher(handed_out(given), member, now)
            given.save()
        if given.stocked:
            Reward.objects.filter(pk=found.pk).update(taken=F("taken") + 1)
        begin_delivery(given, None, now)
        if actor is not SYSTEM:
            _audit(given, actor, reason)
        return given, False

    return run_atomically(give)


def give_by_staff(
    *, membership: Membership, reward: Reward, message: str, reason: str, key: str, actor: Actor,
    now: dt.datetime,
) -> tuple[Redemption, bool]:  # fmt: skip
    """Somebody of the staff gives it, with a reason. Its price is held against what their role may
    move at once. Raises what `give_reward` does, and LedgerError `limit_exceeded`, `not_staff`."""
    if not reason.strip():
        raise DomainError(_("Say why."), errors=[FieldError("reason", _("Say why."))])

    def give() -> tuple[Redemption, bool]:
        _user, role = lock_staff(actor)
        price = whole(reward.price, reward.wallet_type)
        require_at_once(limits_of(role, reward.program), price)
        return give_reward(
            membership=membership, reward=reward, gift=Gift.STAFF.value, message=message, key=key,
            source=Transfer.Source.BACKOFFICE.value, actor=actor, now=now, reason=reason,
        )  # fmt: skip

    return run_atomically(give)


def lock_all(members: Iterable[Membership]) -> None:
    """The wallets of all who are given something in one piece of work, before the first is: a
    reward of which there are so many stays locked from then on, and whoever takes it has locked
    their own wallet before."""
    lock_wallets(wallet_ids(members))


def _same(known: Redemption, membership: Membership, reward: Reward) -> Redemption:
    if not known.gift:
        raise KeyReusedError(_("This key belongs to another redemption."))
    return same_redemption(known, membership, reward)


def _refuse(reward: Reward, member: Membership, now: dt.datetime) -> None:
    if member.program.status != Program.Status.LIVE:
        raise RewardRefusedError(_("The program is not running."), code="program_not_live")
    if member.status != Membership.Status.ACTIVE:
        raise RewardRefusedError(_("The membership is not active."), code="not_active")
    if erased_at(member.customer) is not None:
        gone = was_erased()
        raise RewardRefusedError(gone.message, code=gone.code)
    if reward.status != Reward.Status.LIVE:
        raise RewardRefusedError(_("Only a live reward can be given."), code="not_offered")
    event = event_of(reward)
    if event is not None and (event.status == Event.Status.CANCELED or now >= event.starts_at):
        raise RewardRefusedError(_("It was called off, or has begun."), code="over")
    if reward.is_donation:
        raise RewardRefusedError(
            _("A donation is what a member gives. It cannot be given to them."), code="not_offered"
        )
    if reward.left == 0:
        raise RewardRefusedError(_("All of them are taken."), code="sold_out")


def _audit(given: Redemption, actor: Actor, reason: str) -> None:
    record_audit(
        actor=actor, action="reward.given", target=given.membership.customer,
        about=given.membership,
        after={"reward": given.reward.name, "redemption": str(given.public_id),
               "message": given.message},
        reason=reason,
    )  # fmt: skip


JOB = Transfer.Source.JOB.value
