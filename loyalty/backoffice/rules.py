"""The earning rules of a program: in their order of evaluation, and one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from loyalty.backoffice.rule_comparisons import Comparison, compare
from loyalty.backoffice.rule_kind_forms import FORMS
from loyalty.backoffice.rule_links import (
    rule_or_404,
    rule_tabs,
    rule_url,
    rules_crumbs,
    rules_url,
)
from loyalty.backoffice.rule_templates import kind_label
from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.rule_words import describe_kind, describe_rule, describe_when
from loyalty.rules.bodies import EarningBody, MultiplierBody, WindowedBody, parse_body
from loyalty.selectors.rules import ENDED, RuleRow, row_of, rule_rows, state_of
from loyalty.services.rules import findings, may_not_publish, order_rules, set_four_eyes
from members.audit import action_label
from members.errors import DomainError
from members.policy import acting, is_allowed, staff_view
from members.selectors.audit import entries_of


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule in a list: its sentence, and what is the case with it."""

    row: RuleRow
    sentence: str
    more: list[str]
    kind: str
    state: str
    first: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated together."""

    title: str
    text: str
    icon: str
    rules: list[ShownRule]


@require_safe
@staff_view("programs.view")
def rule_list(request: HttpRequest, code: str) -> HttpResponse:
    """All rules of a program as they are evaluated."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    rows = rule_rows(program, now)
    active = [row for row in rows if row.state != ENDED]
    ended = [_shown(row, program) for row in rows if row.state == ENDED]
    context = {
        "program": program,
        "title": _("Earning rules"),
        "breadcrumbs": rules_crumbs(program)[:-1],
        "tabs": rule_tabs(program, "list"),
        "groups": _groups([_shown(row, program) for row in active]),
        "ended": ended,
        "may_draft": is_allowed(request.user, "rules.draft"),
        "may_set": is_allowed(request.user, "rules.settings"),
    }
    return render(request, "loyalty/backoffice/rule_list.html", context)


def _groups(rules: Sequence[ShownRule]) -> list[RuleGroup]:
    """The stages of an evaluation, with the rules of each in order."""
    stages: dict[str, list[ShownRule]] = {"base": [], "multipliers": [], "windows": []}
    for rule in rules:
        body = rule.row.body
        if isinstance(body, MultiplierBody):
            stages["multipliers"].append(rule)
        elif isinstance(body, WindowedBody) and body.windowed:
            stages["windows"].append(rule)
        else:
            stages["base"].append(rule)
    words = {
        "base": (_("First: what an order earns"), "coins",
                 _("Rates, cashback, fixed awards and bonuses, one after the other.")),
        "multipliers": (_("Then: what multiplies it"), "trending-up",
                        _("Multipliers change what rates and cashback give.")),
        "windows": (_("Besides: what several orders earn together"), "calendar-repeat",
                    _("Cards, streaks, N-th purchases and bonuses of a period. They are judged by"
                      " themselves and are never multiplied.")),
    }  # fmt: skip
    return [
        RuleGroup(title, text, icon, _with_ends(stages[stage]))
        for stage, (title, icon, text) in words.items()
        if stages[stage]
    ]


def _with_ends(rules: Sequence[ShownRule]) -> list[ShownRule]:
    """The first does not go up, the last does not go down."""
    return [
        ShownRule(
            rule.row, rule.sentence, rule.more, rule.kind, rule.state,
            first=number == 0, last=number == len(rules) - 1,
        )
        for number, rule in enumerate(rules)
    ]  # fmt: skip


def _shown(row: RuleRow, program: Program) -> ShownRule:
    body = row.body
    more = list(describe_when(body))
    if isinstance(body, EarningBody) and body.group:
        more.append(_("Group “%s”: only the one that gives most counts.") % body.group)
    if isinstance(body, EarningBody) and body.stops:
        more.append(_("Later rules for the same units give nothing where this one does."))
    return ShownRule(
        row,
        describe_kind(body, row.rule.wallet_type, program.currency),
        more,
        str(kind_label(body.kind)),
        row.state,
    )


@require_POST
@staff_view("rules.draft")
def rule_order(request: HttpRequest, code: str) -> HttpResponse:
    """One rule a place up or down among those of its stage."""
    program = get_object_or_404(Program, code=code)
    wanted = _moved(request, program)
    if wanted is not None:
        try:
            order_rules(program=program, codes=wanted, actor=acting(request), now=timezone.now())
        except DomainError as error:
            messages.error(request, str(error.message))
    return redirect(rules_url(program))


def _moved(request: HttpRequest, program: Program) -> list[str] | None:
    """The whole order after the step; None where there is no place to go to."""
    moving, up = request.POST.get("rule", ""), request.POST.get("way") == "up"
    rows = rule_rows(program, timezone.now())
    active = [_shown(row, program) for row in rows if row.state != ENDED]
    codes = [row.rule.code for row in rows]
    for group in _groups(active):
        own = [rule.row.rule.code for rule in group.rules]
        other = own.index(moving) + (-1 if up else 1) if moving in own else -1
        if 0 <= other < len(own):
            one, two = codes.index(moving), codes.index(own[other])
            codes[one], codes[two] = codes[two], codes[one]
            return codes
    return None


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
        "has_form": row.body.kind in FORMS,
        "state": row.state,
        "sentences": describe_rule(row.body, found.wallet_type, program.currency),
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
    return describe_rule(parse_body(version.body), rule.wallet_type, rule.program.currency)


def _version_name(version: EarningRuleVersion) -> str:
    if version.status == EarningRuleVersion.Status.DRAFT:
        return _("Draft")
    return _("Version %s") % version.number


@require_safe
@staff_view("programs.view")
def rule_by_id(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the audit log's links lead: the page under the rule's own name."""
    rules = EarningRule.objects.select_related("program")
    return redirect(rule_url(get_object_or_404(rules, pk=pk)))
