"""Programs and their pages, for the search box."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _

from loyalty.backoffice.links import program_url
from loyalty.models import Program
from members.navigation import program_links
from members.places import Place
from members.policy import is_allowed


def find_programs(request: HttpRequest, typed: str) -> Iterator[Place]:
    """There are few of them, so all are offered; what was typed is looked for among them."""
    if not is_allowed(request.user, "programs.view"):
        return
    programs = list(Program.objects.order_by("name"))
    for program in programs:
        yield Place(program.name, program_url(program), "award", _("Program"))
    for program in programs:
        for link, url in program_links(program.code):
            yield Place(link.label, url, link.icon, program.name)
