"""The earning rules of a program: in their order of evaluation, and one by itself."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from loyalty.backoffice.rule_comparisons import Comparison, compare
from loyalty.backoffice.rule_links import (
    rule_or_404,
    rule_tabs,
    rule_url,
    rules_crumbs,
    rules_url,
)
from loyalty.backoffice.rule_order import rule_groups, shown_rule
from loyalty.backoffice.rule_templates import kind_label
from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.selectors.discount_costs import DiscountCost, discount_costs
from loyalty.selectors.rule_sentences import version_sentences
from loyalty.selectors.rules import (
    CAMPAIGN,
    ENDED,
    RuleRow,
    brought_rows,
    row_of,
    rule_rows,
    state_of,
)
from loyalty.services.rules import findings, may_not_publish, set_four_eyes
from members.audit import action_label
from members.policy import acting, is_allowed, staff_view
from members.selectors.audit import entries_of


@require_safe
@staff_view("programs.view")
def rule_list(request: HttpRequest, code: str) -> HttpResponse:
    """All rules of a program as they are evaluated."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    rows = rule_rows(program, now)
    context = {
        "program": program,
        "title": _("Earning rules"),
        "breadcrumbs": rules_crumbs(program)[:-1],
        "tabs": rule_tabs(program, "list"),
        "groups": rule_groups(rows),
        "ended": [shown_rule(row) for row in rows if row.state == ENDED],
        "brought": [shown_rule(row) for row in brought_rows(program, now)],
        "may_draft": is_allowed(request.user, "rules.draft"),
        "may_set": is_allowed(request.user, "rules.settings"),
    }
    return render(request, "loyalty/backoffice/rule_list.html", context)


@require_POST
@staff_view("rules.settings")
def rule_settings(request: HttpRequest, code: str) -> HttpResponse:
    """Whether a second person publishes."""
    program = get_object_or_404(Program, code=code)
    on = request.POST.get("four_eyes") == "1"
    set_four_eyes(program=program, on=on, actor=acting(request))
    messages.success(
        request,
        _("From now on a second person publishes the rules of %s.") % program
        if on
        else _("From now on whoever writes a rule of %s may publish it.") % program,
    )
    return redirect(rules_url(program))


@require_safe
@staff_view("programs.view")
def rule_page(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """One rule: what it says, its draft beside it, and every wording that it has had."""
    found = rule_or_404(code, rule)
    now = timezone.now()
    row = row_of(found, now)
    program = found.program
    actor = acting(request)
    context = {
        "program": program,
        "rule": found,
        "row": row,
        "shown": row.shown,
        "title": found.name,
        "breadcrumbs": rules_crumbs(program),
        "kind": kind_label(row.body.kind),
        "state": row.state,
        "sentences": _sentences(found, row.shown),
        "is_discount": row.body.kind == "discount",
        "costs": _costs(found, now) if row.body.kind == "discount" else [],
        "comparison": _comparison(request, row),
        "choices": [(item.number, _version_name(item)) for item in row.versions],
        "versions": [(item, state_of(item, now), _sentences(found, item)) for item in row.versions],
        "findings": findings(found, row.draft, now=now) if row.draft else [],
        "why_not": may_not_publish(row.draft, actor) if row.draft and program.four_eyes else "",
        "is_own_request": bool(row.draft and actor.user and row.draft.asked_by_id == actor.user.pk),
        "may_draft": is_allowed(request.user, "rules.draft"),
        "may_publish": is_allowed(request.user, "rules.publish"),
        "changes": [
            {"entry": entry, "label": action_label(entry.action)}
            for entry in entries_of(found, limit=10)
        ],
    }
    return render(request, "loyalty/backoffice/rule_page.html", context)


def _costs(rule: EarningRule, now: dt.datetime) -> list[DiscountCost]:
    """What a discount took off in the last 30 days, and ever."""
    lately = discount_costs(rule.program, now - dt.timedelta(days=30))
    ever = discount_costs(rule.program)
    return [found.get(rule.pk, DiscountCost()) for found in (lately, ever)]


def _comparison(request: HttpRequest, row: RuleRow) -> Comparison | None:
    """The two wordings that were chosen; else the draft, or what comes next, against the live
    one."""
    by_number = {str(item.number): item for item in row.versions}
    left = by_number.get(request.GET.get("left", ""))
    right = by_number.get(request.GET.get("right", ""))
    if left is None or right is None:
        left = row.live
        right = row.draft or next(iter(row.scheduled), None)
    if left is None or right is None or left == right:
        return None
    rows = compare(_sentences(row.rule, left), _sentences(row.rule, right))
    return Comparison(left, right, rows)


def _sentences(rule: EarningRule, version: EarningRuleVersion) -> list[str]:
    return version_sentences(version, rule.wallet_type, rule.program.currency)


def _version_name(version: EarningRuleVersion) -> str:
    if version.status == EarningRuleVersion.Status.DRAFT:
        return _("Draft")
    return _("Version %s") % version.number


@require_safe
@staff_view("programs.view")
def rule_by_id(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the audit log's links lead: the page under the rule's own name."""
    rule = get_object_or_404(EarningRule.objects.select_related("program"), pk=pk)
    if rule.source:
        if rule.source.startswith(CAMPAIGN):
            return redirect("campaigns_backoffice:campaign_of_rule", rule.pk)
        # What a benefit of a tier or a plan gives has no page of its own.
        page = "tier_set_page" if rule.source == "tiers" else "plan_list"
        return redirect(f"loyalty_backoffice:{page}", rule.program.code)
    return redirect(rule_url(rule))
