"""Keeping what a merchant assumes of a program's cost, and scenarios to come back to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.economics import ZERO, Inputs
from loyalty.models import EconomicAssumptions, EconomicScenario, Program
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

# Of one program: more than anybody compares, and few enough for one page.
MOST_SCENARIOS = 30
_COSTS = ("margin", "administration", "platform_fee", "support", "messaging")
_MONEY = ("spend_with", "bonuses", "administration", "platform_fee", "owed")
_SHARES = ("margin", "reward_rate", "support", "messaging", "redemption", "breakage")
LARGEST = Decimal(10) ** 12
MOST_MEMBERS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no data say. `spend_without` None: it is measured, or nobody has said."""

    margin: Decimal
    spend_without: Decimal | None = None
    administration: Decimal = ZERO
    platform_fee: Decimal = ZERO
    support: Decimal = ZERO
    messaging: Decimal = ZERO

    @classmethod
    def of(cls, inputs: Inputs) -> Assumed:
        """Those of a calculation; a lift that was measured is no assumption."""
        return cls(
            spend_without=None if inputs.lift else inputs.spend_without,
            **{name: getattr(inputs, name) for name in _COSTS},
        )


def check_inputs(inputs: Inputs) -> None:
    """Raises DomainError naming what cannot be."""
    wrong = [
        FieldError(name, _("Give a share between 0 and 100 percent."))
        for name in _SHARES
        if not 0 <= getattr(inputs, name) <= 100
    ]
    amounts = _MONEY if inputs.lift else (*_MONEY, "spend_without")
    wrong += [
        FieldError(name, _("Give an amount from zero on."))
        for name in amounts
        if not 0 <= getattr(inputs, name) < LARGEST
    ]
    if not 1 <= inputs.members <= MOST_MEMBERS:
        wrong.append(FieldError("members", _("Give at least one member.")))
    if inputs.redemption + inputs.breakage > 100:
        words = _("With the redemption rate that is more than all that is earned.")
        wrong.append(FieldError("breakage", words))
    if wrong:
        raise DomainError(str(wrong[0].message), errors=wrong)


def keep_assumptions(
    *, program: Program, assumed: Assumed, actor: Actor, now: dt.datetime
) -> EconomicAssumptions:
    """What the program's form begins with from now on. Raises DomainError."""
    likely = assumed.spend_without or ZERO
    check_inputs(Inputs(1, likely, likely, **{name: getattr(assumed, name) for name in _COSTS}))

    def write() -> EconomicAssumptions:
        Program.objects.select_for_update().get(pk=program.pk)
        kept = EconomicAssumptions.objects.filter(program=program).first()
        before = _written(kept) if kept else {}
        found = kept or EconomicAssumptions(program=program)
        for name in _COSTS:
            setattr(found, name, getattr(assumed, name))
        if assumed.spend_without is not None:
            found.spend_without = assumed.spend_without
        after = _written(found)
        if after == before:
            return found
        found.changed_at = now
        found.save()
        record_audit(
            actor=actor, action="economics.assumed", target=program, before=before, after=after
        )
        return found

    return run_atomically(write)


def save_scenario(
    *, program: Program, name: str, inputs: Inputs, actor: Actor, now: dt.datetime,
    holdout: str = "",
) -> EconomicScenario:  # fmt: skip
    """A new one; the same again is the one that there is. Raises DomainError, ConflictError where
    another one has the name."""
    name = name.strip()
    if not name:
        raise _wrong("name", _("Give it a name."))
    if bool(holdout) != bool(inputs.lift):
        raise _wrong("basis", _("A lift that was measured names its holdout."))
    check_inputs(inputs)
    values = _stored(inputs) | {"holdout": holdout}

    def write() -> EconomicScenario:
        Program.objects.select_for_update().get(pk=program.pk)
        saved = EconomicScenario.objects.filter(program=program)
        known = saved.filter(name=name).first()
        if known is not None:
            if all(getattr(known, field) == value for field, value in values.items()):
                return known
            words = _("There is a scenario with this name. Choose another one, or remove it first.")
            raise ConflictError(
                words, code="scenario_exists", errors=[FieldError("name", words, "scenario_exists")]
            )
        if saved.count() >= MOST_SCENARIOS:
            raise _wrong("name", _("There are %s scenarios. Remove one first.") % MOST_SCENARIOS)
        scenario = EconomicScenario.objects.create(
            program=program, name=name, created_at=now, **values
        )
        record_audit(actor=actor, action="economics.saved", target=program, after={"name": name})
        return scenario

    return run_atomically(write)


def remove_scenario(*, scenario: EconomicScenario, actor: Actor) -> None:
    """It is gone; that there was one is in the log."""

    def write() -> None:
        gone, _rows = EconomicScenario.objects.filter(pk=scenario.pk).delete()
        if gone:
            record_audit(
                actor=actor, action="economics.removed", target=scenario.program,
                before={"name": scenario.name},
            )  # fmt: skip

    run_atomically(write)


def _stored(inputs: Inputs) -> dict[str, Any]:
    """As columns have them, so that what is stored can be compared."""
    names = (*_MONEY, *_SHARES, "spend_without")
    values: dict[str, Any] = {name: round(getattr(inputs, name), 4) for name in names}
    lift = inputs.lift
    return values | {
        "members": inputs.members,
        "lift_low": round(lift.low, 4) if lift else None,
        "lift_high": round(lift.high, 4) if lift else None,
        "lift_since": lift.since if lift else None,
        "lift_until": lift.until if lift else None,
    }


def _written(kept: EconomicAssumptions) -> dict[str, str]:
    values = {name: getattr(kept, name) for name in ("spend_without", *_COSTS)}
    return {
        name: "" if value is None else f"{value.normalize():f}" for name, value in values.items()
    }


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
