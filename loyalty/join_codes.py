"""Codes that somebody gives as they join, such as that of a friend who brought them. Higher
applications read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import Program
from members.errors import DomainError, FieldError
from members.models import Customer
from members.services.audit import Actor


@dataclass(frozen=True, slots=True)
class JoinCode:
    """`via`: "till" or "api"."""

    program: Program
    customer: Customer
    code: str
    via: str
    at: dt.datetime
    actor: Actor


# Raises DomainError naming `referral_code` where there is no such code.
Reader = Callable[[JoinCode], None]
_readers: dict[str, Reader] = {}


def register_join_code_reader(key: str, reader: Reader) -> None:
    """Have codes read; the same key again replaces it."""
    _readers[key] = reader


def use_join_code(code: JoinCode) -> None:
    """Hand a code to whoever reads them, in the transaction in which somebody joins."""
    if not _readers:
        message = _("There is no such code of a friend.")
        raise DomainError(message, errors=[FieldError("referral_code", message, "unknown")])
    for reader in _readers.values():
        reader(code)
