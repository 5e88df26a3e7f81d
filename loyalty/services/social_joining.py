"""Joining by an account elsewhere, which has proved the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from loyalty.models import Membership, Program
from loyalty.services.joining import Joined, join_program, refuse_unless_joinable
from members.models import Customer, User
from members.selectors.merges import current
from members.services.audit import SYSTEM, Actor
from members.services.customers import create_customer
from members.services.social_sign_in import Proof, user_by_proof
from members.told_consents import JOIN, ConsentSaid, ConsentsTold, keep_consents


@dataclass(frozen=True, slots=True)
class JoinedByProof:
    user: User
    customer: Customer
    joined: Joined


@transaction.atomic
def join_by_proof(
    *, program: Program, proof: Proof, detail: str, locale: str, now: dt.datetime,
    said: Sequence[ConsentSaid] = (),
) -> JoinedByProof:  # fmt: skip
    """The customer with the verified address joins, made now where nobody has it, and signs in by
    this from now on. `detail`: what the link was on, else the provider is noted; `said`: what they
    want to be told. Again changes nothing. Raises ConflictError."""
    refuse_unless_joinable(program)
    user = user_by_proof(proof)
    if user is None:
        create_customer(
            actor=SYSTEM, email=proof.email, given_name=proof.given_name,
            family_name=proof.family_name, locale=locale,
        )  # fmt: skip
        user = user_by_proof(proof)
    assert user is not None
    customer = current(Customer.objects.select_related("merged_into").get(user=user))
    joined = join_program(
        customer=customer, program=program, source=Membership.Source.SOCIAL,
        detail=detail or proof.provider, at=now, actor=Actor.of_user(user),
    )  # fmt: skip
    keep_consents(ConsentsTold(customer, said, JOIN, Actor.of_user(user), now, proven="email"))
    return JoinedByProof(user, customer, joined)
