"""Who works in the back-office: inviting, changing roles, removing."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import StaffMember, User
from members.phones import normalize_phone, region_of_time_zone
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit
from members.services.outbox import record_event

INVITED = "staff.invited"


def invite_staff(*, actor: Actor, email: str, name: str, role: str) -> StaffMember:
    """Let somebody work in the back-office; the invitation goes out by e-mail.

    Somebody who already signs in as a customer keeps that and becomes staff as well.
    """
    email, name = email.strip().lower(), name.strip()
    _check_person(email, name, role)
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email__iexact=email).first()
        if user is None:
            user = User.objects.create_user(email, name=name)
        elif StaffMember.objects.filter(user=user).exists():
            message = _("This person already works here.")
            raise ConflictError(message, errors=[FieldError("email", message, "taken")])
        elif not user.name:
            user.name = name
            user.save(update_fields=["name"])
        staff_member = StaffMember.objects.create(user=user, role=role)
        after = {"email": email, "name": user.name, "role": role}
        record_audit(actor=actor, action="staff.invited", target=staff_member, after=after)
        record_event(INVITED, {"staff_member": staff_member.pk, "by": actor.label}, urgent=True)
    return staff_member


@transaction.atomic
def invite_again(*, actor: Actor, staff_member: StaffMember) -> None:
    """Send the invitation once more to somebody who has never signed in."""
    row = _lock(staff_member)
    if row.user.last_login is not None:
        raise ConflictError(_("This person has signed in already."))
    record_audit(actor=actor, action="staff.invited_again", target=row)
    record_event(INVITED, {"staff_member": row.pk, "by": actor.label}, urgent=True)


@transaction.atomic
def change_role(*, actor: Actor, staff_member: StaffMember, role: str) -> StaffMember:
    """Give somebody else another role; one administrator must always remain."""
    _check_role(role)
    row = _lock(staff_member)
    if row.role == role:
        return row
    _refuse_own(actor, row, _("Your own role is changed by another administrator."))
    _keep_an_administrator(row)
    before, row.role = row.role, role
    row.save(update_fields=["role"])
    record_audit(
        actor=actor, action="staff.role_changed", target=row,
        before={"role": before}, after={"role": role},
    )  # fmt: skip
    return row


@transaction.atomic
def change_phone(*, actor: Actor, staff_member: StaffMember, phone: str) -> StaffMember:
    """The number under which companies reach their account manager; empty: none."""
    row = _lock(staff_member)
    region = region_of_time_zone(get_merchant().time_zone)
    before, row.phone = row.phone, normalize_phone(phone, region=region)
    if row.phone != before:
        row.save(update_fields=["phone"])
        record_audit(
            actor=actor, action="staff.phone_changed", target=row,
            before={"phone": before}, after={"phone": row.phone},
        )  # fmt: skip
    return row


@transaction.atomic
def remove_staff(*, actor: Actor, staff_member: StaffMember) -> None:
    """Close the back-office to somebody. What they did stays in the audit log under their name."""
    row = _lock(staff_member)
    _refuse_own(actor, row, _("You cannot remove yourself; ask another administrator."))
    _keep_an_administrator(row)
    before = {"email": row.user.email, "name": row.user.name, "role": row.role}
    record_audit(actor=actor, action="staff.removed", target=row, before=before)
    row.delete()


def _lock(staff_member: StaffMember) -> StaffMember:
    """Lock every administrator as well: two of them must not remove each other at once."""
    rows = StaffMember.objects.select_for_update(of=("self",)).select_related("user")
    administrators = rows.filter(role=StaffMember.Role.ADMINISTRATOR).order_by("pk")
    locked = {row.pk: row for row in administrators}
    row = locked.get(staff_member.pk) or rows.filter(pk=staff_member.pk).first()
    if row is None:
        raise ConflictError(_("This person does not work here any more."))
    return row


def _refuse_own(actor: Actor, row: StaffMember, message: str) -> None:
    if actor.user is not None and actor.user.pk == row.user_id:
        raise ConflictError(message, code="own_role")


def _keep_an_administrator(row: StaffMember) -> None:
    if row.role != StaffMember.Role.ADMINISTRATOR:
        return
    others = StaffMember.objects.filter(role=row.role, user__is_active=True).exclude(pk=row.pk)
    if not others.exists():
        message = _("This is the last administrator; make somebody else one first.")
        raise ConflictError(message, code="last_administrator")


def _check_person(email: str, name: str, role: str) -> None:
    errors: list[FieldError] = []
    try:
        validate_email(email)
    except ValidationError:
        errors.append(FieldError("email", _("This does not look like an e-mail address.")))
    if not name or len(name) > 150:
        errors.append(FieldError("name", _("Write a name of at most 150 characters.")))
    if errors:
        raise DomainError(_("This person cannot be invited."), errors=errors)
    _check_role(role)


def _check_role(role: str) -> None:
    if role not in StaffMember.Role.values:
        message = _("There is no such role.")
        raise DomainError(message, errors=[FieldError("role", message)])
