"""The audit log: who did what to which object, and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members.audit import (
    Difference,
    action_label,
    differences,
    readable,
    target_kind,
    target_url,
    way_words,
)
from members.audit_files import CONTENT_TYPES, KINDS
from members.backoffice.forms import AuditFilterForm
from members.models import AuditEntry, User
from members.paging import paginate
from members.policy import staff_view
from members.responses import is_htmx
from members.selectors.audit import filter_entries
from members.selectors.staff import list_staff
from members.services.audit_jobs import check_words, latest_check

PAGE = 30
READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry in words."""

    entry: AuditEntry
    action: str
    kind: str
    name: str
    url: str
    differences: list[Difference]
    way: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditRow:
        return cls(
            entry,
            action_label(entry.action),
            target_kind(entry.target),
            readable(entry, entry.target_label),
            target_url(entry.target),
            differences(entry),
            way_words(entry),
        )


@require_safe
@staff_view("audit.view")
def audit_log(request: HttpRequest) -> HttpResponse:
    """All entries, or those that the filters in the URL leave."""
    form, entries = _filtered(request)
    target = request.GET.get("target", "")[:160]
    page = paginate(
        entries,
        request=request,
        orderings={"newest": ("-pk",)},
        default="newest",
        per_page=PAGE,
    )
    rows = [AuditRow.of(entry) for entry in page.items]
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "target": target,
        "target_name": _target_name(target, rows),
        "filtered": any(request.GET.get(name) for name in (*form.fields, "target")),
        "query": request.GET.urlencode(),
        "verdict": None if is_htmx(request) or request.GET.get("cursor") else _verdict(),
    }
    template = "backoffice/audit_log.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)


@require_safe
@staff_view("audit.view")
def audit_export(request: HttpRequest, kind: str) -> HttpResponse:
    """The same entries as a file, written as it is sent: however many there are."""
    if kind not in KINDS:
        raise Http404
    _form, entries = _filtered(request)
    response = StreamingHttpResponse(
        KINDS[kind](entries.iterator(chunk_size=READ_AT_ONCE)),
        content_type=CONTENT_TYPES[kind],
    )
    response["Content-Disposition"] = f'attachment; filename="audit-log.{kind}"'
    return response  # type: ignore[return-value]  # Views may stream.


def _verdict() -> tuple[str, bool, datetime] | None:
    """What the last look at the chain found, whether all held, and when that was."""
    check = latest_check()
    if check is None or check.finished_at is None:
        return None
    return check_words(check), not check.result.get("flaws"), check.finished_at


def _filtered(request: HttpRequest) -> tuple[AuditFilterForm, QuerySet[AuditEntry]]:
    person = _person(request.GET.get("person", ""))
    form = AuditFilterForm(request.GET, people=_people(person))
    since, until = form.moments() if form.is_valid() else (None, None)
    entries = filter_entries(
        target=request.GET.get("target", "")[:160],
        actor=person,
        action=form.cleaned_data.get("action"),
        way=form.cleaned_data.get("way"),
        since=since,
        until=until,
        text=form.cleaned_data.get("text", ""),
    )
    return form, entries


def _person(pk: str) -> User | None:
    return User.objects.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() else None


def _people(chosen: User | None) -> list[tuple[str, str]]:
    """Who works here; and who has left when the link of one of their entries was followed."""
    people = {str(member.user_id): str(member.user) for member in list_staff()}
    if chosen is not None:
        people.setdefault(str(chosen.pk), str(chosen))
    return sorted(people.items(), key=lambda item: item[1].casefold())


def _target_name(target: str, rows: list[AuditRow]) -> str:
    if not target:
        return ""
    name = rows[0].name if rows else _("this object")
    return f"{target_kind(target)}: {name}"
