"""Whoever stands at the till, or in a file: the customer whom their details name, made now if there
is none yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from loyalty.join_codes import JoinCode, use_join_code
from loyalty.models import Membership, Program
from loyalty.services.joining import Joined, join_program
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.selectors.identities import having_any
from members.selectors.merchants import get_merchant
from members.selectors.merges import current
from members.services.audit import Actor
from members.services.customer_values import clean_values
from members.services.customers import create_customer, update_customer
from members.services.profile_answers import lacking_answers
from members.told_consents import TILL, ConsentSaid, ConsentsTold, keep_consents

NAMING = ("external_id", "email", "phone")


def provide_customer(*, actor: Actor, **values: Any) -> tuple[Customer, bool]:
    """The customer with this number, address or phone, and whether they are new. What is known of
    them stays; a detail that was missing is added. Raises ConflictError where the details belong to
    several customers, DomainError for what no customer can have."""
    values = {name: value for name, value in values.items() if value}
    cleaned = clean_values(values, time_zone=get_merchant().time_zone)
    if not any(cleaned.get(name) for name in NAMING):
        message = _("Give a phone number or an e-mail address.")
        raise DomainError(message, errors=[FieldError("phone", message, "required")])
    people = {
        current(found)
        for found in having_any(
            email=cleaned.get("email", ""),
            phone=cleaned.get("phone", ""),
            external_ids=[cleaned.get("external_id", "")],
        ).select_related("merged_into")
    }
    if len(people) > 1:
        raise ConflictError(
            _("These details belong to several customers. Merge them, or leave one out."),
            code="several_customers",
        )
    if not people:
        return create_customer(actor=actor, **cleaned), True
    [customer] = people
    missing = {name: value for name, value in cleaned.items() if not getattr(customer, name)}
    if answers := lacking_answers(customer.answers, cleaned.get("answers", {})):
        missing["answers"] = answers
    if missing:
        customer = update_customer(customer=customer, actor=actor, changes=missing, told_anew=True)
    return customer, False


@transaction.atomic
def enroll_at_till(
    *,
    program: Program,
    details: dict[str, Any],
    card_number: str = "",
    store: str = "",
    referral_code: str = "",
    said: Sequence[ConsentSaid] = (),
    actor: Actor,
    at: dt.datetime,
) -> Joined:
    """Whoever stands there becomes a member and gets a card number: the one that is handed out, or
    a new one. Who is a member already keeps theirs. `referral_code`: of the friend who brought
    them; `said`: what they want to be told. Raises ConflictError, DomainError."""
    customer, _new = provide_customer(actor=actor, **details)
    joined = join_program(
        customer=customer, program=program, source=Membership.Source.TILL, detail=store[:64],
        actor=actor, at=at,
    )  # fmt: skip
    if referral_code.strip():
        use_join_code(JoinCode(program, customer, referral_code, "till", at, actor))
    keep_consents(ConsentsTold(customer, said, TILL, actor, at))
    if joined.new and joined.membership is not None and card_number:
        _hand_out(joined.membership, card_number)
    return joined


def _hand_out(membership: Membership, card_number: str) -> None:
    """A card that was printed before."""
    try:
        with transaction.atomic():
            membership.card_number = card_number
            membership.save(update_fields=["card_number"])
    except IntegrityError as error:
        message = _("This card belongs to somebody else.")
        raise ConflictError(
            message, code="card_taken", errors=[FieldError("card_number", message, "taken")]
        ) from error
