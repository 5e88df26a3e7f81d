"""Taking back what came from what is judged to be misuse: activities are taken back as such, what
orders earned and what was given by hand as one adjustment of each wallet.

Nothing here moves units by itself. Activities leave a debt as the program says; an adjustment takes
no more than can be spent, and waits for a second person above the role's limit.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.models import Activity, ActivityAward, Membership, RiskCase, Transfer, Wallet
from loyalty.services.activity_decisions import reverse_activity
from loyalty.services.adjustment_limits import lock_staff
from loyalty.services.adjustments import adjust_units
from loyalty.services.risk_cases import (
    audit_case,
    close_case,
    locked_case,
    require_waiting,
    required_note,
)
from loyalty.services.staff_adjustments import adjust_as_staff
from loyalty.services.suspensions import resume_membership
from members.errors import DomainError, FieldError
from members.services.audit import Actor
from members.services.transactions import run_atomically

REASON = "fraud"


@dataclass(frozen=True, slots=True)
class Undue:
    """What one fact brought, and is left of it. `key`: the fact's name."""

    key: str
    wallet: Wallet
    units: int
    label: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Taking:
    """What would be taken from a wallet: by taking activities back, and by an adjustment, which
    takes no more than `spendable`."""

    wallet: Wallet
    by_activities: int
    by_adjustment: int
    spendable: int

    @property
    def taken(self) -> int:
        """By the adjustment."""
        left = max(self.spendable - self.by_activities, 0)
        return min(self.by_adjustment, left)

    @property
    def missing(self) -> int:
        return self.by_adjustment - self.taken


@dataclass(frozen=True, slots=True)
class ClawBack:
    """What came of it. `asked`: so many adjustments wait for a second person."""

    case: RiskCase
    asked: int = 0


def undue_of(case: RiskCase) -> list[Undue]:
    """What the facts of a case brought to its member, as far as it is still there to be undone; the
    newest first."""
    facts: dict[str, set[int]] = defaultdict(set)
    for item in case.signals:
        for fact in item["facts"]:
            facts[fact["kind"]].add(fact["id"])
    account = case.membership.account_id
    found = [
        *_of_activities(case.membership, facts["activity"]),
        *_of_transfers(account, facts["order"], facts["transfer"]),
    ]
    return sorted(found, key=lambda one: (one.at, one.key), reverse=True)


def takings_of(undue: Iterable[Undue], *, now: dt.datetime) -> list[Taking]:
    """What it comes to for each wallet."""
    wallets: dict[int, Wallet] = {}
    sums: dict[tuple[int, bool], int] = defaultdict(int)
    for one in undue:
        wallets[one.wallet.pk] = one.wallet
        sums[one.wallet.pk, one.key.startswith("activity:")] += one.units
    held = holdings(list(wallets.values()), now)
    return [
        Taking(wallet, sums[pk, True], sums[pk, False], held[pk].spendable)
        for pk, wallet in sorted(wallets.items())
    ]


def claw_back(
    *,
    case: RiskCase,
    facts: Collection[str] | None,
    resume: bool,
    note: str,
    actor: Actor,
    now: dt.datetime,
) -> ClawBack:
    """Take back what these facts brought (None: all of them), and close the case. `resume`: who was
    held takes part again. Once it is closed, again changes nothing."""

    def take() -> ClawBack:
        if actor.user is not None:
            lock_staff(actor)
        row = locked_case(case)
        if row.state == RiskCase.State.CLAWED_BACK:
            return ClawBack(row)
        require_waiting(row)
        said = required_note(note)
        undue = undue_of(row)
        chosen = [one for one in undue if facts is None or one.key in facts]
        if not chosen:
            message = _("Choose what is to be taken back.")
            raise DomainError(message, errors=[FieldError("facts", message)])
        takings = takings_of(chosen, now=now)
        _take_activities(chosen, said, actor, now)
        asked = sum(_adjust(row, taking, said, actor, now) for taking in takings)
        if resume and row.suspended and row.membership.status == Membership.Status.SUSPENDED:
            resume_membership(membership=row.membership, reason=said, actor=actor, now=now)
        close_case(row, RiskCase.State.CLAWED_BACK, note=said, actor=actor, now=now)
        audit_case("risk.clawed_back", row, actor, reason=said)
        return ClawBack(row, asked)

    return run_atomically(take)


def _take_activities(chosen: Iterable[Undue], note: str, actor: Actor, now: dt.datetime) -> None:
    keys = {int(one.key.partition(":")[2]) for one in chosen if one.key.startswith("activity:")}
    source = _source(actor)
    for activity in Activity.objects.filter(pk__in=keys).order_by("pk"):
        reverse_activity(activity=activity, actor=actor, note=note, source=source, now=now)


def _adjust(row: RiskCase, taking: Taking, note: str, actor: Actor, now: dt.datetime) -> int:
    """Whether it waits for a second person."""
    if not taking.taken:
        return 0
    key = f"risk:{row.public_id}:{taking.wallet.pk}"
    if actor.user is None:
        adjust_units(
            wallet=taking.wallet, units=-taking.taken, reason=REASON, note=note, actor=actor,
            key=key, source=_source(actor), now=now,
        )  # fmt: skip
        return 0
    done = adjust_as_staff(
        wallet=taking.wallet, units=-taking.taken, reason=REASON, note=note, actor=actor, key=key,
        now=now,
    )  # fmt: skip
    return int(done.request is not None)


def _source(actor: Actor) -> str:
    source = Transfer.Source.BACKOFFICE if actor.user else Transfer.Source.API
    return str(source.value)


def _of_activities(member: Membership, keys: Collection[int]) -> list[Undue]:
    awards = ActivityAward.objects.filter(
        activity__in=keys, activity__state=Activity.State.APPROVED, membership=member, units__gt=0
    ).select_related("activity__type", "transfer__wallet__wallet_type__program")
    left = _left([award.transfer for award in awards if award.transfer])
    return [
        Undue(
            f"activity:{award.activity_id}", award.transfer.wallet, left[award.transfer.pk],
            str(award.activity.type), award.activity.occurred_at,
        )
        for award in awards
        if award.transfer and left[award.transfer.pk]
    ]  # fmt: skip


def _of_transfers(account: int, orders: Collection[int], given: Collection[int]) -> list[Undue]:
    own = Transfer.objects.filter(wallet__account=account, to_account=account).select_related(
        "wallet__wallet_type__program", "order"
    )
    earned = list(own.filter(order__in=orders, kind=Transfer.Kind.ACCRUAL))
    by_hand = list(own.filter(pk__in=given, kind=Transfer.Kind.ADJUSTMENT))
    left = _left([*earned, *by_hand])
    return [
        Undue(
            f"order:{row.order_id}" if row.order else f"transfer:{row.pk}",
            row.wallet,
            left[row.pk],
            _("Order %s") % row.order.external_id if row.order else _("Given by hand"),
            row.occurred_at,
        )
        for row in (*earned, *by_hand)
        if left[row.pk]
    ]  # fmt: skip


def _left(transfers: Collection[Transfer]) -> dict[int, int]:
    """What was not taken back or corrected of each."""
    keys = [row.pk for row in transfers]
    gone: dict[int, int] = defaultdict(int)
    for name in ("corrects", "reverses"):
        rows = Transfer.objects.filter(**{f"{name}__in": keys}).values(name)
        for row in rows.annotate(units=Sum("amount")).order_by(name):
            gone[row[name]] += row["units"]
    return {row.pk: row.amount - gone[row.pk] for row in transfers}
