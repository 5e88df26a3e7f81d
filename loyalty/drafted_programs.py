"""The program that somebody's answers in the wizard would make, as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from loyalty.definitions import ProgramDefinition
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import ProgramDraft
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.registry import template_named
from loyalty.purchase_habits import Estimates
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.bodies import EarningBody
from loyalty.rules.body_parts import BasePolicy

# As long as nobody has said a name; the short name is chosen when it becomes a program.
UNNAMED = "new-program"
MARGIN = Decimal("0.4")
# Of the buyers, who takes a paid plan, as long as nobody has said so.
PLAN_SHARE = Decimal("0.1")


def template_of(draft: ProgramDraft) -> ProgramTemplate | None:
    return template_named(draft.template)


def answers_of(
    draft: ProgramDraft, more: Mapping[str, Any] | None = None, code: str = UNNAMED
) -> Answers:
    """What was said, `more` instead of it, and the template's defaults for the rest. Raises
    DomainError that names the answers which are not right."""
    template = _chosen(draft)
    said = {**draft.answers, **(more or {})}
    asked = {name: said[name] for name in ("program_name", *template.asks) if name in said}
    given = {
        "program_name": str(template.name),
        "time_zone": draft.situation["time_zone"],
        **asked,
        "code": code,
        "currency": currency_of(draft),
    }
    return read_answers(template, given)


def drafted_program(
    draft: ProgramDraft, more: Mapping[str, Any] | None = None, code: str = UNNAMED
) -> ProgramDefinition:
    """The program, a draft or live as the launch says. Raises DomainError."""
    definition = build(_chosen(draft), answers_of(draft, more, code))
    rules = tuple(_with_base(rule, draft.base) for rule in definition.earning_rules)
    return definition.model_copy(
        update={
            "earning_rules": rules,
            "enrollment": draft.launch.get("enrollment", "automatic"),
            "status": draft.launch.get("status", "draft"),
            "launch": drafted_launch(draft),
        }
    )


def drafted_launch(draft: ProgramDraft) -> LaunchDefinition | None:
    """Its phases; None: everyone may join at once."""
    phases = draft.launch.get("phases")
    return LaunchDefinition.model_validate({"phases": phases}) if phases else None


def _chosen(draft: ProgramDraft) -> ProgramTemplate:
    template = template_of(draft)
    if template is None:
        raise LookupError(f"There is no template {draft.template!r}.")
    return template


def _with_base(rule: EarningRuleDefinition, base: Mapping[str, Any]) -> EarningRuleDefinition:
    if not base or not isinstance(rule.body(), EarningBody):
        return rule
    return rule.model_copy(update={"base": BasePolicy.model_validate(base)})


def first_reward(definition: ProgramDefinition) -> Decimal | None:
    """How many units have to be there before any can be used; None: nothing is collected."""
    if not definition.earning_rules:
        return None
    return definition.wallet_types[0].spending.least or Decimal(1)


def currency_of(draft: ProgramDraft) -> str:
    return str(draft.situation["currency"])


def margin_of(draft: ProgramDraft) -> Decimal:
    """Of the price, between 0 and 1."""
    said = draft.situation.get("margin")
    return MARGIN if said is None else Decimal(said) / 100


def plan_share_of(draft: ProgramDraft) -> Decimal:
    """Of the buyers, who takes the paid plan, between 0 and 1."""
    said = draft.situation.get("plan_share")
    return PLAN_SHARE if said is None else Decimal(said) / 100


def estimates_of(draft: ProgramDraft) -> Estimates | None:
    said = draft.situation
    if not said.get("buyers"):
        return None
    return Estimates(
        currency_of(draft), int(said["buyers"]), Decimal(said["orders_each"]),
        Decimal(said["basket"]),
    )  # fmt: skip
