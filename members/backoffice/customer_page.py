"""One customer: a header, and panels that each are a page of their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from members import panels
from members.audit import target_of
from members.backoffice.audit import AuditRow
from members.backoffice.forms import NoteForm
from members.choices import country_name, language_name
from members.forms import errors_on, posted
from members.genders import gender_name
from members.models import Customer
from members.phones import format_phone
from members.policy import acting, is_allowed, require, staff_view
from members.responses import is_htmx
from members.selectors.audit import entries_of
from members.selectors.customers import get_customer, list_notes
from members.selectors.erased import erased_at, is_known
from members.selectors.merges import merge_of, told_apart
from members.selectors.profile_questions import said_answers
from members.services.customers import add_note
from members.timeline import KINDS, page_timeline

TIMELINE_PAGE = 20
AUDIT_SHOWN = 10


@require_safe
@staff_view("customers.view")
def customer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The shell: who it is at a glance, and everything else in panels."""
    person = get_customer(public_id)
    placed = panels.customer_panels(request, person)
    context = {
        **_header(request, person),
        "main": [panel for panel in placed if panel.column != "side"],
        "side": [panel for panel in placed if panel.column == "side"],
    }
    return render(request, "backoffice/customer.html", context)


@require_safe
@staff_view("customers.view")
def header(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The header again, after something has changed."""
    person = get_customer(public_id)
    if not is_htmx(request):
        return redirect("backoffice:customer", public_id)
    return render(request, "backoffice/customer.html#header", _header(request, person))


@require_safe
@staff_view("customers.view")
def identity(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who the customer is and how they are reached."""
    return identity_panel(request, get_customer(public_id))


def identity_panel(
    request: HttpRequest, person: Customer, *, problem: str = "", announcement: str = ""
) -> HttpResponse:
    """`problem`: why what was just tried with it could not be done."""
    context = {
        **_panel(person, _("Details"), "identity", "id"),
        "panel_refresh": "customer-changed",
        "panel_url": reverse("backoffice:customer_identity", args=[person.public_id]),
        "problem": problem,
        "announcement": announcement,
        "may_tag": is_allowed(request.user, "customers.annotate") and is_known(person),
        "phone": format_phone(person.phone) if person.phone else "",
        "gender": gender_name(person.gender),
        "answers": said_answers(person.answers),
        "country": country_name(person.country) if person.country else "",
        "language": language_name(person.locale) if person.locale else "",
        "may_edit": is_allowed(request.user, "customers.edit") and is_known(person),
        "duplicates": person.duplicates.order_by("pk"),
    }
    status = 422 if problem else 200
    return render(request, "backoffice/customer_identity.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def notes(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What staff wrote down, and a line to write more."""
    person = get_customer(public_id)
    form, added = NoteForm(posted(request)), False
    if request.method == "POST":
        require(request.user, "customers.annotate")
        if form.is_valid():
            with errors_on(form):
                add_note(customer=person, actor=acting(request), text=form.cleaned_data["text"])
                form, added = NoteForm(), True
    if added and not is_htmx(request):
        return redirect(request.path)
    context = {
        **_panel(person, _("Notes"), "notes", "note"),
        "form": form,
        "notes": list_notes(person),
        "may_annotate": is_allowed(request.user, "customers.annotate") and is_known(person),
        "announcement": _("Note added.") if added else "",
    }
    status = 422 if form.is_bound else 200
    response = render(request, "backoffice/customer_notes.html", context, status=status)
    if added:
        trigger_client_event(response, "note-changed", {})
    return response


@require_safe
@staff_view("customers.view")
def timeline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What happened, newest first, from every application."""
    person = get_customer(public_id)
    cursor, kind = request.GET.get("cursor", ""), request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    page = page_timeline(person, cursor=cursor, limit=TIMELINE_PAGE, kind=kind)
    context = {
        **_panel(person, _("Timeline"), "timeline", "history"),
        "panel_refresh": " ".join({"note-changed", *panels.header_events()}),
        "page": page,
        "kind": kind,
        "kinds": KINDS.items(),
    }
    older = is_htmx(request) and request.htmx.target == "timeline-older"  # type: ignore[attr-defined]
    template = "backoffice/customer_timeline.html"
    return render(request, f"{template}#events" if older else template, context)


@require_safe
@staff_view("customers.view")
def audit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who of the staff changed what about this customer."""
    person = get_customer(public_id)
    rows = [AuditRow.of(entry) for entry in entries_of(person, limit=AUDIT_SHOWN)]
    context = {
        **_panel(person, _("Changes"), "audit", "list-search"),
        "panel_refresh": "customer-changed note-changed",
        "rows": rows,
        "target": target_of(person),
        "may_audit": is_allowed(request.user, "audit.view"),
    }
    return render(request, "backoffice/customer_audit.html", context)


def _header(request: HttpRequest, person: Customer) -> dict[str, Any]:
    kept, erased = person.merged_into, erased_at(person)
    stays = kept is None and erased is None
    return {
        "customer": person,
        "title": person.display_name,
        "breadcrumbs": [(_("Customers"), reverse("backoffice:customer_list"))],
        "actions": panels.customer_actions(request, person) if stays else [],
        "facts": panels.customer_header(request, person) if kept is None else [],
        "kept": kept,
        "erased": erased,
        "kept_name": told_apart(kept, person) if kept else "",
        "merge": merge_of(person) if kept else None,
        "may_merge": is_allowed(request.user, "customers.merge"),
        "events": panels.header_events(),
    }


def _panel(person: Customer, title: str, panel_id: str, icon: str) -> dict[str, Any]:
    """What every panel of the customer page has in common."""
    return {
        "customer": person,
        "title": title,
        "panel_id": panel_id,
        "panel_icon": icon,
        "breadcrumbs": [
            (_("Customers"), reverse("backoffice:customer_list")),
            (person.display_name, reverse("backoffice:customer", args=[person.public_id])),
        ],
    }
