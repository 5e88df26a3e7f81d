"""Today's terms for units that exist: who gains and who loses first, then a job."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import program_crumbs, program_url
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.descriptions import describe_expiry
from loyalty.models import Program, WalletType
from loyalty.selectors.balances import worth_of
from loyalty.selectors.lot_policies import expiry_of
from loyalty.services.policy_change_jobs import KIND, start_policy_change
from loyalty.services.policy_changes import PolicyEffect, Share, newest_policy
from loyalty.slow_figures import TERMS
from members.backoffice.job_rows import job_url
from members.backoffice.jobs import hand_over
from members.charts import Chart, Series
from members.errors import DomainError
from members.formatting import format_money, format_number, format_units
from members.forms import errors_on, posted
from members.models import Job
from members.policy import acting, staff_view
from members.responses import figures_for


@dataclass(frozen=True, slots=True)
class ShareFigure:
    """Members that a change concerns in one way, and what they hold."""

    label: str
    members: str
    sub: str
    icon: str


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def terms_apply(request: HttpRequest, code: str, unit: str) -> HttpResponse:
    """The page that explains it, shows its effect, and begins it once somebody says why."""
    wallet_type = _wallet_type(code, unit)
    program = wallet_type.program
    form = ReasonForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            job = start_policy_change(
                wallet_type=wallet_type,
                actor=acting(request),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
            hand_over(request, job)
            messages.success(request, _("The terms are being applied."))
            return redirect(job_url(job))
    policies = wallet_type.lot_policies.filter(rule=None).order_by("-pk")
    context = {
        "title": _("Terms of today for %s that exist") % wallet_type.plural,
        "breadcrumbs": program_crumbs(program),
        "program": program,
        "wallet_type": wallet_type,
        "form": form,
        "today": describe_expiry(expiry_of(policies[0])),
        "earlier": [(describe_expiry(expiry_of(item)), item) for item in policies[1:]],
        "back": program_url(program),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/terms_apply.html", context, status=status)


@require_safe
@staff_view("programs.edit")
def terms_effect(request: HttpRequest, code: str, unit: str) -> HttpResponse:
    """Who would gain and who would lose; all lots are looked at, so the page loads it after."""
    wallet_type = _wallet_type(code, unit)
    context: dict[str, Any] = {
        "title": _("What it would do"),
        "panel_id": "terms-effect",
        "panel_icon": "git-compare",
        "breadcrumbs": program_crumbs(wallet_type.program),
        "wallet_type": wallet_type,
    }
    try:
        policy = newest_policy(wallet_type)
    except DomainError as error:
        context["problem"] = str(error.message)
        return render(request, "loyalty/backoffice/terms_effect.html", context)
    figures = figures_for(
        request, TERMS, timezone.now(), wallet_type=wallet_type.pk, policy=policy.pk,
        applied=_last_applied(wallet_type),
    )  # fmt: skip
    if figures is not None:
        effect = figures.value
        context["figures"] = figures
        context["stats"] = _stats(effect, wallet_type)
        context["chart"] = _chart(effect, wallet_type)
        context["lost"] = effect.lost.members
        context["nothing"] = not (effect.longer.lots + effect.shorter.lots + effect.lost.lots)
    return render(request, "loyalty/backoffice/terms_effect.html", context)


def _wallet_type(code: str, unit: str) -> WalletType:
    """Of a program that has been live: before, there are no units."""
    wallet_types = WalletType.objects.select_related("program")
    live = wallet_types.exclude(program__status=Program.Status.DRAFT)
    found: WalletType = get_object_or_404(live, program__code=code, code=unit)
    return found


def _shares(effect: PolicyEffect) -> list[tuple[str, Share, str]]:
    return [
        (_("Can use them longer"), effect.longer, "hourglass-high"),
        (_("Can use them less long"), effect.shorter, "hourglass-low"),
        (_("Lose them at once"), effect.lost, "hourglass-off"),
        (_("Keep their day"), effect.unchanged, "equal"),
    ]


def _last_applied(wallet_type: WalletType) -> str:
    jobs = Job.objects.filter(kind=KIND, params__wallet_type=wallet_type.pk)
    return str(jobs.order_by("-pk").values_list("pk", "state", "finished_at").first())


def _stats(effect: PolicyEffect, wallet_type: WalletType) -> list[ShareFigure]:
    return [
        ShareFigure(label, _members(share), _held(share, wallet_type), icon)
        for label, share, icon in _shares(effect)
    ]


def _members(share: Share) -> str:
    words = ngettext("%s member", "%s members", share.members)
    return words % format_number(share.members)


def _held(share: Share, wallet_type: WalletType) -> str:
    units = format_units(share.units, wallet_type)
    worth = worth_of(share.units, wallet_type)
    money = format_money(worth, wallet_type.program.currency) if worth else ""
    return f"{units} · {money}" if money else units


def _chart(effect: PolicyEffect, wallet_type: WalletType) -> Chart:
    shares = _shares(effect)
    values = [Decimal(share.units).scaleb(-wallet_type.scale) for _label, share, _icon in shares]
    summary = "; ".join(f"{label}: {_held(share, wallet_type)}" for label, share, _icon in shares)
    return Chart(
        id=f"terms-{wallet_type.pk}",
        title=capfirst(_("%s by what happens to them") % wallet_type.plural),
        labels=[_("Longer"), _("Less long"), _("Gone"), _("As before")],
        series=[Series(capfirst(wallet_type.plural), values)],
        kind="bar",
        unit=wallet_type.plural,
        summary=f"{summary}.",
        x_label=_("What happens"),
        height="sm",
    )
