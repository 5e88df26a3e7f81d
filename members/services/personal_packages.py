"""Handing out what is known of a person, to them or by a colleague who was asked for it."""

from __future__ import annotations

from datetime import datetime
from typing import IO

from django.db import transaction
from django.utils import translation

from members.languages import language_of
from members.models import Customer
from members.personal_files import write_package
from members.selectors.merges import refuse_merged
from members.selectors.personal_data import tables_of
from members.services.audit import Actor, record_audit


def make_package(*, customer: Customer, actor: Actor, for_staff: bool, now: datetime) -> IO[bytes]:
    """All of it as one file, in the person's language. That it was handed out, and by whom,
    is in the audit log. `for_staff`: also what colleagues wrote about them."""
    refuse_merged(customer)
    language = language_of(customer) or translation.get_language() or ""
    with transaction.atomic(), translation.override(language):
        package = write_package(customer, tables_of(customer, for_staff=for_staff), now)
        record_audit(
            actor=actor, action="customer.exported", target=customer,
            after={"own": not for_staff},
        )  # fmt: skip
    return package
