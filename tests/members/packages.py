"""Files with the data of a person, made as a worker makes them."""

from __future__ import annotations

from django.utils import timezone

from members.models import Customer, PersonalPackage
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_job
from members.services.personal_packages import request_package


def make_open_packages() -> None:
    """What a worker does with all that was asked for."""
    for package in PersonalPackage.objects.filter(made_at=None):
        assert package.job_id is not None
        run_job(package.job_id)


def made_package(
    customer: Customer, *, for_staff: bool = False, actor: Actor = SYSTEM
) -> PersonalPackage:
    asked = request_package(customer=customer, actor=actor, for_staff=for_staff, now=timezone.now())
    make_open_packages()
    return PersonalPackage.objects.get(pk=asked.pk)
