"""A program as a file in the browser: uploaded or written there, what it changes read, then
applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import Crumbs, program_crumbs, program_url
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.program_differences import Difference
from loyalty.program_files import LONGEST, dump_program, dump_value, load_program
from loyalty.program_sections import section_title
from loyalty.services.program_changes import (
    ProgramChange,
    change_program,
    mark_of,
    rehearse_definition,
)
from members.errors import DomainError, FieldError
from members.policy import acting, is_allowed, staff_view

# What a file says that not everybody may say who may change programs.
NEEDED = {"four_eyes": "rules.settings", "activity_types": "activity_types.edit"}
# A value is shown as it is up to so many characters, and opened beyond.
SHORT = 80


class ProgramFileForm(forms.Form):
    """A file, or what stands in one."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.json"}),
        help_text=gettext_lazy("YAML, or JSON. It takes the place of what is written below."),
    )
    text = forms.CharField(
        label=gettext_lazy("What it says"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "class": "mono", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file = cleaned.get("file")
        if file is not None:
            try:
                # Four bytes a character at most; what is longer no program comes to.
                cleaned["text"] = file.read(4 * LONGEST + 1).decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", _("This is no text in UTF-8. Save it as such."))
        elif not cleaned.get("text", "").strip():
            self.add_error("file", _("Choose a file, or write one below."))
        return cleaned


@dataclass(frozen=True, slots=True)
class Row:
    """A difference as it is shown."""

    difference: Difference
    before: str
    after: str

    @property
    def is_long(self) -> bool:
        return max(len(self.before), len(self.after)) > SHORT or "\n" in self.before + self.after


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: list[Row]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_file(request: HttpRequest, code: str) -> HttpResponse:
    """Change a program by its file."""
    return _page(request, get_object_or_404(Program, code=code))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.create")
def program_from_file(request: HttpRequest) -> HttpResponse:
    """A new program from a file."""
    return _page(request, None)


def _page(request: HttpRequest, program: Program | None) -> HttpResponse:
    text = dump_program(program, timezone.now()) if program and request.method != "POST" else ""
    sent = request.method == "POST" and "edit" not in request.POST
    form = ProgramFileForm(
        request.POST if sent else None,
        request.FILES or None,
        initial={"text": request.POST.get("text", text)},
    )
    wrong: Sequence[FieldError] = ()
    if sent and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            return _read(request, program, text)
        except DomainError as error:
            wrong = error.errors or [FieldError("", error.message)]
            # What was uploaded can be mended here.
            form = ProgramFileForm(initial={"text": text})
    failed = bool(wrong or form.errors)
    context = {
        "title": _("%s as a file") % program.name if program else _("Program from a file"),
        "breadcrumbs": program_crumbs(program),
        "program": program,
        "form": form,
        "wrong": [(item.field, str(item.message)) for item in wrong],
        "back": _back(program),
    }
    template = "loyalty/backoffice/program_file.html"
    return render(request, template, context, status=422 if failed else 200)


def _read(request: HttpRequest, program: Program | None, text: str) -> HttpResponse:
    """Show what a file changes, or apply it. Raises DomainError with what is wrong in it."""
    actor, now = acting(request), timezone.now()
    definition = load_program(text)
    _refuse_other(program, definition)
    change = rehearse_definition(definition, actor=actor, now=now)
    differences = change.differences
    _refuse_unallowed(request, change.created, differences)
    seen = mark_of(change.before)
    if not differences:
        messages.info(request, _("Nothing was different, so nothing was changed."))
        return redirect(_back(program))
    if request.POST.get("confirmed") != "1" or request.POST.get("seen") != seen:
        changed = "seen" in request.POST and request.POST["seen"] != seen
        return _preview(request, program, change, text, changed_meanwhile=changed)
    done = change_program(definition, seen=seen, actor=actor, now=now)
    messages.success(request, _("%s was saved.") % done.after.name)
    return redirect(reverse("loyalty_backoffice:program_page", args=[definition.code]))


def _refuse_other(program: Program | None, definition: ProgramDefinition) -> None:
    if program is not None and definition.code != program.code:
        message = _("This is the file of another program: here it is “%s”.") % program.code
        raise DomainError(message, errors=[FieldError("code", message)])
    if program is None and Program.objects.filter(code=definition.code).exists():
        message = _("There is a program with this short name. Open it to change it by a file, or "
                    "give this one another.")  # fmt: skip
        raise DomainError(message, errors=[FieldError("code", message)])


def _refuse_unallowed(
    request: HttpRequest, created: bool, differences: Sequence[Difference]
) -> None:
    for item in differences:
        needed = NEEDED.get(item.section, "")
        # Whether a second person publishes the rules of a new program is up to who makes it.
        if created and item.section == "four_eyes":
            continue
        if needed and not is_allowed(request.user, needed):
            message = _("Your role does not allow to change this.")
            raise DomainError(message, errors=[FieldError(item.path, message, "not_allowed")])


def _preview(
    request: HttpRequest, program: Program | None, change: ProgramChange, text: str, *,
    changed_meanwhile: bool,
) -> HttpResponse:  # fmt: skip
    differences = change.differences
    kinds = [item.kind for item in differences]
    context = {
        "title": _("Apply this file?"),
        "breadcrumbs": [*program_crumbs(program), *_crumb(program)],
        "program": program,
        "definition": change.after,
        "counts": {kind: kinds.count(kind) for kind in ("added", "changed", "removed")},
        "sections": _sections(differences),
        "words": change.words,
        "text": text,
        "seen": mark_of(change.before),
        "changed_meanwhile": changed_meanwhile,
        "back": _back(program),
    }
    return render(request, "loyalty/backoffice/program_file_preview.html", context)


def _sections(differences: Sequence[Difference]) -> list[Section]:
    found: dict[str, Section] = {}
    for item in differences:
        title = section_title(item.section)
        section = found.setdefault(title, Section(title, []))
        section.rows.append(Row(item, dump_value(item.before), dump_value(item.after)))
    return list(found.values())


def _crumb(program: Program | None) -> Crumbs:
    if program is None:
        return [(_("Program from a file"), reverse("loyalty_backoffice:program_from_file"))]
    return [(_("As a file"), reverse("loyalty_backoffice:program_file", args=[program.code]))]


def _back(program: Program | None) -> str:
    return program_url(program) if program else reverse("loyalty_backoffice:program_list")
