"""Several brands, one program: members earn and spend at all of them, and each month it is settled
who owes whom."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.partner_definitions import PartnerDefinition, PartnerRateDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import EARNING, LASTING, NAMES, REWARD


def _partners(answers: Answers) -> tuple[PartnerDefinition, ...]:
    codes = parts.codes([item.name for item in answers.partners], "partner")
    return tuple(
        PartnerDefinition(
            code=code, name=item.name,
            rates=(
                PartnerRateDefinition(
                    wallet_type="points", issued=item.issued, taken_in=item.taken_in
                ),
            ),
        )
        for code, item in zip(codes, answers.partners, strict=True)
    )  # fmt: skip


def _make(answers: Answers) -> ProgramDefinition:
    return parts.program(
        answers,
        gettext("Members collect and spend here and at our partners."),
        partners=_partners(answers),
        wallet_types=(parts.unit(answers, "points"),),
        earning_rules=(parts.rate(answers, "points"), *parts.bonuses(answers, "points")),
        rewards=parts.first_reward(answers, "points"),
    )


TEMPLATES = (
    ProgramTemplate(
        code="coalition",
        name=_("Several brands, one program"),
        summary=_("Members earn and spend at partners too; who owes whom is settled each month."),
        suits=_("A high street, a mall, a region: brands with the same customers, no rivals."),
        icon="affiliate",
        family="partners",
        asks=("partners", *NAMES, *EARNING, *REWARD, *LASTING),
        starter=("earn_units", "partners"),
        make=_make,
        defaults={
            "reward_units": 100, "reward_worth": 1,
            "partners": (
                {"name": _("A partner of your choice"), "issued": Decimal("0.012"),
                 "taken_in": Decimal("0.009")},
            ),
        },
    ),
)  # fmt: skip
