"""What every page of a membership is rendered with."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from loyalty.account.chosen import Chosen
from members.account.access import CustomerRequest


def no_membership(request: CustomerRequest) -> HttpResponse:
    """The page of a customer who is in no program."""
    return render(request, "mypage/no_membership.html")


def render_page(
    request: CustomerRequest,
    template: str,
    chosen: Chosen,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Days begin in the program's time zone."""
    membership = chosen.membership
    shared = {"membership": membership, "program": membership.program, "customer": request.customer}
    with timezone.override(membership.program.zone):
        return render(request, template, {**shared, **context}, status=status)
