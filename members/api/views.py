"""What every endpoint does around its own work: key, scope, limit, and JSON only."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api.authentication import ApiKeyAuthentication, require_scope
from members.api.problems import ApiError
from members.api.throttling import Allowance, take
from members.models import ApiKey
from members.program_scope import keep_scope, limit_to, limited_to, programs_in_scope
from members.services.audit import Actor

JSON_RANGES = ("*/*", "application/*", "application/json", "application/problem+json")


class ApiView(APIView):
    """The base of all endpoints. `scopes` says what a key needs for each method; of several scopes
    any one is enough."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    throttle_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    # For the description only: bodies are read and written by members.api.bodies.
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    metadata_class = None
    scopes: ClassVar[dict[str, str | tuple[str, ...]]]
    # What a partner's key may do here, where its scopes allow it: what is not its own is kept from
    # it by the endpoint. Nothing unless it says so.
    for_partners: ClassVar[frozenset[str]] = frozenset()
    # What concerns all programs: as for staff, whoever is limited to some does not do it.
    for_all_programs: ClassVar[frozenset[str]] = frozenset()
    # What a file that it answers with is, besides JSON.
    file_types: ClassVar[tuple[str, ...]] = ()

    too_many: ClassVar[str | Promise] = gettext_lazy(
        "Too many requests with this key in this minute."
    )
    allowance: Allowance | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Limited to the key's programs, as soon as it is known whose request it is."""
        with limited_to(()):
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            keep_scope(response, programs_in_scope() or ())
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """In place of the framework's own: negotiation among one, one authentication, one limit."""
        require_json_accepted(request.META.get("HTTP_ACCEPT", ""), self.file_types)
        limit_to(self.programs)
        self.allowance = self.count_request()
        if self.allowance is not None and not self.allowance.granted:
            raise ApiError(
                HTTPStatus.TOO_MANY_REQUESTS,
                self.too_many,
                headers={"Retry-After": str(self.allowance.reset)},
            )
        self.require_permission()

    def count_request(self) -> Allowance | None:
        return take(self.api_key.pk)

    def require_permission(self) -> None:
        """Refuse who may not do this at all."""
        method = "GET" if self.request.method == "HEAD" else self.request.method or ""
        if self.api_key.partner is not None and method not in self.for_partners:
            raise ApiError(
                HTTPStatus.FORBIDDEN, _("A partner’s key cannot be used for this."),
                code="not_for_partners",
            )  # fmt: skip
        if method in self.for_all_programs and self.programs:
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                _("This concerns all programs: a key that is limited to some cannot do it."),
                code="not_for_limited_keys",
            )
        scope = self.scopes.get(method)
        if scope is not None:
            require_scope(self.api_key, *((scope,) if isinstance(scope, str) else scope))

    def content_of(self, request: Request) -> bytes:
        """What a request says: under one Idempotency-Key it is the same every time."""
        body: bytes = request._request.body  # noqa: SLF001  (documented: the Django request)
        return body

    def idempotency_record(self, name: str) -> tuple[ApiKey, str]:
        """Under which API key, and as what, an Idempotency-Key is kept."""
        return self.api_key, name

    def key_for_ledger(self, digest: str) -> str:
        """What the ledger knows an Idempotency-Key as, of which this is the digest."""
        return f"api:{self.api_key.pk}:{digest}"

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response["Allow"] = ", ".join(self.allowed_methods)
        if self.allowance is not None:
            for name, value in self.allowance.headers().items():
                response[name] = value
        return response  # type: ignore[return-value]

    @property
    def programs(self) -> Sequence[int]:
        """What whoever asks is limited to; nothing: to nothing."""
        return self.api_key.programs

    @cached_property
    def api_key(self) -> ApiKey:
        return cast("ApiKey", self.request.auth)

    @cached_property
    def actor(self) -> Actor:
        """On whose behalf services write."""
        return Actor.of_api_key(self.api_key)


def require_json_accepted(accept: str, file_types: Sequence[str] = ()) -> None:
    """Refuse a caller who would not take JSON, or none of these."""
    if not accept or accept == "*/*":
        return
    for part in accept.split(","):
        media_type, *parameters = (item.strip().lower() for item in part.split(";"))
        known = media_type in JSON_RANGES or media_type in file_types
        if known and not any(
            item.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for item in parameters
        ):
            return
    raise ApiError(HTTPStatus.NOT_ACCEPTABLE, _("The answer is JSON: accept application/json."))
