"""Benefits that earn, as the rules that they are: with what they give, and whom they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.utils.translation import gettext as _

from loyalty.rules.bodies import parse_body
from loyalty.tier_definitions import EARNING_KINDS, BenefitDefinition, TierDefinition, plain


class Unit(Protocol):
    """A kind of unit that a rule gives."""

    @property
    def pk(self) -> int: ...


AnyUnit = TypeVar("AnyUnit", bound=Unit)


@dataclass(frozen=True, slots=True)
class BenefitSource:
    """What brings benefits: a tier or a plan. `field`: what the condition of its rules asks."""

    code: str
    name: str
    field: str
    benefits: Sequence[BenefitDefinition]


def tier_source(tier: TierDefinition) -> BenefitSource:
    return BenefitSource(tier.code, tier.name, "membership.tier", tier.benefits)


@dataclass(frozen=True, slots=True)
class BenefitRule(Generic[AnyUnit]):
    """The rule that a benefit is."""

    code: str
    name: str
    unit: AnyUnit
    body: dict[str, Any]


def benefit_rules(
    sources: Iterable[BenefitSource], units: Mapping[str, AnyUnit], prefix: str
) -> Iterator[BenefitRule[AnyUnit]]:
    """The rules of what earns, in the order of their sources. `units` by code, the program's first
    one first; `prefix`: how the codes of the rules begin."""
    for of in sources:
        for benefit in earning_benefits(of.benefits):
            first = next(iter(units.values()))
            unit = units.get(benefit.wallet_type, first)
            code = f"{prefix}{of.code}-{'x' if benefit.factor else 'birthday'}"
            # Another kind of unit is another rule: a rule keeps its own.
            code = code if unit == first else f"{code}-{unit.pk}"
            name = benefit_rule_name(of.name, benefit)
            yield BenefitRule(code, name, unit, benefit_body(of.field, of.code, benefit))


def earning_benefits(benefits: Iterable[BenefitDefinition]) -> Iterator[BenefitDefinition]:
    return (benefit for benefit in benefits if benefit.kind in EARNING_KINDS)


def benefit_rule_name(of: str, benefit: BenefitDefinition) -> str:
    """What explanations call it."""
    if benefit.factor is not None:
        return _("%(tier)s: %(factor)s ×") % {"tier": of, "factor": plain(benefit.factor)}
    return _("%(tier)s: birthday") % {"tier": of}


def benefit_body(field: str, code: str, benefit: BenefitDefinition) -> dict[str, Any]:
    """The rule's body: for members of whom `field` (their tier, their plan) is this one."""
    said: dict[str, Any] = {"when": {"field": field, "op": "is", "value": code}}
    if benefit.factor is not None:
        said |= {"kind": "multiplier", "factor": benefit.factor}
    else:
        said |= {"kind": "occasion", "day": "birthday", "units": benefit.units}
    return parse_body(said).model_dump(mode="json")
