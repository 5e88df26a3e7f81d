"""Endpoints of webhooks: made, changed, switched off and on, given another secret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.logged_addresses import logged, logged_change
from campaigns.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from campaigns.selectors.webhooks import followed_types
from campaigns.webhook_addresses import check_url
from campaigns.webhook_events import TYPES_AT_MOST, known_types
from campaigns.webhook_secrets import fingerprint_of, new_seed, secret_of, written
from loyalty.models import Program
from members.errors import ConflictError, DomainError, FieldError
from members.models import EventWish
from members.public_events import kinds_of
from members.services.audit import SYSTEM, Actor, record_audit, snapshot

State = WebhookDelivery.State
Off = WebhookEndpoint.Off
FOLLOWER = "webhooks"
# Each is asked about with everything that happens.
MOST_ENDPOINTS = 50
# How long the secret before signs beside its successor, in hours; 0: it ends at once.
OVERLAPS = (0, 1, 24, 72, 168)
_AUDITED = ["url", "description", "types", "program"]


@transaction.atomic
def create_endpoint(
    *,
    url: str,
    actor: Actor,
    now: dt.datetime,
    description: str = "",
    types: Sequence[str] = (),
    program: Program | None = None,
    enabled: bool = True,
) -> tuple[WebhookEndpoint, str]:
    """Make one; the second value is its secret, which is shown now or never."""
    _take_turns()
    if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
        raise ConflictError(
            _("There are %s endpoints already, which is the most.") % MOST_ENDPOINTS
        )
    values = _cleaned({"url": url, "description": description, "types": types})
    off = {} if enabled else {"enabled": False, "off_why": Off.BY_HAND, "off_at": now}
    endpoint = WebhookEndpoint.objects.create(
        **values, program=program, created_at=now, created_by=actor.user, **off
    )
    secret = _new_secret(endpoint, now)
    record_audit(
        actor=actor,
        action="webhook.created",
        target=endpoint,
        after=logged(snapshot(endpoint, _AUDITED), "url"),
    )
    keep_wishes()
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *, endpoint: WebhookEndpoint, actor: Actor, changes: dict[str, Any]
) -> WebhookEndpoint:
    """Change some of url, description, types and program; what waits goes to the new address."""
    row = _locked(endpoint)
    before = snapshot(row, _AUDITED)
    for name, value in _cleaned(changes).items():
        setattr(row, name, value)
    after = snapshot(row, _AUDITED)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        row.save()
        was, becomes = logged_change(
            {name: before[name] for name in changed}, {name: after[name] for name in changed}, "url"
        )
        record_audit(actor=actor, action="webhook.changed", target=row, before=was, after=becomes)
        keep_wishes()
    return row


@transaction.atomic
def switch_on(*, endpoint: WebhookEndpoint, actor: Actor) -> WebhookEndpoint:
    """Tell it again what happens from now on. A repeat changes nothing."""
    row = _locked(endpoint)
    if not row.enabled:
        before = {"off_why": row.off_why}
        row.enabled, row.off_why, row.off_at, row.failing_since = True, "", None, None
        row.save()
        record_audit(
            actor=actor, action="webhook.switched_on", target=row, before=before,
            after={"off_why": ""},
        )  # fmt: skip
        keep_wishes()
    return row


@transaction.atomic
def switch_off(
    *, endpoint: WebhookEndpoint, actor: Actor, now: dt.datetime, why: str = Off.BY_HAND
) -> WebhookEndpoint:
    """Tell it nothing any more; what waits is not sent, but can be sent again later."""
    row = _locked(endpoint)
    if row.enabled:
        row.enabled, row.off_why, row.off_at = False, why, now
        row.save()
        row.deliveries.filter(state=State.WAITING).update(
            state=State.CANCELED, next_at=None, finished_at=now
        )
        record_audit(actor=actor, action="webhook.switched_off", target=row, after={"off_why": why})
        keep_wishes()
    return row


@transaction.atomic
def rotate_secret(
    *, endpoint: WebhookEndpoint, actor: Actor, now: dt.datetime, overlap_hours: int = 24
) -> str:
    """Another secret, shown now or never; the one before signs beside it for a while."""
    if overlap_hours not in OVERLAPS:
        message = _("Choose one of the times that are offered.")
        raise DomainError(message, errors=[FieldError("overlap_hours", message, "unknown_value")])
    row = _locked(endpoint)
    until = now + dt.timedelta(hours=overlap_hours)
    row.secrets.filter(expires_at=None).update(expires_at=until)
    row.secrets.filter(expires_at__lte=now).delete()
    secret = _new_secret(row, now)
    record_audit(
        actor=actor, action="webhook.secret_rotated", target=row,
        after={"overlap_hours": overlap_hours},
    )  # fmt: skip
    return secret


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint, actor: Actor) -> None:
    """Forget an endpoint, its secrets and its log."""
    row = _locked(endpoint)
    before = logged(snapshot(row, _AUDITED), "url")
    record_audit(actor=actor, action="webhook.deleted", target=row, before=before)
    row.delete()
    keep_wishes()


def switch_off_failed(*, endpoint: WebhookEndpoint, now: dt.datetime, gone: bool) -> None:
    """What delivering does when it gives an endpoint up."""
    switch_off(endpoint=endpoint, actor=SYSTEM, now=now, why=Off.GONE if gone else Off.FAILING)


@transaction.atomic
def keep_wishes() -> None:
    """Have written down what an endpoint is told, and nothing else."""
    _take_turns()
    wanted = kinds_of(followed_types())
    wishes = EventWish.objects.filter(follower=FOLLOWER)
    wishes.exclude(kind__in=wanted).delete()
    EventWish.objects.bulk_create(
        (EventWish(follower=FOLLOWER, kind=kind) for kind in sorted(wanted)), ignore_conflicts=True
    )


def active_keys(endpoint: WebhookEndpoint, now: dt.datetime) -> list[bytes]:
    """The secrets that sign now, the newest first; none, if the installation's key has changed."""
    found = (
        secret_of(bytes(item.seed), bytes(item.fingerprint))
        for item in endpoint.secrets.all()
        if item.expires_at is None or item.expires_at > now
    )
    return [secret for secret in found if secret is not None]


def newest_secret_id(endpoint: WebhookEndpoint) -> str:
    """By which its newest secret can be told once more to whoever asked for it."""
    return str(endpoint.secrets.order_by("-pk").values_list("pk", flat=True)[0])


def secret_with_id(number: str) -> str:
    """As people copy it; empty if it is gone."""
    found = WebhookSecret.objects.filter(pk=int(number)).first()
    secret = secret_of(bytes(found.seed), bytes(found.fingerprint)) if found else None
    return written(secret) if secret is not None else ""


def _new_secret(endpoint: WebhookEndpoint, now: dt.datetime) -> str:
    seed = new_seed()
    fingerprint = fingerprint_of(seed)
    WebhookSecret.objects.create(
        endpoint=endpoint, seed=seed, fingerprint=fingerprint, created_at=now
    )
    secret = secret_of(seed, fingerprint)
    assert secret is not None
    return written(secret)


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    _take_turns()
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _take_turns() -> None:
    """Writes of endpoints one after the other: each decides from all of them what is wanted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('campaigns.webhook_endpoints'))")


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(values)
    if "url" in values:
        cleaned["url"] = check_url(values["url"])
    if "description" in values:
        cleaned["description"] = values["description"].replace("\x00", "").strip()[:200]
    if "types" in values:
        cleaned["types"] = sorted(set(values["types"]))
        _refuse_types(cleaned["types"])
    return cleaned


def _refuse_types(types: Sequence[str]) -> None:
    unknown = sorted(set(types) - known_types())
    if unknown or len(types) > TYPES_AT_MOST:
        message = _("There is no such event: %s.") % ", ".join(unknown[:5])
        raise DomainError(message, errors=[FieldError("types", message, "unknown_value")])
