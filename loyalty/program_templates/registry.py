"""Every kind of program that one can start from, in the order of the gallery. A new kind is a
module with its templates, and a line here."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.program_templates import (
    cashback,
    companies,
    discounts,
    experiences,
    games,
    giving,
    hybrids,
    partners,
    plans,
    points,
    referrals,
    stamps,
)
from loyalty.program_templates.kinds import Family, ProgramTemplate

TEMPLATES: tuple[ProgramTemplate, ...] = (
    *points.TEMPLATES,
    *stamps.TEMPLATES,
    *cashback.TEMPLATES,
    *discounts.TEMPLATES,
    *hybrids.TEMPLATES,
    *plans.TEMPLATES,
    *companies.TEMPLATES,
    *giving.TEMPLATES,
    *games.TEMPLATES,
    *referrals.TEMPLATES,
    *partners.TEMPLATES,
    *experiences.TEMPLATES,
)

# What the gallery shows together.
SECTIONS: tuple[tuple[Promise, tuple[Family, ...]], ...] = (
    (_("Points, stars, gifts"), ("points", "gifts", "values")),
    (_("Stamp cards"), ("stamps",)),
    (_("Cashback"), ("cashback",)),
    (_("Discount cards"), ("discount",)),
    (_("Several kinds in one"), ("hybrid",)),
    (_("Paid membership"), ("plan",)),
    (_("Companies"), ("companies",)),
    (_("Games and friends"), ("games", "referrals")),
    (_("With partners"), ("partners",)),
    (_("Experiences, not prices"), ("experiences",)),
)


def template_named(code: str) -> ProgramTemplate | None:
    return next((template for template in TEMPLATES if template.code == code), None)
