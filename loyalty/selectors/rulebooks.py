"""The programs as the engine needs them, kept in memory until their fingerprint changes.

Archived ones are among them: they award nothing more, but their orders can still come back.
"""

from __future__ import annotations

import datetime as dt
import threading
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db import connection

from loyalty.models import Account, EarningRuleVersion, ExpiryPolicy, Program, WalletType
from loyalty.rules.bodies import parse_body
from loyalty.rules.calendar import lapses_at, matures_at
from loyalty.rules.engine import Rulebook, RuleVersion


@dataclass(frozen=True)
class UnitTerms:
    """When units of a wallet type mature and lapse, under the policy for new lots."""

    wallet_type_id: int
    code: str
    scale: int
    pending_days: int
    expiry_policy_id: int
    expiry_months: int | None
    last_day: str


@dataclass(frozen=True)
class ProgramTerms:
    """A program ready to judge orders."""

    id: int
    code: str
    live: bool
    currency: str
    zone: zoneinfo.ZoneInfo
    automatic: bool
    takes_back_unlinked: bool
    rulebook: Rulebook
    units: dict[int, UnitTerms]
    accounts: dict[str, int]

    def lot_times(
        self, wallet_type_id: int, occurred_at: dt.datetime
    ) -> tuple[dt.datetime, dt.datetime | None, int]:
        """Maturity, expiry and expiry policy of units earned at `occurred_at`."""
        terms = self.units[wallet_type_id]
        return (
            matures_at(occurred_at, terms.pending_days, self.zone),
            lapses_at(occurred_at, terms.expiry_months, terms.last_day, self.zone),
            terms.expiry_policy_id,
        )


@dataclass(frozen=True)
class Terms:
    """The chosen programs at one fingerprint of the database."""

    fingerprint: str
    programs: tuple[ProgramTerms, ...]

    @cached_property
    def ids(self) -> list[int]:
        return [program.id for program in self.programs]


_lock = threading.Lock()
_kept: dict[tuple[int, ...] | None, Terms] = {}


def current_terms(program_ids: Sequence[int] | None = None) -> Terms:
    """The terms kept in memory, for all programs or those named. May be stale: compare
    `fingerprint` with what `orders_open` returns, and call `reload_terms` when they differ."""
    key = tuple(program_ids) if program_ids is not None else None
    return _kept.get(key) or reload_terms(program_ids)


def reload_terms(program_ids: Sequence[int] | None = None) -> Terms:
    key = tuple(program_ids) if program_ids is not None else None
    terms = _load(program_ids)
    with _lock:
        _kept[key] = terms
    return terms


def _load(program_ids: Sequence[int] | None) -> Terms:
    programs = Program.objects.exclude(status=Program.Status.DRAFT)
    if program_ids is not None:
        programs = programs.filter(pk__in=program_ids)
    # The fingerprint first: a change after it makes the terms look stale, never fresh.
    with connection.cursor() as cursor:
        cursor.execute("SELECT programs_fingerprint()")
        fingerprint = str(cursor.fetchone()[0])
    found = list(programs.order_by("pk"))
    ids = [program.pk for program in found]
    versions = list(
        EarningRuleVersion.objects.filter(
            rule__program__in=ids, status=EarningRuleVersion.Status.PUBLISHED
        )
        .select_related("rule", "rule__wallet_type")
        .order_by("rule__position", "rule_id", "number")
    )
    wallet_types = list(WalletType.objects.filter(program__in=ids))
    policies: dict[int, ExpiryPolicy] = {}
    for policy in ExpiryPolicy.objects.filter(wallet_type__program__in=ids).order_by("pk"):
        policies[policy.wallet_type_id] = policy
    accounts = list(Account.objects.filter(program__in=ids).exclude(kind=Account.Kind.MEMBERSHIP))
    return Terms(
        fingerprint,
        tuple(
            _program_terms(
                program,
                [version for version in versions if version.rule.program_id == program.pk],
                [
                    _unit_terms(wt, policies[wt.pk])
                    for wt in wallet_types
                    if wt.program_id == program.pk
                ],
                {a.kind: a.pk for a in accounts if a.program_id == program.pk},
            )
            for program in found
        ),
    )


def _program_terms(
    program: Program,
    versions: list[EarningRuleVersion],
    units: list[UnitTerms],
    accounts: dict[str, int],
) -> ProgramTerms:
    return ProgramTerms(
        id=program.pk,
        code=program.code,
        live=program.status == Program.Status.LIVE,
        currency=program.currency,
        zone=program.zone,
        automatic=program.enrollment == Program.Enrollment.AUTOMATIC,
        takes_back_unlinked=program.unlinked_returns == Program.UnlinkedReturns.OWN_AMOUNT,
        rulebook=Rulebook(program.pk, tuple(map(_rule_version, versions))),
        units={terms.wallet_type_id: terms for terms in units},
        accounts=accounts,
    )


def _rule_version(version: EarningRuleVersion) -> RuleVersion:
    return RuleVersion(
        id=version.pk,
        rule_name=version.rule.name,
        number=version.number,
        wallet_type_id=version.rule.wallet_type_id,
        scale=version.rule.wallet_type.scale,
        body=parse_body(version.body),
        starts_at=version.starts_at,
        ends_at=version.ends_at,
    )


def _unit_terms(wallet_type: WalletType, policy: ExpiryPolicy) -> UnitTerms:
    return UnitTerms(
        wallet_type_id=wallet_type.pk,
        code=wallet_type.code,
        scale=wallet_type.scale,
        pending_days=wallet_type.pending_days,
        expiry_policy_id=policy.pk,
        expiry_months=policy.months,
        last_day=policy.last_day,
    )
