"""The names under which members are known to each other: their own choice, and nobody else's."""

from __future__ import annotations

import datetime as dt
import re

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.models import CommunityName
from loyalty.models import Membership
from members.errors import DomainError, FieldError
from members.folding import fold
from members.selectors.merchants import get_merchant

# Letters of any alphabet, so that every member finds one.
_NAME = re.compile(r"\w[\w.-]{1,18}\w")
# Who is taken for the merchant.
_NOT_FREE = frozenset(
    {"admin", "administrator", "moderator", "mod", "staff", "support", "system", "setia"}
)


def choose_name(*, membership: Membership, name: str, now: dt.datetime) -> CommunityName:
    """Take this name. Raises DomainError where it is taken, or cannot be one. Again changes
    nothing."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise _wrong(_("3 to 20 letters, digits, dots, dashes or underscores, without blanks."))
    folded = fold(name)
    plain = re.sub(r"[._-]", "", folded)
    if plain in _NOT_FREE or plain == re.sub(r"\W", "", fold(get_merchant().name)):
        raise _wrong(_("This name cannot be used."))
    try:
        with transaction.atomic():
            row, _made = CommunityName.objects.update_or_create(
                membership=membership,
                defaults={
                    "program": membership.program, "name": name, "folded": folded[:40],
                    "changed_at": now,
                },
            )  # fmt: skip
    except IntegrityError as error:
        raise _wrong(_("This name cannot be used.")) from error
    return row


def _wrong(message: str) -> DomainError:
    return DomainError(message, errors=[FieldError("name", message)])
