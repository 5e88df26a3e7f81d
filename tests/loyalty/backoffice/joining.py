"""People who join, for tests of the screens of enrollment and launch."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from loyalty.models import Program
from loyalty.services.joining import join_program
from members.models import Customer
from members.services.audit import SYSTEM


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def join(program: Program, number: int, source: str, detail: str = "") -> Customer:
    customer = Customer.objects.create(email=f"p{number}@example.com", given_name=f"P{number}")
    join_program(
        customer=customer, program=program, source=source, detail=detail, at=timezone.now(),
        actor=SYSTEM,
    )  # fmt: skip
    return customer


def days_from_now(days: int) -> dt.date:
    return (timezone.now() + dt.timedelta(days=days)).date()
