"""Rewards that members want taken by itself: once each time their balance comes to so much.

A crossing is counted when it is seen, under the wallet's lock, and names what is taken for it; so
whatever is killed or runs twice takes it once. Which ones are to be looked at is on their rows
(`look_at`), where triggers write it with whatever changes a wallet. Where the reward cannot be
taken then, nothing is taken until the balance was below and comes to so much again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.ledger.posting import bring_up_to_date, lock_wallets
from loyalty.models import Membership, Program, Transfer, Wallet
from loyalty.services.usable_units import spendable_units
from members.errors import ConflictError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.selectors.erased import is_known
from members.services.audit import SYSTEM, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically
from rewards.models import AutoTake
from rewards.services.eligibility import offers_for
from rewards.services.redemptions import take_reward

KIND = "auto_takes"
PIECE = 100


def find_auto_takes(now: dt.datetime) -> Work | None:
    """A balance that was reached or fell below, if any was."""
    if not _due(now).exists():
        return None
    return Work(_("Rewards that are taken by itself"), params={"now": now.isoformat()})


def run_auto_takes(job_id: int) -> Job | None:
    """Take what is to be taken; None when another run has it."""
    return run_in_chunks(job_id, _take_some)


def auto_take_words(job: Job) -> str:
    taken = job.result.get("taken", 0)
    words = ngettext("%s reward was taken.", "%s rewards were taken.", taken)
    return words % format_number(taken)


def take_due(now: dt.datetime, *, after: int = 0, most: int = PIECE) -> tuple[int, int, int]:
    """Look at some of those that are due, by key. Returns how many were looked at, how many rewards
    were taken, and the last key."""

    def look() -> tuple[int, int, int]:
        due = list(_due(now).filter(pk__gt=after).order_by("pk")[:most])
        _lock(due, now)
        taken = sum(_look(item.pk, now) for item in due)
        return len(due), taken, due[-1].pk if due else after

    return run_atomically(look)


def _take_some(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    count, taken, last = take_due(now, after=job.checkpoint.get("after", 0))
    if not count:
        return None
    done, all_taken = job.done + count, job.result.get("taken", 0) + taken
    return Step({"after": last}, done=done, total=done, result={"taken": all_taken})


def _due(now: dt.datetime) -> QuerySet[AutoTake]:
    """Those whose balance may be on the other side of what they wait for; no others are read."""
    return AutoTake.objects.filter(
        look_at__lte=now,
        membership__status=Membership.Status.ACTIVE,
        membership__program__status=Program.Status.LIVE,
    )


def _lock(due: Sequence[AutoTake], now: dt.datetime) -> None:
    """All wallets at once and in their order: whoever spends waits for one of them. What time has
    brought is written down, so that each of them is looked at once for it."""
    accounts = Membership.objects.filter(auto_takes__in=due).values("account")
    wallets = list(Wallet.objects.filter(account__in=accounts).values_list("pk", flat=True))
    lock_wallets(wallets)
    bring_up_to_date(wallets, now=now)


def _look(pk: int, now: dt.datetime) -> int:
    """One of them as it is now; how many rewards were taken."""
    rows = AutoTake.objects.select_for_update(of=("self",))
    auto = rows.select_related(
        "membership__program", "membership__customer", "reward__wallet_type"
    ).filter(pk=pk).first()  # fmt: skip
    if auto is None:
        return 0
    member, unit = auto.membership, auto.reward.wallet_type_id
    held = spendable_units([member.pk], now).get(member.pk, {}).get(unit, 0)
    reached = held >= auto.balance
    if not (reached and auto.armed):
        if not reached and not auto.armed:
            auto.armed = True
            auto.save(update_fields=["armed"])
        return 0
    auto.armed, auto.crossings, auto.reached_at = False, auto.crossings + 1, now
    auto.refusal = _take(auto, held, now)
    auto.save()
    if auto.refusal:
        record_audit(
            actor=SYSTEM, action="reward.auto_refused", target=member.customer, about=member,
            after={"reward": auto.reward.name, "why": auto.refusal},
        )  # fmt: skip
    return 0 if auto.refusal else 1


def _take(auto: AutoTake, held: int, now: dt.datetime) -> str:
    """Take it, unless something is against it; the code of that, or nothing."""
    [offer] = offers_for([auto.reward], auto.membership, now)
    if offer.refusals:
        return offer.refusals[0].code
    if offer.price > held:
        return "insufficient_balance"
    if not is_known(auto.membership.customer):
        return "customer_erased"
    try:
        with transaction.atomic():
            take_reward(
                membership=auto.membership, reward=auto.reward,
                key=f"auto:{auto.pk}:{auto.crossings}", source=Transfer.Source.JOB.value,
                actor=SYSTEM, now=now,
            )  # fmt: skip
    except ConflictError as error:
        return error.code
    return ""
