"""Sales that open for some before others, in a program's definition: read from it, and brought to
it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, fields

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import DomainError, FieldError
from members.prepared import KeptQuery
from members.services.audit import Actor
from rewards.models import AccessWindow
from rewards.services.access_windows import WindowTerms, archive_window, save_window, terms_of
from rewards.window_definitions import AccessWindowDefinition


def windows_of(program: Program) -> list[AccessWindowDefinition]:
    """Those that are there, and whatever a reward still names."""
    return [
        AccessWindowDefinition(
            code=item.code, archived=item.archived_at is not None, **asdict(terms_of(item))
        )
        for item in _windows.rows(program.pk)
    ]  # fmt: skip


_windows: KeptQuery[AccessWindow] = KeptQuery(
    lambda program: (
        AccessWindow.objects.filter(Q(archived_at=None) | Q(rewards__isnull=False), program=program)
        .order_by("pk")
        .distinct()
    )
)


def apply_windows(
    applied: Applied, wanted: Sequence[AccessWindowDefinition], actor: Actor, now: dt.datetime
) -> None:
    """Sales that the definition names are made or changed; others stay. Raises DomainError naming
    the place."""
    if applied.has_none_of(wanted):
        return
    known = {item.code: item for item in AccessWindow.objects.filter(program=applied.program)}
    for index, item in enumerate(wanted):
        try:
            _apply(applied, known.get(item.code), item, actor, now)
        except DomainError as error:
            errors = [
                FieldError(f"access_windows[{index}].{each.field}", each.message, each.code)
                for each in error.errors
            ]
            raise DomainError(error.message, code=error.code, errors=errors) from error


def _apply(
    applied: Applied, known: AccessWindow | None, wanted: AccessWindowDefinition, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    terms = _terms(wanted)
    archived = known is not None and known.archived_at is not None
    if known is not None and archived == wanted.archived and terms_of(known) == terms:
        return
    saved = save_window(program=applied.program, code=wanted.code, terms=terms, actor=actor)
    if wanted.archived:
        archive_window(window=saved, actor=actor, now=now)
    told = _("Sale changed: %s") if known else _("New sale: %s")
    applied.changes.append(told % wanted.name)


def _terms(wanted: AccessWindowDefinition) -> WindowTerms:
    """As they are kept."""
    said = {item.name: getattr(wanted, item.name) for item in fields(WindowTerms)}
    for name in ("skus", "categories"):
        said[name] = tuple(sorted(set(said[name])))
    return WindowTerms(**said)
