"""Vouchers at a checkout: looked at, held for it, used by it, let go. Each once for a checkout,
however often it is told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program
from loyalty.rules.facts import NOTHING, ZERO, Occasion
from members.errors import NotFoundError
from members.formatting import format_day
from members.prepared import insert_row, update_row
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically
from rewards.codes import is_mistyped, plain
from rewards.errors import VoucherRefusedError
from rewards.models import Redemption, Reward, Voucher, VoucherUse
from rewards.services.issuing import close_voucher, reopen_voucher, voucher_of
from rewards.services.shared_codes import free_slot, is_used_up, own_slot, refuse_use
from rewards.services.voucher_costs import book_use
from rewards.voucher_terms import Taken, taken_off

HOLD = dt.timedelta(minutes=30)
State = VoucherUse.State


def find_voucher(written: str) -> Voucher:
    """The voucher with this code, however it was typed. Raises NotFoundError."""
    code = plain(written)
    found = (
        Voucher.objects.select_related("program", "membership", "reward").filter(code=code).first()
        if code
        else None
    )
    if found is None:
        mistyped = is_mistyped(code)
        raise NotFoundError(
            _("There is no such voucher: a sign of it is mistyped.")
            if mistyped
            else _("There is no such voucher.")
        )
    return found


def check_voucher(
    voucher: Voucher, occasion: Occasion | None, *, checkout: str, now: dt.datetime,
    member: Membership | None = None,
) -> Taken:  # fmt: skip
    """What it would take off. Raises VoucherRefusedError where it cannot be used now, or here.
    `member`: who uses it, where it is shared."""
    _refuse_state(voucher, now)
    _refuse_elsewhere(voucher, checkout, now)
    if voucher.most_uses is not None and member is not None:
        refuse_use(voucher, checkout, member, now)
    return _taken(voucher, occasion)


def hold_voucher(
    *, voucher: Voucher, checkout: str, occasion: Occasion | None, now: dt.datetime,
    hold: dt.timedelta = HOLD, member: Membership | None = None,
) -> tuple[VoucherUse, Taken]:  # fmt: skip
    """Keep it for one checkout. Held again by the same one it is kept from now on. Raises
    VoucherRefusedError."""

    def keep() -> tuple[VoucherUse, Taken]:
        locked = _locked(voucher)
        _refuse_state(locked, now)
        _free(locked, checkout, now)
        taken = _taken(locked, occasion)
        told = _place(locked, checkout, member, now) | {
            "state": State.HELD, "held_until": now + hold,
            "discount": None if occasion is None else taken.amount,
        }  # fmt: skip
        use, _new = VoucherUse.objects.update_or_create(
            voucher=locked, checkout=checkout,
            defaults=told | {"closed_at": None},
            create_defaults=told | {"created_at": now},
        )  # fmt: skip
        return use, taken

    return run_atomically(keep)


def use_voucher(
    *, voucher: Voucher, checkout: str, occasion: Occasion | None, actor: Actor, now: dt.datetime,
    told: Decimal | None = None,
    member: Membership | None = None,
) -> tuple[VoucherUse, bool]:  # fmt: skip
    """Use it up for a checkout, held or not. Returns what it took off, and whether that was so
    before. What was held keeps what it was told, also where its hold has passed and nobody else
    came. `told`: what the checkout took off for it. Raises VoucherRefusedError.
    """

    def use() -> tuple[VoucherUse, bool]:
        locked = _locked(voucher)
        known = locked.uses.filter(checkout=checkout).first()
        if known is not None and known.state == State.USED:
            return known, True
        held = known is not None and known.state == State.HELD
        if not held:
            _refuse_state(locked, now)
        _free(locked, checkout, now)
        place = _place(locked, checkout, member or (known.membership if known else None), now)
        known = known or VoucherUse(voucher=locked, checkout=checkout, created_at=now)
        known.slot, known.membership = place["slot"], place["membership"]
        known.own_slot = place["own_slot"]
        if not held or known.discount is None:
            known.discount = _discount(locked, occasion) if told is None else told
        known.state, known.closed_at, known.held_until = State.USED, now, None
        known.save()
        book_use(known, now)
        _close(locked, known, now, actor)
        return known, False

    return run_atomically(use)


def use_issued(
    *, taken: Redemption, checkout: str, told: Decimal, actor: Actor, now: dt.datetime
) -> None:
    """Use up for a checkout what it was handed out for in this very transaction: nobody else has
    seen its code yet, so there is nothing to look at."""
    voucher = voucher_of(taken)
    voucher.program = taken.reward.program
    use = VoucherUse(
        voucher=voucher, checkout=checkout, slot=1, own_slot=1, state=State.USED, discount=told,
        created_at=now, closed_at=now,
    )  # fmt: skip
    insert_row(use)
    book_use(use, now)
    voucher.status, voucher.closed_at = Voucher.Status.USED, now
    update_row(voucher, "status", "closed_at")
    taken.status, taken.closed_at = Redemption.Status.USED, now
    update_row(taken, "status", "closed_at")
    _audit("reward.used", voucher, actor)


def release_voucher(
    *, voucher: Voucher, checkout: str, actor: Actor, now: dt.datetime
) -> VoucherUse | None:
    """Let it go: the checkout was left, or its order was canceled. It can be used again, until it
    runs out. Doing it again changes nothing; None: the checkout never had it."""

    def release() -> VoucherUse | None:
        locked = _locked(voucher)
        known: VoucherUse | None = locked.uses.filter(checkout=checkout).first()
        if known is None or known.state == State.RELEASED:
            return known
        was_used = known.state == State.USED
        known.state, known.closed_at, known.held_until = State.RELEASED, now, None
        known.save()
        if was_used:
            book_use(known, now)
        if was_used and (locked.most_uses is None or locked.status == Voucher.Status.USED):
            _reopen(locked, actor)
        return known

    return run_atomically(release)


def refuse_of_another(voucher: Voucher, member: Membership) -> None:
    """Raises VoucherRefusedError where a voucher belongs to somebody else than whose cart it is."""
    owner = voucher.membership and (voucher.membership.merged_into or voucher.membership)
    if owner is not None and owner.customer_id != member.customer_id:
        raise VoucherRefusedError(_("It is another member's."), code="voucher_of_another")


def _refuse_state(voucher: Voucher, now: dt.datetime) -> None:
    zone = voucher.program.zone
    unissued = voucher.status in (Voucher.Status.WAITING, Voucher.Status.KEPT)
    if voucher.program.status == Program.Status.DRAFT or unissued:
        raise VoucherRefusedError(_("It was not given to anybody."), code="voucher_not_issued")
    if voucher.terms.get("kind") in Reward.ELSEWHERE or voucher.terms.get("sent"):
        raise VoucherRefusedError(_("It is not for a checkout."), code="voucher_not_applicable")
    if voucher.status == Voucher.Status.USED:
        raise VoucherRefusedError(_("It has been used."), code="voucher_used")
    if voucher.status == Voucher.Status.VOID:
        raise VoucherRefusedError(_("It was called back."), code="voucher_void")
    last = voucher.last_moment
    if last is not None and voucher.expires_at is not None and voucher.expires_at <= now:
        raise VoucherRefusedError(
            _("It could be used to %s.") % format_day(last, zone), code="voucher_expired"
        )


def _place(
    voucher: Voucher, checkout: str, member: Membership | None, now: dt.datetime
) -> dict[str, Any]:
    """Whose use it is, and which, where the voucher is shared."""
    if voucher.most_uses is None:
        return {"slot": 1, "own_slot": 1, "membership": None}
    refuse_use(voucher, checkout, member, now)
    assert member is not None
    return {
        "slot": free_slot(voucher, checkout), "membership": member,
        "own_slot": own_slot(voucher, checkout, member),
    }  # fmt: skip


def _refuse_elsewhere(voucher: Voucher, checkout: str, now: dt.datetime) -> None:
    if voucher.most_uses is not None:
        return
    held = voucher.uses.filter(state=State.HELD, held_until__gt=now).exclude(checkout=checkout)
    if held.exists():
        raise VoucherRefusedError(_("It is in use at another checkout."), code="voucher_held")


def _free(voucher: Voucher, checkout: str, now: dt.datetime) -> None:
    """Take it from a checkout that let its hold pass."""
    _refuse_elsewhere(voucher, checkout, now)
    passed = voucher.uses.filter(state=State.HELD, held_until__lte=now).exclude(checkout=checkout)
    passed.update(state=State.RELEASED, closed_at=now, held_until=None)


def _taken(voucher: Voucher, occasion: Occasion | None) -> Taken:
    if occasion is None:
        return Taken(ZERO, {}, ZERO, NOTHING)
    terms = voucher.terms
    if occasion.currency != terms["currency"]:
        raise VoucherRefusedError(
            _("It is for purchases in %s.") % terms["currency"], code="voucher_currency"
        )
    coin = Decimal(1).scaleb(-get_currency_precision(occasion.currency))
    taken = taken_off(terms, occasion, coin)
    if terms.get("discount") and not taken.amount:
        raise VoucherRefusedError(
            _("Nothing of this order is what it is for, or the order is too small."),
            code="voucher_not_applicable",
        )
    return taken


def _discount(voucher: Voucher, occasion: Occasion | None) -> Decimal | None:
    """What it takes off; None: no basket was told."""
    return None if occasion is None else _taken(voucher, occasion).amount


def _close(voucher: Voucher, use: VoucherUse, now: dt.datetime, actor: Actor) -> None:
    if voucher.most_uses is not None:
        _audit("shared_code.used", voucher, actor, use.membership)
        if not is_used_up(voucher):
            return
    close_voucher(voucher, Voucher.Status.USED, now)
    # An offline till may have used in time what was written down as run out since.
    had = [Redemption.Status.ISSUED, Redemption.Status.EXPIRED]
    Redemption.objects.filter(voucher=voucher, status__in=had).update(
        status=Redemption.Status.USED, closed_at=now
    )
    _audit("reward.used", voucher, actor)


def _reopen(voucher: Voucher, actor: Actor) -> None:
    reopen_voucher(voucher, voucher.expires_at)
    Redemption.objects.filter(voucher=voucher, status=Redemption.Status.USED).update(
        status=Redemption.Status.ISSUED, closed_at=None
    )
    _audit("voucher.released", voucher, actor)


def _audit(action: str, voucher: Voucher, actor: Actor, member: Membership | None = None) -> None:
    owner = member or voucher.membership
    if owner is None or voucher.reward is None or actor is SYSTEM:
        return
    record_audit(
        actor=actor, action=action, target=owner.customer, about=owner,
        after={"reward": voucher.reward.name, "voucher": str(voucher.public_id)},
    )  # fmt: skip


def _locked(voucher: Voucher) -> Voucher:
    """The row as it is now, what it was taken as locked before it. Nothing is spent here, so no
    wallet is waited for."""
    Redemption.objects.select_for_update().filter(voucher=voucher.pk).values_list("pk").first()
    rows = Voucher.objects.select_related("program", "membership__customer", "reward")
    return rows.select_for_update(of=("self",)).get(pk=voucher.pk)
