"""A program's terms in plain words, read off what is in force; and how they came to be so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from loyalty.descriptions import describe_lots, describe_terms, describe_units
from loyalty.discount_words import describe_discounting
from loyalty.models import (
    EarningRuleVersion,
    FormerUnitTerms,
    PlanVersion,
    Program,
    Tier,
    TierSet,
    WalletType,
)
from loyalty.plan_words import dunning_words, price_words, trial_words, what_it_brings
from loyalty.pledge_words import pledge_words
from loyalty.rule_conditions import stored_condition
from loyalty.rule_words import describe_multiplying
from loyalty.selectors.charities import charity_names, running_pledges
from loyalty.selectors.impact import impact_of_program, rate_words
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.plans import current_versions, former_versions
from loyalty.selectors.programs import is_discount, wallet_type_definitions
from loyalty.selectors.rule_sentences import version_sentences
from loyalty.selectors.rules import CAMPAIGN
from loyalty.selectors.tier_sets import benefits_of, former_tier_sets, tier_set_at, tiers_of
from loyalty.terms_panels import TermsPanel, terms_panels
from loyalty.tier_definitions import TiersDefinition
from loyalty.tier_words import benefit_words, describe_tiers, tier_amount
from loyalty.told_conditions import is_kept_from, is_told_elsewhere, told_sentence
from loyalty.unit_definitions import WalletTypeDefinition
from members.conditions.moments import Moment
from members.formatting import UnitNames
from members.models import Customer


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """One wording of a rule: what it says, from when and until when (exclusive) it counts."""

    name: str
    number: int
    sentences: Sequence[str]
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    # It follows from a benefit of a tier, which says the same.
    of_tier: bool = False
    # A promotion or a challenge writes it, which says the same in its own words.
    of_campaign: bool = False


@dataclass(frozen=True, slots=True)
class UnitWords:
    """A kind of unit and what becomes of it."""

    plural: str
    icon: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class PastUnits:
    """What was said of a kind of unit until a moment."""

    plural: str
    sentences: Sequence[str]
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class TierTermsWords:
    """A tier: from how much on, empty for the first, and what it brings."""

    tier: Tier
    threshold: str
    benefits: Sequence[str]


@dataclass(frozen=True, slots=True)
class PastTiers:
    """The tiers as they were until a moment."""

    tiers: Sequence[TierTermsWords]
    in_words: Sequence[str]
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PlanTermsWords:
    """A paid plan: its price, what it brings, and what becomes of a payment that fails."""

    name: str
    price: str
    trial: str
    brings: Sequence[str]
    terms: Sequence[str]


@dataclass(frozen=True, slots=True)
class PastPlan:
    """A paid plan as it was sold until a moment."""

    words: PlanTermsWords
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class CharityWords:
    """Whom members may give to: what it is, what units are worth there, what is pledged to it, and
    what it was given by now."""

    name: str
    icon: str
    summary: str
    website: str
    given: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProgramTermsPage:
    """What members may rely on today, what is announced, and what was so before, newest first."""

    rules: Sequence[RuleTerms]
    announced: Sequence[RuleTerms]
    past: Sequence[RuleTerms]
    past_tiers: Sequence[PastTiers]
    past_plans: Sequence[PastPlan]
    past_units: Sequence[PastUnits]
    together: str
    tiers: Sequence[TierTermsWords]
    tiers_in_words: Sequence[str]
    plans: Sequence[PlanTermsWords]
    discounts: Sequence[RuleTerms]
    discounts_together: str
    units: Sequence[UnitWords]
    charities: Sequence[CharityWords]
    general: Sequence[str]
    further: Sequence[TermsPanel]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the program's file says of units, of which the rest is read for nobody here."""

    wallet_types: Sequence[WalletTypeDefinition]
    tiers: TiersDefinition | None
    # Those that members may give to now.
    charities: Sequence[str]


def _told(program: Program, now: dt.datetime) -> _Told:
    tiers = tiers_of(program, now)
    return _Told(wallet_type_definitions(program, tiers), tiers, charity_names(program))


def terms_of(
    program: Program, now: dt.datetime, *, reader: Customer | None = None
) -> ProgramTermsPage:
    """The terms as of now; a constant number of queries. `reader`: without what this customer is
    kept from by lot."""
    told_units = _told(program, now)
    tier_set, units = tier_set_at(program, now), unit_names(program.pk)
    versions = _published(program)
    moment = Moment(now, program.zone)
    told = [version for version in versions if not _kept_from(version, reader, moment)]
    worded = [(version, _worded(version, program)) for version in told]
    in_force = [pair for pair in worded if _has_begun(pair[0], now) and not _is_over(pair[0], now)]
    kinds = [version.body.get("kind") for version, _words in in_force]
    return ProgramTermsPage(
        rules=[words for version, words in in_force if not is_discount(version)],
        tiers=_tiers(tier_set, program, units),
        past_tiers=[
            PastTiers(_tiers(item, program, units), describe_tiers(item), ended)
            for item, ended in former_tier_sets(program, now)
        ],
        tiers_in_words=describe_tiers(tier_set) if tier_set else [],
        plans=_plans(program),
        past_plans=_past_plans(program),
        past_units=_past_units(program, told_units, _collected(told_units, versions)),
        discounts=[words for version, words in in_force if is_discount(version)],
        announced=[
            words
            for version, words in worded
            if not _has_begun(version, now) and not _is_of_campaign(version)
        ],
        past=sorted(
            (words for version, words in worded if _is_over(version, now)),
            key=lambda words: words.ends_at or now,
            reverse=True,
        ),
        together=describe_multiplying(program.multiplying) if kinds.count("multiplier") > 1 else "",
        discounts_together=(
            describe_discounting(program.discounting) if kinds.count("discount") > 1 else ""
        ),
        units=_units(program, told_units, _collected(told_units, versions)),
        charities=_charities(program, now),
        general=describe_terms(program),
        further=terms_panels(program, now),
    )


def _published(program: Program) -> list[EarningRuleVersion]:
    rows = EarningRuleVersion.objects.filter(
        rule__program=program, status=EarningRuleVersion.Status.PUBLISHED
    )
    rows = rows.select_related("rule__wallet_type", "lot_policy")
    return list(rows.order_by("rule__position", "rule_id", "number"))


def rules_in_force(program: Program, now: dt.datetime) -> list[RuleTerms]:
    """What earns now, as the terms say it to everybody, without the rest of them."""
    moment = Moment(now, program.zone)
    return [
        _worded(version, program)
        for version in _published(program)
        if _has_begun(version, now) and not _is_over(version, now)
        and not is_discount(version) and not _kept_from(version, None, moment)
    ]  # fmt: skip


def _charities(program: Program, now: dt.datetime) -> list[CharityWords]:
    pledged = running_pledges(program, now)
    return [
        CharityWords(
            item.charity.told_name,
            item.charity.icon,
            item.charity.told_summary,
            item.charity.website,
            item.words if item.worth.money or item.worth.things else "",
            [
                *rate_words(item.charity),
                *(
                    " ".join(pledge_words(pledge))
                    for pledge in pledged
                    if pledge.charity_id == item.charity.pk
                ),
            ],
        )
        for item in impact_of_program(program, live=True)
    ]


def _collected(told: _Told, versions: Sequence[EarningRuleVersion]) -> set[str]:
    """The units that any rule has ever given. Of a program of discounts alone nobody collects
    anything; of one without any rule it says what will be."""
    given = {version.rule.wallet_type.code for version in versions if not is_discount(version)}
    return given or ({item.code for item in told.wallet_types} if not versions else set())


def _units(program: Program, told: _Told, collected: set[str]) -> list[UnitWords]:
    return [
        UnitWords(
            item.plural,
            item.icon,
            describe_units(item, program.currency, told.charities, told.tiers),
        )
        for item in told.wallet_types
        if item.code in collected
    ]


def _tiers(
    tier_set: TierSet | None, program: Program, units: Mapping[str, UnitNames]
) -> list[TierTermsWords]:
    if tier_set is None:
        return []
    return [
        TierTermsWords(
            tier,
            tier_amount(tier_set, tier.threshold, program.currency, units) if tier.position else "",
            [benefit_words(item, program.currency, units) for item in benefits_of(tier)],
        )
        for tier in tier_set.tiers.all()
    ]


def _plans(program: Program) -> list[PlanTermsWords]:
    """Those that can be taken."""
    offered = [version for version in current_versions(program) if version.plan.offered]
    units = unit_names(program.pk) if offered else {}
    return [_plan(version, program, units) for version in offered]


def _plan(version: PlanVersion, program: Program, units: Mapping[str, UnitNames]) -> PlanTermsWords:
    return PlanTermsWords(
        version.name,
        price_words(version, program.currency),
        trial_words(version.trial_days) if version.trial_days else "",
        what_it_brings(version, program.currency, units),
        list(dunning_words(version)),
    )


def _past_plans(program: Program) -> list[PastPlan]:
    """As they were sold before, the newest first. Who has one keeps it until it renews."""
    former = former_versions(program)
    units = unit_names(program.pk) if former else {}
    return [PastPlan(_plan(version, program, units), ended) for version, ended in former]


def _past_units(program: Program, told: _Told, collected: Collection[str]) -> list[PastUnits]:
    """What was said of units before, the newest first; what is earned keeps its terms."""
    rows = FormerUnitTerms.objects.filter(
        wallet_type__program=program, wallet_type__code__in=collected
    )
    found = []
    for row in rows.order_by("-ended_at", "wallet_type"):
        said = WalletTypeDefinition.model_validate(row.said)
        whole = "unit_value" in row.said
        words = (
            describe_units(said, program.currency, told.charities, told.tiers)
            if whole
            else describe_lots(said)
        )
        found.append(PastUnits(said.plural, words, row.ended_at))
    return found


def _worded(version: EarningRuleVersion, program: Program) -> RuleTerms:
    unit: WalletType = version.rule.wallet_type
    return RuleTerms(
        version.rule.name,
        version.number,
        version_sentences(version, unit, program.currency, told_sentence),
        version.starts_at,
        version.ends_at,
        of_tier=bool(version.rule.source) and not _is_of_campaign(version),
        of_campaign=_is_of_campaign(version),
    )


def _is_of_campaign(version: EarningRuleVersion) -> bool:
    """Whoever plans it says from when on anybody hears of it."""
    return version.rule.source.startswith(CAMPAIGN)


def _kept_from(version: EarningRuleVersion, reader: Customer | None, moment: Moment) -> bool:
    condition = stored_condition(version.body.get("when") or {})
    if is_told_elsewhere(version.body, condition.root if condition else None):
        return True
    # A stranger reads what they would be quoted: as if they had drawn the highest number.
    return condition is not None and is_kept_from(condition.root, reader or Customer(), moment)


def _has_begun(version: EarningRuleVersion, now: dt.datetime) -> bool:
    return version.starts_at is None or version.starts_at <= now


def _is_over(version: EarningRuleVersion, now: dt.datetime) -> bool:
    return version.ends_at is not None and version.ends_at <= now
