"""The paid plans that a program has: said in its file or in the form, kept as wordings.

Nothing that was sold changes: a new wording is for whoever joins or renews from then on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pgtrigger
from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.definitions import ProgramDefinition
from loyalty.models import EarningRule, LotPolicy, Plan, PlanVersion, Program, WalletType
from loyalty.plan_definitions import CreditsDefinition, PlanDefinition, check_plans
from loyalty.rule_definitions import PLAN_RULES
from loyalty.selectors.lot_policies import pending_of
from loyalty.selectors.plans import benefits_of_plan, current_versions, plan_definition
from loyalty.selectors.programs import definition_of
from loyalty.services.applied import Applied, refuse_rewriting
from loyalty.services.benefit_rules import apply_benefit_rules
from loyalty.services.rule_versions import delete_rule, lot_policy_values
from loyalty.tier_benefits import BenefitSource
from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.services.audit import Actor, record_audit

SOURCE = "plans"
# What gives the credits' own expiry its place among the program's terms; it has no versions.
CREDITS = "plan_credits"
# After all rules that people write, and those of tiers.
POSITION = 31_000
IMMUTABLE = ("loyalty.PlanVersion:plan_version_immutable",)


def apply_plans(
    applied: Applied,
    definition: ProgramDefinition,
    wallet_types: Mapping[str, WalletType],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Bring a program's plans to what its definition says."""
    if applied.has_none_of(definition.plans):
        return
    program = applied.program
    existing = {plan.code: plan for plan in program.plans.all()}
    wanted = {plan.code for plan in definition.plans}
    for code, plan in existing.items():
        if code not in wanted and plan.ended_at is None:
            applied.changes.append(_retire(plan, now))
    for position, said in enumerate(definition.plans):
        found = existing.get(said.code)
        words = _write(program, found, said, position, wallet_types, actor=actor, now=now)
        if words:
            applied.changes.append(words)
    _apply_rules(program, wallet_types, actor=actor, now=now)


@transaction.atomic
def save_plan(
    *, program: Program, definition: PlanDefinition, actor: Actor, now: dt.datetime
) -> bool:
    """The plan with this code says this from now on. Whether that changes anything."""
    program = Program.objects.select_for_update().get(pk=program.pk)
    wallet_types = {item.code: item for item in program.wallet_types.order_by("pk")}
    _refuse_misfit(program, definition, now)
    found = program.plans.filter(code=definition.code).first()
    position = found.position if found else program.plans.count()
    words = _write(program, found, definition, position, wallet_types, actor=actor, now=now)
    if words:
        _apply_rules(program, wallet_types, actor=actor, now=now)
        Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)
        record_audit(
            actor=actor, action="program.changed", target=program, after={"changes": [words]}
        )
    return bool(words)


def release_wallet_type(wallet_type: WalletType) -> bool:
    """Whether no plan needs these units: what a program says that was never live counts for
    nothing yet."""
    found = PlanVersion.objects.filter(credits_wallet_type=wallet_type)
    if wallet_type.program.live_since is None:
        _forget_versions(found)
    return not found.exists()


def _refuse_misfit(program: Program, definition: PlanDefinition, now: dt.datetime) -> None:
    said = definition_of(program, now)
    try:
        check_plans([definition], said.wallet_types, program.currency)
    except ValueError as wrong:
        raise DomainError(str(wrong), errors=[FieldError("price", str(wrong))]) from wrong


def _retire(plan: Plan, now: dt.datetime) -> str:
    """A plan that nobody ever had leaves without a trace."""
    name = plan_name(plan)
    running = plan.subscriptions.filter(ended_at=None).count()
    if running:
        words = ngettext(
            "%(count)s member has the plan %(plan)s: do not offer it any more (offered: false),"
            " and leave it out once nobody has it.",
            "%(count)s members have the plan %(plan)s: do not offer it any more (offered: false),"
            " and leave it out once nobody has it.",
            running,
        )
        refuse_rewriting("plans", words % {"count": format_number(running), "plan": name})
    if plan.subscriptions.exists():
        Plan.objects.filter(pk=plan.pk).update(offered=False, ended_at=now)
    else:
        _forget_versions(plan.versions.all())
        plan.delete()
    return _("The plan %s is no more") % name


def plan_name(plan: Plan) -> str:
    newest = plan.versions.order_by("-number").values_list("name", flat=True).first()
    return newest or plan.code


def _write(
    program: Program,
    plan: Plan | None,
    said: PlanDefinition,
    position: int,
    wallet_types: Mapping[str, WalletType],
    *,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """What has changed, in words; empty: nothing."""
    created = plan is None
    if plan is None:
        plan = Plan.objects.create(
            program=program, code=said.code, position=position, offered=said.offered,
            created_at=now,
        )  # fmt: skip
    before = None if created else _said_by(plan)
    changed = {"position": position, "offered": said.offered, "ended_at": None}
    moved = any(getattr(plan, name) != value for name, value in changed.items())
    for name, value in changed.items():
        setattr(plan, name, value)
    if moved:
        plan.save(update_fields=list(changed))
    reworded = before is None or _wording(before) != _wording(_explicit(said, wallet_types))
    if reworded:
        _new_version(plan, said, wallet_types, actor, now)
    if created:
        return _("Plan “%s” created") % said.name
    if reworded:
        return _("Plan “%s”: new terms for whoever joins or renews") % said.name
    if before is not None and before.offered != said.offered:
        offered = _("Plan “%s” is offered again"), _("Plan “%s” is not offered any more")
        return offered[not said.offered] % said.name
    return _("Plan “%s” moved") % said.name if moved else ""


def _said_by(plan: Plan) -> PlanDefinition | None:
    newest = plan.versions.select_related(
        "plan", "credits_wallet_type", "credits_policy"
    ).order_by("-number").first()  # fmt: skip
    return plan_definition(newest) if newest else None


def _explicit(said: PlanDefinition, wallet_types: Mapping[str, WalletType]) -> PlanDefinition:
    """With the wallet type named that an empty one stands for."""
    if said.credits is None or said.credits.wallet_type:
        return said
    named = said.credits.model_copy(update={"wallet_type": next(iter(wallet_types))})
    return said.model_copy(update={"credits": named})


def _wording(said: PlanDefinition) -> dict[str, Any]:
    return said.model_dump(mode="json", exclude={"offered"})


def _new_version(
    plan: Plan,
    said: PlanDefinition,
    wallet_types: Mapping[str, WalletType],
    actor: Actor,
    now: dt.datetime,
) -> PlanVersion:
    if plan.program.live_since is None:
        _forget_versions(plan.versions.all())
    last = plan.versions.aggregate(last=Max("number", default=0))["last"]
    given = said.credits
    wallet_type = None
    if given is not None:
        wallet_type = wallet_types.get(given.wallet_type) or next(iter(wallet_types.values()))
    return PlanVersion.objects.create(
        plan=plan,
        number=last + 1,
        name=said.name,
        description=said.description,
        price=said.price,
        period=said.period,
        trial_days=said.trial_days,
        benefits=[item.model_dump(mode="json", exclude_defaults=True) for item in said.benefits],
        credits=int(given.units.scaleb(wallet_type.scale)) if given and wallet_type else None,
        credits_wallet_type=wallet_type,
        credits_every=given.every if given else PlanVersion.CreditsEvery.MONTH,
        credits_policy=_policy(plan, given, wallet_type, now),
        retry_days=list(said.retry_days),
        upgrade=said.upgrade,
        grace_days=said.grace_days,
        pay_days=said.pay_days,
        written_by=actor.user,
        created_at=now,
    )


def _policy(
    plan: Plan, credits: CreditsDefinition | None, wallet_type: WalletType | None, now: dt.datetime
) -> LotPolicy | None:
    """The credits' own terms: like those of a rule, they stay when the wallet type's change."""
    if credits is None or credits.expiry is None or wallet_type is None:
        return None
    rule, _created = EarningRule.objects.get_or_create(
        program=plan.program, wallet_type=wallet_type, source=CREDITS,
        code=f"{PLAN_RULES}{plan.code}-credits-{wallet_type.pk}",
        defaults={"name": plan.code, "position": POSITION},
    )  # fmt: skip
    general = wallet_type.lot_policies.filter(rule=None).order_by("-pk")[0]
    values = lot_policy_values(pending_of(general), credits.expiry)
    newest = rule.lot_policies.order_by("-pk").first()
    if newest is not None and all(getattr(newest, name) == values[name] for name in values):
        return newest
    return LotPolicy.objects.create(wallet_type=wallet_type, rule=rule, created_at=now, **values)


def _forget_versions(found: Any) -> None:
    """Wordings that nobody has bought, and the terms that only they name."""
    named = EarningRule.objects.filter(
        source=CREDITS, lot_policies__in=found.values("credits_policy")
    )
    rules = list(named.distinct())
    with pgtrigger.ignore(*IMMUTABLE):
        found.delete()
    for rule in rules:
        if not PlanVersion.objects.filter(credits_policy__rule=rule).exists():
            delete_rule(rule)


def _apply_rules(
    program: Program, wallet_types: Mapping[str, WalletType], *, actor: Actor, now: dt.datetime
) -> None:
    """Of plans that are not offered too: somebody may have them."""
    apply_benefit_rules(
        program,
        [
            BenefitSource(
                version.plan.code, version.name, "membership.plan", benefits_of_plan(version)
            )
            for version in current_versions(program)
        ],
        wallet_types, source=SOURCE, prefix=PLAN_RULES, position=POSITION, actor=actor, now=now,
    )  # fmt: skip
