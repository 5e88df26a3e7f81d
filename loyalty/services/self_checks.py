"""Looking at whether the books agree with themselves, rule by rule as a job. Nothing is changed.

Each rule of the books is one query and so sees one snapshot: whatever is posted meanwhile does not
disturb.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.ledger.checks import RULES, Drift, check_rule
from loyalty.models import SelfCheck, SelfCheckFinding
from loyalty.selectors.tier_checks import next_checkpoints, tier_drift, wrong_checkpoints
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, JobLogLine
from members.services.job_logs import log_line
from members.services.job_runs import Step, run_in_chunks

KIND = "self_check"


def find_self_check(now: dt.datetime) -> Work:
    """All rules, every time."""
    return Work(_("Self-check of the books"), total=len(RULES) + 1)


def run_self_check(job_id: int) -> Job | None:
    """Look at every rule from where the job stands; None when another run has it."""
    return run_in_chunks(job_id, _check_next)


def self_check_words(job: Job) -> str:
    """What was found, for people."""
    rules, broken = job.result.get("rules", 0), job.result.get("broken", 0)
    if not broken:
        words = ngettext("%s rule looked at: it holds.", "%s rules looked at: all hold.", rules)
        return words % format_number(rules)
    return ngettext(
        "%(broken)s of %(rules)s rules does not hold.",
        "%(broken)s of %(rules)s rules do not hold.",
        broken,
    ) % {"broken": format_number(broken), "rules": format_number(rules)}


def _check_next(job: Job) -> Step | None:
    """One rule, and the note that it was looked at, in one transaction. The last one, of tiers, in
    several."""
    names = list(RULES)
    number = job.checkpoint.get("rule", 0)
    if number > len(names):
        return None
    now = timezone.now()
    check, _created = SelfCheck.objects.get_or_create(
        job=job, defaults={"started_at": now, "asked_by": job.created_by}
    )
    if number == len(names):
        pending, drift = _check_tiers(job, now)
        if pending is not None:
            return Step(checkpoint=pending, done=number, total=number + 1, result=job.result)
    else:
        drift = check_rule(names[number], now)
    if drift is not None:
        _note(job, check, drift)
    number += 1
    check.looked_at = number
    check.finished_at = timezone.now() if number > len(names) else None
    check.save(update_fields=["looked_at", "finished_at"])
    broken = job.result.get("broken", 0) + (drift is not None)
    return Step(
        checkpoint={"rule": number}, done=number, total=len(names) + 1,
        result={"rules": number, "broken": broken},
    )  # fmt: skip


def _check_tiers(job: Job, now: dt.datetime) -> tuple[dict[str, Any] | None, Drift | None]:
    """A piece of the members whose tiers are gone on with: where to go on looking, or what was
    found in all."""
    wrong: list[int] = job.checkpoint.get("wrong", [])
    members = next_checkpoints(job.checkpoint.get("after", 0))
    if members:
        wrong = wrong + wrong_checkpoints(members, now)
        return {"rule": len(RULES), "after": members[-1], "wrong": wrong}, None
    return None, tier_drift(wrong)


def _note(job: Job, check: SelfCheck, drift: Drift) -> None:
    SelfCheckFinding.objects.create(
        self_check=check, rule=drift.check, count=drift.count, rows=list(drift.rows)
    )
    words = ngettext(
        "Does not hold in %(count)s place: %(rule)s.",
        "Does not hold in %(count)s places: %(rule)s.",
        drift.count,
    )
    numbers = {"count": format_number(drift.count), "rule": _(drift.check)}
    log_line(job, words % numbers, level=JobLogLine.Level.ERROR)
