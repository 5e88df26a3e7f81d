"""Taking members on, step by step. A step, what it does and that it was done are one transaction,
so a kill at any moment loses nothing and does nothing twice."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.journey_definitions import (
    CheckStep,
    ClockStep,
    EndStep,
    JourneyDefinition,
    MessageStep,
    RewardStep,
    Step,
    UnitsStep,
    WaitStep,
)
from campaigns.journey_news import Asked, teller_of
from campaigns.journey_times import after, base, next_moment
from campaigns.models import (
    ContactPreference,
    Journey,
    Message,
    OccasionSetting,
    Passage,
    PassageStep,
)
from campaigns.occasions import occasion_named
from campaigns.selectors.journeys import definition_of, for_whom
from campaigns.selectors.policies import setting_of
from campaigns.services.messages import write_messages
from campaigns.time_zones import choose_zone
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Order, Program, Transfer, Wallet
from loyalty.selectors.memberships import wallet_ids
from loyalty.services.adjustments import adjust_units
from members.errors import DomainError
from members.prepared import KeptQuery, KeptRows, insert_row, run_prepared, update_row
from members.selectors.merges import current
from members.services.audit import SYSTEM
from members.services.transactions import run_atomically
from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward
from rewards.services.gifts import JOB, give_reward

logger = logging.getLogger(__name__)
_EVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Live journeys with somebody who is due: every run of a worker asks, and mostly there is none.
_WAITED_FOR = """
    SELECT j.id FROM campaigns_journey j
     WHERE j.status = 'live' AND EXISTS (
           SELECT 1 FROM campaigns_passage p
            WHERE p.journey_id = j.id AND p.state = 'active' AND p.due_at <= %s)
     ORDER BY j.id
"""
_DUE = """
    SELECT id FROM campaigns_passage
     WHERE journey_id = %s AND state = 'active' AND due_at <= %s ORDER BY due_at, id LIMIT %s
"""
_WITH_STEPS: KeptQuery[Passage] = KeptQuery(
    lambda pk: Passage.objects.select_related("version", "membership").filter(pk=pk)
)
_HELD: KeptQuery[Passage] = KeptQuery(
    lambda due, live, pk, active: (
        Passage.objects.select_related(
            "journey", "version", "membership__program", "membership__customer__merged_into"
        )
        .filter(due_at__lte=due, journey__status=live, pk=pk, state=active)
    ),
    ending=' FOR UPDATE OF "campaigns_passage" SKIP LOCKED',
)  # fmt: skip
_ORDERED = KeptRows(
    lambda customer, since: (
        Order.objects.filter(customer=customer, placed_at__gt=since)
        .exclude(status__in=Order.VOID).values_list("pk")[:1]
    ),
    (-1, -2), (_EVER, _EVER + dt.timedelta(days=1)),
)  # fmt: skip
_TAKEN = KeptRows(
    lambda membership, since, nothing: (
        Redemption.objects.filter(membership=membership, created_at__gt=since)
        .filter(gift=nothing).values_list("pk")[:1]
    ),
    (-1, -2), (_EVER, _EVER + dt.timedelta(days=1)), ("a", "b"),
)  # fmt: skip
_SAID: KeptQuery[ContactPreference] = KeptQuery(
    lambda customer: ContactPreference.objects.filter(customer=customer)
)
Clock = Callable[[], dt.datetime]
Outcome = PassageStep.Outcome
# What went wrong is tried again so much later.
AGAIN = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step. `to`: the next one, empty: it ends; `due`: when."""

    outcome: str
    to: str
    due: dt.datetime
    made: dict[str, Any] = field(default_factory=dict)


def take_due(*, limit: int = 100, clock: Clock = timezone.now) -> int:
    """Take on up to `limit` members who are due in each live journey; returns how many were."""
    taken = 0
    for (journey,) in run_prepared(_WAITED_FOR, [clock()]):
        for (pk,) in run_prepared(_DUE, [journey, clock(), limit]):
            taken += _take_on(pk, clock())
    return taken


def _take_on(pk: int, now: dt.datetime) -> int:
    """One that cannot go on, for whatever reason, holds up no other."""
    try:
        return run_atomically(lambda: _go_on(pk, now))
    except Exception as error:
        logger.error("passage %s is tried again: %s", pk, _what(error))
        waiting = Passage.objects.filter(pk=pk, state=Passage.State.ACTIVE, due_at__lte=now)
        waiting.update(due_at=now + AGAIN)
        return 0


def _what(error: Exception) -> str:
    """Without what its words may say about somebody."""
    return error.code if isinstance(error, DomainError) else type(error).__name__


@transaction.atomic
def _go_on(pk: int, now: dt.datetime) -> int:
    """One member, until they wait or it is over; nothing where another worker has them."""
    _lock_wallets(pk)
    passage = _HELD.first(now, Journey.Status.LIVE, pk, Passage.State.ACTIVE)
    if passage is None or passage.due_at is None:
        return 0
    definition = definition_of(passage.version)
    at = base(passage.due_at, now)
    while True:
        step = definition.step(passage.step)
        if why := _why_leaving(passage, definition):
            return _leave(passage, why, now)
        if step is None or isinstance(step, EndStep):
            return _leave(passage, "finished", now)
        done = _take(passage, step, definition, at, now)
        if not done.to:
            return _leave(passage, "finished", now)
        passage.step, passage.due_at = done.to, done.due
        if done.due > now:
            update_row(passage, "step", "due_at")
            return 1
        at = done.due


def _lock_wallets(pk: int) -> None:
    """Before the passage, as whoever merges members does."""
    passage = _WITH_STEPS.first(pk)
    if passage and any(
        isinstance(step, UnitsStep | RewardStep) for step in definition_of(passage.version).steps
    ):
        lock_wallets(wallet_ids([passage.membership]))


def _why_leaving(passage: Passage, definition: JourneyDefinition) -> str:
    member = passage.membership
    if member.status != Membership.Status.ACTIVE:
        return "not_member"
    if member.program.status != Program.Status.LIVE:
        return "program_over"
    if definition.goal == "order" and _ORDERED.rows(member.customer_id, passage.entered_at):
        return "goal"
    if definition.goal == "reward" and _TAKEN.rows(member.pk, passage.entered_at, ""):
        return "goal"
    return ""


def _leave(passage: Passage, why: str, now: dt.datetime) -> int:
    passage.state, passage.due_at, passage.left_at, passage.why = (
        Passage.State.DONE, None, now, why,
    )  # fmt: skip
    update_row(passage, "state", "due_at", "left_at", "why")
    return 1


def _take(
    passage: Passage, step: Step, definition: JourneyDefinition, at: dt.datetime, now: dt.datetime
) -> Done:
    following = definition.after(step.key)
    if isinstance(step, WaitStep | ClockStep):
        if PassageStep.objects.filter(passage=passage, step=step.key).exists():
            return Done("", following, at)
        done = Done(Outcome.WAITS, step.key, _until(passage, step, at))
    elif isinstance(step, CheckStep):
        holds = bool(for_whom(step.when, [passage.membership], now))
        to = following if holds else step.otherwise
        done = Done(Outcome.YES if holds else Outcome.NO, to, at)
    else:
        outcome, made = _act(passage, step, now)
        done = Done(outcome, following, at, made)
    insert_row(
        PassageStep(passage=passage, step=step.key, at=now, outcome=done.outcome, **done.made)
    )
    return done


def _act(
    passage: Passage, step: MessageStep | UnitsStep | RewardStep | EndStep, now: dt.datetime
) -> tuple[str, dict[str, Any]]:
    if isinstance(step, UnitsStep):
        return _give_units(passage, step, now)
    if isinstance(step, RewardStep):
        return _give_reward(passage, step, now)
    assert isinstance(step, MessageStep)
    return _tell(passage, step, now)


def _until(passage: Passage, step: WaitStep | ClockStep, at: dt.datetime) -> dt.datetime:
    zone = zone_of(passage.membership)
    if isinstance(step, WaitStep):
        return after(at, zone, step.days, step.hours)
    return next_moment(at, zone, step.time)


def zone_of(member: Membership) -> Any:
    """By which clock they live."""
    customer = current(member.customer)
    said = _SAID.first(customer.pk)
    return choose_zone(
        said=said.time_zone if said else "", country=customer.country,
        otherwise=member.program.time_zone,
    )  # fmt: skip


def _name(passage: Passage, key: str) -> str:
    return f"journey:{passage.pk}:{key}"


def _tell(passage: Passage, step: MessageStep, now: dt.datetime) -> tuple[str, dict[str, Any]]:
    """Written once for what it is about: told of the event by itself, it is not told again."""
    occasion, teller = occasion_named(step.message), teller_of(step.message)
    if occasion is None or teller is None:
        return Outcome.NOTHING, {}
    asked = Asked(passage.membership, passage.occurrence, _name(passage, step.key), now, {})
    news = teller(asked)
    if news is None:
        return Outcome.NOTHING, {}
    how = OccasionSetting(
        code=occasion.code, channels=step.channels, only_first=step.only_first,
        topic=setting_of(occasion).topic,
    )  # fmt: skip
    written = write_messages(occasion=occasion, setting=how, news=[news], now=now)
    if written:
        return _told(written[0], Outcome.TOLD), {"message": written[0]}
    rows = Message.objects.select_related("arm").filter(occasion=occasion.code)
    known = rows.filter(occurrence=news.occurrence).first()
    return _told(known, Outcome.TOLD_BEFORE), {"message": known}


def _told(message: Message | None, outcome: str) -> str:
    """Who is in the arm of an experiment without it has it written down, and was not told."""
    silent = message is not None and message.arm is not None and message.arm.silent
    return Outcome.WITHHELD if silent else outcome


def _give_units(passage: Passage, step: UnitsStep, now: dt.datetime) -> tuple[str, dict[str, Any]]:
    member = passage.membership
    wallets = Wallet.objects.select_related("wallet_type__program")
    wallet = wallets.filter(account=member.account_id).order_by("wallet_type").first()
    if wallet is None:
        return Outcome.REFUSED, {}
    units = int(step.units * Decimal(10) ** wallet.wallet_type.scale)
    try:
        with transaction.atomic():
            transfer, _replayed = adjust_units(
                wallet=wallet, units=units, reason=step.reason, note=passage.journey.name,
                actor=SYSTEM, key=_name(passage, step.key), source=Transfer.Source.JOB.value,
                now=now,
            )  # fmt: skip
    except DomainError as error:
        logger.warning("passage %s gives no units: %s", passage.pk, error.code)
        return Outcome.REFUSED, {}
    return Outcome.GIVEN, {"transfer": transfer}


def _give_reward(
    passage: Passage, step: RewardStep, now: dt.datetime
) -> tuple[str, dict[str, Any]]:
    member = passage.membership
    reward = Reward.objects.filter(program=member.program_id, code=step.reward).first()
    if reward is None:
        return Outcome.REFUSED, {}
    birthday = passage.journey.trigger == "birthday"
    gift = Redemption.Gift.BIRTHDAY if birthday else Redemption.Gift.JOURNEY
    try:
        with transaction.atomic():
            given, _replayed = give_reward(
                membership=member, reward=reward, gift=gift.value, message=step.words,
                key=_name(passage, step.key), source=JOB, actor=SYSTEM, now=now,
            )  # fmt: skip
    except RewardRefusedError:
        return Outcome.REFUSED, {}
    return Outcome.GIVEN, {"redemption": given}
