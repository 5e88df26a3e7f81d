"""The second factor of those who work here: required of roles, noted when it is switched on or off,
and taken away by an administrator from a colleague whose phone is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import Merchant, SignIn, StaffMember, User
from members.selectors.merchants import get_merchant
from members.selectors.staff import must_set_up
from members.services.audit import Actor, record_audit
from members.services.mail import queue_mail
from members.services.sign_ins import end_sign_ins


@transaction.atomic
def require_two_factor(*, actor: Actor, roles: Collection[str]) -> None:
    """Whoever has one of these roles sets up a second factor before they reach the back-office;
    none: nobody has to. Who says so of their own role has one already: nobody shuts the door on
    themselves. Raises ConflictError where they have none."""
    _check_roles(roles)
    get_merchant()
    merchant = Merchant.objects.select_for_update().get(pk=1)
    before, after = sorted(merchant.two_factor_roles), sorted(set(roles))
    if before == after:
        return
    if actor.user is not None and must_set_up(actor.user, after):
        message = _("Set up your own first: the menu under your name, Two-factor sign-in.")
        raise ConflictError(
            message, code="own_two_factor_missing", errors=[FieldError("roles", message)]
        )
    merchant.two_factor_roles = after
    merchant.save(update_fields=["two_factor_roles", "updated_at"])
    record_audit(
        actor=actor, action="staff.two_factor_required", target=merchant,
        before={"roles": before}, after={"roles": after},
    )  # fmt: skip


@transaction.atomic
def take_away_two_factor(*, actor: Actor, staff_member: StaffMember, now: datetime) -> None:
    """Let somebody else sign in without their app, which they may set up anew. They are told.
    Wherever they are signed in, they are signed out: whoever has the phone may sit there."""
    row = StaffMember.objects.select_related("user").filter(pk=staff_member.pk).first()
    if row is None:
        raise ConflictError(_("This person works here no more."))
    if actor.user is not None and actor.user.pk == row.user_id:
        message = _("Switch your own off under Two-factor sign-in.")
        raise ConflictError(message, code="own_two_factor")
    factors = Authenticator.objects.filter(user=row.user_id)
    if not factors.exists():
        raise ConflictError(_("This person signs in without an app already."))
    factors.delete()
    signed_in = SignIn.objects.filter(user=row.user_id, ended_at=None)
    end_sign_ins(actor=actor, sign_ins=signed_in, now=now)
    record_audit(actor=actor, action="staff.two_factor_taken_away", target=row)
    with translation.override(settings.LANGUAGE_CODE):
        merchant = get_merchant()
        context = {"merchant": merchant, "user": row.user, "by": actor.label}
        queue_mail(
            to=row.user.email,
            subject=_("%(merchant)s: sign-in without your app") % {"merchant": merchant.name},
            text=render_to_string("backoffice/mail/two_factor_taken_away.txt", context),
        )


@receiver(authenticator_added)
def note_switched_on(user: User, authenticator: Authenticator, **details: Any) -> None:
    _note(user, authenticator, "staff.two_factor_on")


@receiver(authenticator_removed)
def note_switched_off(user: User, authenticator: Authenticator, **details: Any) -> None:
    _note(user, authenticator, "staff.two_factor_off")


def _check_roles(roles: Collection[str]) -> None:
    if not {*roles} <= {*StaffMember.Role.values}:
        message = _("There is no such role.")
        raise DomainError(message, errors=[FieldError("roles", message, "unknown")])


def _note(user: User, authenticator: Authenticator, action: str) -> None:
    """The app alone is news: recovery codes come and go with it."""
    row = StaffMember.objects.filter(user=user).first()
    if row is not None and authenticator.type == Authenticator.Type.TOTP:
        record_audit(actor=Actor.of_user(user), action=action, target=row)
