"""A customer's paid plans: the panel on their page, and what is done about them by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.backoffice.subscription_forms import (
    CancelForm,
    PaidForm,
    PlanChoiceForm,
    RefundForm,
)
from loyalty.models import Membership, Plan, PlanCharge, Program, Subscription, Transfer
from loyalty.payments.providers import provider_named
from loyalty.plan_words import INVOICE_STATES, STATES, price_words, what_comes_next
from loyalty.selectors.memberships import list_memberships, memberships
from loyalty.selectors.plans import current_versions
from loyalty.selectors.subscriptions import (
    get_charge,
    get_subscription,
    history_of,
    owner_of,
    paid_charge,
    running_of,
)
from loyalty.services.failed_refunds import retry_refund
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import (
    RefundPreview,
    cancel_now,
    preview_refund,
    refund_charge,
)
from loyalty.services.subscriptions import cancel_at_period_end, resume, subscribe
from members.errors import DomainError, NotFoundError
from members.formatting import format_money
from members.forms import errors_on, posted
from members.models import Customer
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.erased import is_known

SOURCE = Transfer.Source.BACKOFFICE.value
_NOT_ANSWERED = gettext_lazy(
    "The payment provider has not answered yet. It is asked again until it has, and until then"
    " everything stays as it is."
)


@require_safe
@staff_view("customers.view")
def plan_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The customer's plans with their invoices, and what can be done about them."""
    customer = get_object_or_404(Customer, public_id=public_id)
    found = list_memberships(customer)
    may_serve = customer.merged_into_id is None and is_allowed(request.user, "plans.serve")
    shown = [_shown(item) for item in history_of(found)]
    running = {item["owner"].pk for item in shown if item["subscription"].running}
    selling = Program.objects.filter(plans__offered=True, status=Program.Status.LIVE)
    offered = set(selling.values_list("pk", flat=True))
    context = {
        "customer": customer,
        "title": _("Paid plan"),
        "panel_id": "plan",
        "panel_icon": "credit-card",
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "shown": shown,
        "may_serve": may_serve,
        # Who was erased is given none; what runs can still be ended.
        "joinable": [
            item
            for item in (found if is_known(customer) else [])
            if item.status == Membership.Status.ACTIVE
            and item.program_id in offered
            and item.pk not in running
        ],
    }
    return render(request, "loyalty/backoffice/plan_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("plans.serve")
def plan_join(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that gives a member a plan."""
    membership = get_object_or_404(
        memberships().exclude(status=Membership.Status.MERGED), public_id=public_id
    )
    offers = offered_plans(membership.program)
    if not offers or running_of(membership) is not None:
        raise Http404("There is no plan to take.")
    form = PlanChoiceForm(posted(request), offers=offers)
    back = customer_url(membership.customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            found = subscribe(
                membership=membership, plan=form.chosen,
                source=Subscription.Source.BACKOFFICE.value, actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            words = STATES[Subscription.State(found.state)][0]
            message = _("%(plan)s: %(state)s.") % {"plan": found.version.name, "state": words}
            return dialog_done(request, url=back, changed="wallet", message=message)
    said = {
        "title": _("Give a paid plan"), "form": form, "back": back, "submit": _("Give the plan"),
        "lead": _("%s is charged for it, by invoice or card, after a trial if there is one.")
        % membership.customer,
    }  # fmt: skip
    return _dialog(request, said)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("plans.serve")
def subscription_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that ends a plan: at the end of the period, or now with or without money back."""
    found, now = running_plan(public_id), timezone.now()
    charge = paid_charge(found, now)
    may_be_refunded = charge is not None and charge.refundable and not charge.giving_back
    preview = preview_refund(charge, now=now) if charge and may_be_refunded else None
    form = CancelForm(posted(request), subscription=found, charge=charge, preview=preview)
    back = customer_url(owner_of(found).customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            when, note = form.cleaned_data["when"], form.cleaned_data["reason"]
            if when == "period_end":
                cancel_at_period_end(subscription=found, actor=acting(request), now=now, note=note)
            else:
                found = cancel_now(
                    subscription=found, refund=when, actor=acting(request), source=SOURCE,
                    now=now, note=note,
                )  # fmt: skip
            message = _("%s was canceled.") % found.version.name
            if when != "period_end" and found.running:
                message = str(_NOT_ANSWERED)
            return dialog_done(request, url=back, changed="wallet", message=message)
    said = {
        "title": _("End %s?") % found.version.name, "form": form, "back": back,
        "submit": _("End the plan"), "withdrawn": preview.unused if preview else (),
    }  # fmt: skip
    return _dialog(request, said)


@require_POST
@staff_view("plans.serve")
def subscription_resume(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """It renews after all."""
    found = running_plan(public_id)
    message = _("%s renews again.") % found.version.name
    try:
        resume(subscription=found, actor=acting(request), now=timezone.now())
    except DomainError as error:
        message = str(error.message)
    return dialog_done(
        request, url=customer_url(owner_of(found).customer), changed="wallet", message=message
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("plans.serve")
def invoice_pay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog in which somebody says that they have seen the money."""
    charge = _charge(public_id)
    form = PaidForm(posted(request))
    back = customer_url(owner_of(charge.subscription).customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            mark_paid(
                charge=charge, actor=acting(request), now=timezone.now(),
                note=form.cleaned_data["note"],
            )  # fmt: skip
            message = _("Invoice %s is paid.") % charge.invoice_number
            return dialog_done(request, url=back, changed="wallet", message=message)
    money = format_money(charge.amount, charge.currency)
    said = {
        "title": _("Is invoice %s paid?") % charge.invoice_number, "form": form, "back": back,
        "submit": _("Mark it paid"),
        "lead": _("%(money)s for %(plan)s. The units of the plan come with it.")
        % {"money": money, "plan": charge.version.name},
    }  # fmt: skip
    return _dialog(request, said)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("plans.serve")
def invoice_refund(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that gives a payment back, with what that takes."""
    charge, now = _charge(public_id), timezone.now()
    back = customer_url(owner_of(charge.subscription).customer)
    if charge.state != PlanCharge.State.PAID or charge.giving_back or not charge.refundable:
        raise Http404("Only what was paid can be given back, and once.")
    preview = preview_refund(charge, now=now)
    form = RefundForm(posted(request), charge=charge, preview=preview)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            charge = refund_charge(
                charge=charge, how=form.cleaned_data["how"], actor=acting(request), source=SOURCE,
                now=now, note=form.cleaned_data["reason"],
            )  # fmt: skip
            message = _("Invoice %s was given back.") % charge.invoice_number
            if charge.giving_back:
                message = str(_NOT_ANSWERED)
            return dialog_done(request, url=back, changed="wallet", message=message)
    said = {
        "title": _("Give invoice %s back?") % charge.invoice_number, "form": form, "back": back,
        "submit": _("Give it back"), "lead": _consequence(charge, preview),
        "withdrawn": preview.unused,
    }  # fmt: skip
    return _dialog(request, said)


@require_POST
@staff_view("plans.serve")
def invoice_refund_retry(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask the provider once more for what it could not give back."""
    charge = _charge(public_id)
    message = _("Invoice %s was given back.") % charge.invoice_number
    try:
        found = retry_refund(charge=charge, actor=acting(request), now=timezone.now())
        if found.refund_failed_at is not None:
            message = str(_NOT_ANSWERED)
    except DomainError as error:
        message = str(error.message)
    back = customer_url(owner_of(charge.subscription).customer)
    return dialog_done(request, url=back, changed="wallet", message=message)


def _consequence(charge: PlanCharge, preview: RefundPreview) -> str:
    by_hand = not provider_named(charge.subscription.provider).collects
    lines = [_("The plan ends with it, at once.")] if preview.ends else []
    if by_hand:
        lines.append(_("You transfer the money yourself: nothing is sent by this."))
    return " ".join(lines)


def _dialog(request: HttpRequest, said: dict[str, Any]) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, "loyalty/backoffice/plan_dialog.html", said, status=status)


def offered_plans(program: Program) -> dict[Plan, str]:
    return {
        version.plan: f"{version.name}, {price_words(version, program.currency)}"
        for version in current_versions(program)
        if version.plan.offered
    }


def running_plan(public_id: UUID) -> Subscription:
    try:
        found = get_subscription(public_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    if not found.running:
        raise Http404("This plan has ended.")
    return found


def _charge(public_id: UUID) -> PlanCharge:
    try:
        return get_charge(public_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error


def _shown(found: Subscription) -> dict[str, Any]:
    owner = owner_of(found)
    program = owner.program
    given_back = found.running and any(charge.giving_back for charge in found.charges.all())
    return {
        "subscription": found,
        "owner": owner,
        "program": program,
        "state": STATES[Subscription.State(found.state)],
        "price": price_words(found.version, program.currency),
        "next": what_comes_next(found, program.currency, program.zone),
        "provider": provider_named(found.provider).label,
        # While money for it is on its way, nothing else can be done about it.
        "given_back": given_back,
        "unsettled": found.takes_over or given_back,
        "invoices": [
            {
                "charge": charge,
                "state": INVOICE_STATES[charge.state],
                "payable": charge.state in PlanCharge.UNPAID,
                "refundable": charge.state == PlanCharge.State.PAID
                and not charge.giving_back
                and charge.refundable > 0,
            }
            for charge in found.charges.all()
        ],
    }
