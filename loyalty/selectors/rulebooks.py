"""The programs as the engine needs them, kept in memory until their fingerprint changes.

Archived ones are among them: they award nothing more, but their orders can still come back.
"""

from __future__ import annotations

import datetime as dt
import threading
import zoneinfo
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from loyalty.models import (
    Account,
    DiscountBudget,
    EarningRuleVersion,
    LotPolicy,
    Pool,
    Program,
    WalletType,
)
from loyalty.rule_conditions import stored_condition
from loyalty.rules.bodies import EarningBody, parse_body
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.rules.discounts import Discounting, DiscountVersion
from loyalty.rules.engine import Rulebook, RuleVersion
from loyalty.rules.lots import LotTerms, expires_at
from loyalty.rules.program_times import ALWAYS, ProgramTimes
from loyalty.rules.spending import SpendingTerms, by_tier
from loyalty.rules.stacking import Multiplying
from loyalty.rules.worth import NO_WORTH
from loyalty.selectors.program_times import program_times
from loyalty.selectors.programs import is_discount
from loyalty.selectors.tier_sets import TierTerms, tier_terms
from loyalty.selectors.unit_worths import read_worths, worth_of
from members.prepared import KeptQuery, KeptRows, run_prepared
from members.program_scope import of_all_programs


@dataclass(frozen=True)
class UnitTerms:
    """A wallet type and its lot policies, oldest first, each with the instant from which it is the
    one for new lots. `renewal`: how activities renew units that expire by inactivity, if any do."""

    wallet_type_id: int
    code: str
    scale: int
    policies: tuple[tuple[dt.datetime, LotTerms], ...]
    renewal: LotTerms | None
    spending: SpendingTerms

    def terms_at(self, at: dt.datetime) -> LotTerms:
        """The policy for lots granted at `at`; before there was any, the first."""
        found = self.policies[0][1]
        for since, terms in self.policies:
            if since <= at:
                found = terms
        return found


@dataclass(frozen=True)
class ProgramTerms:
    """A program ready to judge orders."""

    id: int
    code: str
    live: bool
    currency: str
    zone: zoneinfo.ZoneInfo
    automatic: bool
    joinable: bool
    takes_back_unlinked: bool
    reconciles_linked: bool
    debt_policy: str
    oldest_first: bool
    multiplying: Multiplying
    discounting: Discounting
    rulebook: Rulebook
    units: dict[int, UnitTerms]
    accounts: dict[str, int]
    revision: int = 0
    has_pools: bool = False
    tiers: TierTerms | None = None
    times: ProgramTimes = ALWAYS
    # It is asked for what it has judged already, and judges nothing new: a file is for another one.
    visiting: bool = False
    # Whether orders in another currency count, at the rate of their day.
    converts: bool = False

    def earns_at(self, at: dt.datetime) -> bool:
        """Whether what happened then earns something, whenever it is told."""
        return self.live and not self.visiting and self.times.earns_at(at)

    def last_instant(self, now: dt.datetime) -> dt.datetime | None:
        """The end of all units, once the plan of the program's end cannot be called off any
        more."""
        end = self.times.end
        return end.spend_until if end is not None and end.earn_until <= now else None

    def lot_terms(self, version: RuleVersion, recorded_at: dt.datetime) -> LotTerms:
        """The policy for what a rule version awards to an order that came at `recorded_at`."""
        if version.lot_terms is not None:
            return version.lot_terms
        return self.units[version.wallet_type_id].terms_at(recorded_at)

    def renewal(self, wallet_type_id: int, kind: str, at: dt.datetime) -> dict[str, Any]:
        """What a movement says of inactivity: until when it keeps renewable units, and whether it
        counts as an activity. Nothing where no units expire that way."""
        terms = self.units[wallet_type_id].renewal
        if terms is None:
            return {}
        return {"until": expires_at(terms, at, self.zone), "act": kind in terms.renewed_by}


@dataclass(frozen=True)
class Terms:
    """The chosen programs at one fingerprint of the database. `whole`: they are all that there
    are."""

    fingerprint: str
    programs: tuple[ProgramTerms, ...]
    whole: bool = False

    @cached_property
    def ids(self) -> list[int]:
        return [program.id for program in self.programs]

    @cached_property
    def have_discount_budgets(self) -> bool:
        """Whether what some rule takes off prices comes out of a budget, also of a program that was
        not chosen: what comes back of an order concerns those that it was told for."""
        found = (version for item in self.programs for version in item.rulebook.discounts)
        if any(version.budget_id for version in found):
            return True
        return not self.whole and DiscountBudget.objects.exists()


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


def with_visitors(terms: Terms, chosen: Collection[int]) -> Terms:
    """The same, with the programs that were not chosen visiting."""
    if all(program.id in chosen for program in terms.programs):
        return terms
    return Terms(
        terms.fingerprint,
        tuple(
            program if program.id in chosen else replace(program, visiting=True)
            for program in terms.programs
        ),
    )


def fresh_terms() -> Terms:
    """The terms of all programs as they are now; one query when nothing has changed."""
    terms = current_terms()
    return terms if terms.fingerprint == _fingerprint() else reload_terms()


def terms_as_read(programs: Iterable[Program]) -> Terms:
    """The terms of all programs; no query where those in memory are of the revisions that these
    rows, just read, have."""
    terms = current_terms()
    known = {(item.id, item.revision) for item in terms.programs}
    wanted = {(program.pk, program.revision) for program in programs}
    return terms if wanted <= known else fresh_terms()


def _fingerprint() -> str:
    return str(run_prepared("SELECT programs_fingerprint()", ())[0][0])


def terms_of(program: Program) -> ProgramTerms:
    """One program as it is now, also one that was never live; for trying rules out."""
    return _read([program])[0]


def draft_version(version: EarningRuleVersion) -> RuleVersion:
    """A wording that may not even be stored, as the engine reads it."""
    return _rule_version(version)


@of_all_programs()
def _load(program_ids: Sequence[int] | None) -> Terms:
    # The fingerprint first: a change after it makes the terms look stale, never fresh.
    fingerprint = _fingerprint()
    draft = Program.Status.DRAFT
    found = _all.rows(draft) if program_ids is None else _named.rows(draft, list(program_ids))
    return Terms(fingerprint, _read(found), whole=program_ids is None)


_all: KeptQuery[Program] = KeptQuery(
    lambda draft: Program.objects.exclude(status=draft).order_by("pk")
)
_named: KeptQuery[Program] = KeptQuery(
    lambda draft, ids: Program.objects.exclude(status=draft).filter(pk__among=ids).order_by("pk")
)
_versions: KeptQuery[EarningRuleVersion] = KeptQuery(
    lambda programs, state: (
        EarningRuleVersion.objects.filter(rule__program__among=programs, status=state)
        .select_related("rule", "rule__wallet_type", "lot_policy")
        .order_by("rule__position", "rule_id", "number")
    )
)
_wallet_types: KeptQuery[WalletType] = KeptQuery(
    lambda programs: WalletType.objects.filter(program__among=programs)
)
_policies: KeptQuery[LotPolicy] = KeptQuery(
    lambda programs: LotPolicy.objects.filter(wallet_type__program__among=programs).order_by("pk")
)
_pooled = KeptRows(
    lambda programs: (
        Pool.objects.filter(program__among=programs).order_by().values_list("program").distinct()
    ),
    ([1], [2]),
)
_accounts: KeptQuery[Account] = KeptQuery(
    lambda kinds, programs: Account.objects.filter(kind__among=kinds, program__among=programs)
)


def _read(found: Sequence[Program]) -> tuple[ProgramTerms, ...]:
    ids = [program.pk for program in found]
    if not ids:
        return ()
    versions = _versions.rows(ids, EarningRuleVersion.Status.PUBLISHED)
    read_worths(version for version in versions if version.body.get("caps", {}).get("budget_money"))
    wallet_types = _wallet_types.rows(ids)
    policies: defaultdict[int, list[LotPolicy]] = defaultdict(list)
    for policy in _policies.rows(ids):
        policies[policy.wallet_type_id].append(policy)
    tiers = tier_terms(ids)
    times = program_times(found)
    pooled = {program for (program,) in _pooled.rows(ids)}
    accounts = _accounts.rows([str(kind) for kind in Account.PROGRAM_KINDS], ids)
    return tuple(
        _program_terms(
            program,
            [version for version in versions if version.rule.program_id == program.pk],
            [
                _unit_terms(wt, policies[wt.pk])
                for wt in wallet_types
                if wt.program_id == program.pk
            ],
            {a.kind: a.pk for a in accounts if a.program_id == program.pk},
            program.pk in pooled,
            tiers.get(program.pk),
            times.get(program.pk, ALWAYS),
        )
        for program in found
    )


def _program_terms(
    program: Program,
    versions: list[EarningRuleVersion],
    units: list[UnitTerms],
    accounts: dict[str, int],
    has_pools: bool,
    tiers: TierTerms | None,
    times: ProgramTimes,
) -> ProgramTerms:
    return ProgramTerms(
        id=program.pk,
        code=program.code,
        live=program.status == Program.Status.LIVE,
        currency=program.currency,
        zone=program.zone,
        automatic=program.takes_in_everybody,
        joinable=program.joinable,
        takes_back_unlinked=program.unlinked_returns == Program.UnlinkedReturns.OWN_AMOUNT,
        reconciles_linked=program.linked_returns == Program.LinkedReturns.RECONCILE,
        debt_policy=program.debt_policy,
        oldest_first=program.clawback_order == Program.ClawbackOrder.OLDEST_FIRST,
        multiplying=cast("Multiplying", program.multiplying),
        discounting=cast("Discounting", program.discounting),
        rulebook=_rulebook(program.pk, versions),
        units={terms.wallet_type_id: terms for terms in units},
        accounts=accounts,
        revision=program.revision,
        has_pools=has_pools,
        tiers=tiers,
        times=times,
        converts=program.foreign_orders == Program.ForeignOrders.CONVERT,
    )


def _rulebook(program_id: int, found: Sequence[EarningRuleVersion]) -> Rulebook:
    versions = [_rule_version(version) for version in found if not is_discount(version)]
    return Rulebook(
        program_id,
        tuple(version for version in versions if isinstance(version.body, EarningBody)),
        tuple(version for version in versions if not isinstance(version.body, EarningBody)),
        tuple(discount_version(version) for version in found if is_discount(version)),
    )


def discount_version(version: EarningRuleVersion) -> DiscountVersion:
    """A wording of a discount rule, also one that is not stored, as the engine reads it."""
    body, rule = parse_body(version.body), version.rule
    assert isinstance(body, DiscountBody)
    return DiscountVersion(
        id=version.pk,
        rule_id=rule.pk,
        rule_code=rule.code,
        rule_name=rule.name,
        number=version.number,
        body=body,
        wallet_type_id=rule.wallet_type_id,
        scale=rule.wallet_type.scale,
        when=stored_condition(body.when),
        starts_at=version.starts_at,
        ends_at=version.ends_at,
        budget_id=rule.discount_budget_id or 0,
    )


def _rule_version(version: EarningRuleVersion) -> RuleVersion:
    body = parse_body(version.body)
    assert not isinstance(body, DiscountBody)
    in_units = body.caps.budget_money is None
    return RuleVersion(
        id=version.pk,
        rule_name=version.rule.name,
        rule_id=version.rule_id,
        rule_code=version.rule.code,
        when=stored_condition(version.body.get("when", {})),
        number=version.number,
        wallet_type_id=version.rule.wallet_type_id,
        scale=version.rule.wallet_type.scale,
        body=body,
        lot_terms=lot_terms(version.lot_policy) if version.lot_policy else None,
        starts_at=version.starts_at,
        ends_at=version.ends_at,
        shared_budget=version.rule.budget_rule_id or 0,
        worth=NO_WORTH if in_units else worth_of(version.rule.wallet_type),
    )


def _unit_terms(wallet_type: WalletType, policies: Sequence[LotPolicy]) -> UnitTerms:
    """The rules' own policies are their versions'; but what renews units is one for all of a
    wallet."""
    renewing = [policy for policy in policies if policy.kind == LotPolicy.Kind.INACTIVITY]
    return UnitTerms(
        wallet_type_id=wallet_type.pk,
        code=wallet_type.code,
        scale=wallet_type.scale,
        policies=tuple(
            (policy.created_at, lot_terms(policy)) for policy in policies if policy.rule_id is None
        ),
        renewal=lot_terms(renewing[-1]) if renewing else None,
        spending=spending_terms(wallet_type),
    )


def spending_terms(wallet_type: WalletType) -> SpendingTerms:
    """How many can be used at once, as the rules read it."""
    return SpendingTerms(
        scale=wallet_type.scale,
        unit_value=wallet_type.unit_value,
        least=wallet_type.spend_least or 1,
        step=wallet_type.spend_step or 1,
        share=wallet_type.spend_share,
        by_tier=by_tier(wallet_type.tier_values),
    )


def lot_terms(policy: LotPolicy) -> LotTerms:
    """A policy as the rules read it."""
    return LotTerms(
        policy_id=policy.pk,
        pending_from=policy.pending_from,
        pending_days=policy.pending_days,
        kind=policy.kind,
        length=policy.length,
        period=policy.period,
        month_day=policy.month_day,
        counted_from=policy.counted_from,
        last_day=policy.last_day,
        renewed_by=tuple(policy.renewed_by),
        restored_days=policy.restored_days,
        warned_days=policy.warned_days,
    )
