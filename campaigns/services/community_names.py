"""The names under which members are known to each other: their own choice, and nobody else's."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.models import CommunityName, PostComment
from loyalty.models import Membership
from members.errors import DomainError, FieldError
from members.folding import fold
from members.selectors.merchants import get_merchant

# Letters of any alphabet, so that every member finds one.
_NAME = re.compile(r"\w[\w.-]{1,18}\w")
# Letters of other alphabets that are read as these.
_LIKE = str.maketrans("аеорсхуіјѕкмтнвгαερτυκνμ", "aeopcxyijskmthbraeptukvm")
# Who is taken for the merchant.
_NOT_FREE = frozenset(
    {"admin", "administrator", "moderator", "mod", "staff", "support", "system", "setia"}
)


def is_like_staff(name: str) -> bool:
    """Whether somebody of this name would be taken for the merchant."""
    plain = _plain(name)
    return bool(plain) and (plain in _NOT_FREE or plain == _plain(get_merchant().name))


def looks(name: str) -> str:
    """The same for two names that readers take for one another."""
    return fold(unicodedata.normalize("NFKC", name)).translate(_LIKE)


def choose_name(*, membership: Membership, name: str, now: dt.datetime) -> CommunityName:
    """Take this name. Raises DomainError where it is taken, or cannot be one. What others read of
    them waits for staff again, who let it through under another name. Again changes nothing."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise _wrong(_("3 to 20 letters, digits, dots, dashes or underscores, without blanks."))
    if is_like_staff(name):
        raise _wrong(_("This name cannot be used."))
    known = CommunityName.objects.filter(membership=membership).first()
    before = known.name if known else ""
    try:
        with transaction.atomic():
            row, _made = CommunityName.objects.update_or_create(
                membership=membership,
                defaults={
                    "program": membership.program, "name": name, "folded": looks(name)[:40],
                    "changed_at": now,
                },
            )  # fmt: skip
            if name != before:
                _have_looked_at(membership)
    except IntegrityError as error:
        raise _wrong(_("This name cannot be used.")) from error
    return row


def _have_looked_at(membership: Membership) -> None:
    """What others read of them waits again."""
    shown = PostComment.objects.filter(membership=membership, state=PostComment.State.SHOWN)
    shown.update(state=PostComment.State.WAITING)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", looks(name))


def _wrong(message: str) -> DomainError:
    return DomainError(message, errors=[FieldError("name", message)])
