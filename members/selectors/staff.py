"""Who works in the back-office."""

from __future__ import annotations

from collections.abc import Collection

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import StaffMember, User


def list_staff() -> list[StaffMember]:
    """Everybody, by name; `two_factor`: whether signing in asks them for a code of their app."""
    apps = Authenticator.objects.filter(user=OuterRef("user"), type=Authenticator.Type.TOTP)
    members = StaffMember.objects.select_related("user").annotate(two_factor=Exists(apps))
    return sorted(members, key=lambda member: str(member.user).casefold())


def must_set_up(user: User, roles: Collection[str]) -> bool:
    """Whether their role is among those that need a second factor, while they have none."""
    staff_member = getattr(user, "staff_member", None)
    if staff_member is None or staff_member.role not in roles:
        return False
    apps = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP)
    return not apps.exists()


def get_staff_member(pk: int) -> StaffMember:
    """One of them, or NotFoundError."""
    staff_member = StaffMember.objects.select_related("user").filter(pk=pk).first()
    if staff_member is None:
        raise NotFoundError(_("This person does not work here any more."))
    return staff_member
