"""A new program: written by hand, or from a template's answers. It begins as a draft."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate, build
from loyalty.selectors.activities import activity_type_definitions
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, FieldError
from members.services.audit import Actor


def start_program(
    *, template: ProgramTemplate, answers: Answers, actor: Actor, now: dt.datetime
) -> Program:
    """The draft that a template makes of these answers. Types of activities that there are already
    stay as they are. Raises ConflictError where a program has the short name."""
    definition = with_new_types(build(template, answers))
    return create_program(definition=definition, actor=actor, now=now)


def with_new_types(definition: ProgramDefinition) -> ProgramDefinition:
    """Without the types of activities that there are already."""
    known = {item.code for item in activity_type_definitions()}
    new = tuple(item for item in definition.activity_types if item.code not in known)
    return definition.model_copy(update={"activity_types": new})


@transaction.atomic
def create_program(*, definition: ProgramDefinition, actor: Actor, now: dt.datetime) -> Program:
    """A program that there is not yet. Raises what applying it raises, and ConflictError where
    another has its short name."""
    if Program.objects.filter(code=definition.code).exists():
        raise _taken()
    applied = apply_definition(definition, actor=actor, now=now)
    # A new program is at its second revision now; a later one came between.
    if applied.program.revision != 2:
        raise _taken()
    return applied.program


def _taken() -> ConflictError:
    message = _("Another program has this short name.")
    return ConflictError(message, code="code_taken", errors=[FieldError("code", message)])


def suggest_code(name: str) -> str:
    """A free short name for a program of this name."""
    stem = slugify(name)[:56].strip("-_").replace("_", "-") or "program"
    taken = set(Program.objects.filter(code__startswith=stem).values_list("code", flat=True))
    numbers = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(code for code in (stem, *numbers) if code not in taken)
