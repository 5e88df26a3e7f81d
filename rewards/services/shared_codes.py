"""Codes that many may use, each of them so often: SUMMER26 for the first thousand members."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.errors import ConflictError, DomainError, FieldError
from members.program_scope import of_all_programs
from members.services.audit import Actor, record_audit
from rewards.codes import new_code, plain
from rewards.errors import RedemptionStateError, VoucherRefusedError
from rewards.models import Reward, Voucher, VoucherUse
from rewards.services.voucher_pools import CODE
from rewards.voucher_terms import terms_of

State = VoucherUse.State
Status = Voucher.Status
OPEN = (State.HELD, State.USED)
MOST = 1_000_000


# The code may be there already in a program that the actor does not see.
@of_all_programs()
@transaction.atomic
def create_shared_code(
    *, reward: Reward, written: str, most_uses: int, expires_at: dt.datetime | None, actor: Actor,
    now: dt.datetime, per_member: int = 1,
) -> Voucher:  # fmt: skip
    """A code that does what the reward does, for nothing, so many times, and so often for each
    member.
    `written`: empty: one that nobody can guess. It keeps what the reward says now. Raises
    DomainError, ConflictError where there is such a code."""
    written = written.replace("\x00", "").strip()[:48] or new_code(reward.prefix)
    _check(reward, plain(written), most_uses, per_member, expires_at, now)
    voucher, made = Voucher.objects.get_or_create(
        code=plain(written),
        defaults={
            "written": written, "program": reward.program, "reward": reward,
            "status": Status.ISSUED, "issued_at": now, "expires_at": expires_at,
            "most_uses": most_uses, "per_member": per_member, "terms": terms_of(reward),
        },
    )  # fmt: skip
    if not made:
        words = _("There is such a code already.")
        raise ConflictError(words, errors=[FieldError("written", words, "taken")])
    record_audit(
        actor=actor, action="shared_code.created", target=reward,
        after={"voucher": str(voucher.public_id), "most_uses": most_uses,
               "per_member": per_member},
    )  # fmt: skip
    return voucher


@transaction.atomic
def stop_shared_code(*, voucher: Voucher, actor: Actor, now: dt.datetime) -> Voucher:
    """Nobody can use it any more; what was used stays. Again changes nothing."""
    found = Voucher.objects.select_for_update().get(pk=voucher.pk)
    if found.most_uses is None or found.reward is None:
        raise RedemptionStateError(_("It is one member's own."))
    if found.status in (Status.ISSUED, Status.USED):
        held = found.uses.filter(state=State.HELD)
        held.update(state=State.RELEASED, closed_at=now, held_until=None)
        found.status, found.closed_at = Status.VOID, now
        found.save(update_fields=["status", "closed_at"])
        record_audit(
            actor=actor, action="shared_code.stopped", target=found.reward,
            after={"voucher": str(found.public_id)},
        )  # fmt: skip
    return found


def refuse_use(
    voucher: Voucher, checkout: str, member: Membership | None, now: dt.datetime
) -> None:
    """Raises VoucherRefusedError where this member may not use a shared code, or nobody may. A hold
    that has passed keeps nobody from it."""
    if member is None or member.program_id != voucher.program_id:
        raise VoucherRefusedError(_("Say which member uses it."), code="voucher_needs_member")
    open_now = Q(state=State.USED) | Q(state=State.HELD, held_until__gt=now)
    own = voucher.uses.filter(open_now, membership__in=selves([member]))
    if own.exclude(checkout=checkout).count() >= voucher.per_member:
        raise VoucherRefusedError(_used_by_member(voucher), code="voucher_used_by_member")
    if _taken_by_others(voucher, checkout, now) >= (voucher.most_uses or 1):
        raise VoucherRefusedError(_("It was used as often as it may be."), code="voucher_used_up")


def free_slot(voucher: Voucher, checkout: str) -> int:
    """Which of its uses this will be. The voucher's row is locked."""
    taken = voucher.uses.filter(state__in=OPEN)
    own = taken.filter(checkout=checkout).values_list("slot", flat=True).first()
    if own is not None:
        return int(own)
    last: int = taken.aggregate(last=Max("slot"))["last"] or 0
    if last < (voucher.most_uses or 1):
        return last + 1
    if not taken.filter(slot=1).exists():
        return 1
    following = taken.filter(slot=OuterRef("slot") + 1)
    before_gap = taken.filter(~Exists(following)).order_by("slot").values_list("slot", flat=True)
    return int(before_gap[0]) + 1


def own_slot(voucher: Voucher, checkout: str, member: Membership) -> int:
    """Which of this member's uses it will be. The voucher's row is locked; whether one is left was
    asked before."""
    taken = voucher.uses.filter(state__in=OPEN, membership=member)
    own = taken.filter(checkout=checkout).values_list("own_slot", flat=True).first()
    if own is not None:
        return int(own)
    others = set(taken.values_list("own_slot", flat=True))
    return next(slot for slot in range(1, voucher.per_member + 2) if slot not in others)


def _used_by_member(voucher: Voucher) -> str:
    if voucher.per_member == 1:
        return _("This member has used it already.")
    return _("This member has used it %s times, as often as one may.") % voucher.per_member


def is_used_up(voucher: Voucher) -> bool:
    """Whether nobody else can use it."""
    all_taken = _uses_taken(voucher) >= (voucher.most_uses or 1)
    return all_taken and not voucher.uses.filter(state=State.HELD).exists()


def _taken_by_others(voucher: Voucher, checkout: str, now: dt.datetime) -> int:
    """How many of its uses other checkouts have now: all, without this one's and those that are
    kept for nobody any more, which are few. All of them are not counted, for there may be a
    million."""
    passed = voucher.uses.filter(state=State.HELD, held_until__lte=now).exclude(checkout=checkout)
    own = voucher.uses.filter(state__in=OPEN, checkout=checkout)
    return _uses_taken(voucher) - passed.count() - own.count()


def _uses_taken(voucher: Voucher) -> int:
    """As it is now: the database counts it with each use."""
    return Voucher.objects.values_list("uses_taken", flat=True).get(pk=voucher.pk)


def _check(
    reward: Reward, code: str, most_uses: int, per_member: int, expires_at: dt.datetime | None,
    now: dt.datetime,
) -> None:  # fmt: skip
    errors = []
    if not (reward.takes_off or reward.kind == Reward.Kind.ACCESS):
        errors.append(FieldError("reward", _("A reward of this kind has no shared codes.")))
    if not CODE.match(code):
        errors.append(FieldError("written", _("Between 4 and 40 letters and digits.")))
    if not 1 <= most_uses <= MOST:
        errors.append(FieldError("most_uses", _("Between 1 and a million.")))
    if not 1 <= per_member <= max(most_uses, 1):
        errors.append(FieldError("per_member", _("At least once, and at most as often as all.")))
    if expires_at is not None and expires_at <= now:
        errors.append(FieldError("until", _("Give a day that has not passed.")))
    if errors:
        raise DomainError(_("The code cannot be made like this."), errors=errors)
