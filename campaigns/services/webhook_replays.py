"""Sending again what has not arrived, and forgetting what is long over."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from campaigns.selectors.webhooks import undelivered
from campaigns.services.webhook_telling import wake
from members.errors import ConflictError
from members.formatting import format_number
from members.models import Job
from members.services.audit import Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job

State = WebhookDelivery.State
KIND = "webhook_replay"
PIECE = 500
# Events, with all that became of them.
KEPT_FOR = dt.timedelta(days=30)
PRUNED_AT_ONCE = 2_000


@transaction.atomic
def replay_delivery(
    *, delivery: WebhookDelivery, actor: Actor, now: dt.datetime
) -> WebhookDelivery:
    """Send it again in a moment, whatever became of it, under the same id; it begins anew."""
    _refuse_off(delivery.endpoint)
    _begin_anew([delivery.pk], now)
    record_audit(
        actor=actor, action="webhook.replayed", target=delivery.endpoint,
        after={"delivery": str(delivery.public_id)},
    )  # fmt: skip
    transaction.on_commit(wake)
    delivery.refresh_from_db()
    return delivery


def start_replay(*, endpoint: WebhookEndpoint, since: dt.datetime, actor: Actor) -> Job:
    """A waiting job that sends again all that has not arrived since then, to be queued."""
    _refuse_off(endpoint)
    found = undelivered(endpoint, since)
    last = found.order_by("-pk").values_list("pk", flat=True).first()
    if last is None:
        raise ConflictError(_("Nothing has failed since then."))
    params = {"endpoint": endpoint.pk, "since": since.isoformat(), "last": last}
    return start_or_resume_job(
        kind=KIND, label=_("Webhooks to %s again") % endpoint, params=params, actor=actor,
        fingerprint=f"{endpoint.pk}:{since.isoformat()}:{last}",
        total=found.count(),
    )  # fmt: skip


def run_replay(job_id: int) -> Job | None:
    """Work on a waiting job."""
    return run_in_chunks(job_id, _replay_some)


def replay_words(job: Job) -> str:
    count = job.result.get("replayed", 0)
    return ngettext("%s sent again", "%s sent again", count) % format_number(count)


def prune_webhooks(*, now: dt.datetime) -> int:
    """Forget what happened long ago, in chunks; return how many events went. What was told an
    endpoint in the moment in which it was switched off is canceled."""
    WebhookDelivery.objects.filter(endpoint__enabled=False, state=State.WAITING).update(
        state=State.CANCELED, next_at=None, finished_at=now
    )
    removed = 0
    while True:
        old = WebhookEvent.objects.filter(created_at__lt=now - KEPT_FOR).order_by("created_at")
        chunk = list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE])
        WebhookEvent.objects.filter(pk__in=chunk).delete()
        removed += len(chunk)
        if len(chunk) < PRUNED_AT_ONCE:
            return removed


def _replay_some(job: Job) -> Step | None:
    endpoint = WebhookEndpoint.objects.filter(pk=job.params["endpoint"], enabled=True).first()
    if endpoint is None:
        return None
    since = dt.datetime.fromisoformat(job.params["since"])
    after = job.checkpoint.get("after", 0)
    found = undelivered(endpoint, since).filter(pk__gt=after, pk__lte=job.params["last"])
    piece = list(found.order_by("pk").values_list("pk", flat=True)[:PIECE])
    if not piece:
        return None
    _begin_anew(piece, timezone.now())
    transaction.on_commit(wake)
    done = job.done + len(piece)
    return Step({"after": piece[-1]}, done, result={"replayed": done})


def _begin_anew(ids: list[int], now: dt.datetime) -> None:
    WebhookDelivery.objects.filter(pk__in=ids).update(
        state=State.WAITING, next_at=now, tries=0, finished_at=None
    )


def _refuse_off(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise ConflictError(_("Nothing is sent to this endpoint: switch it on first."))
