"""Joining by an account elsewhere, from any page that has people join."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

from allauth.account.utils import perform_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation

from loyalty.models import Membership, Program
from loyalty.services.social_joining import join_by_proof
from members.account.entrances import Entrance, register_entrances
from members.account.proofs import forget_proof, proof_for
from members.account.social import refused
from members.errors import DomainError
from members.models import Customer
from members.services.social_sign_in import Proof
from members.told_consents import ConsentSaid


class Source(TypedDict):
    source: str
    detail: str


def how_they_join(request: HttpRequest, detail: str) -> Source:
    """By the account that they have signed in with on this page, else by its link. `detail`: what
    the link was on."""
    proof = proof_for(request)
    if proof is None:
        return {"source": Membership.Source.LINK, "detail": detail}
    return {"source": Membership.Source.SOCIAL, "detail": detail or proof.provider}


def join_and_sign_in(
    request: HttpRequest,
    program: Program,
    proof: Proof,
    detail: str,
    *,
    said: Sequence[ConsentSaid] = (),
    noting: Callable[[Customer], None] = lambda customer: None,
) -> HttpResponse:
    """A stranger is a customer and a member by this, and reads their own page. `said`: what they
    want to be told; `noting`: what else is written down of them, in the same transaction."""
    try:
        with transaction.atomic():
            found = join_by_proof(
                program=program, proof=proof, detail=detail,
                locale=translation.get_language() or "", now=timezone.now(), said=said,
            )  # fmt: skip
            noting(found.customer)
    except DomainError as error:
        return refused(request, program.name, str(error.message), status=409)
    forget_proof(request)
    member = found.joined.membership
    page = (
        reverse("mypage:home_of", args=[member.public_id])
        if member
        else reverse("programs:program", args=[program.code])
    )
    answer: HttpResponse = perform_login(
        request, found.user, email_verification="none", redirect_url=page
    )
    return answer


def _joinable() -> list[Entrance]:
    live = Program.objects.filter(status=Program.Status.LIVE)
    return [
        Entrance(program.name, reverse("programs:program", args=[program.code]))
        for program in live.order_by("name")
        if program.joinable
    ]


def register() -> None:
    """Called once, when the application is ready."""
    register_entrances("programs", _joinable)
