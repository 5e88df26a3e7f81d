"""The sign-in library's part of OpenID Connect, made stricter: a token needs a signature and the
nonce of this very sign-in, and an address counts as verified only where the server says so."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac

from members.openid import OpenIDError, discover, is_yes, verified_claims

LONGEST_SUBJECT = 191


class NonceClient(OAuth2Client):  # type: ignore[misc]
    """Its nonce follows from the state, which the session holds."""

    def get_redirect_url(self, authorization_url: str, scope: list[str], extra: Any) -> str:
        return str(
            super().get_redirect_url(
                authorization_url, sorted(scope), extra | {"nonce": nonce_of(self.state)}
            )
        )


class OpenIDAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    client_class = NonceClient

    @cached_property
    def openid_config(self) -> dict[str, Any]:
        try:
            return discover(self.get_provider().app.settings["issuer"])
        except OpenIDError as error:
            raise OAuth2Error(str(error)) from error

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return request.build_absolute_uri(reverse("social_done", args=[self.provider_id]))

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **said: Any
    ) -> Any:
        """The state was found in the session by now, so the nonce is this sign-in's."""
        id_token = said["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("no token about anybody")
        try:
            claims = verified_claims(
                id_token, config=self.openid_config, client_id=app.client_id,
                nonce=nonce_of(request.GET.get("state", "")),
            )  # fmt: skip
        except OpenIDError as error:
            raise OAuth2Error(str(error)) from error
        if "email" not in claims and self.openid_config.get("userinfo_endpoint"):
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:
                raise OAuth2Error("the details are of somebody else")
            claims = more | claims
        login = self.get_provider().sociallogin_from_response(request, claims)
        login.claims = claims
        return login


class OpenIDProvider(OpenIDConnectProvider):  # type: ignore[misc]
    oauth2_adapter_class = OpenIDAdapter

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return reverse("social_begin", args=[self.app.provider_id])

    def get_pkce_params(self) -> dict[str, str]:
        return dict(generate_code_challenge())

    def extract_uid(self, data: dict[str, Any]) -> str:
        subject = str(data["sub"])
        if not subject or len(subject) > LONGEST_SUBJECT:
            raise OAuth2Error("no number of anybody")
        return subject

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing else of what is told is kept."""
        return {"email": data.get("email") or ""}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        email = data.get("email")
        if not isinstance(email, str):
            return []
        # Beyond ASCII a letter can have the capital, or the small letter, of another: by such an
        # address nobody is known.
        verified = is_yes(data.get("email_verified")) and email.isascii()
        return [EmailAddress(email=email, verified=verified, primary=True)]


def nonce_of(state: str) -> str:
    return salted_hmac("setia.sign_in.nonce", state, algorithm="sha256").hexdigest()
