"""Files with what is known of a person: which there are, and how far they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import Customer, PersonalPackage


class State(StrEnum):
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    # Its days are over, or there is a newer one.
    OVER = "over"


def state_of(package: PersonalPackage, now: datetime) -> State:
    if package.made_at is None:
        job = package.job
        return State.MAKING if job is not None and job.is_open else State.FAILED
    assert package.expires_at is not None
    return State.READY if package.expires_at > now else State.OVER


def latest_package(customer: Customer, *, for_staff: bool) -> PersonalPackage | None:
    """The one that was asked for last."""
    found = PersonalPackage.objects.filter(customer=customer, for_staff=for_staff)
    return found.select_related("job").first()


def get_package(customer: Customer, public_id: UUID, *, for_staff: bool) -> PersonalPackage:
    """One of theirs. Raises NotFoundError."""
    found = PersonalPackage.objects.filter(customer=customer, for_staff=for_staff)
    package = found.select_related("job").filter(public_id=public_id).first()
    if package is None:
        raise NotFoundError(_("There is no such file."))
    return package


def file_state(package: PersonalPackage | None, now: datetime) -> dict[str, object]:
    """What a screen says of the file that was asked for last."""
    state = state_of(package, now) if package is not None else None
    return {"package": package, "file_state": state and state.value}
