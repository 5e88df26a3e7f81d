"""The queue of what is sent: looked at, taken further many at a time, as a file and as labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.models import Program
from members.csv_files import csv_response
from members.errors import DomainError
from members.file_cells import harmless
from members.formatting import format_day, format_number
from members.forms import errors_on, posted
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from rewards.addresses import kept_address
from rewards.backoffice.fulfillment_forms import DaysForm
from rewards.backoffice.links import NAMESPACE
from rewards.models import FulfillmentTask
from rewards.selectors.fulfillment import Wanted, counts_by_status, tasks, wanted_tasks
from rewards.services.deliveries import days_of
from rewards.services.fulfillment import advance_task, assign_task, set_days, undo_step

Status = FulfillmentTask.Status
SHOWN = (*Status.values, "all")
SOON = dt.timedelta(days=1)
MOST = 200


@dataclass(frozen=True, slots=True)
class Due:
    """How urgent something is: in words, and as a color that says the same."""

    words: str
    kind: str


def due(task: FulfillmentTask, now: dt.datetime) -> Due | None:
    """None: it waits for nothing of ours."""
    if task.due_at is None or not task.is_open:
        return None
    zone = task.program.zone
    last = (task.due_at - dt.timedelta(microseconds=1)).astimezone(zone).date()
    days = (last - now.astimezone(zone).date()).days
    if days < 0:
        late = ngettext("%s day late", "%s days late", -days) % format_number(-days)
        return Due(late, "danger")
    if days == 0:
        return Due(_("Due today"), "warning")
    if days == 1:
        return Due(_("Due tomorrow"), "warning")
    return Due(_("Due %s") % format_day(last), "neutral")


@require_safe
@staff_view("customers.view")
def task_list(request: HttpRequest) -> HttpResponse:
    """What is to be sent, the most urgent first."""
    now = timezone.now()
    wanted = read_wanted(request.GET)
    found = wanted_tasks(wanted, now)
    page = paginate(
        found, request=request, orderings={"": _order(wanted.status)}, default="", per_page=50
    )
    context = {
        "title": _("Fulfillment"),
        "page": page,
        "rows": [(task, due(task, now)) for task in page],
        "wanted": wanted,
        "whose": request.GET.get("whose", ""),
        "tabs": _tabs(request, wanted, now),
        "programs": Program.objects.order_by("name"),
        "filters": request.GET.urlencode(),
        "may_work": is_allowed(request.user, "fulfillment.work"),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "rewards/fulfillment/task_list.html", context)


@require_POST
@staff_view("fulfillment.work")
def task_steps(request: HttpRequest) -> HttpResponse:
    """The next step of all that are chosen; what it does not fit is left, and counted."""
    chosen, action = _chosen(request.POST), request.POST.get("action", "")
    done: list[FulfillmentTask] = []
    refused = ""
    for task in chosen:
        try:
            if _act(task, action, request):
                done.append(task)
        except DomainError as error:
            refused = str(error.message)
    _say(request, action, done, refused, len(chosen))
    return HttpResponseRedirect(_back(request))


@require_POST
@staff_view("fulfillment.work")
def task_undo(request: HttpRequest) -> HttpResponse:
    """Take the last step of these back."""
    undone = 0
    for task in _chosen(request.GET):
        try:
            undo_step(task=task, actor=acting(request), now=timezone.now())
            undone += 1
        except DomainError as error:
            messages.error(request, str(error.message))
    if undone:
        words = ngettext("%s step was taken back.", "%s steps were taken back.", undone)
        messages.success(request, words % format_number(undone))
    return HttpResponseRedirect(_back(request))


@require_safe
@staff_view("customers.view")
def task_csv(request: HttpRequest) -> HttpResponse:
    """What the filters show, as a file."""
    now = timezone.now()
    found = wanted_tasks(read_wanted(request.GET), now).order_by("due_at", "pk")
    return csv_response(f"fulfillment-{now.date()}.csv", _lines(found))


@require_safe
@staff_view("fulfillment.work")
def task_labels(request: HttpRequest) -> HttpResponse:
    """Labels to print: of those that are chosen, else of what the filters show."""
    chosen = _chosen(request.GET)
    if not request.GET.getlist("id"):
        shown = wanted_tasks(read_wanted(request.GET), timezone.now())
        chosen = list(shown.order_by("due_at", "pk")[:MOST])
    labels = [(task, address) for task in chosen if (address := kept_address(task.address))]
    context = {
        "title": _("Address labels"),
        "labels": labels,
        "without": len(chosen) - len(labels),
        "breadcrumbs": [(_("Fulfillment"), reverse(f"{NAMESPACE}:task_list"))],
    }
    return render(request, "rewards/fulfillment/labels.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def task_days(request: HttpRequest, code: str) -> HttpResponse:
    """How soon a program sends."""
    program = get_object_or_404(Program, code=code)
    back = reverse(f"{NAMESPACE}:task_list")
    form = DaysForm(posted(request), initial={"days": days_of(program)})
    if form.is_valid():
        with errors_on(form):
            set_days(program=program, days=form.cleaned_data["days"], actor=acting(request))
            return dialog_done(
                request, url=back, message=_("It counts for what comes in from now on.")
            )
    context = {
        "title": _("How soon %s sends") % program.name, "form": form, "submit": _("Save"),
        "back": back,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/fulfillment/act.html", context, status=status)


def read_wanted(said: QueryDict) -> Wanted:
    """The filters of an address; what makes no sense is left out."""
    status, whose = said.get("status", Status.TO_DO), said.get("whose", "")
    status = status if status in SHOWN else Status.TO_DO
    return Wanted(
        status="" if status == "all" else status,
        program=said.get("program", "").replace("\x00", ""),
        whose=whose if whose == "nobody" or (whose.isdecimal() and len(whose) < 10) else "",
        late=said.get("late") == "1",
        text=said.get("q", "").replace("\x00", "").strip()[:100],
    )


def _order(status: str) -> tuple[str, ...]:
    return ("due_at", "pk") if status in FulfillmentTask.OPEN[1:] else ("-created_at", "-pk")


def _tabs(request: HttpRequest, wanted: Wanted, now: dt.datetime) -> list[Tab]:
    everywhere = wanted_tasks(
        Wanted("", wanted.program, wanted.whose, wanted.late, wanted.text), now
    )
    counts = counts_by_status(everywhere)
    labels = {**dict(Status.choices), "all": _("All")}
    found = []
    for name in SHOWN:
        query = request.GET.copy()
        query["status"] = name
        for gone in ("after", "before", "cursor"):
            query.pop(gone, None)
        found.append(
            Tab(
                str(labels[name]), f"{request.path}?{query.urlencode()}",
                current=name == (wanted.status or "all"),
                count=sum(counts.values()) if name == "all" else counts.get(name, 0),
            )
        )  # fmt: skip
    return found


def _chosen(said: QueryDict) -> list[FulfillmentTask]:
    ids = []
    for text in said.getlist("id")[:MOST]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return list(tasks().filter(public_id__in=ids).order_by("due_at", "pk"))


def _act(task: FulfillmentTask, action: str, request: HttpRequest) -> bool:
    """Whether there was something to do. Raises DomainError."""
    actor = acting(request)
    if action in (Status.PACKED, Status.SENT):
        if task.status == action:
            return False
        advance_task(task=task, to=action, actor=actor, now=timezone.now())
        return True
    if action in ("mine", "nobody"):
        assignee = actor.user if action == "mine" else None
        assign_task(task=task, assignee=assignee, actor=actor)
        return True
    return False


def _say(
    request: HttpRequest, action: str, done: Sequence[FulfillmentTask], refused: str, chosen: int
) -> None:
    if done:
        count = format_number(len(done))
        words = {
            "packed": ngettext("%s is packed.", "%s are packed.", len(done)),
            "sent": ngettext("%s is sent.", "%s are sent.", len(done)),
            "mine": ngettext("%s is yours.", "%s are yours.", len(done)),
            "nobody": ngettext("%s is nobody's.", "%s are nobody's.", len(done)),
        }
        undo = undo_url(done) if action in (Status.PACKED, Status.SENT) else ""
        messages.success(request, words[action] % count, extra_tags=f"undo:{undo}" if undo else "")
    left = chosen - len(done)
    if left and refused:
        words_left = ngettext("%s was left as it is.", "%s were left as they are.", left)
        messages.warning(request, f"{words_left % format_number(left)} {refused}")
    elif not chosen:
        messages.info(request, _("Choose first what it is about."))


def undo_url(done: Sequence[FulfillmentTask]) -> str:
    query = QueryDict(mutable=True)
    query.setlist("id", [str(task.public_id) for task in done])
    return f"{reverse(f'{NAMESPACE}:task_undo')}?{query.urlencode()}"


def _back(request: HttpRequest) -> str:
    path = reverse(f"{NAMESPACE}:task_list")
    filters = request.POST.get("filters", "")
    return f"{path}?{filters}" if filters else path


HEAD = (
    "id", "program", "status", "kind", "what", "words", "due", "assignee", "customer", "recipient",
    "street", "extra", "postal_code", "city", "region", "country", "phone", "carrier",
    "tracking_number",
)  # fmt: skip


def _lines(found: QuerySet[FulfillmentTask]) -> Iterator[Sequence[str]]:
    yield HEAD
    for task in found.iterator(chunk_size=500):
        address: dict[str, Any] = task.address or {}
        said = (
            task.program.code, task.status, task.kind, task.what, task.words,
            _day(task), str(task.assignee or ""), task.membership.customer.external_id or "",
            *(address.get(name, "") for name in HEAD[9:17]),
            task.carrier, task.tracking_number,
        )  # fmt: skip
        yield [str(task.public_id), *(harmless(str(text)) for text in said)]


def _day(task: FulfillmentTask) -> str:
    if task.due_at is None:
        return ""
    last = task.due_at - dt.timedelta(microseconds=1)
    return last.astimezone(task.program.zone).date().isoformat()
