"""Templates to begin from, for each live program; and the draft that one of them makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from loyalty.models import Program
from members.errors import DomainError


@dataclass(frozen=True, slots=True)
class Gallery:
    """`before`: that it does nothing before it is published. `cards`: the template that shows what
    may be begun in a program. `none_live`: what is said where no program is live."""

    title: str
    before: str
    breadcrumbs: list[tuple[str, str]]
    cards: str
    templates: Sequence[Any]
    create_url: str
    icon: str
    none_live: str


def show_gallery(request: HttpRequest, gallery: Gallery) -> HttpResponse:
    context = {
        "title": gallery.title,
        "summary": _("Pick what comes closest; everything can be changed.") + f" {gallery.before}",
        "breadcrumbs": gallery.breadcrumbs,
        "gallery": gallery,
        "templates": gallery.templates,
        "programs": list(Program.objects.filter(status=Program.Status.LIVE).order_by("name")),
        "chosen": request.GET.get("program", ""),
    }
    return render(request, "campaigns/backoffice/gallery_page.html", context)


def begin_from(
    request: HttpRequest, create: Callable[[Program, str], str], *, gallery: str
) -> HttpResponse:
    """Make what was chosen, and go to the address that `create` returns; back to the gallery where
    it is refused."""
    code = request.POST.get("program", "").replace("\x00", "")
    program = Program.objects.filter(code=code).first()
    if program is None:
        messages.error(request, _("Choose a program."))
        return redirect(gallery)
    try:
        return redirect(create(program, request.POST.get("template", "")))
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(gallery)
