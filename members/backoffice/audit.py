"""The audit log: who did what to which object, and what changed."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members.audit import Difference, action_label, differences, target_kind, target_url
from members.backoffice.forms import AuditFilterForm
from members.models import AuditEntry, User
from members.paging import paginate
from members.policy import staff_view
from members.responses import is_htmx
from members.selectors.audit import filter_entries
from members.selectors.staff import list_staff

PAGE = 30


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry in words."""

    entry: AuditEntry
    action: str
    kind: str
    url: str
    differences: list[Difference]

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditRow:
        return cls(
            entry,
            action_label(entry.action),
            target_kind(entry.target),
            target_url(entry.target),
            differences(entry),
        )


@require_safe
@staff_view("audit.view")
def audit_log(request: HttpRequest) -> HttpResponse:
    """All entries, or those that the filters in the URL leave."""
    person = _person(request.GET.get("person", ""))
    form = AuditFilterForm(request.GET, people=_people(person))
    valid = form.is_valid()
    since, until = form.moments() if valid else (None, None)
    target = request.GET.get("target", "")[:160]
    entries = filter_entries(
        target=target,
        actor=person,
        action=form.cleaned_data.get("action"),
        since=since,
        until=until,
    )
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
    }
    template = "backoffice/audit_log.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)


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
    name = rows[0].entry.target_label if rows else _("this object")
    return f"{target_kind(target)}: {name}"
