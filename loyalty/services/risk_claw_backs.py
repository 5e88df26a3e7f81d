"""Taking back what came from what is judged to be misuse: activities are taken back as such, what
was given by hand is undone, and what orders earned is taken as one adjustment of each wallet.

Nothing here moves units by itself. Activities leave a debt as the program says. An adjustment takes
what can be spent, and what is left of these orders that cannot be spent yet or is in their pool; it
waits for a second person above the role's limit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import Activity, RiskCase, Transfer
from loyalty.selectors.order_takings import PREFIX
from loyalty.selectors.risk_takings import (
    REASON,
    Taking,
    Undue,
    chosen_of,
    requests_of,
    takings_of,
    undue_of,
)
from loyalty.services.activity_decisions import reverse_activity
from loyalty.services.adjustment_limits import lock_staff
from loyalty.services.adjustment_reasons import require_reason
from loyalty.services.adjustments import adjust_units, undo_transfer
from loyalty.services.order_takings import note_taking
from loyalty.services.risk_cases import (
    UNASKED,
    Unasked,
    audit_case,
    close_case,
    end_hold,
    locked_case,
    require_nothing_asked,
    require_seen,
    require_waiting,
    required_note,
)
from loyalty.services.staff_adjustments import adjust_as_staff, undo_as_staff
from members.errors import ConflictError, DomainError, FieldError
from members.program_scope import programs_in_scope
from members.services.audit import Actor
from members.services.transactions import run_atomically


@dataclass(frozen=True, slots=True)
class ClawBack:
    """What came of it. `asked`: so many adjustments wait for a second person; until that one has
    decided, the case waits as well."""

    case: RiskCase
    asked: int = 0


def claw_back(
    *,
    case: RiskCase,
    facts: Collection[str] | None,
    resume: bool,
    note: str,
    actor: Actor,
    now: dt.datetime,
    seen: dt.datetime | Unasked | None = UNASKED,
) -> ClawBack:
    """Take back what these facts brought (None: as `chosen_of`), and close the case. `resume`: who
    was held takes part again. Once it is closed, again changes nothing. `seen`: as in
    `release_case`.
    """
    scope = programs_in_scope()

    def take() -> ClawBack:
        if actor.user is not None:
            lock_staff(actor)
        row = locked_case(case)
        if row.state == RiskCase.State.CLAWED_BACK:
            return ClawBack(row)
        require_waiting(row)
        require_seen(row, seen)
        require_nothing_asked(row)
        said = required_note(note)
        chosen = _chosen(row, undue_of(row, now=now), facts, scope)
        asked = _take(row, chosen, said, actor, now)
        if asked:
            row.chosen = sorted({one.key for one in chosen})
            row.save(update_fields=["chosen"])
            return ClawBack(row, asked)
        if resume:
            end_hold(row, said, actor, now)
        close_case(row, RiskCase.State.CLAWED_BACK, note=said, actor=actor, now=now)
        audit_case("risk.clawed_back", row, actor, reason=said)
        return ClawBack(row)

    return run_atomically(take)


def _chosen(
    row: RiskCase, undue: Iterable[Undue], facts: Collection[str] | None,
    scope: Collection[int] | None,
) -> list[Undue]:  # fmt: skip
    if facts is None:
        chosen = chosen_of(row, undue)
    else:
        chosen = [one for one in undue if one.key in facts]
    if not chosen:
        message = _("Choose what is to be taken back.")
        raise DomainError(message, errors=[FieldError("facts", message)])
    if any(not one.is_seen(scope) for one in chosen):
        message = _(
            "An activity among these brought units in a program that you do not see as well. Leave "
            "it out, or ask a colleague who sees both."
        )
        raise ConflictError(message, code="other_program")
    return chosen


def _take(
    row: RiskCase, chosen: Collection[Undue], said: str, actor: Actor, now: dt.datetime
) -> int:  # fmt: skip
    """How many adjustments wait for a second person. Refused where nothing would come of it."""
    before = takings_of(row, chosen, now=now)
    if not any(one.moves or one.taken_before for one in before):
        message = _(
            "Nothing of it is left to be taken: it was spent. Hold the member, or release the case."
        )
        raise DomainError(message, errors=[FieldError("facts", message)])
    _take_activities(chosen, said, actor, now)
    # What they can spend is another number now.
    rest = [one for one in chosen if one.kind != "activity"]
    asked = 0
    for taking in takings_of(row, rest, now=now):
        for transfer in taking.undone:
            _undo(transfer, said, actor, now)
        asked += _adjust(row, taking, said, actor, now)
    return asked


def _take_activities(chosen: Iterable[Undue], note: str, actor: Actor, now: dt.datetime) -> None:
    keys = {one.fact for one in chosen if one.kind == "activity"}
    source = _source(actor)
    for activity in Activity.objects.filter(pk__in=keys).order_by("pk"):
        reverse_activity(activity=activity, actor=actor, note=note, source=source, now=now)


def _undo(transfer: Transfer, note: str, actor: Actor, now: dt.datetime) -> None:
    if actor.user is None:
        undo_transfer(transfer=transfer, actor=actor, source=_source(actor), now=now, note=note)
    else:
        undo_as_staff(transfer=transfer, actor=actor, now=now, note=note)


def _adjust(row: RiskCase, taking: Taking, note: str, actor: Actor, now: dt.datetime) -> int:
    """Whether it waits for a second person."""
    if not taking.taken:
        return 0
    _require_reason(note, actor)
    # Each try has a key of its own: one may be refused, or undone.
    tries = requests_of(row, [taking.wallet]).count() + taking.adjustments
    key = f"{PREFIX}{row.public_id}:{taking.wallet.pk}:{tries}"
    note_taking(key, taking.taken_parts)
    if actor.user is None:
        adjust_units(
            wallet=taking.wallet, units=-taking.taken, reason=REASON, note=note, actor=actor,
            key=key, source=_source(actor), now=now,
        )  # fmt: skip
        return 0
    done = adjust_as_staff(
        wallet=taking.wallet, units=-taking.taken, reason=REASON, note=note, actor=actor, key=key,
        now=now,
    )  # fmt: skip
    return int(done.request is not None)


def _require_reason(note: str, actor: Actor) -> None:
    role = lock_staff(actor)[1] if actor.user else None
    try:
        require_reason(REASON, note=note, role=role)
    except DomainError as error:
        raise ConflictError(
            _(
                "What orders earned is taken with the adjustment reason “%s”, which is switched "
                "off, or not for your role. An administrator can change that."
            )
            % REASON,
            code="reason_not_usable",
        ) from error


def _source(actor: Actor) -> str:
    source = Transfer.Source.BACKOFFICE if actor.user else Transfer.Source.API
    return str(source.value)
