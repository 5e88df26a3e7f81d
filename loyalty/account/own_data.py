"""All that is known of a customer, for them to keep."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.personal_files import FILE_NAME, FILE_TYPE
from members.responses import file_of_pieces, is_htmx
from members.selectors.personal_packages import (
    file_state,
    get_package,
    latest_package,
)
from members.services.audit import Actor
from members.services.personal_packages import fetch_package, request_package


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def own_data(request: CustomerRequest) -> HttpResponse:
    """Have it put together, of all programs, and of duplicates that were merged into them; and how
    far that is."""
    now = timezone.now()
    if request.method == "POST":
        try:
            request_package(
                customer=request.customer, actor=Actor.of_user(request.user), for_staff=False,
                now=now,
            )  # fmt: skip
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect("mypage:own_data")
    state = file_state(latest_package(request.customer, for_staff=False), now)
    template = "mypage/own_data.html" if is_htmx(request) else "mypage/own_data_page.html"
    return render(request, template, state)


@require_POST
@customer_view
def own_data_file(request: CustomerRequest, package: UUID) -> HttpResponse:
    """The file; a button, because it is counted."""
    found = get_package(request.customer, package, for_staff=False)
    try:
        pieces = fetch_package(package=found, actor=Actor.of_user(request.user), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("mypage:own_data")
    return file_of_pieces(pieces, FILE_NAME, FILE_TYPE)
