"""Taking a gift or a donation back: by staff, once, and as far as something is left of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.errors import NotReversibleError, OverCorrectedError
from loyalty.ledger.posting import Movement, WalletRef, lock_wallets, movement, post
from loyalty.models import Account, Membership, Transfer, Wallet
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.selectors.memberships import current_wallet
from loyalty.selectors.merged_lots import Came, lots_of_transfer
from loyalty.services.adjustments import undo_transfer, whole_number
from loyalty.services.charity_entries import enter_undone_donation
from loyalty.services.occasion_reversals import is_of_occasion, undo_occasion
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

KINDS = (Transfer.Kind.GIFT, Transfer.Kind.DONATION)


@dataclass(frozen=True, slots=True)
class GiftLegs:
    """A gift: what left the giver's wallet, and what came to the receiver's."""

    gave: Transfer
    came: Transfer


def undo_movement(
    *, transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str = ""
) -> tuple[Transfer, bool]:
    """Undo what can be undone by hand: adjustments, gifts, donations, and what was given for a day
    of the year. Raises as they do."""
    if is_of_occasion(transfer):
        undo = undo_occasion
    else:
        undo = undo_gift if transfer.kind in KINDS else undo_transfer
    return undo(transfer=transfer, actor=actor, source=source, now=now, note=note)


def undo_gift(
    *, transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str = "",
    with_reward: bool = False,
) -> tuple[Transfer, bool]:  # fmt: skip
    """Return what is left of a gift (either leg of it), or a donation as a whole, to the giver.
    `with_reward`: the reward that gave it is given up as well.

    Returns the movement that undoes it and whether it had been made before. Raises
    NotReversibleError when nothing is left, or a reward gave it that nobody gives up,
    OverCorrectedError when it was undone already, ConflictError where one of them was erased: only
    with its reward it comes back all the same.
    """
    if transfer.kind not in KINDS:
        raise NotReversibleError(_("This is neither a gift nor a donation."))
    if transfer.explanation.get("gift_card"):
        raise NotReversibleError(_("What was added from a gift card stays where it is."))
    if transfer.explanation.get("reward") and not with_reward:
        raise NotReversibleError(_("They come back when the reward that was taken is canceled."))
    return run_atomically(lambda: _undo(transfer, actor, source, now, note, with_reward))


def gift_legs(transfer: Transfer) -> GiftLegs:
    """Both legs of a gift, by either of them."""
    legs = Transfer.objects.select_related("wallet", "wallet_type__program", "pair__wallet")
    came = legs.get(pk=transfer.pk) if transfer.pair_id else legs.get(pair=transfer.pk)
    assert came.pair is not None
    return GiftLegs(came.pair, came)


def left_of_gift(came: Transfer, now: dt.datetime) -> Came:
    """What the receiver still has of a gift, wherever a merge has brought it."""
    return lots_of_transfer(came.pk, wallet_id=current_wallet(came.wallet).pk, at=now)


def _undo(
    transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str, with_reward: bool
) -> tuple[Transfer, bool]:
    legs = gift_legs(transfer) if transfer.kind == Transfer.Kind.GIFT else None
    legs_of = (legs.came, legs.gave) if legs else (transfer,)
    wallets = [current_wallet(leg.wallet) for leg in legs_of]
    lock_wallets([wallet.pk for wallet in wallets])
    target = legs.came if legs else transfer
    key = f"undo:{target.pk}"
    known = Transfer.objects.filter(key=key).first()
    if known is not None:
        if known.note != note:
            raise OverCorrectedError(_("This was undone already."))
        return known, True
    for wallet in () if with_reward else wallets:
        refuse_erased_holder(wallet)
    made = _gift_entry(legs, key, source, now) if legs else None
    entry = made or _donation_entry(target, key, source, now)
    entry |= {"note": note, "actor": actor.user.pk if actor.user else None}
    posted = next(found for found in post([entry], now=now) if found.key == key)
    undone = Transfer.objects.select_related("wallet", "wallet_type").get(pk=posted.transfer_id)
    if legs is None:
        enter_undone_donation(undone=undone, now=now)
    for wallet_id in {legs.gave.wallet_id, legs.came.wallet_id} if legs else {transfer.wallet_id}:
        _audit(undone, wallet_id, actor, note)
    return undone, False


def _gift_entry(legs: GiftLegs, key: str, source: str, now: dt.datetime) -> Movement:
    gave, came = legs.gave, legs.came
    left = left_of_gift(came, now)
    if not left.units:
        raise NotReversibleError(
            _("Nothing is left of this gift: it was spent, shared, given on, or expired.")
        )
    giver, receiver = current_wallet(gave.wallet), current_wallet(came.wallet)
    # Only the very wallet that a movement was in reverses it.
    here = (giver, receiver) == (gave.wallet, came.wallet)
    whole = here and left.units == came.amount
    return movement(
        direction="move",
        kind=Transfer.Kind.REVERSAL.value,
        ref=_ref(came, receiver),
        counter_account_id=came.from_account_id,
        amount=left.units,
        occurred_at=now,
        key=key,
        source=source,
        explanation={"undone": "gift"},
        w2=giver.pk,
        a2=giver.account_id,
        lots=left.lot_ids,
        **({"rev": came.pk, "rev2": gave.pk} if whole else {"cor": came.pk, "cor2": gave.pk}),
    )


def _donation_entry(donation: Transfer, key: str, source: str, now: dt.datetime) -> Movement:
    donation = Transfer.objects.select_related("wallet", "wallet_type__program").get(pk=donation.pk)
    return movement(
        direction="back",
        kind=Transfer.Kind.REVERSAL.value,
        ref=_ref(donation, donation.wallet),
        counter_account_id=donation.to_account_id,
        amount=donation.amount,
        occurred_at=now,
        key=key,
        source=source,
        explanation={"undone": "donation", **donation.explanation},
        rev=donation.pk,
    )


def _ref(transfer: Transfer, wallet: Wallet) -> WalletRef:
    zone = transfer.wallet_type.program.zone
    return WalletRef(wallet.pk, wallet.account_id, transfer.wallet_type_id, zone)


def _audit(undone: Transfer, wallet_id: int, actor: Actor, note: str) -> None:
    account = Account.objects.get(wallets=wallet_id)
    owner = Membership.objects.select_related("customer").get(account=account)
    gives = undone.wallet_id == wallet_id and undone.from_account_id == account.pk
    units = -undone.amount if gives else undone.amount
    record_audit(
        actor=actor,
        action="points.gift_undone",
        target=owner.customer,
        about=owner,
        after={
            "units": whole_number(units, undone.wallet_type),
            "wallet_type": undone.wallet_type.plural,
            "transfer": undone.pk,
        },
        reason=note,
    )
