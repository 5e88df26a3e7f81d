"""Enrolling a customer by hand."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.adjustment_forms import EnrollmentForm
from loyalty.backoffice.links import customer_url
from loyalty.models import Membership, Program
from loyalty.selectors.program_times import taking_members
from loyalty.services.invitations import invite_customer
from loyalty.services.memberships import enroll_customer
from members.consent_forms import details_of
from members.forms import errors_on
from members.models import Customer
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.told_consents import STAFF, ConsentsTold, keep_consents


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def enroll(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that makes a customer a member of a live program."""
    customer = get_object_or_404(Customer, public_id=public_id)
    programs = taking_members(timezone.now()).exclude(memberships__customer=customer)
    form = EnrollmentForm(request.POST or None, programs=programs, asked_of=details_of(customer))
    if request.method == "POST" and form.is_valid():
        message = _carry_out(request, form, customer)
        if message:
            return dialog_done(
                request, url=customer_url(customer), changed="wallet", message=message
            )
    context = {
        "title": _("Enroll %s") % customer,
        "form": form,
        "any_program": programs.exists(),
        "back": customer_url(customer),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/enroll.html", context, status=status)


def _carry_out(request: HttpRequest, form: EnrollmentForm, customer: Customer) -> str:
    """What was done, in a sentence; empty when the form now says why not."""
    program: Program = form.cleaned_data["program"]
    told = {"customer": customer, "program": program}
    now, actor = timezone.now(), acting(request)
    said = ConsentsTold(customer, form.said(), STAFF, actor, now)
    if form.cleaned_data["how"] == "invite":
        with errors_on(form):
            invite_customer(customer=customer, program=program, actor=actor, now=now)
            keep_consents(said)
        invited = _("%(customer)s is invited to %(program)s.") % told
        return "" if form.errors else invited
    with transaction.atomic():
        enroll_customer(
            customer=customer, program=program, source=Membership.Source.STAFF.value, at=now,
            actor=actor,
        )  # fmt: skip
        keep_consents(said)
    return _("%(customer)s is now a member of %(program)s.") % told
