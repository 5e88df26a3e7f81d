"""`Authorization: Bearer setia_…`: who is calling, and what the key may do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from members.api.problems import ApiError
from members.models import ApiKey
from members.origins import name_origin
from members.services.api_keys import authenticate_api_key

CHALLENGE = 'Bearer realm="Setia"'


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key that the request presents; without a good one the answer is 401."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _space, presented = header.partition(" ")
        if not header:
            raise unauthorized(_("Send an API key: “Authorization: Bearer setia_…”."))
        key = authenticate_api_key(presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise unauthorized(
                _("This key is not known, was revoked, or has expired."), "invalid_token"
            )
        name_origin(key.name)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def require_scope(key: ApiKey, *scopes: str) -> None:
    """Refuse what the key was not made for, naming the scope that is missing; of several any one
    is enough."""
    if not set(scopes) & set(key.scopes):
        scope = scopes[0]
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            _("This key lacks the scope %(scope)s.") % {"scope": scope},
            code="insufficient_scope",
            headers={
                "WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
            },
        )


def unauthorized(message: str, error: str = "") -> ApiError:
    challenge = f'{CHALLENGE}, error="{error}"' if error else CHALLENGE
    return ApiError(HTTPStatus.UNAUTHORIZED, message, headers={"WWW-Authenticate": challenge})
