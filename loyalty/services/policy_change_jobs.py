"""Today's terms for units that exist, as a job: decided once, applied chunk by chunk."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.descriptions import describe_expiry
from loyalty.models import LotPolicy, WalletType
from loyalty.selectors.lot_policies import expiry_of
from loyalty.services.policy_changes import apply_policy_change, count_lots, newest_policy
from members.formatting import format_number
from members.models import Job
from members.services.audit import Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job
from members.services.transactions import run_atomically

KIND = "policy_change"


def start_policy_change(
    *, wallet_type: WalletType, actor: Actor, reason: str, now: dt.datetime
) -> Job:
    """A job that gives the terms of this moment to all units that exist; one that does so already
    is the same. Raises LedgerError where they cannot get them."""
    return run_atomically(lambda: _start(wallet_type, actor, reason, now))


def run_policy_change(job_id: int) -> Job | None:
    """Apply the terms from where the job stands; None when another run has it."""
    return run_in_chunks(job_id, _change_chunk)


def policy_change_words(job: Job) -> str:
    lots, changed = job.result.get("lots", 0), job.result.get("changed", 0)
    words = ngettext("%(changed)s of %(lots)s lot has other terms now.",
                     "%(changed)s of %(lots)s lots have other terms now.", lots)  # fmt: skip
    return words % {"changed": format_number(changed), "lots": format_number(lots)}


def _start(wallet_type: WalletType, actor: Actor, reason: str, now: dt.datetime) -> Job:
    policy = newest_policy(wallet_type)
    program = wallet_type.program
    job = start_or_resume_job(
        kind=KIND,
        label=_("Terms of %(units)s in %(program)s")
        % {"units": wallet_type.plural, "program": program.name},
        fingerprint=f"{wallet_type.pk}:{policy.pk}",
        params={
            "wallet_type": wallet_type.pk,
            "policy": policy.pk,
            "decided_at": now.isoformat(),
            "reason": reason,
        },
        actor=actor,
        total=count_lots(wallet_type, now),
    )
    record_audit(
        actor=actor,
        action="program.terms_applied",
        target=program,
        after={
            "changes": [
                _("%(units)s that exist: %(terms)s")
                % {"units": wallet_type.plural, "terms": describe_expiry(expiry_of(policy))}
            ]
        },
        reason=reason,
    )
    return job


def _change_chunk(job: Job) -> Step | None:
    applied = apply_policy_change(
        WalletType.objects.select_related("program").get(pk=job.params["wallet_type"]),
        after=job.checkpoint.get("after", 0),
        actor_id=job.created_by_id,
        note=job.params["reason"],
        now=timezone.now(),
        policy=LotPolicy.objects.get(pk=job.params["policy"]),
        decided_at=dt.datetime.fromisoformat(job.params["decided_at"]),
    )
    if not applied.last:
        return None
    lots = job.result.get("lots", 0) + applied.lots
    return Step(
        checkpoint={"after": applied.last},
        done=lots,
        total=max(job.total, lots),
        result={"lots": lots, "changed": job.result.get("changed", 0) + applied.changed},
    )
