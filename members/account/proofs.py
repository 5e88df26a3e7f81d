"""What a provider has shown of whoever reads a page, kept with their session for a short while."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils import timezone

from members.services.social_sign_in import Proof

_KEY = "proof_of_elsewhere"
VALID_SECONDS = 1_800


def remember_proof(request: HttpRequest, proof: Proof, page: str) -> None:
    """For the page on which the sign-in began, which can have them join with it; "": for each."""
    until = timezone.now().timestamp() + VALID_SECONDS
    request.session[_KEY] = {"proof": asdict(proof), "page": urlsplit(page).path, "until": until}


def proof_for(request: HttpRequest) -> Proof | None:
    """What was shown when the sign-in began on this page; None: nothing, or long ago."""
    kept = request.session.get(_KEY)
    if not kept or kept["until"] < timezone.now().timestamp():
        forget_proof(request)
        return None
    return Proof(**kept["proof"]) if kept["page"] in ("", request.path) else None


def page_of_joining(sociallogin: Any) -> str:
    """The page on which somebody wants to join by this sign-in; empty: they only sign in."""
    joins = (sociallogin.state.get("data") or {}).get("joins")
    return str(sociallogin.state.get("next") or "") if joins else ""


def forget_proof(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)
