"""Earning rules as people work on them: drafted, published, scheduled, retired, put in order.

Each function holds the program's row, so that two people, or a person and a program file, take
turns. Orders that were judged keep the versions they were judged by.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from loyalty.four_eyes import why_not_alone
from loyalty.models import EarningRule, EarningRuleVersion, Order, Program, WalletType
from loyalty.rule_checks import Finding, check_rule, refusals
from loyalty.rule_definitions import EarningRuleDefinition, RuleDefinition, reserved_code
from loyalty.selectors.lot_policies import expiry_of
from loyalty.selectors.rules import (
    SCHEDULED,
    RuleRow,
    get_rule,
    judged_rows,
    multipliers_naming,
    rule_rows,
    rules_alike,
    standing,
    standings,
    state_of,
)
from loyalty.services.rule_terms import refuse_other_inactivity, refuse_unfit
from loyalty.services.rule_versions import (
    delete_rule,
    draft_of,
    end_rule,
    in_force_at,
    keep_rule,
    mark,
    put_in_force,
    refuse_unread,
    rule_policy,
    take_back,
    write_draft,
)
from members.conditions.moments import Moment
from members.errors import ConflictError, DomainError, FieldError, NotFoundError
from members.free_codes import code_stem, first_free
from members.services.audit import Actor, record_audit


class RuleRefusedError(DomainError):
    """A rule that must not be published like that; `errors` say why."""

    code = "rule_refused"


@transaction.atomic
def create_rule(
    *,
    program: Program,
    definition: RuleDefinition,
    actor: Actor,
    now: dt.datetime,
) -> EarningRule:
    """A new rule, last in the order of evaluation; it begins as a draft. The code that it gets is
    its definition's, or one like it that is free."""
    program = hold_program(program)
    _refuse_codes_of_benefits(definition.code)
    wallet_type = _wallet_type(program, definition)
    discount = definition.body().kind == "discount"
    last = rules_alike(program, discount=discount).aggregate(last=Max("position"))["last"]
    rule = EarningRule.objects.create(
        program=program,
        wallet_type=wallet_type,
        code=free_code(program, definition.code),
        name=definition.name,
        position=0 if last is None else last + 1,
    )
    refuse_unfit(rule, definition, now)
    policy = rule_policy(rule, definition, now)
    body = definition.body().model_dump(mode="json")
    write_draft(rule, body, policy, actor=actor, now=now, first=True)
    audit_rule(actor, "rule.drafted", rule, after={"rule": rule.name})
    return rule


@transaction.atomic
def save_draft(
    *,
    rule: EarningRule,
    definition: RuleDefinition,
    actor: Actor,
    now: dt.datetime,
    seen: str | None = None,
) -> EarningRuleVersion:
    """The draft beside the live wording says this. The name is the rule's own and changes at once.

    `seen`: the `mark` of what the writer began with; if somebody else wrote meanwhile, nothing is
    saved (ConflictError).
    """
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    if seen is not None and seen != mark(rule):
        raise ConflictError(
            _("Somebody else changed this rule while you were writing. What you typed is still "
              "here; open the rule in another window and compare."),
            code="changed_meanwhile",
        )  # fmt: skip
    if rule.name != definition.name:
        before, rule.name = rule.name, definition.name
        rule.save(update_fields=["name"])
        count_up(program)
        audit_rule(actor, "rule.renamed", rule, before={"rule": before}, after={"rule": rule.name})
    refuse_unfit(rule, definition, now)
    body = definition.body().model_dump(mode="json")
    draft = write_draft(rule, body, rule_policy(rule, definition, now), actor=actor, now=now)
    audit_rule(actor, "rule.drafted", rule, after={"rule": rule.name})
    return draft


@transaction.atomic
def discard_draft(*, rule: EarningRule, actor: Actor, now: dt.datetime) -> bool:
    """Throw the draft away; whether the rule went with it, because it had nothing else."""
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    draft = require_draft(rule)
    audit_rule(actor, "rule.discarded", rule, before={"rule": rule.name})
    if rule.versions.exclude(pk=draft.pk).exists():
        draft.delete()
        return False
    delete_rule(rule)
    return True


@transaction.atomic
def publish_draft(
    *,
    rule: EarningRule,
    actor: Actor,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    seen: str | None = None,
) -> EarningRuleVersion:
    """The draft counts for orders placed from `starts_at` (now) on, to `ends_at` if given. What is
    refused: RuleRefusedError. Where a second person publishes, not the one who wrote it. `seen`:
    the `mark` of what they read; another wording is refused."""
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    draft = require_draft(rule)
    refuse_unread(rule, seen)
    require_live(program)
    if program.four_eyes and may_not_publish(draft, actor):
        raise ConflictError(may_not_publish(draft, actor), code="second_person", status=403)
    starts_at = from_now(starts_at, now)
    refuse_dead(rule, draft, now=now, starts_at=starts_at, ends_at=ends_at)
    if draft.lot_policy is not None:
        refuse_other_inactivity(rule, expiry_of(draft.lot_policy), now)
    asked_by = draft.asked_by
    version = put_in_force(draft, starts_at=starts_at, ends_at=ends_at, actor=actor, now=now)
    count_up(program)
    after = {
        "rule": rule.name, "version": version.number, "from": starts_at.isoformat(),
        "until": version.ends_at.isoformat() if version.ends_at else None,
        "written_by": str(version.written_by or ""), "asked_by": str(asked_by or ""),
    }  # fmt: skip
    action = "rule.scheduled" if starts_at > now else "rule.published"
    audit_rule(actor, action, rule, after=after)
    return version


def may_not_publish(draft: EarningRuleVersion, actor: Actor) -> str:
    """Why this person must not publish a draft where a second person does; nothing if they may."""
    return why_not_alone(actor, draft.written_by_id, draft.asked_by_id)


@transaction.atomic
def withdraw_scheduled(
    *, version: EarningRuleVersion, actor: Actor, now: dt.datetime
) -> EarningRuleVersion:
    """What was to come does not; it is a draft again, and what it would have ended goes on."""
    program = hold_program(version.rule.program)
    version = EarningRuleVersion.objects.select_related("rule").get(pk=version.pk)
    rule, starts_at = version.rule, version.starts_at
    if state_of(version, now) != SCHEDULED or starts_at is None:
        raise ConflictError(
            _("It counts already: orders may have been judged by it. Retire the rule, or publish "
              "another version."), code="counts_already",
        )  # fmt: skip
    if draft_of(rule) is not None:
        raise ConflictError(
            _("There is another draft of this rule. Discard it first; then this can become one."),
            code="another_draft",
        )
    if Order.objects.filter(placed_at__gte=starts_at).exists():
        raise ConflictError(
            _("An order with a later date has been judged by it already."), code="counts_already"
        )
    take_back(version)
    count_up(program)
    after = {"rule": rule.name, "version": version.number, "from": starts_at.isoformat()}
    audit_rule(actor, "rule.unscheduled", rule, after=after)
    return version


@transaction.atomic
def retire_rule(
    *, rule: EarningRule, actor: Actor, now: dt.datetime, at: dt.datetime | None = None
) -> EarningRule:
    """Orders placed from then on (now) do not earn by it. Refused while something multiplies it."""
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    at = from_now(at, now)
    users = multipliers_naming(rule.code, rule_rows(program, now), at)
    if users:
        message = _("“%s” multiplies it. Retire that one first, or let it multiply others.")
        raise ConflictError(message % users[0].rule.name, code="multiplied")
    if not end_rule(rule, at):
        raise ConflictError(_("It is not live then anyway."), code="not_live")
    count_up(program)
    after = {"rule": rule.name, "until": at.isoformat()}
    audit_rule(actor, "rule.retired", rule, after=after)
    return rule


@transaction.atomic
def keep_going(*, rule: EarningRule, actor: Actor, now: dt.datetime) -> EarningRule:
    """An end that is still to come does not come; for undoing a retirement."""
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    live = in_force_at(rule, now)
    following = live and live.ends_at and in_force_at(rule, live.ends_at)
    if live is None or live.ends_at is None or following:
        raise ConflictError(_("There is no end to come."), code="not_retired")
    before = {"rule": rule.name, "until": live.ends_at.isoformat()}
    keep_rule(live)
    count_up(program)
    audit_rule(actor, "rule.kept", rule, before=before, after={"rule": rule.name})
    return rule


@transaction.atomic
def order_rules(
    *, program: Program, codes: Sequence[str], actor: Actor, now: dt.datetime
) -> list[str]:
    """Put the rules in this order of evaluation. All of them have to be named, each once;
    discounts have an order of their own."""
    program = hold_program(program)
    rules = {rule.code: rule for rule in program.earning_rules.filter(source="")}
    before = [
        rule.code for rule in program.earning_rules.filter(source="").order_by("position", "pk")
    ]
    if sorted(codes) != sorted(rules):
        raise ConflictError(
            _("The rules have changed meanwhile. Look at the list again."), code="changed_meanwhile"
        )
    if list(codes) == before:
        return before
    for discount in (True, False):
        alike = set(rules_alike(program, discount=discount).values_list("code", flat=True))
        for position, code in enumerate(code for code in codes if code in alike):
            EarningRule.objects.filter(pk=rules[code].pk).update(position=position)
    count_up(program)
    record_audit(
        actor=actor, action="rule.ordered", target=program,
        before={"rules": [rules[code].name for code in before]},
        after={"rules": [rules[code].name for code in codes]},
    )  # fmt: skip
    return list(codes)


@transaction.atomic
def set_four_eyes(*, program: Program, on: bool, actor: Actor) -> Program:
    """Whether a second person publishes the rules of a program."""
    program = hold_program(program)
    if program.four_eyes != on:
        before, program.four_eyes = program.four_eyes, on
        program.save(update_fields=["four_eyes", "updated_at"])
        record_audit(
            actor=actor, action="program.changed", target=program,
            before={"four_eyes": before}, after={"four_eyes": on},
        )  # fmt: skip
    return program


def findings(
    rule: EarningRule,
    draft: EarningRuleVersion,
    *,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    rows: Sequence[RuleRow] | None = None,
) -> list[Finding]:
    """What speaks against publishing a draft for these times. `rows`: `judged_rows` of its program,
    where somebody has them."""
    program = rule.program
    rows = judged_rows(program, now) if rows is None else rows
    place = next((i for i, row in enumerate(rows) if row.rule.pk == rule.pk), len(rows))
    # With a program that was never live all its rules go live together.
    wished = EarningRuleVersion(
        rule=rule,
        body=draft.body,
        starts_at=None if program.live_since is None else starts_at or now,
        ends_at=ends_at,
    )
    return check_rule(
        standing(rule, wished, place),
        standings(rows, now),
        moment=Moment(now, program.zone),
        multiplying=program.multiplying,
        discounting=program.discounting,
    )


def refuse_dead(
    rule: EarningRule,
    draft: EarningRuleVersion,
    *,
    now: dt.datetime,
    starts_at: dt.datetime,
    ends_at: dt.datetime | None,
) -> None:
    """Raise RuleRefusedError, if a draft can never award anything."""
    wrong = refusals(findings(rule, draft, now=now, starts_at=starts_at, ends_at=ends_at))
    if wrong:
        raise RuleRefusedError(
            wrong[0].message,
            errors=[FieldError(item.field, item.message, item.code) for item in wrong],
        )


def free_code(program: Program, wished: str) -> str:
    """A short name that no rule of the program has."""
    stem = code_stem(wished, otherwise="rule", longest=50)
    if reserved_code(stem):
        stem = f"rule-{stem}"
    return first_free(stem, set(program.earning_rules.values_list("code", flat=True)))


def require_live(program: Program) -> None:
    if program.live_since is None:
        raise ConflictError(
            _("The program is not live yet: its rules go live with it."), code="program_not_live"
        )


def hold_program(program: Program) -> Program:
    return Program.objects.select_for_update().get(pk=program.pk)


def count_up(program: Program) -> None:
    """Whoever keeps the rules in memory reads them again."""
    Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)


def _refuse_codes_of_benefits(code: str) -> None:
    message = reserved_code(code)
    if message:
        raise DomainError(message, errors=[FieldError("code", message, "reserved")])


def _wallet_type(program: Program, definition: RuleDefinition) -> WalletType:
    """What it awards; conditions of a discount ask about the program's first units."""
    found = program.wallet_types.order_by("pk")
    if isinstance(definition, EarningRuleDefinition):
        found = found.filter(code=definition.wallet_type)
    wallet_type = found.first()
    if wallet_type is None:
        raise NotFoundError(_("The program has no units of that name."))
    return wallet_type


def require_draft(rule: EarningRule) -> EarningRuleVersion:
    draft = draft_of(rule)
    if draft is None:
        raise NotFoundError(_("This rule has no draft any more."), code="no_draft")
    return draft


def from_now(at: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """The past stays as it was: what is said for it, is for now."""
    if at is not None and at < now:
        message = _("That moment has passed. Choose a later one, or leave it empty for now.")
        raise DomainError(message, errors=[FieldError("starts_at", message, "in_the_past")])
    return at or now


def audit_rule(actor: Actor, action: str, rule: EarningRule, **said: Any) -> None:
    record_audit(actor=actor, action=action, target=rule, **said)
