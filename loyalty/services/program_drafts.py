"""Programs on their way through the wizard: begun, answered, thrown away, made real."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.drafted_programs import answers_of, drafted_program, template_of
from loyalty.models import Program, ProgramDraft
from loyalty.services.program_starts import create_program, suggest_code, with_new_types
from members.errors import ConflictError, DomainError, NotFoundError
from members.models import User
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit

# So many unfinished ones of a person are kept; with another one the oldest goes.
MOST_OPEN = 20


@transaction.atomic
def begin_draft(*, owner: User, mode: str, step: str, now: dt.datetime) -> ProgramDraft:
    """A new one, for the merchant's own currency and time zone."""
    merchant = get_merchant()
    open_ones = ProgramDraft.objects.filter(owner=owner, program=None).order_by("-updated_at")
    for old in open_ones[MOST_OPEN - 1 :]:
        old.delete()
    return ProgramDraft.objects.create(
        owner=owner,
        mode=mode,
        step=step,
        situation={"currency": merchant.currency, "time_zone": merchant.time_zone},
        created_at=now,
        updated_at=now,
    )


@transaction.atomic
def keep_in_draft(
    *, draft: ProgramDraft, now: dt.datetime, template: str | None = None,
    parts: Mapping[str, Mapping[str, Any]] | None = None,
    reached: Callable[[ProgramDraft], str] | None = None,
) -> ProgramDraft:  # fmt: skip
    """Put answers to those that are there: `parts` of `situation`, `answers`, `base`, `launch`.
    Another template keeps the name alone. `reached` says which step the draft has come to with
    them. Raises ConflictError for one that is a program already, and DomainError for answers that
    no program can be made of."""
    draft = _locked(draft)
    if template is not None and template != draft.template:
        draft.template = template
        draft.answers = {k: v for k, v in draft.answers.items() if k == "program_name"}
        draft.base = {}
    for name, values in (parts or {}).items():
        setattr(draft, name, {**getattr(draft, name), **storable(values)})
    if template_of(draft) is not None and parts and "answers" in parts:
        answers_of(draft)
    if reached is not None:
        draft.step = reached(draft)
    draft.updated_at = now
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, draft: ProgramDraft) -> None:
    """Throw the answers away; what has become a program stays. Doing it twice changes nothing."""
    ProgramDraft.objects.filter(pk=draft.pk, program=None).delete()


@transaction.atomic
def launch_draft(
    *, draft: ProgramDraft, actor: Actor, now: dt.datetime, status: str | None = None
) -> Program:
    """Make the program that the answers describe, once: whoever asks again gets the same one.
    `status`: draft or live, instead of what was said. Raises DomainError."""
    draft = _locked(draft, done_too=True)
    if draft.program is not None:
        return draft.program
    template = template_of(draft)
    if template is None:
        raise DomainError(_("Choose a kind of program first."), code="kind_missing")
    if status is not None:
        draft.launch = {**draft.launch, "status": status}
    definition = drafted_program(draft, code=suggest_code(draft.name or str(template.name)))
    program = create_program(definition=with_new_types(definition), actor=actor, now=now)
    draft.program, draft.updated_at = program, now
    draft.save()
    record_audit(
        actor=actor, action="program.launched", target=program,
        after={"template": draft.template, "mode": draft.mode, "status": program.status},
    )  # fmt: skip
    return program


def _locked(draft: ProgramDraft, *, done_too: bool = False) -> ProgramDraft:
    found = ProgramDraft.objects.select_for_update().filter(pk=draft.pk).first()
    if found is None:
        raise NotFoundError(_("These answers were thrown away."))
    if found.program_id is not None and not done_too:
        raise ConflictError(_("This has become a program already."))
    return found


def storable(value: Any) -> Any:
    """As JSON can hold it; numbers as they were typed, days as 2030-05-17."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
