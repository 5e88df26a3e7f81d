"""The rules that a program's definition names: written, published, ended. Also see
`loyalty.services.rules`, where people work on them one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.four_eyes import is_bound
from loyalty.models import ActivityType, EarningRule, EarningRuleVersion, Program, WalletType
from loyalty.rule_checks import refusals
from loyalty.rule_definitions import (
    ActivityRule,
    DiscountRuleDefinition,
    EarningRuleDefinition,
    RuleDefinition,
)
from loyalty.rules.bodies import parse_body
from loyalty.selectors.programs import is_discount
from loyalty.selectors.rules import first_rows, judged_rows
from loyalty.services.applied import Applied, change, refuse_rewriting
from loyalty.services.discount_rule_budgets import keep_discount_budget
from loyalty.services.rule_versions import (
    delete_rule,
    draft_of,
    end_rule,
    in_force_at,
    multipliers_to_come,
    next_number,
    put_in_force,
    rule_policy,
    write_draft,
)
from loyalty.services.rules import findings
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery, insert_row, run_prepared
from members.services.audit import Actor


def apply_rules(
    applied: Applied,
    definition: ProgramDefinition,
    wallet_types: dict[str, WalletType],
    actor: Actor,
    now: dt.datetime,
) -> None:
    own = () if applied.created else applied.program.earning_rules.filter(source="")
    existing = {rule.code: rule for rule in own}
    placed: list[tuple[int, RuleDefinition]] = [
        *enumerate(definition.earning_rules), *enumerate(definition.discount_rules)
    ]  # fmt: skip
    wanted_codes = {wanted.code for _position, wanted in placed}
    for code, rule in existing.items():
        if code not in wanted_codes:
            _retire_rule(applied, rule, now)
    _refuse_unknown_types(definition)
    for position, wanted in placed:
        unit = wallet_types[_unit_of(wanted, definition)]
        if wanted.code not in existing:
            rule = _create_rule(applied, wanted, unit, position)
        else:
            rule = existing[wanted.code]
            _refuse_other_kind(rule, wanted, position)
            change(applied, rule, "name", wanted.name)
            change(applied, rule, "position", position)
            rule.save()
        _apply_body(applied, rule, wanted, actor, now, position)


def _unit_of(wanted: RuleDefinition, definition: ProgramDefinition) -> str:
    """What it awards; conditions of a discount ask about the program's first units."""
    if isinstance(wanted, EarningRuleDefinition):
        return wanted.wallet_type
    return definition.wallet_types[0].code


def _create_rule(
    applied: Applied, wanted: RuleDefinition, unit: WalletType, position: int
) -> EarningRule:
    applied.changes.append(_("Rule “%s” created") % wanted.name)
    rule = EarningRule(
        program=applied.program,
        wallet_type=unit,
        code=wanted.code,
        name=wanted.name,
        position=position,
    )
    insert_row(rule)
    return rule


def _refuse_other_kind(rule: EarningRule, wanted: RuleDefinition, position: int) -> None:
    """A rule stays what it is: of these units, or a discount."""
    field = f"{_list_of(wanted)}[{position}]"
    newest = rule.versions.order_by("-number").first()
    if newest and is_discount(newest) != isinstance(wanted, DiscountRuleDefinition):
        refuse_rewriting(
            f"{field}.kind",
            _("A rule that awards units stays one, and a discount too; add another rule instead."),
        )
    if isinstance(wanted, EarningRuleDefinition) and rule.wallet_type.code != wanted.wallet_type:
        refuse_rewriting(
            f"{field}.wallet_type",
            _("A rule keeps its wallet type; add another rule instead."),
        )


def _list_of(wanted: RuleDefinition) -> str:
    """Where a program file names it."""
    discount = isinstance(wanted, DiscountRuleDefinition)
    return "discount_rules" if discount else "earning_rules"


def _refuse_unknown_types(definition: ProgramDefinition) -> None:
    named = {
        position: wanted.activity
        for position, wanted in enumerate(definition.earning_rules)
        if isinstance(wanted, ActivityRule)
    }
    types = set(ActivityType.objects.values_list("code", flat=True)) if named else set()
    for position, activity in named.items():
        if activity not in types:
            _refuse_type(position, activity, types)


def _refuse_type(position: int, code: str, known: set[str]) -> None:
    message = _("There is no type of activity %(code)s. Types: %(known)s.") % {
        "code": code,
        "known": ", ".join(sorted(known)) or "–",
    }
    field_name = f"earning_rules[{position}].activity"
    raise DomainError(message, errors=[FieldError(field_name, message, "not_found")])


def _apply_body(
    applied: Applied,
    rule: EarningRule,
    wanted: RuleDefinition,
    actor: Actor,
    now: dt.datetime,
    position: int,
) -> None:
    body: dict[str, Any] = wanted.body().model_dump(mode="json")
    drafting = applied.program.live_since is None
    current = None
    if not applied.created:
        current = draft_of(rule) if drafting else in_force_at(rule, now)
    # Compared as the engine reads it: 2 and 2.00 are the same rate.
    policy = rule_policy(rule, wanted, now)
    if (
        current is not None
        and parse_body(current.body) == wanted.body()
        and current.lot_policy_id == (policy.pk if policy else None)
    ):
        return
    place = f"{_list_of(wanted)}[{position}]"
    if drafting:
        # Nothing was earned yet: the draft's wording is simply replaced.
        draft = write_draft(rule, body, policy, actor=actor, now=now, first=applied.created)
        applied.written.append((place, draft))
        if current is not None:
            applied.changes.append(_("Rule “%s” changed") % rule.name)
        return
    if applied.second_person and is_bound(actor):
        message = _("A second person publishes the rules of this program: change “%s” among its "
                    "earning rules, and ask for it to be published.") % rule.name  # fmt: skip
        error = FieldError(place, message, "second_person")
        raise ConflictError(message, code="second_person", errors=[error])
    version = EarningRuleVersion(
        rule=rule, body=body, lot_policy=policy, written_by=actor.user, written_at=now,
        number=next_number(rule),
    )  # fmt: skip
    put_in_force(version, starts_at=now, actor=actor, now=now)
    applied.written.append((place, version))
    applied.changes.append(
        _("Rule “%(rule)s”, version %(number)s, for orders placed from now on")
        % {"rule": rule.name, "number": version.number}
    )


def refuse_dead_rules(applied: Applied, now: dt.datetime) -> None:
    """A live program gets no rule that can never award anything."""
    if applied.program.status != Program.Status.LIVE:
        return
    if not applied.written:
        return
    if applied.created:
        rows = first_rows(version for _field, version in applied.written)
    else:
        rows = judged_rows(applied.program, now)
    for field, version in applied.written:
        for wrong in refusals(findings(version.rule, version, now=now, rows=rows)):
            message = f"{version.rule.name}: {wrong.message}"
            place = f"{field}.{wrong.field}"
            error = FieldError(place, message, wrong.code)
            raise ConflictError(message, code="rule_refused", errors=[error])


def _retire_rule(applied: Applied, rule: EarningRule, now: dt.datetime) -> None:
    """A rule that is not named any more ends. What is drafted beside a live program, or only to
    come, is no part of what the program says now, and stays."""
    if applied.program.live_since is None:
        delete_rule(rule)
        applied.changes.append(_("Rule “%s” removed") % rule.name)
    elif in_force_at(rule, now) is not None:
        users = multipliers_to_come(rule, now)
        if users:
            refuse_rewriting(
                "earning_rules",
                _("“%(other)s”, which is scheduled, multiplies “%(rule)s”: undo that first.")
                % {"other": users[0], "rule": rule.name},
            )
        end_rule(rule, now)
        applied.changes.append(_("Rule “%s” ends now") % rule.name)


_PUBLISH = """
UPDATE loyalty_earningruleversion
   SET status = 'published', published_at = %s, published_by_id = %s, starts_at = NULL
 WHERE id = ANY(%s::bigint[])
"""
_drafts: KeptQuery[EarningRuleVersion] = KeptQuery(
    lambda program, state: (
        EarningRuleVersion.objects.filter(rule__program=program, status=state)
        .select_related("rule__program", "rule__wallet_type")
        .order_by("rule__position", "rule_id")
    )
)


def _placed(drafts: Sequence[EarningRuleVersion]) -> Iterator[tuple[str, EarningRuleVersion]]:
    """With where a program file names each."""
    for discount, name in ((False, "earning_rules"), (True, "discount_rules")):
        own = [draft for draft in drafts if is_discount(draft) == discount]
        for position, draft in enumerate(own):
            yield f"{name}[{position}]", draft


def publish_drafts(applied: Applied, actor: Actor, now: dt.datetime) -> None:
    """The first wording of a rule counts for orders of any date, so that history can be
    imported."""
    program = applied.program
    drafts = _drafts.rows(program.pk, EarningRuleVersion.Status.DRAFT)
    applied.written = [*_placed(drafts)]
    own = [draft for draft in drafts if actor.user and draft.written_by_id == actor.user.pk]
    if program.four_eyes and actor.user is None and is_bound(actor):
        raise ConflictError(
            _("Only a person may take this program live: a second one publishes its rules."),
            code="second_person",
        )
    if program.four_eyes and own:
        raise ConflictError(
            _("Somebody else has to take it live: you have written “%s”.") % own[0].rule.name,
            code="second_person",
        )
    if program.four_eyes and actor.user and program.tier_sets.filter(written_by=actor.user):
        raise ConflictError(
            _("Somebody else has to take it live: you have written its tiers."),
            code="second_person",
        )
    by = actor.user.pk if actor.user else None
    run_prepared(_PUBLISH, [now, by, [draft.pk for draft in drafts]])
    for draft in drafts:
        keep_discount_budget(draft.rule, draft.body)
