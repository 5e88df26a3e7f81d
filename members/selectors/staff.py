"""Who works in the back-office."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import StaffMember


def list_staff() -> list[StaffMember]:
    """Everybody, by name."""
    members = StaffMember.objects.select_related("user")
    return sorted(members, key=lambda member: str(member.user).casefold())


def get_staff_member(pk: int) -> StaffMember:
    """One of them, or NotFoundError."""
    staff_member = StaffMember.objects.select_related("user").filter(pk=pk).first()
    if staff_member is None:
        raise NotFoundError(_("This person does not work here any more."))
    return staff_member
