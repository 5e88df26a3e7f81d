"""What those get who have done a challenge: once for each time. What is undone by what came back is
taken back as far as the program says; what is done again brings it again."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_rules import DONE, subject_of
from campaigns.models import ChallengeEntry, ChallengeWin
from campaigns.services.told_challenges import follow_wins
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Activity, Membership, Transfer
from loyalty.selectors.memberships import wallet_ids, wallets_of_orders
from loyalty.services.activities import ActivityInput, record_activities
from loyalty.services.activity_decisions import reject_activity, reverse_activity
from loyalty.services.order_inputs import CustomerRef
from members.errors import DomainError
from members.models.changes import CHANGED
from members.prepared import KeptQuery
from members.selectors.merges import current
from members.services.audit import SYSTEM
from members.services.outbox import record_event
from rewards.models import Redemption
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption

logger = logging.getLogger(__name__)

SOURCE = "challenge"
State = ChallengeWin.State
Reached = Sequence[dt.datetime]
_KNOWN: KeptQuery[ChallengeWin] = KeptQuery(
    lambda entries: (
        ChallengeWin.objects.filter(entry__among=entries)
        .select_related("activity", "redemption")
        .order_by("pk")
    )
)


def settle_wins(found: Sequence[tuple[ChallengeEntry, Reached]], *, now: dt.datetime) -> None:
    """Of each entry, when it was done each time: new ones are given, those that are none any more
    undone. The entries are held by the caller."""
    known: dict[int, dict[int, ChallengeWin]] = {entry.pk: {} for entry, _reached in found}
    for win in _KNOWN.rows(list(known)) if known else ():
        known[win.entry_id][win.number] = win
    changes = [
        (entry, number, reached[number - 1] if number <= len(reached) else None)
        for entry, reached in found
        for number in range(1, max(len(reached), *known[entry.pk], 0) + 1)
        if _differs(known[entry.pk].get(number), reached, number)
    ]
    _lock_wallets([entry.membership for entry, _number, _at in changes])
    given = [
        _settle(entry, number, known[entry.pk].get(number), at, now)
        for entry, number, at in changes
    ]
    follow_wins([win.pk for win in given if win is not None], now)
    if changes:
        # Segments may ask for what was done.
        people = sorted({entry.membership.customer_id for entry, _number, _at in changes})
        record_event(kind=CHANGED, payload={"customers": people})


def _lock_wallets(members: Sequence[Membership]) -> None:
    """All before the first is given anything: those that units lock for one after the other, and
    rewards, of which there may be so many."""
    if members:
        of_orders = wallets_of_orders({member.customer_id for member in members})
        lock_wallets(list({*wallet_ids(members), *of_orders}))


def _differs(win: ChallengeWin | None, reached: Reached, number: int) -> bool:
    at = reached[number - 1] if number <= len(reached) else None
    if win is None or win.state == State.UNDONE:
        return at is not None
    return win.reached_at != at


def _settle(
    entry: ChallengeEntry, number: int, win: ChallengeWin | None, at: dt.datetime | None,
    now: dt.datetime,
) -> ChallengeWin | None:  # fmt: skip
    """Returns what was given."""
    if at is None:
        if win is not None:
            _undo(win, now)
    elif win is None:
        fresh = ChallengeWin(entry=entry, number=number, reached_at=at, recorded_at=now)
        _give(fresh, entry, now)
        fresh.save()
        return fresh
    elif win.state == State.UNDONE:
        win.state, win.reached_at, win.attempt = State.WON, at, win.attempt + 1
        win.unrewarded = ""
        _give(win, entry, now)
        win.save()
        return win
    else:
        # An earlier order was told late: it is what it was, reached sooner.
        win.reached_at = at
        win.save(update_fields=["reached_at"])
    return None


def _give(win: ChallengeWin, entry: ChallengeEntry, now: dt.datetime) -> None:
    """Units by the challenge's rule, and its reward; why not, where that is so."""
    why = []
    challenge = entry.challenge
    if challenge.units is not None:
        why.append(_give_units(win, entry, now))
    if challenge.reward is not None and win.redemption is None:
        why.append(_give_reward(win, entry, now))
    win.unrewarded = " ".join(item for item in why if item)[:200]


def _give_units(win: ChallengeWin, entry: ChallengeEntry, now: dt.datetime) -> str:
    campaign = entry.challenge.campaign
    given = ActivityInput(
        external_id=f"{entry.public_id}:{win.number}:{win.attempt}", source=SOURCE, type=DONE,
        customer=CustomerRef(key=current(entry.membership.customer).pk),
        occurred_at=win.reached_at, subject=subject_of(campaign),
        subject_name=campaign.title[:200],
    )  # fmt: skip
    try:
        with transaction.atomic():
            [result] = record_activities(
                [given], now=now, transfer_source=Transfer.Source.JOB.value
            )
    except DomainError as error:
        logger.warning("challenge entry %s brings no units: %s", entry.pk, error.code)
        return str(error.message)
    win.activity = result.activity
    if result.activity is None:
        return result.reason
    units = list(result.activity.awards.values_list("units", flat=True))
    if any(units) or result.activity.state == Activity.State.PENDING:
        return ""
    return _("Its budget is used up.") if units else _("No rule counted when it was done.")


def _give_reward(win: ChallengeWin, entry: ChallengeEntry, now: dt.datetime) -> str:
    reward = entry.challenge.reward
    assert reward is not None
    try:
        with transaction.atomic():
            win.redemption, _again = give_reward(
                membership=entry.membership, reward=reward, gift=Redemption.Gift.MANY.value,
                message=entry.challenge.campaign.title,
                key=f"challenge:{entry.public_id}:{win.number}:{win.attempt}",
                source=Transfer.Source.JOB.value, actor=SYSTEM, now=now,
            )  # fmt: skip
    except DomainError as error:
        logger.warning("challenge entry %s brings no reward: %s", entry.pk, error.code)
        return str(error.message)
    return ""


def _undo(win: ChallengeWin, now: dt.datetime) -> None:
    """Units go back by the program's policy for what came back. A reward that was used stays
    used."""
    note = _("What was bought for it came back.")
    if win.activity is not None:
        _take_units(win.activity, note, now)
    if win.redemption is not None:
        try:
            with transaction.atomic():
                cancel_redemption(
                    redemption=win.redemption, reason=note, source=Transfer.Source.JOB.value,
                    actor=SYSTEM, now=now,
                )  # fmt: skip
            win.redemption = None
        except DomainError as error:
            # Done again, it brings no second one.
            logger.info("the reward of challenge win %s stays: %s", win.pk, error.code)
    win.state = State.UNDONE
    win.save(update_fields=["state", "redemption"])


def _take_units(activity: Activity, note: str, now: dt.datetime) -> None:
    activity.refresh_from_db(fields=["state"])
    if activity.state == Activity.State.PENDING:
        reject_activity(activity=activity, actor=SYSTEM, note=note, now=now)
    elif activity.state == Activity.State.APPROVED:
        reverse_activity(
            activity=activity, actor=SYSTEM, note=note, source=Transfer.Source.JOB.value, now=now
        )
