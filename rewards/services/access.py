"""Whether a member may enter something: by a reward, by a benefit of their tier or plan, by a
window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program
from loyalty.selectors.benefits import benefits_now
from members.errors import DomainError, FieldError
from members.formatting import format_start
from rewards.models import Redemption, Reward, VoucherUse
from rewards.selectors.access_windows import OwnWindow, access_windows, own_windows
from rewards.selectors.redemptions import of_member

Status = Redemption.Status


@dataclass(frozen=True, slots=True)
class Access:
    """`code` is stable: allowed, program_not_live, not_active, not_taken, expired, no_benefit,
    not_yet, over, not_for_you. `until`: None: as long as nothing changes."""

    allowed: bool
    code: str
    words: str
    opens_at: dt.datetime | None = None
    until: dt.datetime | None = None


def check_reward(membership: Membership, code: str, now: dt.datetime) -> Access:
    """By something that the member took."""
    reward = Reward.objects.filter(program=membership.program_id, code=code).first()
    if reward is None:
        raise _unknown("reward", _("The program has no such reward."))
    if refused := _refused(membership):
        return refused
    ends = [*_ends_of_taken(membership, reward), *_ends_of_shared(membership, reward)]
    if not ends:
        return Access(False, "not_taken", _("The reward was not taken, or was given up."))
    if None in ends:
        return _allowed()
    last = max(end for end in ends if end is not None)
    if last <= now:
        return Access(False, "expired", _("It ran out."), until=last)
    return _allowed(last)


def _ends_of_taken(membership: Membership, reward: Reward) -> Iterable[dt.datetime | None]:
    """Of what the member took or was given, or drew out of a mystery gift."""
    same = Q(reward=reward) | Q(drawn=reward)
    return Redemption.objects.filter(
        same, of_member(membership), status__in=[Status.ISSUED, Status.USED]
    ).values_list("voucher__expires_at", flat=True)


def _ends_of_shared(membership: Membership, reward: Reward) -> Iterable[dt.datetime | None]:
    """Of the shared codes of it that the member used."""
    return VoucherUse.objects.filter(
        of_member(membership), voucher__reward=reward, state=VoucherUse.State.USED
    ).values_list("voucher__expires_at", flat=True)


def check_benefit(membership: Membership, benefit: str, now: dt.datetime) -> Access:
    """By a benefit of the member's tier or plan: its kind, or the name of a perk."""
    if refused := _refused(membership):
        return refused
    found = benefits_now([membership], now).get(membership.pk, [])
    named = {item.kind for item in found} | {item.name for item in found}
    if benefit not in named - {""}:
        return Access(False, "no_benefit", _("Neither the member's tier nor a plan brings it."))
    return _allowed()


def check_window(membership: Membership, code: str, now: dt.datetime) -> Access:
    """By a window before a sale."""
    window = access_windows(membership.program).filter(code=code).first()
    if window is None:
        raise _unknown("window", _("The program has no such window."))
    if refused := _refused(membership):
        return refused
    [own] = own_windows([window], membership, now)
    if own.opens_at is None:
        return Access(False, "not_for_you", _("It does not open for this member."))
    if now >= window.closes_at:
        return Access(False, "over", _("It is closed."), own.opens_at, window.closes_at)
    if now < own.opens_at:
        when = format_start(own.opens_at, membership.program.zone)
        return Access(False, "not_yet", _("It opens on %s.") % when, own.opens_at, window.closes_at)
    return Access(True, "allowed", _("It is open."), own.opens_at, window.closes_at)


def check_product(
    membership: Membership, sku: str, categories: Sequence[str], now: dt.datetime
) -> Access:
    """Whether a member may buy something now: what a sale that has not opened for everybody names
    waits for the member's own time. What no such sale names, everybody may buy."""
    if refused := _refused(membership):
        return refused
    found = held_back(membership, [(sku, categories)], now)
    if not found:
        return _allowed()
    [own] = found.values()
    if own.opens_at is None:
        return Access(False, "not_for_you", _("It does not open for this member."))
    if own.is_open(now):
        return Access(True, "allowed", _("It is open."), own.opens_at, own.window.closes_at)
    when = format_start(own.opens_at, membership.program.zone)
    return Access(False, "not_yet", _("It opens on %s.") % when, own.opens_at, own.window.closes_at)


def held_back(
    membership: Membership, products: Sequence[tuple[str, Sequence[str]]], now: dt.datetime
) -> dict[int, OwnWindow]:
    """Of products (SKU and categories) those that a sale names which has not opened for everybody,
    by their place, with the sale that lets the member come first. One query where there is none."""
    coming = access_windows(membership.program).filter(closes_at__gt=now)
    coming = coming.filter(Q(opens_at=None) | Q(opens_at__gt=now))
    named = [window for window in coming if window.skus or window.categories]
    found: dict[int, OwnWindow] = {}
    if not named:
        return found
    own = own_windows(named, membership, now)
    own.sort(key=lambda item: (item.opens_at is None, item.opens_at or item.window.closes_at))
    for place, (sku, categories) in enumerate(products):
        first = next((item for item in own if item.window.covers(sku, categories)), None)
        if first is not None:
            found[place] = first
    return found


def _refused(membership: Membership) -> Access | None:
    if membership.program.status != Program.Status.LIVE:
        return Access(False, "program_not_live", _("The program is not running."))
    if membership.status != Membership.Status.ACTIVE:
        return Access(False, "not_active", _("The membership is not active."))
    return None


def _allowed(until: dt.datetime | None = None) -> Access:
    return Access(True, "allowed", _("They may enter."), until=until)


def _unknown(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message, "not_found")])
