"""What is to be done for a customer, on their page and on the home page of who has to do it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer, User
from members.policy import acting, is_allowed, require, staff_view
from members.responses import is_htmx
from members.selectors.customer_tasks import (
    done_tasks,
    get_task,
    open_tasks,
    tasks_for,
    tasks_of_nobody,
)
from members.selectors.customers import get_customer
from members.selectors.erased import is_known
from members.services.customer_tasks import (
    add_task,
    assignable,
    set_task_done,
    take_task,
)

SHOWN_AT_HOME = 8


class TaskForm(forms.Form):
    text = forms.CharField(label=_l("What is to be done"), max_length=300)
    due_on = forms.DateField(
        label=_l("By"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    assignee = forms.ChoiceField(label=_l("Who"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        initial = {"due_on": timezone.localdate(), "assignee": str(user.pk)}
        super().__init__(data, initial=initial, auto_id="task_%s")
        self.people = {str(one.pk): one for one in assignable()}
        self.fields["assignee"].choices = [  # type: ignore[attr-defined]
            (pk, str(one)) for pk, one in self.people.items()
        ]

    def chosen_person(self) -> User:
        return self.people[self.cleaned_data["assignee"]]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def customer_tasks(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is to be done, and a line to give somebody more."""
    person = get_customer(public_id)
    user = request.user
    assert isinstance(user, User)
    form, added = TaskForm(posted(request), user=user), False
    if request.method == "POST":
        require(user, "customers.annotate")
        if form.is_valid():
            with errors_on(form):
                add_task(
                    customer=person, actor=acting(request), text=form.cleaned_data["text"],
                    due_on=form.cleaned_data["due_on"], assignee=form.chosen_person(),
                    now=timezone.now(),
                )  # fmt: skip
                form, added = TaskForm(user=user), True
    if added and not is_htmx(request):
        return redirect(request.path)
    said = _("Task added.") if added else ""
    return _panel(request, person, form, said, status=422 if form.is_bound else 200)


@require_POST
@staff_view("customers.annotate")
def customer_task_done(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """Tick it off, or take it up again."""
    person = get_customer(public_id)
    done = request.POST.get("done") == "1"
    set_task_done(task=get_task(person, pk), actor=acting(request), done=done, now=timezone.now())
    if not is_htmx(request):
        return redirect("backoffice:customer_tasks", public_id)
    assert isinstance(request.user, User)
    said = _("Done.") if done else _("To be done again.")
    return _panel(request, person, TaskForm(user=request.user), said)


@require_POST
@staff_view("customers.annotate")
def customer_task_take(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """Take on what is nobody's, on the customer's page or at home."""
    task = get_task(get_customer(public_id), pk)
    problem, at_home = "", request.POST.get("at") == "home"
    try:
        take_task(task=task, actor=acting(request))
    except DomainError as error:
        problem = str(error.message)
    if not is_htmx(request):
        if problem:
            messages.error(request, problem)
        return redirect(_home_url() if at_home else _panel_url(task.customer))
    said = problem or _("Yours now.")
    if at_home:
        return _home_panel(request, said)
    assert isinstance(request.user, User)
    return _panel(request, task.customer, TaskForm(user=request.user), said)


@require_safe
@staff_view("home.view")
def home_tasks(request: HttpRequest) -> HttpResponse:
    """What the reader has to do, the most urgent first, and what waits for somebody."""
    return _home_panel(request)


def _home_panel(request: HttpRequest, said: str = "") -> HttpResponse:
    assert isinstance(request.user, User)
    tasks = list(tasks_for(request.user)[: SHOWN_AT_HOME + 1])
    may_take = is_allowed(request.user, "customers.annotate")
    free = list(tasks_of_nobody()[: SHOWN_AT_HOME + 1]) if may_take else []
    context = {
        "title": _("My tasks"),
        "panel_id": "tasks",
        "panel_icon": "checkbox",
        "panel_url": _home_url(),
        "tasks": tasks[:SHOWN_AT_HOME],
        "free": free[:SHOWN_AT_HOME],
        "more": len(tasks) > SHOWN_AT_HOME,
        "more_free": len(free) > SHOWN_AT_HOME,
        "today": timezone.localdate(),
        "announcement": said,
    }
    return render(request, "backoffice/home_tasks.html", context)


def _home_url() -> str:
    return reverse("backoffice:home_tasks")


def _panel_url(person: Customer) -> str:
    return reverse("backoffice:customer_tasks", args=[person.public_id])


def _panel(
    request: HttpRequest, person: Customer, form: TaskForm, said: str, status: int = 200
) -> HttpResponse:
    context = {
        "customer": person,
        "title": _("Tasks"),
        "panel_id": "tasks",
        "panel_icon": "checkbox",
        "panel_url": _panel_url(person),
        "breadcrumbs": [
            (_("Customers"), reverse("backoffice:customer_list")),
            (person.display_name, reverse("backoffice:customer", args=[person.public_id])),
        ],
        "form": form,
        "tasks": open_tasks(person),
        "done": done_tasks(person),
        "today": timezone.localdate(),
        "may_annotate": is_allowed(request.user, "customers.annotate") and is_known(person),
        "announcement": said,
        "writing": form.is_bound,
    }
    return render(request, "backoffice/customer_tasks.html", context, status=status)
