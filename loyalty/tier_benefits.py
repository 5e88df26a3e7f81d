"""Benefits that earn, as the rules that they are: with what they give, and whom they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from loyalty.rules.bodies import parse_body
from loyalty.tier_definitions import EARNING_KINDS, BenefitDefinition, plain


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
