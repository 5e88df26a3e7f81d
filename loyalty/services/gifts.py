"""Members give units to each other and to charities. What is given keeps the day on which it
expires; if the order behind it comes back, whoever earned it owes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.errors import GiftRefusedError, InsufficientBalanceError, LedgerError
from loyalty.ledger.balances import holdings, spendable_of
from loyalty.ledger.posting import Movement, WalletRef, lock_wallets, movement, post
from loyalty.models import (
    Account,
    Charity,
    Membership,
    Program,
    StandingGift,
    Transfer,
    Wallet,
)
from loyalty.selectors.charities import Worth
from loyalty.selectors.erased_holders import refuse_erased_holder, refuse_erased_member
from loyalty.selectors.gifts import room_to_give, room_to_receive
from loyalty.services.adjustments import MOST_UNITS, Preview, whole_number
from loyalty.services.charity_entries import enter_donation
from loyalty.services.redemptions import check_moment, check_spending, terms_of
from members.errors import FieldError
from members.formatting import format_units
from members.services.audit import Actor, record_audit
from members.services.outbox import record_event
from members.services.transactions import run_atomically

LONGEST_MESSAGE = 200
# The outbox event of a gift to a member: the movement out.
GIVEN = "units.given"


@dataclass(frozen=True, slots=True)
class GiftPreview:
    """What can be spent before and after, by whoever gives and by the member who is given."""

    giver: Preview
    receiver: Preview | None = None


def preview_gift(
    *, wallet: Wallet, to: Membership, units: int, now: dt.datetime,
    whole_limit: int | None = None,
) -> GiftPreview:  # fmt: skip
    """The effect of a gift before it is made. Raises what making it would raise."""
    taker = _wallet_of(to, wallet)
    _check(wallet, units, "", whole_limit)
    _check_giver(wallet, now)
    _check_receiver(wallet, to)
    _check_gift(wallet, taker, units, now)
    held = holdings([wallet, taker], now)
    given, has = held[wallet.pk], held[taker.pk]
    if units > given.spendable:
        raise _insufficient(InsufficientBalanceError(given.spendable), wallet)
    return GiftPreview(
        Preview(given.spendable, given.spendable - units),
        Preview(has.spendable, spendable_of(has.balance + units, has.owed, blocks=has.blocked)),
    )


def preview_donation(
    *, wallet: Wallet, charity: Account, units: int, now: dt.datetime,
    whole_limit: int | None = None,
) -> GiftPreview:  # fmt: skip
    """The effect of a donation before it is made. Raises what making it would raise."""
    _check(wallet, units, "", whole_limit)
    _check_giver(wallet, now)
    _check_charity(wallet, charity)
    _check_amount(wallet, units)
    spendable = holdings([wallet], now)[wallet.pk].spendable
    if units > spendable:
        raise _insufficient(InsufficientBalanceError(spendable), wallet)
    return GiftPreview(Preview(spendable, spendable - units))


def most_to_give(wallet: Wallet, now: dt.datetime) -> int:
    """As many as can be given at once: all that can be spent, less what is no whole step."""
    spendable = holdings([wallet], now)[wallet.pk].spendable
    return spendable - spendable % (wallet.wallet_type.gift_step or 1)


def give_units(
    *,
    wallet: Wallet,
    to: Membership,
    units: int,
    message: str,
    actor: Actor,
    key: str,
    source: str,
    now: dt.datetime,
    whole_limit: int | None = None,
) -> tuple[Transfer, bool]:
    """One member gives to another. Returns the movement out and whether it had been made before.

    The program's limits are counted under the lock of both wallets, so two gifts at once do not
    exceed them. `whole_limit`: the most whole units that the actor may move at once. `key` makes it
    happen once. Raises GiftRefusedError, InsufficientBalanceError, KeyReusedError.
    """
    message = _check(wallet, units, message, whole_limit)
    taker = _wallet_of(to, wallet)

    def give() -> tuple[Transfer, bool]:
        lock_wallets([wallet.pk, taker.pk])
        if not Transfer.objects.filter(key=key).exists():
            refuse_erased_holder(wallet)
            refuse_erased_member(to)
            _check_giver(wallet, now)
            _check_receiver(wallet, to)
            _check_gift(wallet, taker, units, now)
        entry = _entry(
            wallet, "move", Transfer.Kind.GIFT, units, key, source, now, actor,
            counter=Account.Kind.TRANSIT, explanation={"message": message} if message else {},
            w2=taker.pk, a2=taker.account_id,
        )  # fmt: skip
        transfer, replayed = _post(entry, wallet, now)
        if not replayed:
            _audit("points.given", transfer, wallet, actor)
            _audit("points.received", transfer, taker, actor)
            record_event(GIVEN, {"transfer": transfer.pk})
        return transfer, replayed

    return run_atomically(give)


def donate_units(
    *,
    wallet: Wallet,
    charity: Account,
    units: int,
    actor: Actor,
    key: str,
    source: str,
    now: dt.datetime,
    whole_limit: int | None = None,
    note: str = "",
    standing: StandingGift | None = None,
    reward: str = "",
    worth: Worth | None = None,
    occurred_at: dt.datetime | None = None,
) -> tuple[Transfer, bool]:
    """A member gives to one of the program's charities. `note`: why staff gave it for them;
    `standing`: the standing gift that it follows from, which no least and no step holds up.
    `reward`: the name of the reward that gives it, at its own price; it comes back with that alone.
    `worth`: what the charity gets for it, where its rates do not say so. `occurred_at`: when a till
    that was offline gave it, up to 72 hours ago; what expired since then counts, and nothing that
    came since. Returns and raises as `give_units`."""
    at = occurred_at or now
    check_moment(at, now)
    _check(wallet, units, "", whole_limit)
    note = " ".join(note.replace("\x00", "").split())

    def donate() -> tuple[Transfer, bool]:
        lock_wallets([wallet.pk])
        if not Transfer.objects.filter(key=key).exists():
            _check_giver(wallet, at)
            _check_charity(wallet, charity, offered=bool(reward))
            if standing is None and not reward:
                refuse_erased_holder(wallet)
                _check_amount(wallet, units)
        entry = _entry(
            wallet, "out", Transfer.Kind.DONATION, units, key, source, at, actor,
            counter=charity.pk,
            explanation={"charity": charity.name}
            | ({"standing": True} if standing else {})
            | ({"reward": reward} if reward else {}),
            **({"note": note} if note else {}),
        )  # fmt: skip
        transfer, replayed = _post(entry, wallet, now)
        if not replayed:
            enter_donation(transfer=transfer, now=now, standing=standing, worth=worth)
            _audit("points.donated", transfer, wallet, actor, reason=note, charity=charity.name)
        return transfer, replayed

    return run_atomically(donate)


def _check(wallet: Wallet, units: int, message: str, whole_limit: int | None) -> str:
    """What can be said without looking at anybody; returns the message as it is kept."""
    if units <= 0:
        raise _refused("units", _("Give a number above zero."), code="invalid_request", status=422)
    if units > MOST_UNITS:
        raise _refused("units", _("Give a smaller number."), code="invalid_request", status=422)
    if whole_limit is not None and units > whole_limit * 10**wallet.wallet_type.scale:
        most = format_units(whole_limit * 10**wallet.wallet_type.scale, wallet.wallet_type)
        raise _refused("units", _("At most %s.") % most, code="limit_exceeded", status=403)
    message = " ".join(message.replace("\x00", "").split())
    if len(message) > LONGEST_MESSAGE:
        raise _refused(
            "message", _("At most %s characters.") % LONGEST_MESSAGE, code="invalid_request",
            status=422,
        )  # fmt: skip
    return message


def _check_giver(wallet: Wallet, now: dt.datetime) -> None:
    if wallet.wallet_type.program.status != Program.Status.LIVE:
        raise _refused("units", _("Nothing can be given in a program that is not live."))
    status = Membership.objects.values_list("status", flat=True).get(account=wallet.account_id)
    if status != Membership.Status.ACTIVE:
        raise _refused("membership", _("Only active members can give."))
    check_spending(terms_of(wallet), now, wallet.wallet_type)


def _check_receiver(wallet: Wallet, to: Membership) -> None:
    if to.account_id == wallet.account_id:
        raise _refused("to", _("Choose somebody else: this is the same member."))
    status = Membership.objects.values_list("status", flat=True).get(pk=to.pk)
    if status != Membership.Status.ACTIVE:
        raise _refused("to", _("Only active members can be given something."))


def _check_gift(wallet: Wallet, taker: Wallet, units: int, now: dt.datetime) -> None:
    wallet_type = wallet.wallet_type
    if not wallet_type.gifts_to_members:
        raise _refused(
            "units", _("%s cannot be given to other members.") % capfirst(wallet_type.plural)
        )
    _check_amount(wallet, units)
    room = room_to_give(wallet, now)
    if room is not None and units > room:
        raise _refused(
            "units", _("Today %s more can be given.") % format_units(room, wallet_type),
            code="daily_limit_exceeded",
        )  # fmt: skip
    room = room_to_receive(taker, now)
    if room is not None and units > room:
        # How much somebody was given by others is not said.
        raise _refused(
            "units", _("This is more than this member can be given today."),
            code="daily_limit_exceeded",
        )  # fmt: skip


def _check_charity(wallet: Wallet, charity: Account, *, offered: bool = False) -> None:
    """`offered`: the program gives it for these units itself, whatever members may give freely."""
    wallet_type = wallet.wallet_type
    foreign = charity.program_id != wallet_type.program_id
    closed = not (wallet_type.gifts_to_charities or offered)
    if foreign or charity.kind != Account.Kind.CHARITY or closed:
        raise _refused("to", _("%s cannot be given there.") % capfirst(wallet_type.plural))
    if not Charity.objects.filter(account=charity, status=Charity.Status.LIVE).exists():
        raise _refused("to", _("Nothing can be given to %s any more.") % charity.name)


def _check_amount(wallet: Wallet, units: int) -> None:
    least, step = wallet.wallet_type.gift_least, wallet.wallet_type.gift_step
    if step is not None and units % step:
        raise _refused(
            "units", _("Give a multiple of %s.") % format_units(step, wallet.wallet_type),
            code="not_in_steps",
        )  # fmt: skip
    if units < least:
        raise _refused(
            "units", _("Give %s or more.") % format_units(least, wallet.wallet_type),
            code="below_minimum",
        )  # fmt: skip


def _refused(
    field: str, message: str, *, code: str = "gift_refused", status: int = 409
) -> LedgerError:
    return GiftRefusedError(
        message, code=code, status=status, errors=[FieldError(field, message, code)]
    )


def _wallet_of(to: Membership, wallet: Wallet) -> Wallet:
    """Where the receiver holds the same kind of units."""
    wallets = Wallet.objects.select_related("wallet_type__program")
    found = wallets.filter(account=to.account_id, wallet_type=wallet.wallet_type_id).first()
    if found is None:
        raise _refused("to", _("Choose a member of the same program."))
    return found


def _entry(
    wallet: Wallet, direction: str, kind: Transfer.Kind, units: int, key: str, source: str,
    at: dt.datetime, actor: Actor, *, counter: int | str, explanation: dict[str, Any], **rest: Any,
) -> Movement:  # fmt: skip
    """`counter`: the account on the other side, or which of the program's own it is."""
    program = terms_of(wallet)
    return movement(
        direction=direction,
        kind=kind.value,
        ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone),
        counter_account_id=counter if isinstance(counter, int) else program.accounts[counter],
        amount=units,
        occurred_at=at,
        key=key,
        source=source,
        explanation=explanation,
        actor=actor.user.pk if actor.user else None,
        **program.renewal(wallet.wallet_type_id, Transfer.Kind.GIFT.value, at),
        **rest,
    )


def _post(entry: Movement, wallet: Wallet, now: dt.datetime) -> tuple[Transfer, bool]:
    try:
        posted = next(found for found in post([entry], now=now) if found.key == entry["key"])
    except InsufficientBalanceError as error:
        raise _insufficient(error, wallet) from error
    transfer = Transfer.objects.select_related("wallet", "wallet_type").get(pk=posted.transfer_id)
    return transfer, posted.replayed


def _audit(
    action: str, transfer: Transfer, wallet: Wallet, actor: Actor, reason: str = "", **more: Any
) -> None:
    """In the record of the wallet's owner, who alone is named there."""
    owner = Membership.objects.select_related("customer").get(account=wallet.account_id)
    units = transfer.amount if action == "points.received" else -transfer.amount
    record_audit(
        actor=actor,
        action=action,
        target=owner.customer,
        about=owner,
        after={
            "units": whole_number(units, wallet.wallet_type),
            "wallet_type": wallet.wallet_type.plural,
            "transfer": transfer.pk,
            **more,
        },
        reason=reason,
    )


def _insufficient(error: InsufficientBalanceError, wallet: Wallet) -> InsufficientBalanceError:
    words = format_units(error.spendable, wallet.wallet_type)
    return InsufficientBalanceError(error.spendable, words)
