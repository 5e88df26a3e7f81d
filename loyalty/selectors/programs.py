"""Programs, and what they say as data."""

from __future__ import annotations

from django.db.models import Count, Prefetch, QuerySet

from loyalty.definitions import (
    EarningRuleDefinition,
    ExpiryDefinition,
    ProgramDefinition,
    WalletTypeDefinition,
)
from loyalty.models import EarningRule, EarningRuleVersion, Program, WalletType
from members.errors import NotFoundError


def list_programs() -> QuerySet[Program]:
    """All programs with how many members each has (`member_count`)."""
    return Program.objects.annotate(member_count=Count("memberships")).prefetch_related(
        "wallet_types"
    )


def get_program(code: str) -> Program:
    """By its code. Raises NotFoundError naming the codes there are."""
    program = Program.objects.filter(code=code).first()
    if program is None:
        known = ", ".join(Program.objects.values_list("code", flat=True)) or "none"
        raise NotFoundError(f"There is no program {code!r}. Programs: {known}.")
    return program


def current_version(rule: EarningRule) -> EarningRuleVersion | None:
    """The wording that new orders are judged by, or the draft of a program that is not live yet."""
    open_versions = [version for version in rule.versions.all() if version.ends_at is None]
    return max(open_versions, key=lambda version: version.number, default=None)


def definition_of(program: Program) -> ProgramDefinition:
    """The program as `apply_definition` takes it: applying the result changes nothing."""
    rules = program.earning_rules.select_related("wallet_type").prefetch_related(
        Prefetch("versions", EarningRuleVersion.objects.order_by("-number"))
    )
    return ProgramDefinition(
        code=program.code,
        name=program.name,
        description=program.description,
        status=program.status,
        currency=program.currency,
        time_zone=program.time_zone,
        enrollment=program.enrollment,
        unlinked_returns=program.unlinked_returns,
        wallet_types=tuple(
            _wallet_type(item)
            for item in program.wallet_types.prefetch_related("expiry_policies").order_by("pk")
        ),
        earning_rules=tuple(
            _rule(rule, version) for rule in rules if (version := current_version(rule)) is not None
        ),
    )


def _wallet_type(wallet_type: WalletType) -> WalletTypeDefinition:
    policy = wallet_type.expiry_policies.all()[0]
    return WalletTypeDefinition(
        code=wallet_type.code,
        singular=wallet_type.singular,
        plural=wallet_type.plural,
        decimals=wallet_type.scale,
        unit_value=wallet_type.unit_value,
        pending_days=wallet_type.pending_days,
        expiry=ExpiryDefinition(
            kind=policy.kind,
            months=policy.months,
            last_day=policy.last_day,
        ),
    )


def _rule(rule: EarningRule, version: EarningRuleVersion) -> EarningRuleDefinition:
    return EarningRuleDefinition.model_validate(
        {
            **version.body,
            "code": rule.code,
            "name": rule.name,
            "wallet_type": rule.wallet_type.code,
        }
    )
