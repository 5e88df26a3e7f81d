"""Why a rule gave a member something for their birthday or an anniversary, or did not, and when the
next one comes: one sentence of each rule, to be read out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import Membership, OccasionGrant, Transfer, WalletType
from loyalty.occasion_verdicts import OccasionVerdict
from loyalty.program_words import why_nothing_earned
from loyalty.rules.anniversaries import DueDay
from loyalty.rules.bodies import AnniversaryBody
from loyalty.rules.calendar import start_of_day
from loyalty.rules.engine import RuleVersion
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.selectors.year_days import (
    OCCASIONS,
    YearDay,
    YearFacts,
    absent,
    joined_later,
    not_active,
    said_of,
    still_coming,
    told_late,
)
from members.formatting import format_day, format_units
from members.models import Customer


@dataclass(frozen=True, slots=True)
class _Case:
    """One rule before one member; `versions`: its wordings, the last one last."""

    year: YearDay
    program: ProgramTerms
    versions: tuple[RuleVersion, ...]
    wallet_type: WalletType
    grants: tuple[OccasionGrant, ...]
    taken_back: frozenset[int]


def occasion_verdicts(customer: Customer, now: dt.datetime) -> list[OccasionVerdict]:
    """Of every rule for a day of the year in the live programs of a customer. A constant number of
    queries."""
    return [
        OccasionVerdict(
            program=case.year.member.program.name, rule=case.versions[-1].rule_name,
            occasion=str(OCCASIONS[case.year.on]), given=given, said=said,
            coming=case.year.coming() if case.versions[-1].in_force(now) else "",
        )
        for case in _cases(customer, now)
        for given, said in [_said(case)]
    ]  # fmt: skip


def _cases(customer: Customer, now: dt.datetime) -> Iterator[_Case]:
    terms = fresh_terms()
    members = {
        member.program_id: member
        for member in Membership.objects.filter(customer=customer).select_related("program")
    }
    rules = [
        (program, members[program.id], versions)
        for program in terms.programs
        if program.live and program.id in members
        for versions in _rules_of(program)
    ]
    if not rules:
        return
    wallet_types = wallet_types_of(terms)
    facts = YearFacts.of(customer, list(members.values()))
    grants, taken_back = _grants_of(list(members.values()))
    for program, member, versions in rules:
        body, own = versions[-1].body, grants[member.pk, versions[-1].rule_id]
        assert isinstance(body, AnniversaryBody)
        year = facts.day(body.day, body.days_before, member, [one.day for one in own], now)
        wallet_type = wallet_types[versions[-1].wallet_type_id]
        yield _Case(year, program, versions, wallet_type, tuple(own), taken_back)


def _rules_of(program: ProgramTerms) -> list[tuple[RuleVersion, ...]]:
    found: dict[int, list[RuleVersion]] = defaultdict(list)
    for version in program.rulebook.others:
        if isinstance(version.body, AnniversaryBody):
            found[version.rule_id].append(version)
    return [tuple(sorted(versions, key=lambda one: one.number)) for versions in found.values()]


def _grants_of(
    members: list[Membership],
) -> tuple[dict[tuple[int, int], list[OccasionGrant]], frozenset[int]]:
    """What they were looked at for, under all their names, by membership and rule; and the
    movements that were taken back."""
    grants: dict[tuple[int, int], list[OccasionGrant]] = defaultdict(list)
    whose = Q(membership__in=members) | Q(membership__merged_into__in=members)
    kept = list(OccasionGrant.objects.filter(whose).select_related("membership"))
    for grant in kept:
        owner = grant.membership.merged_into_id or grant.membership_id
        grants[owner, grant.rule_id].append(grant)
    moved = [grant.transfer_id for grant in kept if grant.transfer_id]
    undone = Transfer.objects.filter(corrects__in=moved).values_list("corrects", flat=True)
    return grants, frozenset(pk for pk in undone if pk is not None)


def _said(case: _Case) -> tuple[bool, str]:
    reasons = (partial(why, case) for why in _WHY)
    return said_of(case.year, case.grants, partial(_granted, case), reasons)


def _granted(case: _Case, due: DueDay, grant: OccasionGrant) -> tuple[bool, str]:
    at = case.year.day_of(grant.recorded_at)
    units = format_units(grant.units, case.wallet_type)
    if grant.transfer_id in case.taken_back:
        return False, _("%(units)s were given on %(at)s, and taken back since.") % {
            "units": units, "at": at,
        }  # fmt: skip
    if not grant.units:
        codes = {code for code, *_values in grant.steps}
        capped = any(code.startswith("capped") for code in codes)
        said = (
            _("Looked at on %s, and nothing was given: the limit of the rule was used up.")
            if capped
            else _("Looked at on %s, and nothing was given: what the rule asks for was not so.")
        )
        return False, said % at
    if grant.day != due.day:
        return True, _(
            "%(units)s were given on %(at)s, for %(day)s. A day that is corrected brings no second"
            " gift in the same year."
        ) % {"units": units, "at": at, "day": format_day(grant.day)}
    return True, _("%(units)s were given on %(at)s.") % {"units": units, "at": at}


def _not_live(case: _Case, due: DueDay) -> str:
    since = case.year.member.program.live_since
    began = since.astimezone(case.program.zone).date() if since else None
    if began is not None and due.given_on >= began:
        return ""
    return _("The program was not live yet on %s.") % format_day(due.given_on)


def _not_in_force(case: _Case, due: DueDay) -> str:
    begins = start_of_day(due.given_on, case.program.zone)
    if any(version.in_force(begins) for version in case.versions):
        return ""
    words = {"day": format_day(due.given_on)}
    later = [one.starts_at for one in case.versions if one.starts_at and one.starts_at > begins]
    if later:
        words["since"] = case.year.day_of(min(later))
        return _("The rule was not in force as %(day)s began: it came on %(since)s.") % words
    return _("The rule was not in force any more on %(day)s.") % words


def _resting(case: _Case, due: DueDay) -> str:
    begins = start_of_day(due.given_on, case.program.zone)
    times = case.program.times
    return "" if times.earns_at(begins) else why_nothing_earned(times.state_at(begins))


# The first that has something to say is why; the last always has.
_WHY: tuple[Callable[[_Case, DueDay], str], ...] = (
    lambda case, due: not_active(case.year),
    _not_live,
    _not_in_force,
    _resting,
    lambda case, due: joined_later(case.year, due),
    lambda case, due: absent(case.year, due),
    lambda case, due: still_coming(case.year, due),
    lambda case, due: told_late(case.year, due),
)


def has_occasion_rules() -> bool:
    """Whether any live program gives something for a day of the year."""
    return any(program.live and _rules_of(program) for program in fresh_terms().programs)
