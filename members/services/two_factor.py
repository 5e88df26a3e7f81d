"""The second factor of those who work here: noted when it is switched on or off, and taken away by
an administrator from a colleague whose phone is gone."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from members.errors import ConflictError
from members.models import StaffMember, User
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit
from members.services.mail import queue_mail


@transaction.atomic
def take_away_two_factor(*, actor: Actor, staff_member: StaffMember) -> None:
    """Let somebody else sign in without their app, which they may set up anew. They are told."""
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


def _note(user: User, authenticator: Authenticator, action: str) -> None:
    """The app alone is news: recovery codes come and go with it."""
    row = StaffMember.objects.filter(user=user).first()
    if row is not None and authenticator.type == Authenticator.Type.TOTP:
        record_audit(actor=Actor.of_user(user), action=action, target=row)
