"""Signing in by an account elsewhere: going there, coming back, and what becomes of it.

The page that sends people away is a page of ours with a link that it follows by itself: a form may
lead nowhere but here, as the content security policy has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members.account.access import CustomerRequest, customer_view, signed_in_customer
from members.account.entrances import Entrance, all_entrances
from members.account.openid import OpenIDAdapter, OpenIDProvider
from members.account.proofs import page_of_joining, remember_proof
from members.errors import DomainError
from members.kept_secrets import revealed
from members.models import SignInProvider, User
from members.services.audit import Actor
from members.services.social_sign_in import (
    Proof,
    connect_account,
    disconnect_account,
    user_by_proof,
)

PROFILE = "mypage:profile"


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Set as SOCIALACCOUNT_ADAPTER: providers are those of the settings page, and whoever they
    vouch for is found among the customers."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> OpenIDProvider:
        found = SignInProvider.objects.filter(code=provider, is_on=True).first()
        if found is None:
            raise Http404("Nobody signs in there.")
        return OpenIDProvider(request, app=_app_of(found))

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return [_app_of(item) for item in SignInProvider.objects.filter(is_on=True)]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Strangers join a program, or stay strangers."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        proof, page = _proof_of(sociallogin), page_of_joining(sociallogin)
        try:
            if sociallogin.state.get("process") == AuthProcess.CONNECT:
                raise ImmediateHttpResponse(_connect(request, proof))
            user = user_by_proof(proof)
        except DomainError as error:
            refusal = refused(request, sociallogin.provider.name, str(error.message), status=409)
            raise ImmediateHttpResponse(refusal) from error
        if user is None:
            remember_proof(request, proof, page)
            raise ImmediateHttpResponse(
                redirect(page) if page else _stranger(request, sociallogin.provider.name, proof)
            )
        sociallogin.user, sociallogin.proof = user, proof

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None,
        extra_context: Any = None,
    ) -> None:  # fmt: skip
        words = _("That did not work. Try again, or sign in with a code.")
        status = 401
        if error == AuthError.CANCELLED:
            words, status = _("You did not agree there, so nothing has happened."), 200
        raise ImmediateHttpResponse(refused(request, provider.name, words, status=status))


@require_POST
@never_cache
def begin(request: HttpRequest, code: str) -> HttpResponse:
    """On to the provider, and back to the page that says where to (`next`)."""
    adapter = SocialAdapter(request)
    provider = adapter.get_provider(request, code)
    if not ratelimit.consume(request, action="social"):
        words = _("That was a lot at once. Please wait a minute and try again.")
        return refused(request, provider.name, words, status=429)
    connects = request.POST.get("process") == AuthProcess.CONNECT
    try:
        away: HttpResponse = provider.redirect(
            request, AuthProcess.CONNECT if connects else AuthProcess.LOGIN,
            next_url=get_next_redirect_url(request), data={"joins": "joins" in request.POST},
        )  # fmt: skip
    except OAuth2Error:
        words = _("%s does not answer. Try again in a few minutes, or sign in with a code.")
        return refused(request, provider.name, words % provider.name, status=502)
    if away.status_code != 302:
        return away
    context = {"name": provider.name, "url": away["Location"]}
    return render(request, "account/going_out.html", context)


@require_safe
@never_cache
def done(request: HttpRequest, code: str) -> HttpResponse:
    """Where the provider sends people back to."""
    view = OAuth2CallbackView.adapter_view(OpenIDAdapter(request, code))
    answer: HttpResponse = view(request)
    return answer


@require_POST
@customer_view
def disconnect(request: CustomerRequest, pk: int) -> HttpResponse:
    disconnect_account(customer=request.customer, pk=pk, actor=Actor.of_user(request.user))
    messages.success(request, _("Disconnected."))
    return redirect(PROFILE)


def refused(
    request: HttpRequest, name: str, words: str, *, status: int, entrances: Sequence[Entrance] = ()
) -> HttpResponse:
    """Why nobody has signed in. `entrances`: where they may join instead."""
    context = {
        "name": name, "words": words, "code_url": reverse("account_request_login_code"),
        "entrances": entrances,
    }  # fmt: skip
    return render(request, "account/social_refused.html", context, status=status)


def _stranger(request: HttpRequest, name: str, proof: Proof) -> HttpResponse:
    words = _("We know nobody with the address %s yet.") % proof.email
    return refused(request, name, words, status=404, entrances=all_entrances())


def _connect(request: HttpRequest, proof: Proof) -> HttpResponse:
    """To the account page, where it was asked for."""
    if not isinstance(request.user, User) or signed_in_customer(request) is None:
        return redirect("account_request_login_code")
    connect_account(user=request.user, proof=proof)
    messages.success(request, _("Connected."))
    return redirect(PROFILE)


def _proof_of(sociallogin: Any) -> Proof:
    claims = sociallogin.claims
    addresses = [item.email for item in sociallogin.email_addresses if item.verified]
    return Proof(
        provider=sociallogin.provider.app.provider_id,
        subject=sociallogin.account.uid,
        email=addresses[0].lower() if addresses else "",
        given_name=_name(claims.get("given_name") or claims.get("name")),
        family_name=_name(claims.get("family_name")),
    )


def _name(said: object) -> str:
    return " ".join(said.replace("\x00", "").split())[:100] if isinstance(said, str) else ""


def _app_of(found: SignInProvider) -> SocialApp:
    """As the library wants it; it is never saved, and its secret stays where it is encrypted."""
    return SocialApp(
        provider="openid_connect", provider_id=found.code, name=found.name,
        client_id=found.client_id, secret=revealed(found.secret),
        settings={"issuer": found.issuer},
    )  # fmt: skip
