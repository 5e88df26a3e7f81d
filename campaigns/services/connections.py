"""Connections: made, changed, switched off and on, given another secret, forgotten."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.logged_addresses import logged, logged_change
from campaigns.models import Connection
from campaigns.webhook_addresses import check_url
from members.errors import ConflictError, DomainError, FieldError
from members.kept_secrets import hidden, revealed
from members.services.audit import Actor, record_audit, snapshot

Kind = Connection.Kind
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{0,16}")
_AUDITED = ["name", "source", "customer_prefix", "program", "shop_url", "mapping"]
CHANGEABLE = ("name", "program", "shop_url", "mapping")
LONGEST_SECRET = 200


@transaction.atomic
def create_connection(
    *, kind: str, name: str, source: str, actor: Actor, now: dt.datetime, **values: Any
) -> Connection:
    """Make one. It has no secret yet, and refuses everything: a shop's own is set afterwards
    (`set_secret`), another is made when somebody is there to copy it (`renew_secret`)."""
    connection = Connection(kind=kind, name=name.strip(), source=source.strip(), created_at=now)
    connection.customer_prefix = values.pop("customer_prefix", "").strip()
    connection.created_by = actor.user
    for field, value in _cleaned(values).items():
        setattr(connection, field, value)
    _check(connection)
    connection.save()
    record_audit(
        actor=actor, action="connection.created", target=connection,
        after={"kind": kind, **snapshot(connection, _AUDITED)},
    )  # fmt: skip
    return connection


@transaction.atomic
def change_connection(
    *, connection: Connection, actor: Actor, changes: Mapping[str, Any]
) -> Connection:
    """Change some of name, program, shop_url and mapping. What it has taken in stays as it is;
    source and prefix say whose that is, so they never change."""
    row = _locked(connection)
    before = snapshot(row, _AUDITED)
    for name, value in _cleaned(changes).items():
        setattr(row, name, value)
    _check(row)
    after = snapshot(row, _AUDITED)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        row.save()
        was, becomes = logged_change(
            {name: before[name] for name in changed}, {name: after[name] for name in changed},
            "shop_url",
        )  # fmt: skip
        record_audit(
            actor=actor, action="connection.changed", target=row, before=was, after=becomes
        )
    return row


@transaction.atomic
def set_secret(*, connection: Connection, secret: str, actor: Actor) -> Connection:
    """What the shop signs with from now on; it is not shown again."""
    secret = secret.strip()
    if not secret or len(secret) > LONGEST_SECRET or not secret.isprintable():
        message = _("Paste the secret as the shop shows it.")
        raise DomainError(message, errors=[FieldError("secret", message)])
    row = _locked(connection)
    row.secret = hidden(secret)
    row.save(update_fields=["secret"])
    record_audit(actor=actor, action="connection.secret_set", target=row)
    return row


def renew_secret(*, connection: Connection, actor: Actor) -> str:
    """Another secret of our own making; the one before ends at once."""
    secret = new_secret()
    set_secret(connection=connection, secret=secret, actor=actor)
    return secret


@transaction.atomic
def set_api_access(
    *, connection: Connection, shop_url: str, key: str, secret: str = "", actor: Actor
) -> Connection:
    """Where the shop's API is and what opens it, for bringing in what happened before."""
    row = _locked(connection)
    if not key.strip():
        message = _("Paste what the shop shows.")
        raise DomainError(message, errors=[FieldError("key", message, "required")])
    row.shop_url = _shop_url(shop_url)
    row.api_access = hidden(json.dumps({"key": key.strip(), "secret": secret.strip()}))
    row.save(update_fields=["shop_url", "api_access"])
    record_audit(
        actor=actor,
        action="connection.api_set",
        target=row,
        after=logged({"shop_url": row.shop_url}, "shop_url"),
    )
    return row


def api_access(connection: Connection) -> tuple[str, str] | None:
    """Key and secret of its API; None if there are none that can be read."""
    kept = revealed(connection.api_access)
    if not kept:
        return None
    found = json.loads(kept)
    return found["key"], found["secret"]


@transaction.atomic
def switch(*, connection: Connection, on: bool, actor: Actor) -> Connection:
    """While it is off nothing is taken; shops try again for a while."""
    row = _locked(connection)
    if row.enabled != on:
        row.enabled = on
        row.save(update_fields=["enabled"])
        action = "connection.switched_on" if on else "connection.switched_off"
        record_audit(actor=actor, action=action, target=row)
    return row


@transaction.atomic
def delete_connection(*, connection: Connection, actor: Actor) -> None:
    """Forget it with its secrets and its log. Orders and customers that came by it stay."""
    row = _locked(connection)
    record_audit(
        actor=actor, action="connection.deleted", target=row, before=snapshot(row, _AUDITED)
    )
    row.delete()


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def _locked(connection: Connection) -> Connection:
    return Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in values if name not in CHANGEABLE]
    if unknown:
        raise DomainError(
            _("Some fields are not known."),
            errors=[FieldError(name, _("There is no such field."), "unknown") for name in unknown],
        )
    found = dict(values)
    if "name" in found:
        found["name"] = found["name"].strip()
    if found.get("shop_url"):
        found["shop_url"] = _shop_url(found["shop_url"])
    return found


def _shop_url(given: str) -> str:
    """The shop's address: a bare name is read as one, and what follows the name in the browser's
    line is left out."""
    given = given.strip().rstrip("/")
    url = given if "://" in given else f"https://{given}"
    try:
        return check_url(url)
    except DomainError as error:
        found = [FieldError("shop_url", item.message, item.code) for item in error.errors]
        raise DomainError(error.message, errors=found) from error


def _check(connection: Connection) -> None:
    errors = []
    if not connection.name:
        errors.append(FieldError("name", _("Give it a name."), "required"))
    if not _SOURCE.fullmatch(connection.source):
        message = _(
            "Letters, digits, “_”, “.” and “-”, at most 32, beginning with one of the first."
        )
        errors.append(FieldError("source", message))
    if not _PREFIX.fullmatch(connection.customer_prefix):
        message = _("At most 16 letters, digits, “_”, “.”, “:” and “-”.")
        errors.append(FieldError("customer_prefix", message))
    if errors:
        raise DomainError(_("Some fields are not right."), errors=errors)
    _refuse_mixed_up(connection)


def _refuse_mixed_up(connection: Connection) -> None:
    """Two shops under the same numbers would be one customer where they mean two."""
    if connection.kind not in Connection.SHOPS:
        return
    others = Connection.objects.filter(kind__in=Connection.SHOPS).exclude(pk=connection.pk)
    errors = []
    if others.filter(source=connection.source).exists():
        message = _(
            "Another shop has this source. Its orders would be taken for those of this one."
        )
        errors.append(FieldError("source", message, "taken"))
    if others.filter(customer_prefix=connection.customer_prefix).exists():
        message = _(
            "Another shop has these customer numbers. Put something before those of this shop, so"
            " that two people with the same number are not taken for one."
        )
        errors.append(FieldError("customer_prefix", message, "taken"))
    if errors:
        raise ConflictError(_("Another connection is in the way."), errors=errors)
