"""What endpoints do around their work that members use themselves, with a token of the shop's; and
those that everybody may read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any, ClassVar, cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from members.api.authentication import CHALLENGE, unauthorized
from members.api.cors import may_use
from members.api.problems import ApiError
from members.api.throttling import Allowance, take
from members.api.views import ApiView
from members.languages import language_of
from members.models import ApiKey, Customer
from members.services.audit import Actor
from members.services.member_tokens import MemberToken, read_member_token

# What stands in the description in place of an API key's scope.
MEMBER, PUBLIC = "member", "public"
TOO_MANY = gettext_lazy("Too many requests in this minute.")


class MemberTokenAuthentication(BaseAuthentication):
    """Finds the member whose token the request presents; an API key opens nothing here."""

    def authenticate(self, request: Request) -> tuple[Any, MemberToken]:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _space, presented = header.partition(" ")
        if not header:
            raise unauthorized(_("Send a member token, which the shop's server asks for."))
        token = None
        if scheme.lower() == "bearer":
            token = read_member_token(presented.strip(), timezone.now())
        if token is None:
            raise unauthorized(
                _("This token is not known, was called back, or is over."), "invalid_token"
            )
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class MemberView(ApiView):
    """The base of endpoints about what is one member's own. All that they answer is looked up from
    `customer`, so that somebody else's is not there."""

    authentication_classes = [MemberTokenAuthentication]
    too_many: ClassVar[str | Promise] = TOO_MANY

    def count_request(self) -> Allowance | None:
        return take(f"member:{self.customer.pk}", settings.MEMBER_REQUESTS_PER_MINUTE)

    def require_permission(self) -> None:
        if not may_use(self.request._request, self.token.origins):  # noqa: SLF001
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                _("Pages of this address may not use the token."),
                code="origin_not_allowed",
            )

    def idempotency_record(self, name: str) -> tuple[ApiKey, str]:
        """Beside those of the key that issued the token; no header can hold such a name."""
        return self.api_key, f"member\x1f{self.customer.pk}\x1f{_digest(name)}"

    def key_for_ledger(self, digest: str) -> str:
        return f"me:{self.customer.pk}:{digest}"

    def in_own_language(self) -> AbstractContextManager[None]:
        """What is told of the member's own is in their language, what goes wrong in the one that
        the request asks for: answers are put together within this. Who has said none, or one that
        is not offered, reads all of it in the request's."""
        return translation.override(language_of(self.customer) or translation.get_language())

    @property
    def token(self) -> MemberToken:
        return cast("MemberToken", self.request.auth)

    @property
    def api_key(self) -> ApiKey:
        return self.token.api_key

    @property
    def customer(self) -> Customer:
        return self.token.customer

    @property
    def actor(self) -> Actor:
        return Actor(label=f"Member, by API key {self.api_key.name}", api_key=self.api_key)


class PublicView(ApiView):
    """The base of endpoints that need no key: counted for each address, and kept by caches."""

    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    too_many: ClassVar[str | Promise] = TOO_MANY

    @property
    def programs(self) -> Sequence[int]:
        return ()

    def count_request(self) -> Allowance | None:
        return count_address(self.request._request)  # noqa: SLF001

    def require_permission(self) -> None:
        """Everybody may."""


def count_address(request: HttpRequest) -> Allowance | None:
    """Count a request for something public to where it came from."""
    try:
        address = get_adapter().get_client_ip(request)
    except PermissionDenied:
        address = ""  # whoever cannot be told apart is counted together
    return take(f"address:{_digest(address)[:16]}", settings.PUBLIC_REQUESTS_PER_MINUTE)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
