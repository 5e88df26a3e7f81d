"""Taking a reward: reserved, issued, used; or canceled, or let run out.

Units are spent with the reservation and stand in the ledger from then on; they come back to the
lots that they came from. Locks: the wallet, the redemption, its voucher, and the reward where there
are only so many of it, always in this order.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Wallet
from loyalty.plain_numbers import whole
from loyalty.selectors.erased_holders import refuse_erased_member
from loyalty.selectors.memberships import (
    current_wallet,
    membership_of_account,
    wallet_of_kind,
)
from loyalty.services.adjustment_limits import lock_staff
from loyalty.services.adjustments import whole_number
from loyalty.services.redemptions import reverse_redemption, spend_for_reward
from members.errors import DomainError, FieldError
from members.models import User
from members.prepared import insert_row, update_row
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.addresses import Address
from rewards.errors import RedemptionStateError, RewardRefusedError
from rewards.models import Redemption, Reward, StaffOverride, Voucher
from rewards.selectors.redemptions import redemption_of_key
from rewards.selectors.rewards import reward_now
from rewards.services.deliveries import begin_delivery, continue_delivery, end_delivery
from rewards.services.donations import donate, mark_given, take_donation_back
from rewards.services.draws import handed_out
from rewards.services.eligibility import OVERRIDABLE, Offer, offers_for
from rewards.services.event_waits import seat_came_free
from rewards.services.given_value import (
    credit_wallets,
    give_value,
    take_value_back,
)
from rewards.services.issuing import (
    close_voucher,
    is_awaited,
    issue_voucher,
    keep_code,
    leave_code,
    reopen_voucher,
    voucher_of,
)
from rewards.services.kept_by_carts import refuse_kept
from rewards.services.overrides import Override, lock_override, note_override, require_reason
from rewards.services.redemption_locks import lock_redemption
from rewards.services.stock import take_from_stock

Status = Redemption.Status
# How long something is kept for who reserved it, where nothing else is said.
HOLD = dt.timedelta(minutes=15)
LONGEST_HOLD = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes something, and the wallet that it is paid from: locked, and read since."""

    member: Membership
    wallet: Wallet


def take_reward(
    *, membership: Membership, reward: Reward, key: str, source: str, actor: Actor,
    now: dt.datetime, hold: dt.timedelta | None = None, override: Override | None = None,
    address: Address | None = None, at: dt.datetime | None = None, holder: Holder | None = None,
) -> tuple[Redemption, bool]:  # fmt: skip
    """Take a reward at its price of now. Returns it, and whether that had been done before by this
    key. `hold`: only reserve it for so long; else it is issued at once. `address`: where it goes
    to, if it is sent; without it, it waits for one. `at`: when it was taken, by a till that was
    offline, up to 72 hours ago. `holder`: for a caller who locked, who has asked whether they were
    erased, and whose key is new.

    Raises RewardRefusedError with the first reason that is not let pass, InsufficientBalanceError,
    KeyReusedError.
    """
    _check(hold, override)
    then = at or now

    def take() -> tuple[Redemption, bool]:
        if override is not None:
            lock_staff(actor)
        held = holder or _locked_holder(membership, reward)
        member, wallet = held.member, held.wallet
        known = None if holder else redemption_of_key(key)
        if known is not None:
            return same_redemption(known, membership, reward), True
        if holder is None:
            refuse_erased_member(member)
        [offer] = offers_for([reward_now(reward.pk, locks=False)], member, then)
        overridden = _refuse(offer, override)
        user = _who_lets_pass(offer, member, actor, now) if overridden else None
        taken = _reserve(offer, member, wallet, key, source, actor, now, then, hold or HOLD)
        # What is drawn from it is locked after it.
        early = offer.reward.kind == Reward.Kind.MYSTERY
        if early:
            take_from_stock(taken)
        if hold is not None:
            # What is promised cannot run out before it is fetched.
            taken.kept_code = keep_code(handed_out(taken))
        if user is not None and override is not None:
            _insert_overridden(taken, override, overridden, user, now)
        else:
            insert_row(taken)
        audit_redemption("reward.taken", taken, actor, taken.override_reason)
        if hold is None:
            _issue(taken, actor, then)
        begin_delivery(taken, address, now)
        if not early:
            # Last, for whoever wants one of the same waits from here on until all is written.
            take_from_stock(taken)
        return taken, False

    return run_atomically(take)


def _insert_overridden(
    taken: Redemption, override: Override, overridden: list[str], user: User, now: dt.datetime
) -> None:
    taken.overridden, taken.override_reason = overridden, override.reason
    taken.staff = user
    insert_row(taken)
    note_override(
        redemption=taken, kind=StaffOverride.Kind.TAKEN, user=user, codes=overridden,
        reason=override.reason, now=now,
    )  # fmt: skip


def issue_redemption(*, redemption: Redemption, actor: Actor, now: dt.datetime) -> Redemption:
    """Hand out what was reserved. Doing it again changes nothing. Raises RedemptionStateError where
    it was given up or ran out meanwhile, or a cart keeps it."""
    return run_atomically(lambda: _hand_out(redemption, actor, now, by_cart=False))[0]


def issue_for_cart(
    *, redemption: Redemption, actor: Actor, now: dt.datetime
) -> tuple[Redemption, bool]:
    """The same by the cart that it was reserved for, and whether it was handed out just now."""
    return run_atomically(lambda: _hand_out(redemption, actor, now, by_cart=True))


def use_redemption(*, redemption: Redemption, actor: Actor, now: dt.datetime) -> Redemption:
    """Note that it was used, where no voucher does so by itself. Doing it again changes nothing."""

    def use() -> Redemption:
        found = lock_redemption(redemption)
        if found.status == Status.USED:
            return found
        if found.status != Status.ISSUED:
            raise RedemptionStateError(_("Only what is there to be used can be used."))
        close_voucher(voucher_of(found), Voucher.Status.USED, now)
        found.status, found.closed_at = Status.USED, now
        found.save(update_fields=["status", "closed_at"])
        audit_redemption("reward.used", found, actor)
        return found

    return run_atomically(use)


def reissue_redemption(*, redemption: Redemption, actor: Actor, now: dt.datetime) -> Redemption:
    """Take back that it was used: a mistake at the door, a parcel that was not sent after all.
    Whatever is not used stays as it is."""

    def reissue() -> Redemption:
        found = lock_redemption(redemption)
        if found.status != Status.USED:
            return found
        reopen_voucher(voucher_of(found), voucher_of(found).expires_at)
        found.status, found.closed_at = Status.ISSUED, None
        found.save(update_fields=["status", "closed_at"])
        audit_redemption("reward.unused", found, actor)
        return found

    return run_atomically(reissue)


def cancel_redemption(
    *, redemption: Redemption, reason: str, source: str, actor: Actor, now: dt.datetime,
    by_cart: bool = False, used: bool = False,
) -> Redemption:  # fmt: skip
    """Give it up: units come back to where they came from, the stock is one more, the voucher is
    called back. Doing it again changes nothing. `by_cart`: the cart that it was taken for does.
    `used`: also what was noted as used, by mistake. Raises RedemptionStateError where it ran out,
    was used, or a cart keeps it; money that was given comes back while it is there."""

    def cancel() -> Redemption:
        found = lock_redemption(redemption)
        if found.status == Status.CANCELED:
            return found
        if found.status == Status.EXPIRED:
            raise RedemptionStateError(_("It ran out. It can be brought back instead."))
        if found.status == Status.USED and not used and not found.gives_value:
            raise RedemptionStateError(_("It was used."))
        if not by_cart:
            refuse_kept(found)
        take_value_back(found, reason, source, actor, now)
        end_delivery(found, actor, now)
        if found.voucher is not None:
            close_voucher(found.voucher, Voucher.Status.VOID, now)
        _give_back(found, Status.CANCELED, reason, source, actor, now)
        audit_redemption("reward.cancelled", found, actor, reason)
        return found

    return run_atomically(cancel)


def release_redemption(*, redemption: Redemption, actor: Actor, now: dt.datetime) -> bool:
    """End a reservation that nobody came for; whether there was one to end."""

    def release() -> bool:
        found = lock_redemption(redemption)
        if found.status != Status.RESERVED or not _ran_out(found, now):
            return False
        end_delivery(found, actor, now)
        _give_back(found, Status.EXPIRED, "", "job", actor, now)
        return True

    return run_atomically(release)


def expire_redemption(*, redemption: Redemption, now: dt.datetime) -> bool:
    """Write down that its voucher ran out; whether it had. The units stay spent."""

    def expire() -> bool:
        found = lock_redemption(redemption)
        if found.status != Status.ISSUED:
            return False
        voucher = voucher_of(found)
        if voucher.expires_at is None or voucher.expires_at > now or is_awaited(voucher, now):
            return False
        close_voucher(voucher, Voucher.Status.EXPIRED, voucher.expires_at)
        found.status, found.closed_at = Status.EXPIRED, voucher.expires_at
        found.save(update_fields=["status", "closed_at"])
        return True

    return run_atomically(expire)


def _check(hold: dt.timedelta | None, override: Override | None) -> None:
    if hold is not None and not dt.timedelta(0) < hold <= LONGEST_HOLD:
        wrong = FieldError("hold_minutes", _("Between a minute and seven days."))
        raise DomainError(_("This cannot be reserved for so long."), errors=[wrong])
    if override is None:
        return
    require_reason(override.reason)
    unknown = sorted(set(override.codes) - set(OVERRIDABLE))
    if unknown:
        wrong = FieldError("override", _("This cannot be let pass: %s.") % ", ".join(unknown))
        raise DomainError(_("This cannot be let pass."), errors=[wrong])


def wallet_of(membership: Membership, reward: Reward) -> Wallet:
    """That of the reward's units. Raises RewardRefusedError for another program's reward."""
    if reward.program_id != membership.program_id:
        raise RewardRefusedError(_("It belongs to another program."), code="not_offered")
    wallet = wallet_of_kind(membership.account_id, reward.wallet_type_id)
    return wallet if wallet.merged_into_id is None else current_wallet(wallet)


def _locked_holder(membership: Membership, reward: Reward) -> Holder:
    """As they are now that nobody else can spend."""
    wallet = wallet_of(membership, reward)
    lock_wallets([wallet.pk, *credit_wallets(membership, reward)])
    return Holder(membership_of_account(wallet.account_id), wallet)


def same_redemption(known: Redemption, membership: Membership, reward: Reward) -> Redemption:
    """What is known by a key. Raises KeyReusedError where that is something else."""
    owner = known.membership.merged_into_id or known.membership_id
    if (owner, known.reward_id) != (membership.merged_into_id or membership.pk, reward.pk):
        raise KeyReusedError(_("This key belongs to another redemption."))
    return known


def _refuse(offer: Offer, override: Override | None) -> list[str]:
    """Raise the first refusal that is not let pass; return those that are."""
    allowed = set(override.codes) if override else set()
    for refusal in offer.refusals:
        if refusal.code not in allowed:
            raise RewardRefusedError(refusal.words, code=refusal.code)
    return [refusal.code for refusal in offer.refusals]


def _who_lets_pass(offer: Offer, membership: Membership, actor: Actor, now: dt.datetime) -> User:
    """Whose day's limit it counts for. Raises as `lock_override` does."""
    price = whole(offer.price, offer.reward.wallet_type)
    return lock_override(program=membership.program, units=price, actor=actor, now=now)


def _reserve(
    offer: Offer, membership: Membership, wallet: Wallet, key: str, source: str, actor: Actor,
    now: dt.datetime, then: dt.datetime, hold: dt.timedelta,
) -> Redemption:  # fmt: skip
    reward, spent = offer.reward, None
    if reward.is_donation:
        spent = donate(
            reward, wallet=wallet, units=offer.price, key=f"reward:{key}", source=source,
            actor=actor, now=now, at=then,
        ).pk  # fmt: skip
    elif offer.price:
        wallet.wallet_type = reward.wallet_type
        spent = spend_for_reward(
            wallet=wallet, program=membership.program, units=offer.price, key=f"reward:{key}",
            source=source, actor=actor, now=now, occurred_at=then, reward=reward.name,
        )  # fmt: skip
    return Redemption(
        reward=reward, membership=membership, status=Status.RESERVED, units=offer.price,
        spent_id=spent, stocked=reward.stock is not None, key=key, source=source, created_at=then,
        reserved_until=then + hold,
    )  # fmt: skip


def _hand_out(
    redemption: Redemption, actor: Actor, now: dt.datetime, *, by_cart: bool
) -> tuple[Redemption, bool]:
    found = lock_redemption(redemption)
    if found.status in (Status.ISSUED, Status.USED):
        return found, False
    if found.status != Status.RESERVED or _ran_out(found, now):
        raise RedemptionStateError(_("It is not reserved any more."))
    if not by_cart:
        refuse_kept(found)
    _issue(found, actor, now)
    continue_delivery(found, now)
    audit_redemption("reward.issued", found, actor)
    return found, True


def _issue(redemption: Redemption, actor: Actor, now: dt.datetime) -> None:
    if redemption.reward.is_stored_value:
        give_value(redemption, actor, now)
        return
    if redemption.reward.is_donation:
        mark_given(redemption, now)
        return
    reward, kept = handed_out(redemption), redemption.kept_code
    redemption.voucher = issue_voucher(reward, redemption.membership, now, kept)
    redemption.status, redemption.issued_at, redemption.kept_code = Status.ISSUED, now, None
    drawn = ("drawn", "drawn_stocked", "draw") if redemption.drawn_id is not None else ()
    update_row(redemption, "voucher", "status", "issued_at", "kept_code", *drawn)


def _give_back(
    redemption: Redemption, status: str, reason: str, source: str, actor: Actor, now: dt.datetime
) -> None:
    if redemption.spent is not None and redemption.reward.is_donation:
        redemption.returned = take_donation_back(redemption.spent, reason, source, actor, now)
    elif redemption.spent is not None:
        redemption.returned, _replayed = reverse_redemption(
            transfer=redemption.spent, key=f"reward:{redemption.key}:back", source=source,
            actor=actor, now=now, note=reason, with_reward=True,
        )  # fmt: skip
    if redemption.kept_code is not None:
        leave_code(redemption.kept_code)
        redemption.kept_code = None
    if redemption.stocked:
        Reward.objects.filter(pk=redemption.reward_id).update(taken=F("taken") - 1)
    if redemption.drawn is not None and redemption.drawn_stocked:
        Reward.objects.filter(pk=redemption.drawn.pk).update(taken=F("taken") - 1)
    redemption.stocked, redemption.drawn_stocked, redemption.status = False, False, status
    redemption.closed_at, redemption.reason = now, reason
    changed = ["returned", "stocked", "drawn_stocked", "kept_code"]
    redemption.save(update_fields=[*changed, "status", "closed_at", "reason"])
    seat_came_free(redemption, now)


def _ran_out(redemption: Redemption, now: dt.datetime) -> bool:
    return redemption.reserved_until is not None and redemption.reserved_until <= now


def audit_redemption(action: str, redemption: Redemption, actor: Actor, reason: str = "") -> None:
    record_audit(
        actor=actor,
        action=action,
        target=redemption.membership.customer,
        about=redemption.membership,
        after={
            "reward": redemption.reward.name,
            "units": whole_number(redemption.units, redemption.reward.wallet_type),
            "redemption": str(redemption.public_id),
        },
        reason=reason,
    )
