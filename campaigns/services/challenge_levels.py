"""What a program calls those who have done so many challenges: written as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from campaigns.level_definitions import MOST_LEVELS, LevelDefinition
from campaigns.models import ChallengeLevel
from campaigns.selectors.challenge_levels import own_levels
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import DomainError, FieldError
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically


def set_levels(
    *, program: Program, levels: Sequence[LevelDefinition], actor: Actor
) -> list[LevelDefinition]:
    """These from now on, and no others; none: the standard ones. What somebody has done counts for
    them at once. Again changes nothing. Raises DomainError naming the level and the field."""
    problems = list(_problems(levels))
    if problems:
        raise DomainError(problems[0].message, errors=problems)
    wanted = sorted(levels, key=lambda level: level.needs)

    def write() -> list[LevelDefinition]:
        Program.objects.select_for_update().get(pk=program.pk)
        before = own_levels(program)
        if before != wanted:
            ChallengeLevel.objects.filter(program=program).delete()
            ChallengeLevel.objects.bulk_create(
                ChallengeLevel(program=program, **level.model_dump()) for level in wanted
            )
            record_audit(
                actor=actor, action="challenge_levels.changed", target=program,
                before={"levels": _as_said(before)}, after={"levels": _as_said(wanted)},
            )  # fmt: skip
        return wanted

    return run_atomically(write)


def apply_levels(
    applied: Applied, wanted: Sequence[LevelDefinition], actor: Actor, _now: object
) -> None:
    """All that the program's definition says; where it says none, they stay as they are."""
    if not wanted or own_levels(applied.program) == sorted(wanted, key=lambda item: item.needs):
        return
    try:
        set_levels(program=applied.program, levels=wanted, actor=actor)
    except DomainError as error:
        error.errors = tuple(
            replace(wrong, field=f"challenge_{wrong.field}") for wrong in error.errors
        )
        raise
    applied.changes.append(_("Levels of challenges changed"))


def _problems(levels: Sequence[LevelDefinition]) -> Iterator[FieldError]:
    if len(levels) > MOST_LEVELS:
        yield FieldError("levels", _("At most %s levels.") % MOST_LEVELS, "invalid")
    for index, level in enumerate(levels):
        before = levels[:index]
        if any(level.needs == other.needs for other in before):
            message = _("Another level needs as many. Give each a number of its own.")
            yield FieldError(f"levels[{index}].needs", message, "invalid")
        if any(level.name.casefold() == other.name.casefold() for other in before):
            message = _("Another level is called so. Give each a name of its own.")
            yield FieldError(f"levels[{index}].name", message, "invalid")


def _as_said(levels: Sequence[LevelDefinition]) -> list[dict[str, object]]:
    return [level.model_dump(exclude_defaults=True) for level in levels]
