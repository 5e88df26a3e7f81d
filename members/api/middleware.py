"""The short way for programs: no session, no cookies, no page around the answer.

Most middleware serves pages and their visitors. A request with an API key needs none of it, and
would spend more time there than in its view.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from members.api.cors import preflight, tell_browser
from members.api.problems import ApiError, problem
from members.api.routes import PREFIX, resolve_path
from members.languages import language_of_request
from members.origins import API, coming_by

# The reference is a page.
PAGES = ("/api/v1/docs",)


class ApiMiddleware:
    """Answers requests to the API itself; everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.startswith(PREFIX) or path in PAGES:
            return self.get_response(request)
        language = language_of_request(request)
        with translation.override(language), coming_by(API, request=request):
            response = preflight(request) or _answer(request)
            tell_browser(request, response)
        response["Content-Language"] = language
        if not response.streaming:
            response["Content-Length"] = str(len(response.content))
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        request.get_host()
    except DisallowedHost:
        return problem(ApiError(HTTPStatus.BAD_REQUEST, _("This is not the address of the API.")))
    match = request.resolver_match = resolve_path(request.path_info)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response
