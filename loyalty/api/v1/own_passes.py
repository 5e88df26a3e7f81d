"""/me/memberships/{id}/wallet-passes: the member's card for the wallet of a phone."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.own_memberships import own_membership
from loyalty.selectors.wallet_passes import wallets_offered
from loyalty.services.wallet_passes import apple_pass_file, google_link
from loyalty.wallet_passes.apple import pass_response
from members.api.bodies import Answer, answer
from members.api.member_views import MEMBER, MemberView

PASS = {(200, "application/vnd.apple.pkpass"): OpenApiTypes.BINARY}


class OwnWalletPassesOut(Answer):
    """Addresses; null where the shop has not set it up, or the member has no card."""

    apple: str | None = Field(description="Of the signed pass, which is read with the token.")
    google: str | None = Field(description="Where whoever is signed in at Google saves the pass.")


class OwnWalletPasses(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnWalletPasses", responses={200: OwnWalletPassesOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read where an app gets the member's card for the wallet of the phone."""
        member, now = own_membership(self, membership_id), timezone.now()
        offered = wallets_offered(member, now)
        return answer(
            OwnWalletPassesOut(
                apple=f"{settings.SITE_URL.rstrip('/')}{request.path}/apple"
                if offered.apple
                else None,
                google=google_link(member, now) if offered.google else None,
            )
        )


class OwnApplePass(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnApplePass", responses=PASS)
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the card as a signed pass for Apple Wallet, which then keeps itself up to date."""
        member = own_membership(self, membership_id)
        return pass_response(apple_pass_file(member, timezone.now()))
