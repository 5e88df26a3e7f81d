"""Pledges: what a program file and the screen say of them becomes rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.giving_definitions import PledgeDefinition
from loyalty.models import ActivityType, Charity, Pledge, Program
from loyalty.selectors.charities import pledge_definition, pledges, pledges_in
from loyalty.services.applied import Applied, refuse_rewriting
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit

# What stays as it was first said.
FIXED = ("charity", "code", "event")


def apply_pledges(applied: Applied, wanted: tuple[PledgeDefinition, ...], now: dt.datetime) -> None:
    """All that the program has. One that has counted something stays."""
    if applied.has_none_of(wanted):
        return
    known = {(item.charity.code, item.code): item for item in pledges_in(applied.program)}
    named = {(item.charity, item.code) for item in wanted}
    for address, pledge in known.items():
        if address not in named:
            _remove(applied, pledge)
    for item in wanted:
        before = known.get((item.charity, item.code))
        began = item.starts_at or (before.starts_at if before else now)
        definition = item.model_copy(update={"starts_at": began})
        if before is None or pledge_definition(before) != definition:
            _write(applied.program, before, definition)
            applied.changes.append(_("Pledge: %s") % definition.name)


@transaction.atomic
def create_pledge(*, program: Program, definition: PledgeDefinition, actor: Actor) -> Pledge:
    """A further pledge. Raises ConflictError where its code is taken."""
    found = pledges_in(program).filter(charity__account__code=definition.charity)
    if found.filter(code=definition.code).exists():
        message = _("There is a pledge with this short name already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    pledge = _write(program, None, definition)
    record_audit(
        actor=actor, action="pledge.created", target=program,
        after={"pledge": pledge.name, "charity": pledge.charity.account.name},
    )  # fmt: skip
    return pledge


@transaction.atomic
def change_pledge(*, pledge: Pledge, definition: PledgeDefinition, actor: Actor) -> Pledge:
    """For events from now on; what was counted stays. A repeat changes nothing."""
    found = _locked(pledge)
    before = pledge_definition(found)
    if before == definition:
        return found
    program = found.charity.account.program
    changed = _write(program, found, definition)
    old, new = before.model_dump(mode="json"), definition.model_dump(mode="json")
    names = [name for name in new if new[name] != old[name]]
    record_audit(
        actor=actor, action="pledge.changed", target=program,
        before={name: old[name] for name in names},
        after={"pledge": changed.name, **{name: new[name] for name in names}},
    )  # fmt: skip
    return changed


def _locked(pledge: Pledge) -> Pledge:
    return pledges().select_for_update(of=("self",), no_key=True).get(pk=pledge.pk)


def _write(program: Program, known: Pledge | None, definition: PledgeDefinition) -> Pledge:
    """A row of what it says; of a known one, its row is held: its budget is counted in it."""
    pledge = _locked(known) if known else Pledge(charity=_charity(program, definition.charity))
    if known is not None:
        _check_change(pledge, definition)
    if definition.things is not None and not pledge.charity.thing_singular:
        raise _refused("things", _("Say at the charity first what its work is counted in."))
    ends_at, starts_at = definition.ends_at, definition.starts_at
    if ends_at is not None and starts_at is not None and ends_at <= starts_at:
        raise _refused("ends_at", _("It ends after it begins."))
    values: dict[str, Any] = definition.model_dump(
        exclude={"charity", "activity_type", "money", "things"}
    )
    for name, value in values.items():
        setattr(pledge, name, value)
    pledge.unit = Pledge.Unit.THINGS if definition.things is not None else Pledge.Unit.MONEY
    pledge.amount = definition.amount
    pledge.to_count = True
    pledge.activity_type = _activity_type(definition.activity_type)
    pledge.save()
    return pledges().get(pk=pledge.pk)


def _check_change(pledge: Pledge, definition: PledgeDefinition) -> None:
    before = pledge_definition(pledge)
    for name in FIXED:
        if getattr(before, name) != getattr(definition, name):
            raise _refused(name, _("It stays as it is. Make another pledge instead."))
    in_things = definition.things is not None
    if pledge.given and in_things != (pledge.unit == Pledge.Unit.THINGS):
        name = "things" if in_things else "money"
        raise _refused(name, _("It has given something already: it stays money, or things."))
    if definition.budget is not None and definition.budget < pledge.given:
        raise _refused("budget", _("More was given already: %s.") % _plain(pledge.given))


def _charity(program: Program, code: str) -> Charity:
    found = Charity.objects.filter(account__program=program, account__code=code).first()
    if found is None:
        raise _refused("charity", _("The program has no such charity."))
    return found


def _activity_type(code: str) -> ActivityType | None:
    if not code:
        return None
    found = ActivityType.objects.filter(code=code).first()
    if found is None:
        raise _refused("activity_type", _("There is no such activity."))
    return found


def _remove(applied: Applied, pledge: Pledge) -> None:
    if pledge.events.exists():
        refuse_rewriting(
            "pledges", _("%s has counted something. Archive it instead.") % pledge.name
        )
    applied.changes.append(_("Pledge removed: %s") % pledge.name)
    pledge.delete()


def _refused(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
