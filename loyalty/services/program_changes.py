"""What a definition makes of a program: tried before it counts, and applied to what was read."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.program_differences import Difference, program_differences
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import ConflictError
from members.services.audit import Actor
from members.services.transactions import run_atomically


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """A program before and after, in words and as data."""

    before: ProgramDefinition | None
    after: ProgramDefinition
    words: tuple[str, ...]

    @property
    def created(self) -> bool:
        return self.before is None

    @property
    def differences(self) -> list[Difference]:
        return program_differences(self.before, self.after)


def mark_of(definition: ProgramDefinition | None) -> str:
    """Another one for whatever is different of a program; empty: there is none."""
    if definition is None:
        return ""
    return hashlib.sha256(definition.model_dump_json().encode()).hexdigest()[:32]


def rehearse_definition(
    definition: ProgramDefinition, *, actor: Actor, now: dt.datetime
) -> ProgramChange:
    """What applying it would change. It is applied and taken back again, so that nothing is shown
    that would not happen. Raises what applying it raises (DomainError)."""

    def attempt() -> ProgramChange:
        with transaction.atomic():
            change = _change(definition, actor, now)
            transaction.set_rollback(True)
        return change

    return run_atomically(attempt)


def change_program(
    definition: ProgramDefinition, *, seen: str | None = None,
    judge: Callable[[ProgramChange], None] | None = None, actor: Actor, now: dt.datetime,
) -> ProgramChange:  # fmt: skip
    """Apply a definition to the program that somebody has seen, which `mark_of` tells; empty: there
    was none; None: whatever it says now. Raises ConflictError (`changed_meanwhile`) where it is
    another one by now. `judge` looks at what it makes of the program, and refuses all of it by
    raising."""

    def change() -> ProgramChange:
        with transaction.atomic():
            made = _change(definition, actor, now, seen)
            if judge is not None:
                judge(made)
        return made

    return run_atomically(change)


def _change(
    definition: ProgramDefinition, actor: Actor, now: dt.datetime, seen: str | None = None
) -> ProgramChange:
    program = Program.objects.select_for_update().filter(code=definition.code).first()
    before = definition_of(program, now) if program else None
    if seen is not None and seen != mark_of(before):
        raise ConflictError(
            _("Somebody has changed the program since you read it. Read it again, then decide."),
            code="changed_meanwhile",
        )
    applied = apply_definition(definition, actor=actor, now=now)
    return ProgramChange(before, definition_of(applied.program, now), tuple(applied.changes))
