"""Programs, and what they say as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from loyalty.definitions import AccountCodes, CompanyTerms, ProgramDefinition
from loyalty.models import (
    EarningRule,
    EarningRuleVersion,
    LotPolicy,
    Program,
    WalletType,
)
from loyalty.program_parts import program_parts
from loyalty.rule_definitions import DiscountRuleDefinition, EarningRuleDefinition, RuleDefinition
from loyalty.rules.spending import by_tier
from loyalty.selectors.activities import activity_type_definitions
from loyalty.selectors.charities import charity_definitions, pledge_definitions
from loyalty.selectors.launches import launch_definition
from loyalty.selectors.lot_policies import expiry_of, pending_of
from loyalty.selectors.member_tallies import members_of_each
from loyalty.selectors.partners import partner_definitions
from loyalty.selectors.plans import plans_of
from loyalty.selectors.program_times import (
    ending_definition,
    pause_definition,
    program_state,
)
from loyalty.selectors.rules import own_rules
from loyalty.selectors.tier_sets import tiers_of
from loyalty.tier_definitions import TiersDefinition
from loyalty.unit_definitions import (
    GiftsDefinition,
    PluralForms,
    SpendingDefinition,
    WalletTypeDefinition,
)
from members.errors import NotFoundError
from members.prepared import KeptQuery, read_along


def list_programs() -> QuerySet[Program]:
    """All programs with how many members each has (`member_count`), merged duplicates not
    counted."""
    found = Program.objects.annotate(member_count=members_of_each())
    return found.prefetch_related("wallet_types")


def get_program(code: str) -> Program:
    """By its code. Raises NotFoundError naming the codes there are."""
    program = Program.objects.filter(code=code).first()
    if program is None:
        known = ", ".join(Program.objects.values_list("code", flat=True)) or "none"
        raise NotFoundError(f"There is no program {code!r}. Programs: {known}.")
    return program


def current_version(rule: EarningRule, now: dt.datetime) -> EarningRuleVersion | None:
    """The wording that orders placed now are judged by, or the draft of a program that was never
    live."""
    drafting = rule.program.live_since is None
    for version in rule.versions.all():
        if drafting or (
            version.status == EarningRuleVersion.Status.PUBLISHED
            and (version.starts_at is None or version.starts_at <= now)
            and (version.ends_at is None or now < version.ends_at)
        ):
            return version
    return None


def definition_of(program: Program, now: dt.datetime) -> ProgramDefinition:
    """The program as it is now, as `apply_definition` takes it: applying the result changes
    nothing. Drafts beside a live program, and what is only scheduled, are not in it."""
    parts = {part.name: tuple(part.read(program)) for part in program_parts()}
    return _definition(program, now, parts)


def definition_without_parts(program: Program, now: dt.datetime) -> ProgramDefinition:
    """The same without what higher applications say, which takes most of the time to read: to look
    at, never to apply."""
    return _definition(program, now, {})


def _definition(program: Program, now: dt.datetime, parts: Mapping[str, Any]) -> ProgramDefinition:
    rules = _rules_of(program, now)
    state, tiers = program_state(program, now), tiers_of(program, now)
    return ProgramDefinition(
        code=program.code,
        name=program.name,
        description=program.description,
        status=program.status,
        currency=program.currency,
        time_zone=program.time_zone,
        enrollment=program.enrollment,
        joinable=program.joinable,
        unlinked_returns=program.unlinked_returns,
        linked_returns=program.linked_returns,
        debt_policy=program.debt_policy,
        clawback_order=program.clawback_order,
        multiplying=program.multiplying,
        discounting=program.discounting,
        foreign_orders=program.foreign_orders,
        four_eyes=program.four_eyes,
        tiers=tiers,
        pause=pause_definition(state.pause),
        ending=ending_definition(state.ending),
        launch=launch_definition(program),
        plans=plans_of(program),
        partners=partner_definitions(program),
        charities=charity_definitions(program),
        pledges=pledge_definitions(program),
        account_codes=account_codes_of(program),
        companies=company_terms_of(program),
        activity_types=activity_type_definitions(),
        wallet_types=wallet_type_definitions(program, tiers),
        earning_rules=tuple(item for item in rules if isinstance(item, EarningRuleDefinition)),
        discount_rules=tuple(item for item in rules if isinstance(item, DiscountRuleDefinition)),
        **parts,
    )


def _rules_of(program: Program, now: dt.datetime) -> list[RuleDefinition]:
    """What is in force, in order of evaluation."""
    rules = own_rules(program)
    read_along(rules, "versions", _wordings)
    found = ((rule, current_version(rule, now)) for rule in rules)
    return [rule_definition(rule, version) for rule, version in found if version is not None]


_wordings: KeptQuery[EarningRuleVersion] = KeptQuery(
    lambda rules: (
        EarningRuleVersion.objects.filter(rule__among=rules)
        .select_related("lot_policy")
        .order_by("-number")
    )
)


def wallet_type_definitions(
    program: Program, tiers: TiersDefinition | None
) -> tuple[WalletTypeDefinition, ...]:
    """The program's kinds of units, with their terms as they are now."""
    rows = _wallet_types.rows(program.pk)
    read_along(rows, "lot_policies", _policies)
    return tuple(wallet_type_definition(item, tiers) for item in rows)


_wallet_types: KeptQuery[WalletType] = KeptQuery(
    lambda program: WalletType.objects.filter(program=program).order_by("pk")
)
_policies: KeptQuery[LotPolicy] = KeptQuery(
    lambda wallet_types: LotPolicy.objects.filter(wallet_type__among=wallet_types)
)


def wallet_type_definition(
    wallet_type: WalletType, tiers: TiersDefinition | None
) -> WalletTypeDefinition:
    """A kind of unit as the program's file says it."""
    policy = next(item for item in wallet_type.lot_policies.all() if item.rule_id is None)
    return WalletTypeDefinition(
        code=wallet_type.code,
        singular=wallet_type.singular,
        plural=wallet_type.plural,
        decimals=wallet_type.scale,
        unit_value=wallet_type.unit_value,
        tier_values=_tier_values(wallet_type, tiers),
        pending_from=policy.pending_from,
        pending_days=policy.pending_days,
        expiry=expiry_of(policy),
        gifts=gifts_of(wallet_type),
        plural_forms=PluralForms(language=wallet_type.plural_language, **wallet_type.plural_forms),
        icon=wallet_type.icon,
        spending=spending_of(wallet_type),
        stored_value=wallet_type.stored_value,
    )


def _tier_values(wallet_type: WalletType, tiers: TiersDefinition | None) -> dict[str, Decimal]:
    """Without those of tiers that are gone: nobody has them."""
    known = {tier.code for tier in tiers.tiers} if tiers else set()
    return {code: value for code, value in by_tier(wallet_type.tier_values) if code in known}


def account_codes_of(program: Program) -> AccountCodes:
    """What the journal calls its accounts."""
    return AccountCodes.model_validate(program.account_codes)


def company_terms_of(program: Program) -> CompanyTerms:
    """What its new companies begin with."""
    return CompanyTerms.model_validate(program.company_terms)


def gifts_of(wallet_type: WalletType) -> GiftsDefinition:
    """What members may give away, as a program file says it."""
    return GiftsDefinition.model_validate(
        {
            "to_members": wallet_type.gifts_to_members,
            "to_charities": wallet_type.gifts_to_charities,
            "least": _whole(wallet_type.gift_least, wallet_type),
            "step": _whole(wallet_type.gift_step, wallet_type),
            "most_per_day": _whole(wallet_type.gift_most_per_day, wallet_type),
            "most_received_per_day": _whole(wallet_type.gift_most_received_per_day, wallet_type),
        }
    )


def spending_of(wallet_type: WalletType) -> SpendingDefinition:
    """How many can be used at once, as a program file says it."""
    return SpendingDefinition(
        least=_whole(wallet_type.spend_least, wallet_type),
        step=_whole(wallet_type.spend_step, wallet_type),
        share=wallet_type.spend_share,
    )


def _whole(units: int | None, wallet_type: WalletType) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-wallet_type.scale)


def is_discount(version: EarningRuleVersion) -> bool:
    """Whether it takes something off the price, instead of awarding units."""
    return bool(version.body.get("kind") == "discount")


def rule_definition(rule: EarningRule, version: EarningRuleVersion) -> RuleDefinition:
    """A wording of a rule, as a program file says it."""
    if is_discount(version):
        return DiscountRuleDefinition.model_validate(
            {**version.body, "code": rule.code, "name": rule.name}
        )
    return EarningRuleDefinition.model_validate(
        {
            **version.body,
            "code": rule.code,
            "name": rule.name,
            "wallet_type": rule.wallet_type.code,
            "pending": pending_of(version.lot_policy) if version.lot_policy else None,
            "expiry": expiry_of(version.lot_policy) if version.lot_policy else None,
        }
    )
