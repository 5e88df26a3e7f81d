"""The audit log sealed every few minutes, and looked at every night, as jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.formatting import format_number
from members.jobs import JobKind, Work, register_job_kind
from members.models import AuditEntry, AuditSeal, Job, JobLogLine
from members.selectors.audit_seals import (
    Chain,
    Flaw,
    follow,
    head,
    look_for_gaps,
    unsealed,
    without_salt,
)
from members.services.audit_seals import LOOKED_BACK, seal_entries
from members.services.job_logs import log_line
from members.services.job_runs import Step, run_in_chunks

SEAL, CHECK = "audit_seals", "audit_check"

WORDS = {
    "changed": gettext_lazy("Entry %s is not what it was when it was sealed."),
    "removed": gettext_lazy("Entry %s was removed."),
    "unsealed": gettext_lazy("Entry %s has no seal."),
    "broken": gettext_lazy("Entry %s, or the seal before it, was changed or removed."),
    "noted": gettext_lazy("The head that was noted is not in the chain (entry %s)."),
}


def flaw_words(flaw: Flaw) -> str:
    """A flaw as people read it. The number is that of the entry, as the log shows it."""
    return str(WORDS[flaw.what]) % flaw.entry_id


def find_unsealed(now: datetime) -> Work | None:
    newest = AuditSeal.objects.order_by("-entry_id").values_list("entry_id", flat=True).first()
    new = unsealed().filter(pk__gt=(newest or 0) - LOOKED_BACK).exists()
    return Work(_("Sealing the audit log")) if new or without_salt().exists() else None


def run_seal(job_id: int) -> Job | None:
    return run_in_chunks(job_id, _seal_next)


def seal_words(job: Job) -> str:
    sealed = job.result.get("sealed", 0)
    words = ngettext("%s entry sealed.", "%s entries sealed.", sealed)
    return words % format_number(sealed)


def find_check(now: datetime) -> Work | None:
    """All of it, every time."""
    return Work(_("Check of the audit log")) if AuditEntry.objects.exists() else None


def run_check(job_id: int) -> Job | None:
    return run_in_chunks(job_id, _check_next)


def check_words(job: Job) -> str:
    """What was found, the first flaw by name."""
    links, flaws = job.result.get("links", 0), job.result.get("flaws", 0)
    if not flaws:
        words = ngettext("%s seal looked at: it holds.", "%s seals looked at: all hold.", links)
        return words % format_number(links)
    first = flaw_words(Flaw(job.result["first"], job.result["what"]))
    further = ngettext("%s flaw in all.", "%s flaws in all.", flaws) % format_number(flaws)
    return f"{first} {further}"


def latest_check() -> Job | None:
    """The last one that got to its end."""
    return Job.objects.filter(kind=CHECK, state=Job.State.SUCCEEDED).order_by("-pk").first()


def _seal_next(job: Job) -> Step | None:
    sealed = seal_entries(now=timezone.now())
    if not sealed:
        return None
    done = job.result.get("sealed", 0) + sealed
    return Step(checkpoint={}, done=done, total=done, result={"sealed": done})


def _check_next(job: Job) -> Step | None:
    """A piece of the chain; the last piece looks for entries that are not in it."""
    if job.checkpoint.get("ended"):
        return None
    chain = _gone_on(job)
    ended = not follow(chain)
    if ended:
        look_for_gaps(chain, timezone.now())
    for flaw in chain.flaws:
        log_line(job, flaw_words(flaw), level=JobLogLine.Level.ERROR)
    if ended and (last := head()) is not None:
        log_line(job, _("The head of the chain is %s.") % last)
    checkpoint = {"after": chain.after, "digest": chain.digest.hex(), "ended": ended}
    return Step(
        checkpoint=checkpoint, done=chain.links, total=chain.links, result=_result(job, chain)
    )


def _gone_on(job: Job) -> Chain:
    chain = Chain(links=job.result.get("links", 0))
    if job.checkpoint:
        chain.after, chain.digest = job.checkpoint["after"], bytes.fromhex(job.checkpoint["digest"])
    return chain


def _result(job: Job, chain: Chain) -> dict[str, Any]:
    flaws = job.result.get("flaws", 0) + chain.flaw_count
    result = {"links": chain.links, "flaws": flaws}
    if "first" in job.result:
        result |= {"first": job.result["first"], "what": job.result["what"]}
    elif chain.flaws:
        result |= {"first": chain.flaws[0].entry_id, "what": chain.flaws[0].what}
    return result


def register() -> None:
    register_job_kind(
        JobKind(
            key=SEAL, label=gettext_lazy("Seals of the audit log"), icon="lock",
            description=gettext_lazy(
                "Adds what was written to the chain that shows whether it was changed. Runs by "
                "itself every ten minutes."
            ),
            run=run_seal, find_work=find_unsealed, view_permission="audit.view",
            run_permission="jobs.maintain", words=seal_words, routine=True,
        )
    )  # fmt: skip
    register_job_kind(
        JobKind(
            key=CHECK, label=gettext_lazy("Check of the audit log"), icon="shield-check",
            description=gettext_lazy(
                "Follows the chain over the audit log and names the first entry that is not what "
                "it was. Changes nothing; runs by itself every night."
            ),
            run=run_check, find_work=find_check, start_label=gettext_lazy("Check the audit log"),
            view_permission="audit.view", run_permission="jobs.maintain", words=check_words,
            routine=True,
        )
    )  # fmt: skip
