"""Fraud review: whom somebody has to look at, why, and what is decided; how much speaks against a
customer, on their page; and from when on a program calls something suspicious."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.risk_facts import shown_reasons
from loyalty.backoffice.risk_forms import ClawBackForm, FilterForm, NoteForm, PolicyForm
from loyalty.models import Membership, Program, RiskCase
from loyalty.risk_reasons import LEVEL_KINDS, LEVELS, reasons_of
from loyalty.selectors.risk import (
    Standing,
    filtered_cases,
    get_case,
    list_policies,
    policy_of,
    standings_of,
)
from loyalty.selectors.risk_takings import chosen_of, takings_of, undue_of
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from loyalty.services.risk_policies import write_policy
from loyalty.services.risk_scores import score_member
from members.errors import NotFoundError
from members.forms import errors_on, posted
from members.models import Customer
from members.paging import paginate
from members.panels import HeaderFact
from members.policy import acting, is_allowed, staff_view
from members.program_scope import programs_in_scope
from members.responses import htmx_redirect, is_htmx
from members.selectors.customers import get_customer

NAMESPACE = "loyalty_backoffice"
ORDERINGS = {"newest": ("-pk",)}
TEMPLATES = "loyalty/backoffice"


def case_url(case: RiskCase) -> str:
    return reverse(f"{NAMESPACE}:risk_case", args=[case.public_id])


def risk_facts(customer: Customer) -> list[HeaderFact]:
    """The highest score, in the customer's header."""
    found = standings_of(customer)[:1]
    return [
        HeaderFact(
            label=_("Risk"), value=str(LEVELS[one.level]), kind=LEVEL_KINDS[one.level],
            sub=_("%s of 100") % one.score.points, icon="shield-search", permission="risk.view",
            url=case_url(one.case) if one.case else "",
        )
        for one in found
    ]  # fmt: skip


@require_safe
@staff_view("risk.view")
def risk_case_list(request: HttpRequest) -> HttpResponse:
    """Newest first; those that wait, to begin with."""
    form = FilterForm(request.GET)
    chosen = form.chosen
    rows = filtered_cases(state=chosen["state"], program=chosen["program"], signal=chosen["signal"])
    page = paginate(rows, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Fraud review"), "form": form, "page": page,
        "rows": [(case, reasons_of(case.signals)) for case in page.items],
        "filtered": chosen["signal"] or chosen["program"] or chosen["state"] not in ("", "waiting"),
        "everything": "?state=",
        "programs": Program.objects.order_by("name")
        if is_allowed(request.user, "risk.settings")
        else (),
    }  # fmt: skip
    return render(request, f"{TEMPLATES}/risk_case_list.html", context)


@require_safe
@staff_view("risk.view")
def risk_case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Why, by which facts, and what can be done."""
    case = _case(public_id)
    customer = case.membership.customer
    level = policy_of(case.membership.program).level(case.points)
    context = {
        "title": str(customer), "breadcrumbs": _crumbs(), "case": case, "customer": customer,
        "program": case.membership.program, "reasons": shown_reasons(reasons_of(case.signals)),
        "may_decide": is_allowed(request.user, "risk.decide")
        and case.state in RiskCase.WAITING,
        "customer_page": customer_url(customer),
        "timeline": reverse("backoffice:customer_timeline", args=[customer.public_id]),
        "notes": reverse("backoffice:customer_notes", args=[customer.public_id]),
        "others": filtered_cases(customer=customer).exclude(pk=case.pk)[:10],
    }  # fmt: skip
    return render(request, f"{TEMPLATES}/risk_case.html", context | _level_words(level))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("risk.decide")
def risk_case_hold(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that suspends until it is decided."""
    return _decide(request, public_id, hold_case, "hold", _("Hold this member?"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("risk.decide")
def risk_case_release(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that says that all is fine."""
    return _decide(request, public_id, release_case, "release", _("Release this case?"))


def _decide(request: HttpRequest, public_id: UUID, act: Any, what: str, title: str) -> HttpResponse:
    case = _case(public_id)
    form = NoteForm(posted(request), case=case)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            act(
                case=case, note=form.cleaned_data["note"], actor=acting(request),
                now=timezone.now(), seen=form.cleaned_data["seen"],
            )  # fmt: skip
            words = _("Held until it is decided.") if what == "hold" else _("Released.")
            messages.success(request, words)
            return htmx_redirect(request, case_url(case))
    context = {
        "title": title, "form": form, "case": case, "what": what, "back": case_url(case),
        "customer": case.membership.customer, "program": case.membership.program,
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, f"{TEMPLATES}/risk_decide.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("risk.decide")
def risk_case_claw_back(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What would be taken, of which wallet, and from what; then it is."""
    case, now, scope = _case(public_id), timezone.now(), programs_in_scope()
    if request.method == "POST" and case.state == RiskCase.State.CLAWED_BACK:
        return htmx_redirect(request, case_url(case))
    waits = case.state in RiskCase.WAITING
    found = undue_of(case, now=now) if waits else []
    # What concerns a program that one does not see is not one's own to take.
    beyond = {one.key for one in found if not one.is_seen(scope)}
    undue = [one for one in found if one.key not in beyond]
    form = ClawBackForm(posted(request), case=case, undue=undue)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            done = claw_back(
                case=case, facts=form.cleaned_data["facts"],
                resume=form.cleaned_data.get("resume", False), note=form.cleaned_data["note"],
                actor=acting(request), now=now, seen=form.cleaned_data["seen"],
            )  # fmt: skip
            messages.success(request, _taken_words(done.asked))
            return htmx_redirect(request, case_url(case))
    context = {
        "title": _("Take back"), "form": form, "case": case, "back": case_url(case),
        "takings": takings_of(case, chosen_of(case, undue), now=now), "waits": waits,
        "beyond": len(beyond),
        "by_orders": any(one.kind == "order" for one in undue),
        "customer": case.membership.customer, "breadcrumbs": [*_crumbs(), (
            str(case.membership.customer), case_url(case))],
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, f"{TEMPLATES}/risk_claw_back.html", context, status=status)


def _taken_words(asked: int) -> str:
    if not asked:
        return _("Taken back.")
    return ngettext(
        "%s adjustment waits for a second person; until then the case waits as well.",
        "%s adjustments wait for a second person; until then the case waits as well.", asked,
    ) % asked  # fmt: skip


@require_safe
@staff_view("risk.view")
def risk_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How much speaks against a customer in each program, and why."""
    return _panel(request, get_customer(public_id))


@require_POST
@staff_view("risk.decide")
def risk_look(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Work it out at once."""
    customer = get_customer(public_id)
    members = Membership.objects.filter(customer=customer, merged_into=None)
    for member in members.select_related("customer", "program").order_by("pk"):
        score_member(member, now=timezone.now())
    if not is_htmx(request):
        return redirect("loyalty_backoffice:risk_panel", public_id)
    return _panel(request, customer, _("Looked at anew."))


def _panel(request: HttpRequest, customer: Customer, said: str = "") -> HttpResponse:
    context = {
        "title": _("Risk"), "panel_id": "risk", "panel_icon": "shield-search",
        "panel_url": reverse(f"{NAMESPACE}:risk_panel", args=[customer.public_id]),
        "customer": customer, "announcement": said,
        "may_look": is_allowed(request.user, "risk.decide"),
        "standings": [_standing(one) for one in standings_of(customer)],
        "cases": filtered_cases(customer=customer)[:5],
    }  # fmt: skip
    return render(request, f"{TEMPLATES}/risk_panel.html", context)


def _standing(one: Standing) -> dict[str, Any]:
    reasons = shown_reasons(reasons_of(one.score.signals))
    program = one.score.membership.program
    return {"score": one.score, "program": program, "reasons": reasons, **_level_words(one.level)}


def _level_words(level: str) -> dict[str, str]:
    return {"level_label": str(LEVELS[level]), "level_kind": LEVEL_KINDS[level]}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("risk.settings")
def risk_settings(request: HttpRequest, code: str) -> HttpResponse:
    """All numbers of a program on one page."""
    program = get_object_or_404(Program, code=code)
    form = PolicyForm(posted(request), policy=policy_of(program))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            write_policy(
                program=program, values=form.values(), actor=acting(request), now=timezone.now()
            )
            messages.success(request, _("This holds from now on; members are looked at anew."))
            return redirect(request.path)
    context = {
        "title": _("What is suspicious"), "form": form, "program": program,
        "breadcrumbs": _crumbs(), "versions": list_policies(program),
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, f"{TEMPLATES}/risk_settings.html", context, status=status)


def _case(public_id: UUID) -> RiskCase:
    try:
        return get_case(public_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Fraud review"), reverse(f"{NAMESPACE}:risk_case_list"))]
