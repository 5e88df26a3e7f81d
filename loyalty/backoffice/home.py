"""On the home page beside the figures: the latest movements, and what needs somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from loyalty.backoffice.approvals import (
    activities_badge,
    rules_to_publish,
    tiers_to_publish,
    waiting_badge,
)
from loyalty.backoffice.links import customer_url, program_url
from loyalty.explanations import explain_transfer
from loyalty.models import Membership, Program, Transfer
from loyalty.review_sentences import review_title
from loyalty.selectors.companies import waiting_companies
from loyalty.selectors.latest import latest_transfers
from loyalty.selectors.plan_figures import failed_refunds
from loyalty.selectors.program_reviews import unread_reviews
from loyalty.selectors.risk import waiting_cases
from loyalty.selectors.self_checks import latest_verdict
from loyalty.timeline import LOOK
from members.backoffice.job_rows import job_url
from members.formatting import format_day, format_moment, format_number, format_units
from members.job_access import failed_jobs, may_run
from members.jobs import job_kind
from members.models import Job, User
from members.policy import is_allowed, staff_view
from members.timeline_view import TimelineEntry

NEWEST = 8
NEEDS_OF_A_KIND = 5


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: what, why, and where to go."""

    icon: str
    kind: str
    title: str
    text: str
    url: str
    action: str


@require_safe
@staff_view("home.view")
def feed_panel(request: HttpRequest) -> HttpResponse:
    """The movements that happened last, in every program."""
    newest = latest_transfers(NEWEST)
    members = {
        membership.account_id: membership
        for membership in Membership.objects.filter(
            account__in=[transfer.wallet.account_id for transfer in newest]
        ).select_related("customer")
    }
    context = {
        "title": _("Latest movements"),
        "panel_id": "feed",
        "panel_icon": "history",
        "panel_refresh": "wallet-changed",
        "entries": [
            _entry(transfer, members[transfer.wallet.account_id])
            for transfer in newest
            if transfer.wallet.account_id in members
        ],
    }
    return render(request, "loyalty/backoffice/feed_panel.html", context)


@require_safe
@staff_view("home.view")
def attention_panel(request: HttpRequest) -> HttpResponse:
    """What waits for somebody."""
    context = {
        "title": _("What needs you"),
        "panel_id": "attention",
        "panel_icon": "bell",
        "needs": _needs(request),
    }
    return render(request, "loyalty/backoffice/attention_panel.html", context)


def _entry(transfer: Transfer, membership: Membership) -> TimelineEntry:
    icon, kind = LOOK[transfer.kind]
    return TimelineEntry(
        icon=icon,
        kind=kind,
        title=str(membership.customer),
        text=explain_transfer(transfer, audience="staff").title,
        moment=transfer.occurred_at,
        amount=format_units(transfer.signed_amount, transfer.wallet_type, sign=True),
        amount_kind="plus" if transfer.signed_amount > 0 else "minus",
        actor=str(transfer.actor) if transfer.actor_id else transfer.get_source_display(),
        url=customer_url(membership.customer),
    )


def _failed_job(request: HttpRequest, job: Job) -> Need:
    stopped = _("%s: it stopped. What is done so far stays.") % job_kind(job.kind).label
    go_on = _("It can go on where it stopped.") if may_run(request.user, job) else ""
    text = f"{stopped} {go_on}".strip()
    return Need("alert-circle", "danger", job.label, text, job_url(job), _("Look at it"))


def _needs(request: HttpRequest) -> list[Need]:
    needs = [*_drift(request), *_approvals(request), *_activities(request), *_rules(request)]
    needs += [*_fraud(request), *_tiers(request)]
    needs += [*_reviews(request), *_companies(request), *_refunds(request), *_passes(request)]
    needs += [_failed_job(request, job) for job in failed_jobs(request.user)[:NEEDS_OF_A_KIND]]
    if is_allowed(request.user, "programs.edit"):
        drafts = Program.objects.filter(status=Program.Status.DRAFT)[:NEEDS_OF_A_KIND]
        needs += [
            Need(
                "file-pencil", "info", program.name,
                _("A draft: nothing earns in it before it is live."),
                program_url(program), _("Open the draft"),
            )
            for program in drafts
        ]  # fmt: skip
    return needs


def _reviews(request: HttpRequest) -> list[Need]:
    """The newest review of each program that the reader has not opened."""
    if not is_allowed(request.user, "reports.view"):
        return []
    return [
        Need(
            "report-analytics", "info",
            _("Review of %(program)s: %(quarter)s") % {
                "program": review.program.name, "quarter": review_title(review),
            },
            _("What works, what nobody uses, what costs too much, and what could be changed."),
            reverse("loyalty_backoffice:review_page", args=[review.public_id]),
            _("Read the review"),
        )
        for review in unread_reviews(cast(User, request.user))[:NEEDS_OF_A_KIND]
    ]  # fmt: skip


def _companies(request: HttpRequest) -> list[Need]:
    """Companies that the reader looks after in which a buyer waits for an approver."""
    return [
        Need(
            "building", "info", company.pool.name,
            ngettext(
                "%s request of a buyer waits for its approvers.",
                "%s requests of buyers wait for its approvers.",
                count,
            ) % count,
            reverse("loyalty_backoffice:company_page", args=[company.pool.public_id]),
            _("Open the company"),
        )
        for company, count in waiting_companies(request.user.pk)[:NEEDS_OF_A_KIND]
    ]  # fmt: skip


def _refunds(request: HttpRequest) -> list[Need]:
    """Programs with money that a payment provider could not give back."""
    if not is_allowed(request.user, "plans.serve"):
        return []
    return [
        Need(
            "receipt-refund", "danger", program.name,
            ngettext(
                "The payment provider could not give %s payment back.",
                "The payment provider could not give %s payments back.",
                count,
            ) % count,
            f"{reverse('loyalty_backoffice:subscriber_list', args=[program.code])}"
            "?state=refund_failed",
            _("Look at them"),
        )
        for program, count in failed_refunds()[:NEEDS_OF_A_KIND]
    ]  # fmt: skip


def _drift(request: HttpRequest) -> list[Need]:
    """The alarm: the books do not agree with themselves, as far as anybody has looked."""
    latest = latest_verdict() if is_allowed(request.user, "self_checks.view") else None
    if latest is None or not latest.broken:
        return []
    text = ngettext(
        "%(number)s rule of the books does not hold, as of %(moment)s.",
        "%(number)s rules of the books do not hold, as of %(moment)s.",
        latest.broken,
    ) % {"number": format_number(latest.broken), "moment": format_moment(latest.started_at)}
    return [
        Need(
            "alert-triangle", "danger", _("The books do not agree"), text,
            reverse("loyalty_backoffice:self_check", args=[latest.pk]), _("See what differs"),
        )
    ]  # fmt: skip


def _passes(request: HttpRequest) -> list[Need]:
    """What signs members' cards for the wallets of phones ends, or has ended."""
    keys, now = settings.APPLE_PASSES, timezone.now()
    if keys is None or not keys.ends_soon(now) or not is_allowed(request.user, "merchant.edit"):
        return []
    day = {"day": format_day(keys.valid_until)}
    text = (
        _("The certificate ends on %(day)s. After that no card is given to Apple’s wallet, and "
          "those in phones stay as they are.")
        if keys.is_valid(now)
        else _("The certificate ended on %(day)s. No card is given to Apple’s wallet, and those in "
               "phones stay as they are.")
    ) % day  # fmt: skip
    return [
        Need(
            "device-mobile", "warning" if keys.is_valid(now) else "danger",
            _("Cards in the wallets of phones"), text,
            reverse("backoffice:merchant"), _("See what is set up"),
        )
    ]  # fmt: skip


def _rules(request: HttpRequest) -> list[Need]:
    waiting = rules_to_publish(request)
    if not waiting:
        return []
    text = ngettext(
        "%(number)s rule waits for you to publish it.",
        "%(number)s rules wait for you to publish them.",
        waiting,
    ) % {"number": format_number(waiting)}
    return [
        Need(
            "coins", "warning", _("Earning rules"), text,
            reverse("loyalty_backoffice:approval_list"), _("Read them"),
        )
    ]  # fmt: skip


def _tiers(request: HttpRequest) -> list[Need]:
    waiting = tiers_to_publish(request)
    if not waiting:
        return []
    text = ngettext(
        "The tiers of %(number)s program wait for you to publish them.",
        "The tiers of %(number)s programs wait for you to publish them.",
        waiting,
    ) % {"number": format_number(waiting)}
    return [
        Need(
            "trophy", "warning", _("Tiers"), text,
            reverse("loyalty_backoffice:approval_list"), _("Read them"),
        )
    ]  # fmt: skip


def _approvals(request: HttpRequest) -> list[Need]:
    waiting = waiting_badge(request)
    if not waiting:
        return []
    text = ngettext(
        "%(number)s adjustment waits for your approval.",
        "%(number)s adjustments wait for your approval.",
        waiting,
    ) % {"number": format_number(waiting)}
    return [
        Need(
            "user-check", "warning", _("Approvals"), text,
            reverse("loyalty_backoffice:approval_list"), _("Decide"),
        )
    ]  # fmt: skip


def _fraud(request: HttpRequest) -> list[Need]:
    waiting = waiting_cases() if is_allowed(request.user, "risk.decide") else 0
    if not waiting:
        return []
    text = ngettext(
        "%(number)s case waits for a decision.", "%(number)s cases wait for a decision.", waiting
    ) % {"number": format_number(waiting)}
    return [
        Need(
            "shield-search", "warning", _("Fraud review"), text,
            reverse("loyalty_backoffice:risk_case_list"), _("Decide"),
        )
    ]  # fmt: skip


def _activities(request: HttpRequest) -> list[Need]:
    waiting = activities_badge(request)
    if not waiting:
        return []
    text = ngettext(
        "%(number)s activity waits for a decision.",
        "%(number)s activities wait for a decision.",
        waiting,
    ) % {"number": format_number(waiting)}
    return [
        Need(
            "star", "warning", _("Activities"), text,
            reverse("loyalty_backoffice:approval_list"), _("Decide"),
        )
    ]  # fmt: skip
