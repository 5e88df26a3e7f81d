"""Segments: the list of them, one as a page, made and changed, and what is asked beforehand."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.backoffice.job_rows import JobProgress
from members.backoffice.segment_forms import SegmentForm
from members.charts import Chart, Series
from members.conditions.sentences import sentence
from members.conditions.tree import ConditionError
from members.errors import DomainError
from members.forms import errors_on, posted
from members.list_files import ListFile, hand_out
from members.models import Segment
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.segment_templates import segment_template, segment_templates
from members.segment_uses import segment_uses
from members.selectors.customers import get_customer
from members.selectors.segments import (
    get_segment,
    list_segments,
    members_of,
    merchant_moment,
    read_condition,
    segments_of_customer,
    sizes_since,
)
from members.services.segment_jobs import latest_job, queue_refresh
from members.services.segment_lists import load_list
from members.services.segment_previews import preview_condition
from members.services.segments import (
    archive_segment,
    change_segment,
    create_segment,
    restore_segment,
)

CHART_DAYS = 90
MEMBERS_SHOWN = 25


# Few: they are put in order whole.
ORDERINGS = {
    "name": ("name", "pk"), "-name": ("-name", "-pk"),
    "size": ("size", "pk"), "-size": ("-size", "-pk"),
}  # fmt: skip
FILE: ListFile[Segment] = ListFile(
    "segments",
    {
        "segment": lambda row: row.code,
        "name": lambda row: row.name,
        "description": lambda row: row.description,
        "kind": lambda row: row.kind,
        "customers": lambda row: row.size,
        "worked_out_at": lambda row: row.refreshed_at,
        "created_at": lambda row: row.created_at,
    },
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def segment_list(request: HttpRequest) -> HttpResponse:
    """All in use with size and uses; those put away on a tab of their own; ready ones below."""
    archived = request.GET.get("show") == "archived"
    found = list_segments(archived=archived)
    if request.method == "POST":
        return hand_out(request, FILE, found, orderings=ORDERINGS, default="name")
    page = paginate(found, request=request, orderings=ORDERINGS, default="name", per_page=100)
    uses = segment_uses()
    rows = [(segment, condition_words(segment), uses.get(segment.code, [])) for segment in page]
    path = reverse("backoffice:segment_list")
    context = {
        "rows": rows,
        "archived": archived,
        "page": page,
        "file": FILE.offered(request),
        "tabs": [
            Tab(_("In use"), path, current=not archived),
            Tab(_("Put away"), f"{path}?show=archived", current=archived),
        ],
        "templates": [] if archived else segment_templates(),
        "may_edit": is_allowed(request.user, "segments.edit"),
        "breadcrumbs": _crumbs(),
    }
    return render(request, "backoffice/segment_list.html", context)


@require_safe
@staff_view("customers.view")
def segment(request: HttpRequest, code: str) -> HttpResponse:
    """One segment: who is in it, why, and how its size went."""
    found = get_segment(code)
    job = latest_job(found)
    page = paginate(
        members_of(found).filter(customer__merged_into=None), request=request,
        orderings={"newest": ("-since", "-pk")}, default="newest", per_page=MEMBERS_SHOWN,
    )  # fmt: skip
    sizes = sizes_since(found, _today() - dt.timedelta(days=CHART_DAYS))
    before = [each.size for each in sizes if each.day < _today()]
    context = {
        "segment": found,
        "title": found.name,
        "breadcrumbs": [*_crumbs(), (_("Segments"), reverse("backoffice:segment_list"))],
        "words": condition_words(found),
        "page": page,
        "progress": JobProgress.of(job) if job and job.is_open else None,
        "grown": found.size - before[-1] if before else None,
        "chart": _chart(sizes) if len(sizes) > 1 else None,
        "uses": segment_uses().get(found.code, []),
        "may_edit": is_allowed(request.user, "segments.edit"),
        "is_list": found.kind == Segment.Kind.STATIC,
    }
    return render(request, "backoffice/segment.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("segments.edit")
def segment_create(request: HttpRequest) -> HttpResponse:
    """A new segment, blank or from a ready one (`?template=`), or a list (`?kind=static`)."""
    kind = Segment.Kind.STATIC if request.GET.get("kind") == "static" else Segment.Kind.DYNAMIC
    template = segment_template(request.GET.get("template", ""))
    initial = {}
    if template is not None:
        initial = {
            "name": str(template.name), "description": str(template.description),
            "condition": template.condition,
        }  # fmt: skip
    form = SegmentForm(posted(request), request.FILES or None, kind=kind, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            return _created(request, form, kind)
    title = _("New list of customers") if kind == Segment.Kind.STATIC else _("New segment")
    return _form_page(request, form, title, _("Save segment"), reverse("backoffice:segment_list"))


def _created(request: HttpRequest, form: SegmentForm, kind: str) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic():
        made = create_segment(actor=acting(request), kind=kind, now=now, **form.values())
        upload = form.cleaned_data.get("file")
        if upload is not None:
            loaded = load_list(actor=acting(request), segment=made, content=upload.read(), now=now)
            if loaded.errors:
                messages.warning(request, rows_left_out(loaded.errors))
    return redirect("backoffice:segment", made.code)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("segments.edit")
def segment_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Another name, another condition."""
    found = get_segment(code)
    form = SegmentForm(posted(request), kind=found.kind, segment=found)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            change_segment(actor=acting(request), segment=found, changes=form.values())
            messages.success(request, _("Segment saved."))
            return redirect("backoffice:segment", code)
    title = _("Change %(name)s") % {"name": found.name}
    back = reverse("backoffice:segment", args=[code])
    return _form_page(request, form, title, _("Save segment"), back)


@require_POST
@staff_view("segments.edit")
def segment_preview(request: HttpRequest) -> HttpResponse:
    """How many the condition in the form holds for, and ten of them."""
    form = SegmentForm(request.POST, kind=Segment.Kind.DYNAMIC)
    context: dict[str, Any] = {}
    form.is_valid()
    if "condition" in form.cleaned_data:
        try:
            context["preview"] = preview_condition(
                form.cleaned_data["condition"], now=timezone.now()
            )
        except DomainError as error:
            context["problem"] = error.message
    return render(request, "backoffice/segment_preview.html", context)


@require_POST
@staff_view("segments.edit")
def segment_refresh(request: HttpRequest, code: str) -> HttpResponse:
    """Have it worked out now; the page shows how far it is."""
    found = get_segment(code)
    job = latest_job(found)
    under_way = job is not None and job.is_open
    if found.kind == Segment.Kind.DYNAMIC and found.archived_at is None and not under_way:
        queue_refresh(found, actor=acting(request))
    return redirect("backoffice:segment", code)


@require_POST
@staff_view("segments.edit")
def segment_archive(request: HttpRequest, code: str) -> HttpResponse:
    """Put it away, unless something asks for it."""
    try:
        found = archive_segment(
            actor=acting(request), segment=get_segment(code), now=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("backoffice:segment", code)
    undo = reverse("backoffice:segment_restore", args=[code])
    text = _("“%(name)s” was put away.") % {"name": found.name}
    messages.success(request, text, extra_tags=f"undo:{undo}")
    return redirect("backoffice:segment_list")


@require_POST
@staff_view("segments.edit")
def segment_restore(request: HttpRequest, code: str) -> HttpResponse:
    """Take it back into use."""
    try:
        restore_segment(actor=acting(request), segment=get_segment(code))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("backoffice:segment", code)


@require_safe
@staff_view("customers.view")
def segment_by_key(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """From the audit log to the page."""
    found = get_object_or_404(Segment, public_id=public_id)
    return redirect("backoffice:segment", found.code)


@require_safe
@staff_view("customers.view")
def customer_segments(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The panel of the customer page: where they are in."""
    person = get_customer(public_id)
    context = {
        "customer": person, "title": _("Segments"), "panel_id": "segments",
        "panel_icon": "users-group", "panel_refresh": "customer-changed",
        "breadcrumbs": [
            *_crumbs(),
            (person.display_name, reverse("backoffice:customer", args=[public_id])),
        ],
        "places": segments_of_customer(person),
    }  # fmt: skip
    return render(request, "backoffice/customer_segments.html", context)


def condition_words(segment: Segment) -> str:
    """Who is in it, in words."""
    if segment.kind == Segment.Kind.STATIC:
        return _("A list that somebody keeps.")
    try:
        return f"{sentence(read_condition(segment.condition, choices_known=False))}."
    except ConditionError as error:
        return str(error.message)


def rows_left_out(errors: list[Any]) -> str:
    """The first rows that name nobody, in words."""
    named = "; ".join(
        _("row %(row)s (%(value)s)") % {"row": error.row, "value": error.value[:40]}
        for error in errors[:5]
    )
    more = len(errors) - 5
    if more > 0:
        named += _(" and %(count)s more") % {"count": more}
    return _("No customer was found for: %(rows)s. All others are on the list.") % {"rows": named}


def _form_page(
    request: HttpRequest, form: SegmentForm, title: str, submit: str, back: str
) -> HttpResponse:
    context = {
        "form": form, "title": title, "submit": submit, "back_url": back,
        "breadcrumbs": [*_crumbs(), (_("Segments"), reverse("backoffice:segment_list"))],
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/segment_form.html", context, status=status)


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Customers"), reverse("backoffice:customer_list"))]


def _today() -> dt.date:
    return merchant_moment(timezone.now()).today


def _chart(sizes: list[Any]) -> Chart:
    return Chart(
        id="segment-size",
        title=_("Size"),
        kind="area",
        labels=[each.day for each in sizes],
        series=[Series(_("Customers"), [each.size for each in sizes])],
        x_label=_("Day"),
        summary=_("From %(first)s to %(last)s customers.")
        % {"first": sizes[0].size, "last": sizes[-1].size},
        height="sm",
    )
