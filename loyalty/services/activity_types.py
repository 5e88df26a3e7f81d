"""The types of activities: one way in for the screen and for program files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.definitions import ActivityTypeDefinition
from loyalty.models import ActivityType
from loyalty.selectors.activities import definition_of_type
from members.errors import ConflictError, FieldError
from members.services.audit import Actor, record_audit


@transaction.atomic
def create_activity_type(definition: ActivityTypeDefinition, *, actor: Actor) -> ActivityType:
    """A further type. Raises ConflictError where its code is taken."""
    if ActivityType.objects.filter(code=definition.code).exists():
        message = _("There is a type with this short name already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    return save_activity_type(definition, actor=actor)[0]


@transaction.atomic
def save_activity_type(
    definition: ActivityTypeDefinition, *, actor: Actor
) -> tuple[ActivityType, bool]:
    """Bring a type to what the definition says, and whether that changed anything. What was told
    before stays as it is."""
    found = ActivityType.objects.select_for_update().filter(code=definition.code).first()
    if found is None:
        made = ActivityType.objects.create(**_columns(definition))
        record_audit(
            actor=actor, action="activity_type.created", target=made, after=_said(definition)
        )
        return made, True
    before = definition_of_type(found)
    if before == definition:
        return found, False
    for name, value in _columns(definition).items():
        setattr(found, name, value)
    found.save()
    old, new = _said(before), _said(definition)
    changed = [name for name in new if new[name] != old[name]]
    record_audit(
        actor=actor, action="activity_type.changed", target=found,
        before={name: old[name] for name in changed}, after={name: new[name] for name in changed},
    )  # fmt: skip
    return found, True


def apply_activity_types(
    definitions: Iterable[ActivityTypeDefinition], *, actor: Actor
) -> list[str]:
    """The types of a program file; those that it does not name stay as they are. Answers with the
    changes in words."""
    changes = []
    for definition in definitions:
        known = ActivityType.objects.filter(code=definition.code).exists()
        _type, changed = save_activity_type(definition, actor=actor)
        if changed:
            words = (
                _("Type of activity “%s” changed") if known else _("Type of activity “%s” added")
            )
            changes.append(words % definition.name)
    return changes


def _columns(definition: ActivityTypeDefinition) -> dict[str, Any]:
    return definition.model_dump()


def _said(definition: ActivityTypeDefinition) -> dict[str, Any]:
    return definition.model_dump(mode="json")
