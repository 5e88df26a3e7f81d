"""Beginning an installation: who has the address that its terminal shows becomes the first
administrator, once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import Merchant, StaffMember, User
from members.selectors.merchants import get_merchant
from members.services.audit import Actor
from members.services.merchants import update_merchant
from members.services.staff import invite_staff

_SALT = "members.first_visit"


def first_visit_token() -> str:
    """What the address needs; nothing once somebody works here. It follows from the installation's
    secret, so that it is the same after a restart and nowhere to be read."""
    if StaffMember.objects.exists():
        return ""
    return salted_hmac(_SALT, "begin", algorithm="sha256").hexdigest()[:40]


def is_first_visit(token: str) -> bool:
    wanted = first_visit_token()
    return bool(wanted) and constant_time_compare(token, wanted)


@transaction.atomic
def begin_installation(
    *, token: str, name: str, email: str, password: str, merchant: dict[str, Any]
) -> User:
    """The first administrator and the merchant, or neither. Two who try at once take turns, and
    the second is refused."""
    get_merchant()
    Merchant.objects.select_for_update().get(pk=1)
    if not is_first_visit(token):
        raise ConflictError(_("Somebody has begun already. Sign in instead."))
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        errors = [FieldError("password", message) for message in error.messages]
        raise DomainError(_("Choose another password."), errors=errors) from error
    actor = Actor(label="first visit")
    invited = invite_staff(actor=actor, email=email, name=name, role=StaffMember.Role.ADMINISTRATOR)
    invited.user.set_password(password)
    invited.user.save(update_fields=["password"])
    update_merchant(actor=actor, changes=merchant)
    return invited.user
