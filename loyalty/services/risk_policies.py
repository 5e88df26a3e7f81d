"""From when on a program calls something suspicious: a new version each time, and all scores are
worked out anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from loyalty.models import Program, RiskPolicy
from loyalty.risk_definitions import RiskDefinition
from loyalty.risk_signals import risk_signals
from loyalty.selectors.risk import policy_of
from loyalty.services.risk_scores import look_at_program
from members.errors import DomainError, FieldError
from members.models import OutboxEvent
from members.services.audit import Actor, record_audit
from members.services.outbox import record_events
from members.services.transactions import run_atomically
from members.wrong_values import words_of

WRITTEN = "risk.policy_written"


def write_policy(
    *, program: Program, values: Mapping[str, Any], actor: Actor, now: dt.datetime
) -> RiskDefinition:
    """What holds from now on. The same again changes nothing. Raises DomainError."""
    try:
        wanted = RiskDefinition.model_validate(values)
    except ValidationError as error:
        raise _wrong(error) from error

    def write() -> RiskDefinition:
        held = Program.objects.select_for_update().get(pk=program.pk)
        before = policy_of(held)
        if before.whole() == wanted.whole():
            return wanted
        last = RiskPolicy.objects.filter(program=held).order_by("-number").first()
        RiskPolicy.objects.create(
            program=held, number=last.number + 1 if last else 1, definition=wanted.whole(),
            written_by=actor.user, written_at=now,
        )  # fmt: skip
        record_events(WRITTEN, [{"program": held.pk}])
        record_audit(
            actor=actor, action="risk.policy_written", target=held, before=_told(before),
            after=_told(wanted),
        )  # fmt: skip
        return wanted

    return run_atomically(write)


def follow_policies(events: Sequence[OutboxEvent]) -> None:
    """All members of these programs are looked at with what holds now. Those who are many are
    marked piece by piece, each in a transaction of its own."""
    for event in events:
        program = event.payload["program"]
        last = look_at_program(program, event.payload.get("after", 0))
        if last is not None:
            record_events(WRITTEN, [{"program": program, "after": last}])


def _wrong(error: ValidationError) -> DomainError:
    errors = [
        FieldError(".".join(str(part) for part in item["loc"]), *words_of(item))
        for item in error.errors()
    ]
    return DomainError(errors[0].message, errors=errors)


def _told(policy: RiskDefinition) -> dict[str, Any]:
    """What of it is in the log: the points, and the weight of each signal."""
    told: dict[str, Any] = {
        "days": policy.days, "medium": policy.medium, "high": policy.high,
        "review": policy.review, "hold": policy.hold, "hold_from": policy.hold_from,
    }  # fmt: skip
    for signal in risk_signals():
        numbers = [policy.weights[signal.key], *policy.limits[signal.key].values()]
        told[signal.key] = " · ".join(str(number) for number in numbers)
    return {f"risk_{name}": value for name, value in told.items()}
