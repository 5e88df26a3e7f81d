"""What is known of a person, all of it: to hand out, and to erase after a look at what becomes of
it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.errors import DomainError
from members.forgetting import warnings_before
from members.forms import errors_on, posted
from members.models import Customer
from members.personal_files import FILE_NAME, FILE_TYPE
from members.policy import acting, is_allowed, staff_view
from members.responses import file_of_pieces, is_htmx
from members.selectors.customers import get_customer
from members.selectors.personal_data import known_parts
from members.selectors.personal_packages import (
    file_state,
    get_package,
    latest_package,
)
from members.services.customers import erase_customer_details
from members.services.personal_packages import fetch_package, request_package


class EraseForm(forms.Form):
    """What cannot be undone asks for more than a click."""

    name = forms.CharField(label=_l("Their name, to be sure"), max_length=300)
    reason = forms.CharField(
        label=_l("Reason"), max_length=300,
        help_text=_l("For colleagues who ask later, without any name: asked by mail on May 4."),
    )  # fmt: skip

    def __init__(self, data: Any, *, customer: Customer) -> None:
        super().__init__(data)
        self.customer_name = customer.display_name
        self.fields["name"].help_text = self.customer_name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.strip().casefold() != self.customer_name.casefold():
            raise forms.ValidationError(
                _("Write %s: this is the customer whose page you came from.") % self.customer_name,
                code="other",
            )
        return name


@require_safe
@staff_view("customers.export")
def customer_data(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How much there is of what, the file with it, and the way to erase it."""
    customer = get_customer(public_id)
    if customer.merged_into is not None:
        return redirect("backoffice:customer_data", customer.merged_into.public_id)
    state = file_state(latest_package(customer, for_staff=True), timezone.now())
    if is_htmx(request):
        known = {"customer": customer, **state}
        return render(request, "backoffice/customer_data_file.html", known)
    context = {
        **_page(customer, _("Data of %s") % customer),
        **state,
        "parts": known_parts(customer),
        "may_erase": is_allowed(request.user, "customers.erase"),
    }
    return render(request, "backoffice/customer_data.html", context)


@require_POST
@staff_view("customers.export")
def customer_data_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Have the file made. It leaves a line in the audit log, so it is asked for by a button."""
    customer = get_customer(public_id)
    try:
        request_package(
            customer=customer, actor=acting(request), for_staff=True, now=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("backoffice:customer_data", public_id)


@require_POST
@staff_view("customers.export")
def customer_data_fetch(request: HttpRequest, public_id: UUID, package: UUID) -> HttpResponse:
    """The file, which is in the audit log as well."""
    customer = get_customer(public_id)
    found = get_package(customer, package, for_staff=True)
    try:
        pieces = fetch_package(package=found, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("backoffice:customer_data", public_id)
    return file_of_pieces(pieces, FILE_NAME, FILE_TYPE)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.erase")
def customer_erase(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What becomes of everything first; then it is done, once the name is written."""
    customer = get_customer(public_id)
    if customer.merged_into is not None:
        return redirect("backoffice:customer_erase", customer.merged_into.public_id)
    form = EraseForm(posted(request), customer=customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            erase_customer_details(
                customer=customer, actor=acting(request), reason=form.cleaned_data["reason"]
            )
            messages.success(request, _("Erased. What is left names nobody."))
            return redirect("backoffice:customer", public_id)
    context = {
        **_page(customer, _("Erase %s?") % customer),
        "parts": known_parts(customer),
        "warnings": warnings_before(customer, timezone.now()),
        "form": form,
        "data_url": reverse("backoffice:customer_data", args=[public_id]),
    }
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/customer_erase.html", context, status=status)


def _page(customer: Customer, title: str) -> dict[str, Any]:
    url = reverse("backoffice:customer", args=[customer.public_id])
    return {
        "customer": customer,
        "title": title,
        "breadcrumbs": [
            (_("Customers"), reverse("backoffice:customer_list")),
            (customer.display_name, url),
        ],
        "back": url,
    }
