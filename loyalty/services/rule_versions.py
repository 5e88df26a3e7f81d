"""The wordings of a rule on the line of time: what is drafted, in force, to come and over.

Program files, forms and the rule editor all write them through here. The caller holds the program's
row, decides whether it may be, and counts the program's revision up.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pgtrigger
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from loyalty.models import EarningRule, EarningRuleVersion, LotPolicy
from loyalty.rule_definitions import EarningRuleDefinition, RuleDefinition
from loyalty.selectors.lot_policies import expiry_of, pending_of
from loyalty.services.discount_rule_budgets import drop_discount_budget, keep_discount_budget
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.errors import ConflictError
from members.prepared import insert_row
from members.services.audit import Actor

Status = EarningRuleVersion.Status
IMMUTABLE = "loyalty.EarningRuleVersion:rule_version_immutable"


def draft_of(rule: EarningRule) -> EarningRuleVersion | None:
    return rule.versions.filter(status=Status.DRAFT).first()


def mark(rule: EarningRule) -> str:
    """Changes with every wording that is written or published."""
    wordings = rule.versions.order_by("number").values_list("number", "status", "written_at")
    return ";".join(f"{number} {status} {written_at}" for number, status, written_at in wordings)


def refuse_unread(rule: EarningRule, seen: str | None) -> None:
    """Raise ConflictError where `seen`, the `mark` of what somebody decides about, is not that of
    the rule as it is now."""
    if seen is not None and seen != mark(rule):
        raise ConflictError(
            _("Somebody has changed the draft since you read it. Read it again, then decide."),
            code="changed_meanwhile",
        )


def write_draft(
    rule: EarningRule,
    body: dict[str, Any],
    policy: LotPolicy | None,
    *,
    actor: Actor,
    now: dt.datetime,
    first: bool = False,
) -> EarningRuleVersion:
    """The draft says this from now on. Whoever was asked to publish it has to be asked again.
    `first`: the rule is new, and has no wording yet."""
    values = {
        "body": body, "lot_policy": policy, "written_by": actor.user, "written_at": now,
        "sent_back": "", **NOBODY_ASKED,
    }  # fmt: skip
    draft = None if first else draft_of(rule)
    if draft is None:
        number = 1 if first else next_number(rule)
        draft = EarningRuleVersion(rule=rule, status=Status.DRAFT, number=number, **values)
        insert_row(draft)
        return draft
    for name, value in values.items():
        setattr(draft, name, value)
    draft.save(update_fields=values)
    return draft


NOBODY_ASKED: dict[str, None] = {
    "asked_by": None, "asked_at": None, "asked_start": None, "asked_end": None,
}  # fmt: skip


def next_number(rule: EarningRule) -> int:
    return (rule.versions.aggregate(number=Max("number"))["number"] or 0) + 1


def put_in_force(
    version: EarningRuleVersion,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime | None = None,
    actor: Actor,
    now: dt.datetime,
) -> EarningRuleVersion:
    """Publish a draft or a new row for orders placed in [starts_at, ends_at). It takes the place of
    the wording that would be in force then, and gives way to one that is scheduled for later."""
    rule = version.rule
    published = rule.versions.filter(status=Status.PUBLISHED)
    if published.filter(starts_at=starts_at).exists():
        raise ConflictError(
            _("Another version begins at that very moment. Undo it, or choose another time."),
            code="begins_together",
        )
    covering = in_force_at(rule, starts_at)
    following = published.filter(starts_at__gt=starts_at).order_by("starts_at").first()
    last = [
        end
        for end in (
            ends_at,
            covering.ends_at if covering else None,
            following.starts_at if following else None,
        )
        if end is not None
    ]
    if covering is not None:
        _end(covering, starts_at)
    highest = published.aggregate(number=Max("number"))["number"] or 0
    if version.number < highest:
        version.number = next_number(rule)
    version.status, version.sent_back = Status.PUBLISHED, ""
    version.starts_at, version.ends_at = starts_at, min(last, default=None)
    version.published_at, version.published_by = now, actor.user
    for name, value in NOBODY_ASKED.items():
        setattr(version, name, value)
    version.save()
    keep_discount_budget(rule, version.body)
    return version


def in_force_at(rule: EarningRule, at: dt.datetime) -> EarningRuleVersion | None:
    """The wording that an order placed at that instant is judged by."""
    return (
        rule.versions.filter(status=Status.PUBLISHED)
        .filter(Q(starts_at=None) | Q(starts_at__lte=at))
        .filter(Q(ends_at=None) | Q(ends_at__gt=at))
        .first()
    )


def scheduled(rule: EarningRule, now: dt.datetime) -> list[EarningRuleVersion]:
    """What is to come, soonest first."""
    return list(
        rule.versions.filter(status=Status.PUBLISHED, starts_at__gt=now).order_by("starts_at")
    )


def take_back(version: EarningRuleVersion) -> None:
    """A wording that was to come does not come: what it would have ended goes on. It is a draft
    again. Nothing has been judged by it, so nothing of the past changes. Raises as
    `keep_discount_budget` does where the budget that it brought cannot go with it."""
    before = version.rule.versions.filter(
        status=Status.PUBLISHED, ends_at=version.starts_at
    ).first()
    ends_at = version.ends_at
    with pgtrigger.ignore(IMMUTABLE):
        EarningRuleVersion.objects.filter(pk=version.pk).update(
            status=Status.DRAFT, starts_at=None, ends_at=None, published_at=None,
            published_by=None,
        )  # fmt: skip
        if before is not None:
            EarningRuleVersion.objects.filter(pk=before.pk).update(ends_at=ends_at)
    version.refresh_from_db()
    left = version.rule.versions.filter(status=Status.PUBLISHED).order_by("-number").first()
    keep_discount_budget(version.rule, left.body if left else {"kind": version.body["kind"]})


def end_rule(rule: EarningRule, at: dt.datetime) -> bool:
    """Orders placed from then on do not earn by it any more; whether anything ends by that. What
    was to come after it does not come."""
    with pgtrigger.ignore(IMMUTABLE):
        later, _rows = rule.versions.filter(status=Status.PUBLISHED, starts_at__gte=at).delete()
    running = in_force_at(rule, at)
    if running is not None:
        _end(running, at)
    return running is not None or bool(later)


def keep_rule(version: EarningRuleVersion) -> None:
    """An end that is still to come does not come."""
    with pgtrigger.ignore(IMMUTABLE):
        EarningRuleVersion.objects.filter(pk=version.pk).update(ends_at=None)
    version.refresh_from_db()


def _end(version: EarningRuleVersion, at: dt.datetime) -> None:
    """Set the end, or bring one forward that is still to come."""
    if version.ends_at is None:
        EarningRuleVersion.objects.filter(pk=version.pk).update(ends_at=at)
    else:
        with pgtrigger.ignore(IMMUTABLE):
            EarningRuleVersion.objects.filter(pk=version.pk).update(ends_at=at)


def multipliers_to_come(rule: EarningRule, now: dt.datetime) -> list[str]:
    """The names of the rules of which a scheduled wording multiplies this one."""
    found = EarningRuleVersion.objects.filter(
        rule__program=rule.program_id,
        status=Status.PUBLISHED,
        starts_at__gt=now,
        body__kind="multiplier",
        body__of__contains=[rule.code],
    )
    return sorted(found.values_list("rule__name", flat=True))


def rule_policy(rule: EarningRule, wanted: RuleDefinition, now: dt.datetime) -> LotPolicy | None:
    """The policy of a rule's own terms; what it does not say is as the wallet type says now."""
    if not isinstance(wanted, EarningRuleDefinition):
        return None
    return own_policy(rule, wanted.pending, wanted.expiry, now)


def own_policy(
    rule: EarningRule, pending: PendingDefinition | None, expiry: ExpiryDefinition | None,
    now: dt.datetime,
) -> LotPolicy | None:  # fmt: skip
    """None where the rule says neither."""
    if pending is None and expiry is None:
        return None
    general = rule.wallet_type.lot_policies.filter(rule=None).order_by("-pk").first()
    assert general is not None
    values = lot_policy_values(pending or pending_of(general), expiry or expiry_of(general))
    newest = rule.lot_policies.order_by("-pk").first()
    if newest is not None and all(getattr(newest, name) == values[name] for name in values):
        return newest
    policy = LotPolicy(wallet_type=rule.wallet_type, rule=rule, created_at=now, **values)
    insert_row(policy)
    return policy


def lot_policy_values(pending: PendingDefinition, expiry: ExpiryDefinition) -> dict[str, Any]:
    """The columns of a lot policy with these terms."""
    return {
        "pending_from": pending.pending_from,
        "pending_days": pending.pending_days,
        "kind": expiry.kind,
        "length": expiry.length,
        "period": expiry.period,
        "month_day": expiry.month_day,
        "counted_from": expiry.counted_from,
        "last_day": expiry.last_day,
        "renewed_by": list(expiry.renewals),
        "restored_days": expiry.restored_days,
        "warned_days": expiry.warned_days,
    }


def delete_rule(rule: EarningRule) -> None:
    """A rule that was never published leaves without a trace."""
    rule.versions.all().delete()
    with pgtrigger.ignore("loyalty.LotPolicy:lot_policy_immutable"):
        rule.lot_policies.all().delete()
    drop_discount_budget(rule)
    rule.delete()
