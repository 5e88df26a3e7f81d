"""Earning rules as their pages and the API show them: wordings, states, and what waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.rule_checks import Standing
from loyalty.rules.bodies import RuleBody, parse_body
from members.errors import NotFoundError
from members.prepared import KeptQuery, read_along

# How the sources begin of rules that campaigns write.
CAMPAIGN = "campaign:"
DRAFT, WAITING, SCHEDULED, LIVE, ENDED = "draft", "waiting", "scheduled", "live", "ended"
STATES: dict[str, Promise] = {
    LIVE: _("Live"),
    SCHEDULED: _("Scheduled"),
    WAITING: _("Waits for approval"),
    DRAFT: _("Draft"),
    ENDED: _("Retired"),
}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule with its wordings, newest first, and which of them is what now."""

    rule: EarningRule
    versions: tuple[EarningRuleVersion, ...]
    live: EarningRuleVersion | None
    scheduled: tuple[EarningRuleVersion, ...]
    draft: EarningRuleVersion | None
    # Of a program that was never live there is nothing but drafts.
    unborn: bool

    @property
    def state(self) -> str:
        """Live, scheduled or a draft; what a live rule has beside it is said by the others."""
        if self.live is not None:
            return LIVE
        if self.scheduled:
            return SCHEDULED
        if self.draft is not None:
            return WAITING if self.draft.asked_at else DRAFT
        return ENDED

    @property
    def shown(self) -> EarningRuleVersion:
        """The wording that speaks for the rule."""
        return self.live or next(iter(self.scheduled), None) or self.draft or self.versions[0]

    @property
    def body(self) -> RuleBody:
        return parse_body(self.shown.body)

    @property
    def ends_at(self) -> dt.datetime | None:
        """When it ends without anything that follows."""
        return None if self.live is None or self.scheduled else self.live.ends_at


def rule_rows(program: Program, now: dt.datetime) -> list[RuleRow]:
    """Every rule of a program that people write, in order of evaluation."""
    rules = own_rules(program)
    read_along(rules, "versions", _with_people)
    return [row_of(rule, now) for rule in rules]


def judged_rows(program: Program, now: dt.datetime) -> list[RuleRow]:
    """The same, as checks need them: without who wrote them, and what becomes of their units."""
    rules = own_rules(program)
    read_along(rules, "versions", _wordings)
    return [row_of(rule, now) for rule in rules]


def own_rules(program: Program) -> list[EarningRule]:
    """Those that people write, in order of evaluation, to read wordings along with."""
    return _rules.rows(program.pk, "")


_rules: KeptQuery[EarningRule] = KeptQuery(
    lambda program, source: EarningRule.objects.filter(
        program=program, source=source
    ).select_related("wallet_type", "program")
)
_wordings: KeptQuery[EarningRuleVersion] = KeptQuery(
    lambda rules: EarningRuleVersion.objects.filter(rule__among=rules).order_by("-number")
)
_with_people: KeptQuery[EarningRuleVersion] = KeptQuery(
    lambda rules: _versions().filter(rule__among=rules)
)


def all_judged_rows(program: Program, now: dt.datetime) -> list[RuleRow]:
    """The same with those that campaigns wrote, which come after them. Two queries."""
    found = program.earning_rules.filter(Q(source="") | Q(source__startswith=CAMPAIGN))
    rows = [
        row_of(rule, now) for rule in _as_judged(found) if not rule.source or rule.versions.all()
    ]
    return sorted(rows, key=lambda row: row.rule.source != "")


def _as_judged(rules: QuerySet[EarningRule]) -> QuerySet[EarningRule]:
    versions = Prefetch("versions", EarningRuleVersion.objects.order_by("-number"))
    return rules.select_related("wallet_type", "program").prefetch_related(versions)


def first_rows(drafts: Iterable[EarningRuleVersion]) -> list[RuleRow]:
    """The same of a program that is new, from all that was written for it."""
    rows = [
        RuleRow(draft.rule, (draft,), live=None, scheduled=(), draft=draft, unborn=True)
        for draft in drafts
        if not draft.rule.source
    ]
    return sorted(rows, key=lambda row: (row.rule.position, row.rule.pk))


def campaign_rows(program: Program, now: dt.datetime) -> list[RuleRow]:
    """Every rule of a program that a campaign wrote."""
    found = program.earning_rules.filter(source__startswith=CAMPAIGN)
    return [row_of(rule, now) for rule in _with_versions(found) if rule.versions.all()]


def brought_rows(program: Program, now: dt.datetime) -> list[RuleRow]:
    """What tiers, plans and promotions bring: live rules that nobody writes as such, and those that
    will be."""
    found = _with_versions(program.earning_rules.exclude(source=""))
    rows = [row_of(rule, now) for rule in found if rule.versions.all()]
    return [row for row in rows if row.state in {LIVE, SCHEDULED}]


def rules_of(program: Program) -> QuerySet[EarningRule]:
    return _with_versions(program.earning_rules.filter(source=""))


def _with_versions(rules: QuerySet[EarningRule]) -> QuerySet[EarningRule]:
    own = rules.select_related("wallet_type", "program")
    return own.prefetch_related(Prefetch("versions", _versions()))


def _versions() -> QuerySet[EarningRuleVersion]:
    """With who wrote them, and what becomes of their units."""
    return EarningRuleVersion.objects.select_related(
        "published_by", "written_by", "asked_by", "lot_policy"
    ).order_by("-number")


def rules_alike(program: Program, *, discount: bool) -> QuerySet[EarningRule]:
    """The discount rules of a program, or those that award units: each have their order."""
    discounts = EarningRuleVersion.objects.filter(rule=OuterRef("pk"), body__kind="discount")
    own = program.earning_rules.filter(source="")
    return own.filter(Exists(discounts) if discount else ~Exists(discounts))


def get_rule(program: Program, code: str) -> EarningRule:
    """By its code. Raises NotFoundError."""
    rule = rules_of(program).filter(code=code).first()
    if rule is None:
        raise NotFoundError(f"There is no rule {code!r} in the program {program.code}.")
    return rule


def row_of(rule: EarningRule, now: dt.datetime) -> RuleRow:
    versions = tuple(rule.versions.all())
    published = [item for item in versions if item.status == EarningRuleVersion.Status.PUBLISHED]
    return RuleRow(
        rule=rule,
        versions=versions,
        live=next((item for item in published if state_of(item, now) == LIVE), None),
        scheduled=tuple(
            sorted(
                (item for item in published if state_of(item, now) == SCHEDULED),
                key=lambda item: item.starts_at or now,
            )
        ),
        draft=next(
            (item for item in versions if item.status == EarningRuleVersion.Status.DRAFT), None
        ),
        unborn=rule.program.live_since is None,
    )


def state_of(version: EarningRuleVersion, now: dt.datetime) -> str:
    """Where a wording is on the line of time."""
    if version.status == EarningRuleVersion.Status.DRAFT:
        return WAITING if version.asked_at else DRAFT
    if version.starts_at is not None and version.starts_at > now:
        return SCHEDULED
    return LIVE if version.ends_at is None or version.ends_at > now else ENDED


def standings(rows: Iterable[RuleRow], now: dt.datetime) -> list[Standing]:
    """What is live or to come, as the checks read it; drafts of a program that was never live
    count as live, since they go live together."""
    found = []
    for place, row in enumerate(rows):
        for version in row.versions:
            state = state_of(version, now)
            if state in (LIVE, SCHEDULED) or (row.unborn and version == row.draft):
                found.append(standing(row.rule, version, place))
    return found


def standing(rule: EarningRule, version: EarningRuleVersion, place: int) -> Standing:
    return Standing(
        code=rule.code,
        name=rule.name,
        unit=rule.wallet_type.code,
        place=place,
        body=parse_body(version.body),
        starts_at=version.starts_at,
        ends_at=version.ends_at,
    )


def waiting_rules() -> QuerySet[EarningRuleVersion]:
    """Drafts that somebody wants published by a second person, the longest waiting first."""
    return (
        EarningRuleVersion.objects.filter(asked_at__isnull=False)
        .select_related("rule__program", "rule__wallet_type", "asked_by", "written_by")
        .order_by("asked_at")
    )


def multipliers_naming(code: str, rows: Sequence[RuleRow], after: dt.datetime) -> list[RuleRow]:
    """Rules that multiply the named one at some time after an instant."""
    return [
        row
        for row in rows
        if any(
            code in version.body.get("of", ())
            and version.body.get("kind") == "multiplier"
            and version.status == EarningRuleVersion.Status.PUBLISHED
            and (version.ends_at is None or version.ends_at > after)
            for version in row.versions
        )
    ]
