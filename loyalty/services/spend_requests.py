"""What buyers ask their company's approvers for: asking, deciding, withdrawing.

Nothing is set aside while a request waits: whether the units are there is looked at again when it
is decided, and they are redeemed with the decision or not at all. Locks: the pool (who asks), the
request, then the wallet; whoever leaves withdraws what they asked for in the same order.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.errors import InsufficientBalanceError, KeyReusedError
from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Pool, PoolMember, SpendRequest, Transfer, WalletType
from loyalty.selectors.companies import common_wallet, spend_requests
from loyalty.services.adjustments import MOST_UNITS, Preview, whole_number
from loyalty.services.pool_audit import record_pool_audit
from loyalty.services.pool_moves import refused
from loyalty.services.pools import current_member, open_pool
from loyalty.services.redemptions import redeem_units
from members.errors import ConflictError
from members.formatting import format_units
from members.services.audit import Actor
from members.services.transactions import run_atomically

State = SpendRequest.State
LONGEST_NOTE = 500


def ask_to_spend(
    *, member: PoolMember, wallet_type: WalletType, units: int, note: str, key: str, actor: Actor,
    source: str, now: dt.datetime,
) -> tuple[SpendRequest, bool]:  # fmt: skip
    """Write down what a buyer wants to spend, and what for. Returns the request, and whether the
    same key had asked for it before.

    Raises PoolRefusedError, and InsufficientBalanceError where it could not be spent now either.
    """
    note = _clean_note(note)

    def ask() -> tuple[SpendRequest, bool]:
        known = spend_requests().filter(key=key).first()
        if known is not None:
            return _same(known, member, wallet_type, units, note), True
        pool = open_pool(member.pool)
        row = current_member(pool, member)
        _check_asker(row, units)
        _check_balance(pool, wallet_type, units, now)
        days = pool.company.answer_days
        request = SpendRequest.objects.create(
            company=pool.company, wallet_type=wallet_type, units=units, note=note, key=key,
            source=source, asked_by=row, asked_at=now, expires_at=now + dt.timedelta(days=days),
        )  # fmt: skip
        _audit(actor, "spending.asked", request, row, note)
        return spend_requests().get(pk=request.pk), False

    return run_atomically(ask)


def approve_spending(
    *, request: SpendRequest, approver: PoolMember, actor: Actor, now: dt.datetime, note: str = ""
) -> Transfer:
    """Redeem what was asked for, as a whole or not at all. Two approvers at once: the second is
    told that it was decided. Raises InsufficientBalanceError, PoolRefusedError."""

    def approve() -> Transfer:
        row = _lock(request, now)
        pool = row.company.pool
        wallet = common_wallet(pool, row.wallet_type)
        lock_wallets([wallet.pk])
        decider = _require_decider(row, approver)
        asker = _present(pool, row.asked_by)
        transfer, _replayed = redeem_units(
            wallet=wallet, units=row.units, key=row.key, source=row.source, actor=actor, now=now,
            note=row.note, spender=asker.membership,
        )  # fmt: skip
        row.state, row.transfer = State.APPROVED, transfer
        _decide(row, decider, actor, now, note)
        _audit(actor, "spending.approved", row, asker, note)
        return transfer

    return run_atomically(approve)


def reject_spending(
    *, request: SpendRequest, approver: PoolMember, actor: Actor, now: dt.datetime, note: str
) -> SpendRequest:
    """Say no, and why."""
    note = _clean_note(note)

    def reject() -> SpendRequest:
        row = _lock(request, now)
        decider = _require_decider(row, approver)
        row.state = State.REJECTED
        _decide(row, decider, actor, now, note)
        _audit(actor, "spending.rejected", row, row.asked_by, note)
        return row

    return run_atomically(reject)


def withdraw_spending(
    *, request: SpendRequest, member: PoolMember, actor: Actor, now: dt.datetime
) -> SpendRequest:
    """Take back what one has asked for oneself."""

    def withdraw() -> SpendRequest:
        row = _lock(request, now)
        if row.asked_by_id != member.pk:
            raise refused("member", _("Only who asked can withdraw it."), code="not_yours",
                          status=403)  # fmt: skip
        row.state, row.decided_at = State.WITHDRAWN, now
        row.save()
        _audit(actor, "spending.withdrawn", row, row.asked_by, "")
        return row

    return run_atomically(withdraw)


def withdraw_all(pool: Pool, *, now: dt.datetime, member: PoolMember | None = None) -> None:
    """What waits of somebody who leaves, or of a company that is closed; within the caller's
    transaction, which holds the pool."""
    waiting = SpendRequest.objects.filter(company__pool=pool, state=State.WAITING)
    if member is not None:
        waiting = waiting.filter(asked_by=member)
    # Locked in one order, so that two who write do not wait for each other.
    keys = list(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
    SpendRequest.objects.filter(pk__in=keys).update(state=State.WITHDRAWN, decided_at=now)


def expire_spending(*, now: dt.datetime) -> int:
    """Write down which requests nobody has answered in time; how many there were."""
    late = SpendRequest.objects.filter(state=State.WAITING, expires_at__lte=now)
    return late.update(state=State.EXPIRED, decided_at=now)


def preview_spending(request: SpendRequest, now: dt.datetime) -> Preview:
    """What the company could spend before and after; below zero where it does not suffice."""
    wallet = common_wallet(request.company.pool, request.wallet_type)
    spendable = holdings([wallet], now)[wallet.pk].spendable
    return Preview(spendable, spendable - request.units)


def why_not_to_decide(request: SpendRequest, approver: PoolMember) -> str:
    """Why a member may not decide this; nothing if they may."""
    if approver.pool_id != request.company.pool_id or not approver.decides:
        return _("Only owners and approvers of the company decide.")
    if approver.membership.status != Membership.Status.ACTIVE:
        return _("Only active members decide.")
    if approver.membership_id == request.asked_by.membership_id:
        return _("Somebody else has to decide what you have asked for.")
    return ""


def _lock(request: SpendRequest, now: dt.datetime) -> SpendRequest:
    """The request as it is now, held until the transaction ends."""
    row = spend_requests().select_for_update(of=("self",)).get(pk=request.pk)
    if row.state == State.WAITING and row.expires_at > now:
        return row
    decided = {
        State.APPROVED: _("%(who)s has approved it already."),
        State.REJECTED: _("%(who)s has rejected it already."),
        State.WITHDRAWN: _("It was withdrawn."),
    }.get(State(row.state), _("It has waited too long and has to be asked for again."))
    who = str((row.decided_by or row.asked_by).membership.customer)
    raise ConflictError(decided % {"who": who}, code="already_decided")


def _require_decider(row: SpendRequest, approver: PoolMember) -> PoolMember:
    pool = row.company.pool
    decider = _present(pool, approver, status=403)
    why_not = why_not_to_decide(row, decider)
    if why_not:
        raise refused("approver", why_not, code="may_not_decide", status=403)
    return decider


def _present(pool: Pool, member: PoolMember, *, status: int = 409) -> PoolMember:
    """As they are in the company now."""
    rows = PoolMember.objects.select_related("pool", "membership__customer")
    found = rows.filter(pk=member.pk, pool=pool, left_at=None).first()
    if found is None or pool.status != Pool.Status.OPEN:
        raise refused(
            "membership", _("This member has left the company."), code="may_not_decide",
            status=status,
        )  # fmt: skip
    return found


def _check_asker(member: PoolMember, units: int) -> None:
    if member.pool.kind != Pool.Kind.COMPANY:
        raise refused("membership", _("Only buyers of a company ask for approval."))
    if member.membership.status != Membership.Status.ACTIVE:
        raise refused("membership", _("Only active members can spend from a pool."))
    if not 0 < units <= MOST_UNITS:
        raise refused("units", _("Give a number above zero."), code="invalid_request", status=422)
    if member.spends_freely:
        raise refused("membership", _("Owners and approvers spend without asking."))


def _check_balance(pool: Pool, wallet_type: WalletType, units: int, now: dt.datetime) -> None:
    wallet = common_wallet(pool, wallet_type)
    spendable = holdings([wallet], now)[wallet.pk].spendable
    if units > spendable:
        raise InsufficientBalanceError(spendable, format_units(spendable, wallet_type))


def _same(
    known: SpendRequest, member: PoolMember, wallet_type: WalletType, units: int, note: str
) -> SpendRequest:
    asked = (known.asked_by_id, known.wallet_type_id, known.units, known.note)
    if asked != (member.pk, wallet_type.pk, units, note):
        raise KeyReusedError(_("This was asked already, with other content."))
    return known


def _clean_note(note: str) -> str:
    note = " ".join(note.replace("\x00", "").split())
    if not note or len(note) > LONGEST_NOTE:
        message = _("Say why, in at most %s characters.") % LONGEST_NOTE
        raise refused("note", message, code="invalid_request", status=422)
    return note


def _decide(
    row: SpendRequest, decider: PoolMember, actor: Actor, now: dt.datetime, note: str
) -> None:
    row.decided_by, row.decided_user, row.decided_at = decider, actor.user, now
    row.decision_note = " ".join(note.replace("\x00", "").split())[:LONGEST_NOTE]
    row.save()


def _audit(actor: Actor, action: str, row: SpendRequest, member: PoolMember, note: str) -> None:
    wallet_type = row.wallet_type
    after = {
        "units": whole_number(row.units, wallet_type), "wallet_type": wallet_type.plural,
    }  # fmt: skip
    record_pool_audit(
        actor=actor, action=action, member=member, after=after | ({"note": note} if note else {})
    )
