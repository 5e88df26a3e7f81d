"""Forgetting who somebody was: in the audit log, in notes, and as somebody who signs in.

An entry of the audit log stays where it is, with who did what to what, and when. Of what was in it,
values become null, and names empty; nothing else can be changed (the trigger `audit_only_forgets`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.forgetting import forget_elsewhere, register_erased
from members.models import (
    AuditEntry,
    Customer,
    CustomerMerge,
    CustomerNote,
    CustomerTask,
    PersonalPackage,
    Segment,
    SignIn,
    StaffMember,
    User,
)
from members.services.audit import target_of
from members.services.audit_seals import forget_salts
from members.services.customer_values import FIELDS

# Of an entry about a customer. Their number is the shop's, and stays.
_PERSONAL = {*FIELDS, "note", "task", "name", "user"} - {"external_id"}
# Under which an entry about something else, a list or the other side of a merge, names somebody.
_NAMING = ("customer", "duplicate", "merged_into")
_WROTE_AT_ONCE = 500
ERASED = {
    "details": _(
        "Emptied. The customer number stays, because orders name it. They sign in no more."
    ),
    "facts": _("Sums of orders. They stay, and name nobody."),
    "segments": _("Segments go by facts, and name nobody."),
    "notes": _("Deleted."),
    "changes": _("That something was changed stays in the audit log, not what it was."),
}


def forget_people(
    customers: Sequence[Customer], users: Sequence[User], names: Collection[str]
) -> None:
    """In the transaction that erases these customers' details; `users`: who signed in as them,
    `names`: what they were called until now."""
    CustomerNote.objects.filter(customer__in=customers).delete()
    CustomerTask.objects.filter(customer__in=customers).delete()
    PersonalPackage.objects.filter(customer__in=customers).delete()
    labeled = forget_elsewhere(customers)
    own = AuditEntry.objects.filter(target__in=[target_of(row) for row in customers])
    called = {*names, *own.values_list("target_label", flat=True)}
    _forget_entries(own, whole=True)
    _forget_names(customers, called - _numbers(customers))
    _forget_entries(AuditEntry.objects.filter(target__in=labeled), whole=False)
    for user in users:
        _forget_user(user)


def _forget_entries(entries: Any, *, whole: bool) -> None:
    """`whole`: also what was in them and why; else the names alone. Of some only who acted is
    forgotten so far."""
    rows = list(entries.exclude(target_label="", erased_at__isnull=False))
    for row in rows:
        row.target_label, row.erased_at = "", timezone.now()
        if whole:
            row.before, row.after, row.reason = _nulled(row.before), _nulled(row.after), ""
    forget_salts([row.pk for row in rows])
    AuditEntry.objects.bulk_update(
        rows, ["target_label", "before", "after", "reason", "erased_at"], batch_size=_WROTE_AT_ONCE
    )


def _numbers(customers: Sequence[Customer]) -> set[str]:
    """What stays: the log calls by it who has no name."""
    return {str(number) for row in customers for number in (row.external_id, row.public_id)} | {""}


def _forget_names(customers: Sequence[Customer], names: set[str]) -> None:
    """In the log of lists, and of whom they were merged with, parted or not."""
    merges = CustomerMerge.objects.filter(Q(kept__in=customers) | Q(merged__in=customers))
    sides = {pk for pair in merges.values_list("kept", "merged") for pk in pair}
    where = [*Customer.objects.filter(pk__in=sides)]
    lists = Segment.objects.filter(kind=Segment.Kind.STATIC)
    named = Q()
    for name in _NAMING:
        named |= Q(**{f"before__{name}__in": names}) | Q(**{f"after__{name}__in": names})
    rows = list(AuditEntry.objects.filter(named, target__in=map(target_of, [*where, *lists])))
    for row in rows:
        row.before, row.after = _unnamed(row.before, names), _unnamed(row.after, names)
        row.erased_at = timezone.now()
    forget_salts([row.pk for row in rows])
    AuditEntry.objects.bulk_update(
        rows, ["before", "after", "erased_at"], batch_size=_WROTE_AT_ONCE
    )


def _unnamed(values: Mapping[str, Any] | None, names: set[str]) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        key: None if key in _NAMING and value in names else value for key, value in values.items()
    }


def _nulled(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        name: None if name in _PERSONAL or _is_address(name, value) else value
        for name, value in values.items()
    }


def _is_address(name: str, value: Any) -> bool:
    """Whether it stands in for a number that the shop never gave."""
    return name == "external_id" and "@" in str(value)


def _forget_user(user: User) -> None:
    """They sign in no more. Staff stay who they are: their account is the shop's."""
    SocialAccount.objects.filter(user=user).delete()
    if StaffMember.objects.filter(user=user).exists() or user.is_superuser:
        return
    own = AuditEntry.objects.filter(actor=user)
    forget_salts(list(own.values_list("pk", flat=True)))
    own.update(actor_label="", place="", erased_at=timezone.now())
    user.email, user.name, user.is_active = f"erased-{uuid4().hex}@erased.invalid", "", False
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    SignIn.objects.filter(user=user).delete()


def register() -> None:
    """Called once, when the application is ready."""
    register_erased(ERASED)
