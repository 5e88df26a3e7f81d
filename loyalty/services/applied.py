"""What applying a program's definition did, and how it refuses what would rewrite the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.models import EarningRuleVersion, Program
from members.errors import ConflictError, FieldError
from members.services.audit import Actor, record_audit


@dataclass(slots=True)
class Applied:
    """What applying a definition did. No changes: the program was like that already."""

    program: Program
    changes: list[str] = field(default_factory=list)
    # Wordings that are new, with where the definition has them ("earning_rules[0]").
    written: list[tuple[str, EarningRuleVersion]] = field(default_factory=list)
    # There was no such program before.
    created: bool = False
    # A second person publishes its rules and tiers: as it was, or is from now on.
    second_person: bool = False

    def has_none_of(self, wanted: object) -> bool:
        """A new program that shall have none: what it has is not worth asking for."""
        return self.created and not wanted


def change(applied: Applied, instance: Any, name: str, value: Any) -> None:
    before = getattr(instance, name)
    if before == value:
        return
    setattr(instance, name, value)
    if instance is not applied.program or applied.changes[:1] != [_("Program created")]:
        applied.changes.append(
            _("%(whose)s, %(what)s: %(before)s → %(after)s")
            % {
                "what": instance._meta.get_field(name).verbose_name,
                "whose": instance,
                "before": _in_words(instance, name, before),
                "after": _in_words(instance, name, value),
            }
        )


def _in_words(instance: Any, name: str, value: Any) -> str:
    """A field's value as staff read it: the word of a choice, a dash for nothing."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "–"
    if isinstance(value, Decimal):
        # As people write it; the database pads with zeros.
        return f"{value.normalize():f}"
    words = dict(instance._meta.get_field(name).flatchoices)
    return str(words.get(value, value)) or "–"


def keep_changes(applied: Applied, *, action: str, of: str, name: str, actor: Actor) -> None:
    """Whoever has a form of the program open hears that it changed, and the log says how; nothing
    where nothing did. `of`: what was changed, as the log has it; `name`: what it is called."""
    if applied.changes:
        Program.objects.filter(pk=applied.program.pk).update(revision=F("revision") + 1)
        record_audit(
            actor=actor, action=action, target=applied.program,
            after={of: name, "changes": applied.changes},
        )  # fmt: skip


def refuse_rewriting(field_name: str, message: str) -> None:
    raise ConflictError(
        message,
        code="would_rewrite_the_past",
        errors=[FieldError(field_name, message, "would_rewrite_the_past")],
    )
