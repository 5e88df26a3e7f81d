"""The file with somebody's data, fetched by a link that the shop was given for them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from members.errors import DomainError
from members.personal_files import FILE_NAME, FILE_TYPE
from members.responses import file_of_pieces
from members.services.audit import Actor
from members.services.personal_packages import fetch_package, package_of_link


@require_GET
@never_cache
def data_package(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link has the file, for as long as it is there."""
    package = package_of_link(token)
    if package is None:
        raise Http404
    try:
        pieces = fetch_package(
            package=package, actor=Actor(label="Link to the file"), now=timezone.now()
        )
    except DomainError as error:
        raise Http404 from error
    response = file_of_pieces(pieces, FILE_NAME, FILE_TYPE)
    response["X-Robots-Tag"] = "noindex"
    return response
