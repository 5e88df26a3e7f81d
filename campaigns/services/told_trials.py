"""Members are told three days before the trial of their plan ends, and the first payment comes."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Message
from campaigns.services.messages import watched, write_messages
from campaigns.services.told_plans import TRIAL_ENDS, trial_news
from loyalty.models import Subscription
from loyalty.selectors.subscriptions import subscriptions
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks

KIND = "plan_trials"
AHEAD = dt.timedelta(days=3)
# Who has just begun a short trial has read when it ends.
BEGUN = dt.timedelta(days=1)
PIECE = 200


def find_trials(now: dt.datetime) -> Work | None:
    """Nothing while the occasion is off, or nobody's trial ends soon."""
    if watched(TRIAL_ENDS) is None or not _due(now).exists():
        return None
    return Work(_("Trials that end soon"), params={"now": now.isoformat()})


def run_trials(job_id: int) -> Job | None:
    """Tell everybody who is due; None when another run has it."""
    return run_in_chunks(job_id, _tell_piece)


def trial_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("%s member was told.", "%s members were told.", told)
    return words % format_number(told)


def _tell_piece(job: Job) -> Step | None:
    written = _tell_some(dt.datetime.fromisoformat(job.params["now"]))
    if not written:
        return None
    told = job.result.get("told", 0) + written
    return Step(checkpoint={}, done=told, result={"told": told})


@transaction.atomic
def _tell_some(now: dt.datetime) -> int:
    setting = watched(TRIAL_ENDS)
    if setting is None:
        return 0
    news = [trial_news(held) for held in _due(now).order_by("pk")[:PIECE]]
    return len(write_messages(occasion=TRIAL_ENDS, setting=setting, news=news, now=now))


def _due(now: dt.datetime) -> QuerySet[Subscription]:
    told = Message.objects.filter(
        occasion=TRIAL_ENDS.code,
        occurrence=Concat(Value("subscription:"), Cast(OuterRef("pk"), CharField())),
    )
    return subscriptions().filter(
        ~Exists(told), state=Subscription.State.TRIALING, cancel_at_period_end=False,
        trial_ends_at__gt=now, trial_ends_at__lte=now + AHEAD, benefits_from__lte=now - BEGUN,
    )  # fmt: skip
