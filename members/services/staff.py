"""Who works in the back-office: inviting, changing roles, removing."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import StaffMember, User
from members.partner_scope import partner_choices
from members.phones import normalize_phone, region_of_time_zone
from members.policy import roles_allowed
from members.program_scope import program_names
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, audit_changes, record_audit
from members.services.customer_tasks import release_tasks
from members.services.outbox import record_event

INVITED = "staff.invited"


def invite_staff(
    *, actor: Actor, email: str, name: str, role: str, programs: Collection[int] = (),
    partner: int | None = None,
) -> StaffMember:  # fmt: skip
    """Let somebody work in the back-office; the invitation goes out by e-mail. `programs`: what
    their role is limited to; none: all. `partner`: whom they work for, if that is their role.

    Somebody who already signs in as a customer keeps that and becomes staff as well.
    """
    email, name = email.strip().lower(), name.strip()
    _check_person(email, name, role)
    programs = _reach(role, programs, partner)
    _check_programs(role, programs)
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
        staff_member = StaffMember.objects.create(
            user=user, role=role, programs=sorted(programs), partner=partner
        )
        after = {"email": email, "name": user.name, "role": role}
        if partner is not None:
            after["partner"] = partner_choices()[partner].name
        elif programs:
            after["programs"] = _named(programs)
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
def change_role(
    *, actor: Actor, staff_member: StaffMember, role: str, programs: Collection[int] | None = None,
    partner: int | None = None,
) -> StaffMember:  # fmt: skip
    """Give somebody else another role, or limit it to other programs (none: to all); without them
    the limits stay as far as the role has any. `partner`: whom they work for, if that is their
    role. One administrator must always remain."""
    _check_role(role)
    row = _lock(staff_member)
    kept = [] if role == StaffMember.Role.ADMINISTRATOR or row.partner else row.programs
    if role == StaffMember.Role.PARTNER and partner is None:
        partner = row.partner
    wanted = sorted(set(_reach(role, kept if programs is None else programs, partner)))
    if (row.role, sorted(row.programs), row.partner) == (role, wanted, partner):
        return row
    _check_programs(role, wanted)
    _refuse_own(actor, row, _("Your own role is changed by another administrator."))
    if row.role != role:
        _keep_an_administrator(row)
    before = {"role": row.role, "programs": _named(row.programs), "partner": _partner(row.partner)}
    row.role, row.programs, row.partner = role, wanted, partner
    row.save(update_fields=["role", "programs", "partner"])
    if role not in roles_allowed("customers.annotate"):
        release_tasks(assignee=row.user, actor=actor)
    after = {"role": role, "programs": _named(wanted), "partner": _partner(partner)}
    audit_changes(actor=actor, action="staff.role_changed", target=row, before=before, after=after)
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
    """Close the back-office to somebody. What they did stays in the audit log under their name;
    what they were still to do for customers is nobody's."""
    row = _lock(staff_member)
    _refuse_own(actor, row, _("You cannot remove yourself; ask another administrator."))
    _keep_an_administrator(row)
    before = {"email": row.user.email, "name": row.user.name, "role": row.role}
    if row.programs:
        before["programs"] = _named(row.programs)
    record_audit(actor=actor, action="staff.removed", target=row, before=before)
    release_tasks(assignee=row.user, actor=actor)
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


def _check_programs(role: str, programs: Collection[int]) -> None:
    if not programs:
        return
    if role == StaffMember.Role.ADMINISTRATOR:
        message = _("Administrators see all programs: choose none, or another role.")
        raise DomainError(message, errors=[FieldError("programs", message, "not_limited")])
    if not set(programs) <= program_names().keys():
        message = _("There is no such program.")
        raise DomainError(message, errors=[FieldError("programs", message, "unknown")])


def _reach(role: str, programs: Collection[int], partner: int | None) -> Collection[int]:
    """What somebody is limited to: who works for a partner, to its program. Raises DomainError
    where the role and the partner do not go together."""
    if role != StaffMember.Role.PARTNER and partner is None:
        return programs
    known = partner_choices().get(partner) if partner is not None else None
    if role != StaffMember.Role.PARTNER or known is None:
        message = _("Choose the partner whom they work for, with the role “Partner” alone.")
        raise DomainError(message, errors=[FieldError("partner", message, "unknown")])
    return [known.program]


def _partner(partner: int | None) -> str:
    known = partner_choices().get(partner) if partner is not None else None
    return known.name if known else ""


def _named(programs: Collection[int]) -> str:
    """As the log keeps it: by name, for who reads it when a program is called otherwise."""
    names = program_names() if programs else {}
    return ", ".join(names.get(pk, str(pk)) for pk in programs)
