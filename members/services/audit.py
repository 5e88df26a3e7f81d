"""Writing down who changed what. Called by every service that a person or an API key can reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.forms.models import model_to_dict

from members.audit import target_of
from members.models import ApiKey, AuditEntry, User
from members.origins import current_origin
from members.prepared import insert_row
from members.program_scope import program_of


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a service writes: a signed-in person, an API key, or the system itself."""

    label: str
    user: User | None = None
    api_key: ApiKey | None = None

    @classmethod
    def of_user(cls, user: User) -> Actor:
        return cls(label=str(user), user=user)

    @classmethod
    def of_api_key(cls, key: ApiKey) -> Actor:
        return cls(label=f"API key {key.name}", api_key=key)


__all__ = ["SYSTEM", "Actor", "record_audit", "snapshot", "target_of"]

SYSTEM = Actor(label="Setia")


def snapshot(instance: Model, fields: list[str]) -> dict[str, Any]:
    """The named fields as JSON can hold them, for `before` and `after`."""
    values = model_to_dict(instance, fields=fields)
    return {name: _plain(value) for name, value in values.items()}


def audit_changes(
    *, actor: Actor, action: str, target: Model, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    """Write down what differs of the same names, and return these. What changes nothing leaves no
    trace."""
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        record_audit(
            actor=actor, action=action, target=target,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )  # fmt: skip
    return changed


def record_audit(
    *,
    actor: Actor,
    action: str,
    target: Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    about: Model | None = None,
) -> AuditEntry:
    """Write one entry; `action` is noun.verb_in_past ("points.adjusted"). `about`: what says to
    which program it belongs, where the target, a customer, does not."""
    origin = current_origin()
    entry = AuditEntry(
        actor=actor.user,
        actor_label=actor.label[:200],
        action=action,
        target=target_of(target),
        target_label=str(target)[:200],
        before=before,
        after=after,
        reason=reason,
        way=origin.way,
        way_name=origin.name,
        place=origin.place,
        program=program_of(about or target),
    )
    insert_row(entry)
    return entry


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)
