"""Insights → Self-check: whether the books agree with themselves, now and whenever one looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from loyalty.ledger.checks import DERIVED, RULES
from loyalty.models import SelfCheckFinding
from loyalty.selectors.self_checks import get_self_check, latest_verdict, list_self_checks
from loyalty.services.self_checks import KIND
from members.backoffice.job_rows import job_url
from members.formatting import format_moment, format_number
from members.jobs import job_kind
from members.models import Job
from members.paging import paginate
from members.policy import is_allowed, staff_view


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words, and what was found where it does not hold."""

    words: str
    derived: bool
    finding: SelfCheckFinding | None = None


@require_safe
@staff_view("self_checks.view")
def self_check_list(request: HttpRequest) -> HttpResponse:
    """The verdict, the history, and the rules that are looked at."""
    page = paginate(list_self_checks(), request=request, orderings={"": ("-pk",)}, default="")
    latest = latest_verdict()
    running = Job.objects.filter(kind=KIND, state__in=[Job.State.QUEUED, Job.State.RUNNING]).first()
    context = {
        "page": page,
        "latest": latest,
        "verdict": _verdict(latest) if latest else "",
        "running_url": job_url(running) if running else "",
        "may_check": is_allowed(request.user, job_kind(KIND).run_permission) and not running,
        "kind": KIND,
        "rules": [_row(name) for name in RULES],
    }
    return render(request, "loyalty/backoffice/self_check_list.html", context)


@require_safe
@staff_view("self_checks.view")
def self_check(request: HttpRequest, pk: int) -> HttpResponse:
    """One look: what did not hold, with the first of the rows, and what to do."""
    check = get_self_check(pk)
    findings = {finding.rule: finding for finding in check.findings.all()}
    rows = [_row(rule, finding) for rule, finding in findings.items()]
    context = {
        "check": check,
        "title": _("Self-check of %s") % format_moment(check.started_at),
        "breadcrumbs": [(_("Self-check"), reverse("loyalty_backoffice:self_check_list"))],
        "rows": rows,
        "derived_only": bool(rows) and all(row.derived for row in rows),
        "held": [_row(rule) for rule in list(RULES)[: check.looked_at] if rule not in findings],
        "job_url": job_url(check.job) if check.job else "",
    }
    return render(request, "loyalty/backoffice/self_check.html", context)


def _verdict(latest: Any) -> str:
    """What the newest self-check says, in a sentence."""
    numbers = {
        "broken": format_number(latest.broken), "rules": format_number(latest.looked_at),
        "moment": format_moment(latest.started_at),
    }  # fmt: skip
    if not latest.broken:
        return _("All %(rules)s rules held on %(moment)s.") % numbers
    return (
        ngettext(
            "%(broken)s rule did not hold on %(moment)s.",
            "%(broken)s rules did not hold on %(moment)s.",
            latest.broken,
        )
        % numbers
    )


def _row(rule: str, finding: SelfCheckFinding | None = None) -> RuleRow:
    return RuleRow(capfirst(_(rule)), rule in DERIVED, finding)
