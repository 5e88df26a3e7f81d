"""What shops and tools say of what somebody wants to be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from campaigns.connectors.records import ConsentFacts
from members.errors import DomainError, FieldError
from members.models import Customer
from members.selectors.identities import customer_of_email
from members.selectors.merges import current
from members.services.audit import Actor
from members.told_consents import CONNECTION, ConsentSaid, ConsentsTold, keep_consents


def keep_said(
    customer: Customer, said: Sequence[ConsentSaid], actor: Actor, now: dt.datetime
) -> None:
    """What was said last counts, whichever message comes first."""
    keep_consents(ConsentsTold(customer, said, CONNECTION, actor, now))


def record_consent(facts: ConsentFacts, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    """Of somebody who is known here. Raises DomainError."""
    customer = _whose(facts)
    keep_said(customer, facts.said, actor, now)
    said = facts.customer.external_id or facts.customer.email
    return {"kind": "consent", "number": said, "outcome": "noted", "note": ""}


def _whose(facts: ConsentFacts) -> Customer:
    ref = facts.customer
    found = None
    if ref.external_id:
        people = Customer.objects.select_related("merged_into")
        found = people.filter(external_id=ref.external_id).first()
    if found is None and ref.email:
        found = customer_of_email(ref.email)
    if found is None:
        message = _("Nobody here has this number or e-mail address.")
        raise DomainError(message, errors=[FieldError("customer_email", message, "not_found")])
    return current(found)
