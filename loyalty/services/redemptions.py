"""Spending units, and giving them back: the ledger's side of every redemption."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from loyalty.errors import (
    InsufficientBalanceError,
    LedgerError,
    NotReversibleError,
    OverCorrectedError,
    SpendingStoppedError,
)
from loyalty.ledger.posting import Movement, Posted, WalletRef, lock_wallets, movement, post
from loyalty.models import Account, Membership, Order, Program, Transfer, Wallet, WalletType
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.selectors.memberships import current_wallet
from loyalty.selectors.partners import AtPartner, partner_of_key
from loyalty.selectors.rulebooks import ProgramTerms, Terms, fresh_terms, terms_as_read
from loyalty.selectors.tier_worth import Payer, terms_in
from loyalty.services.adjustments import whole_number
from loyalty.services.restorations import restoration
from loyalty.services.spending_terms import Bill, refuse_beyond_terms, worth_said
from members.errors import FieldError
from members.formatting import format_units
from members.prepared import KeptQuery
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

# A till may have been offline: what it sold on before it could tell us counts at its own time.
OFFLINE = dt.timedelta(hours=72)


def redeem_units(
    *,
    wallet: Wallet,
    units: int,
    key: str,
    source: str,
    actor: Actor,
    now: dt.datetime,
    occurred_at: dt.datetime | None = None,
    order: Order | None = None,
    note: str = "",
    spender: Membership | None = None,
    reward: str = "",
    bill: Bill | None = None,
    checkout: str = "",
) -> tuple[Transfer, bool]:
    """Spend units, those that expire first before others. Returns the transfer, and whether it had
    been made before.

    `occurred_at`: when a till that was offline did it, up to 72 hours ago; units that expired since
    then count. `order`: what was paid with them; they come back as it does. `spender`: who spends,
    where the wallet is not their own. `reward`: the name of what was taken for them; they come back
    with that alone, and it has its price whatever the terms of use of its units are. `checkout`:
    the name of the one that keeps them, to pay for a part of its `bill`; they come back with it
    alone.
    Raises InsufficientBalanceError, KeyReusedError, SpendingRefusedError, SpendingStoppedError.
    """
    at = occurred_at or now
    _check(units, at, now)
    return run_atomically(
        lambda: _redeem(
            wallet, units, key, source, actor, now, at, order, note, spender, reward, bill, checkout
        )
    )


def spend_for_reward(
    *, wallet: Wallet, program: Program, units: int, key: str, source: str, actor: Actor,
    now: dt.datetime, occurred_at: dt.datetime, reward: str,
) -> int:  # fmt: skip
    """Spend units for a reward of this name. The caller holds the wallet's lock, and has read its
    program since. Returns the key of the transfer. Raises as `redeem_units` does."""
    _check(units, occurred_at, now)
    terms = _terms_in(terms_as_read([program]), program.pk)
    entry = _spend_entry(
        wallet, units, terms, key=key, source=source, at=occurred_at, said={"reward": reward},
        actor=actor,
    )  # fmt: skip
    check_spending(terms, occurred_at, wallet.wallet_type)
    return _post(entry, wallet, now).transfer_id


def spend_for_checkout(
    *, wallet: Wallet, program: ProgramTerms, payer: Payer, units: int, key: str, source: str,
    actor: Actor, now: dt.datetime, bill: Bill, checkout: str,
) -> int:  # fmt: skip
    """The same for a checkout that keeps them to pay for a part of its bill, by a key that is new.
    `payer`: the terms for who spends, read with the program since the wallet was locked."""
    _check(units, now, now)
    kind = wallet.wallet_type
    check_spending(program, now, kind)
    if payer.terms.said:
        refuse_beyond_terms(
            units, wallet_type=kind, program=program, terms=payer.terms, bill=bill
        )  # fmt: skip
    said = worth_said(payer, units, payer.terms.worth(units), program.currency)
    entry = _spend_entry(
        wallet, units, program, key=key, source=source, at=now,
        said={"checkout": checkout, **said}, actor=actor,
    )  # fmt: skip
    return _post(entry, wallet, now).transfer_id


def redeem_for_member(
    *,
    wallet: Wallet,
    membership: Membership,
    units: int,
    order: Order | None,
    actor: Actor,
    key: str,
    now: dt.datetime,
    note: str,
) -> Transfer:
    """A redemption by a colleague at the member's wish; it takes nothing that the member could not
    spend. Raises as `redeem_units` does."""

    def redeem() -> Transfer:
        made, replayed = redeem_units(
            wallet=wallet, units=units, key=key, source=Transfer.Source.BACKOFFICE.value,
            actor=actor, now=now, order=order, note=note,
        )  # fmt: skip
        if not replayed:
            record_audit(
                actor=actor,
                action="points.redeemed",
                target=membership.customer,
                about=membership,
                after={
                    "amount": whole_number(units, made.wallet_type),
                    "wallet_type": made.wallet_type.plural,
                    "transfer": made.pk,
                },
                reason=note,
            )
        return made

    return run_atomically(redeem)


def reverse_redemption(
    *,
    transfer: Transfer,
    units: int | None = None,
    key: str,
    source: str,
    actor: Actor,
    now: dt.datetime,
    note: str = "",
    with_reward: bool = False,
) -> tuple[Transfer, bool]:
    """Give back a redemption, or so many units of it: they return to the lots they came from.
    `with_reward`: what was taken for them, or the checkout that kept them, is given up as well.

    Raises OverCorrectedError where more would come back than was spent, NotReversibleError where a
    reward was taken for them that nobody gives up, ConflictError for who was erased.
    """
    if transfer.explanation.get("checkout") and not with_reward:
        raise NotReversibleError(_("They come back with their checkout, or with its order."))
    if transfer.explanation.get("became"):
        raise NotReversibleError(_("They went on in another program when this one ended."))
    if transfer.explanation.get("reward") and not with_reward:
        raise NotReversibleError(_("They come back when the reward that was taken is canceled."))
    return run_atomically(
        lambda: _reverse(transfer, units, key, source, actor, now, note, with_reward)
    )


def _check(units: int, at: dt.datetime, now: dt.datetime) -> None:
    if units <= 0:
        raise LedgerError(
            _("A redemption takes more than nothing."),
            code="invalid_request",
            errors=[FieldError("units", _("Give a number above zero."))],
        )
    check_moment(at, now)


def check_moment(at: dt.datetime, now: dt.datetime) -> None:
    """Raises LedgerError where something was spent neither now nor by a till that was offline."""
    if at > now or at < now - OFFLINE:
        raise LedgerError(
            _("A redemption is told at once, or within 72 hours by a till that was offline."),
            code="invalid_request",
            errors=[FieldError("occurred_at", _("Give a time within the last 72 hours."))],
        )


def _redeem(
    wallet: Wallet, units: int, key: str, source: str, actor: Actor, now: dt.datetime,
    at: dt.datetime, order: Order | None, note: str, spender: Membership | None, reward: str,
    bill: Bill | None, checkout: str,
) -> tuple[Transfer, bool]:  # fmt: skip
    wallet = current_wallet(wallet, key)
    refuse_erased_holder(wallet, key, spender)
    program = terms_of(wallet)
    payer = Payer(program.units[wallet.wallet_type_id].spending)
    pays = not reward and (order is not None or bill is not None)
    by_tier = pays and bool(payer.terms.by_tier)
    limited = not reward and payer.terms.said
    stops = not _can_spend(program, at, wallet.wallet_type)
    if limited or stops or by_tier:
        lock_wallets([wallet.pk])
        payer = payer_of(wallet, program, at, spender) if by_tier else payer
        # A repeat is answered whatever the terms are now.
        if not Transfer.objects.filter(key=key).exists():
            if stops:
                check_spending(program, at, wallet.wallet_type)
            if limited:
                refuse_beyond_terms(
                    units, wallet_type=wallet.wallet_type, program=program, terms=payer.terms,
                    order=order, bill=bill,
                )  # fmt: skip
    said = {
        "order": order.external_id if order else None,
        "member": spender.pk if spender else None,
        "reward": reward,
        "checkout": checkout,
    }
    if pays:
        said |= worth_said(payer, units, payer.terms.worth(units), program.currency)
    entry = _spend_entry(
        wallet, units, program, key=key, source=source, at=at, said=said, actor=actor, order=order,
        note=note,
    )  # fmt: skip
    posted = _post(entry, wallet, now)
    return _transfer(posted.transfer_id), posted.replayed


def _spend_entry(
    wallet: Wallet, units: int, program: ProgramTerms, *, key: str, source: str, at: dt.datetime,
    said: Mapping[str, object], actor: Actor, order: Order | None = None, note: str = "",
) -> Movement:  # fmt: skip
    return spend_movement(
        WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone),
        units,
        program=program,
        occurred_at=at,
        key=key,
        source=source,
        explanation={name: value for name, value in said.items() if value},
        partner=partner_of_key(actor.api_key),
        o=order.pk if order else None,
        actor=actor.user.pk if actor.user else None,
        note=note,
    )


def _post(entry: Movement, wallet: Wallet, now: dt.datetime) -> Posted:
    try:
        return post([entry], now=now)[0]
    except InsufficientBalanceError as error:
        words = format_units(error.spendable, wallet.wallet_type)
        raise InsufficientBalanceError(error.spendable, words) from error


def _reverse(
    transfer: Transfer, units: int | None, key: str, source: str, actor: Actor, now: dt.datetime,
    note: str, with_reward: bool,
) -> tuple[Transfer, bool]:  # fmt: skip
    lock_wallets([transfer.wallet_id])
    if not with_reward:
        refuse_erased_holder(current_wallet(transfer.wallet), key)
    known = Transfer.objects.filter(key=key).first()
    if known is not None and units is None:
        return _transfer(known.pk), True
    left = units_left(transfer)
    wanted = left if units is None else units
    if known is None and (left <= 0 or wanted > left):
        raise OverCorrectedError(
            _("All of it has come back already.")
            if left <= 0
            else _("Only %s of it have not come back yet.")
            % format_units(left, transfer.wallet_type)
        )
    entry = restoration(
        transfer,
        wanted,
        program=terms_of(transfer.wallet),
        occurred_at=now,
        now=now,
        key=key,
        source=source,
        explanation=_purpose(transfer),
        actor=actor.user.pk if actor.user else None,
        note=note,
    )
    posted = post([entry], now=now)[0]
    if not posted.replayed:
        _audit_return(transfer, int(entry["n"]), actor, note)
    return _transfer(posted.transfer_id), posted.replayed


def _purpose(transfer: Transfer) -> dict[str, object]:
    """What was taken for the units, or kept them, if it was a reward or a checkout."""
    said = transfer.explanation
    return {name: said[name] for name in ("reward", "checkout") if said.get(name)}


def spend_movement(
    ref: WalletRef,
    units: int,
    *,
    program: ProgramTerms,
    occurred_at: dt.datetime,
    key: str,
    source: str,
    explanation: dict[str, object],
    partner: AtPartner | None = None,
    **rest: object,
) -> Movement:
    """Units leave a wallet for what is bought with them: to the partner that takes them in, or to
    the program."""
    if partner is not None and partner.program_id != program.id:
        raise LedgerError(
            _("These units are of a program that the partner is not in."), code="other_program"
        )
    if partner is not None:
        explanation = {**explanation, "partner": partner.name}
    kind = Transfer.Kind.REDEMPTION.value
    return movement(
        direction="out",
        kind=kind,
        ref=ref,
        counter_account_id=(
            partner.account_id if partner else program.accounts[Account.Kind.REDEEMED]
        ),
        amount=units,
        occurred_at=occurred_at,
        key=key,
        source=source,
        explanation=explanation,
        **rest,
        **program.renewal(ref.wallet_type_id, kind, occurred_at),
    )


def units_left(transfer: Transfer) -> int:
    """How many units of a movement have not come back yet, whoever gave the others back."""
    parts = Q(reverses=transfer) | Q(corrects=transfer)
    back = Transfer.objects.filter(parts).aggregate(units=Sum("amount"))["units"] or 0
    return int(transfer.amount - back)


def _audit_return(transfer: Transfer, units: int, actor: Actor, note: str) -> None:
    owner = Membership.objects.select_related("customer").filter(account=transfer.wallet.account_id)
    wallet_type = transfer.wallet_type
    for membership in owner:
        record_audit(
            actor=actor,
            action="points.redemption_undone",
            target=membership.customer,
            about=membership,
            after={
                "amount": whole_number(units, wallet_type),
                "wallet_type": wallet_type.plural,
                "transfer": transfer.pk,
            },
            reason=note,
        )


def payer_of(
    wallet: Wallet, program: ProgramTerms, at: dt.datetime, spender: Membership | None = None
) -> Payer:
    """The terms of a wallet's units as they are for who spends them then: its member, or whoever
    may spend of it. The caller holds the wallet's lock."""
    terms = program.units[wallet.wallet_type_id].spending
    if terms.by_tier and spender is None:
        spender = Membership.objects.filter(account=wallet.account_id).first()
    return terms_in(program, terms, spender, at)


def check_spending(program: ProgramTerms, at: dt.datetime, wallet_type: WalletType) -> None:
    """Raise SpendingStoppedError where nothing of this kind could be spent then."""
    if _can_spend(program, at, wallet_type):
        return
    if program.times.state_at(at) == "ended":
        raise SpendingStoppedError(_("The program has ended: nothing can be spent any more."))
    raise SpendingStoppedError(_("The program is paused: nothing can be spent meanwhile."))


def _can_spend(program: ProgramTerms, at: dt.datetime, wallet_type: WalletType) -> bool:
    """What was paid in is the member's money, whatever the program does."""
    return wallet_type.stored_value or program.times.spends_at(at)


def terms_of(wallet: Wallet) -> ProgramTerms:
    """The terms of a wallet's program as they are now."""
    return _terms_in(fresh_terms(), wallet.wallet_type.program_id)


def _terms_in(terms: Terms, program_id: int) -> ProgramTerms:
    for program in terms.programs:
        if program.id == program_id:
            return program
    raise LedgerError(_("The program of this wallet is not live."), code="program_not_live")


_transfers: KeptQuery[Transfer] = KeptQuery(
    lambda pk: Transfer.objects.select_related("wallet", "wallet_type").filter(pk=pk)
)


def _transfer(pk: int) -> Transfer:
    return _transfers.one(pk)
