"""What is to be done for a customer, on their page and on the home page of who has to do it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.forms import errors_on, posted
from members.models import Customer, User
from members.policy import acting, is_allowed, require, staff_view
from members.responses import is_htmx
from members.selectors.customer_tasks import (
    done_tasks,
    get_task,
    open_tasks,
    tasks_for,
)
from members.selectors.customers import get_customer
from members.services.customer_tasks import add_task, assignable, set_task_done

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


@require_safe
@staff_view("home.view")
def home_tasks(request: HttpRequest) -> HttpResponse:
    """What the reader has to do, the most urgent first."""
    assert isinstance(request.user, User)
    tasks = list(tasks_for(request.user)[: SHOWN_AT_HOME + 1])
    context = {
        "title": _("My tasks"),
        "panel_id": "tasks",
        "panel_icon": "checkbox",
        "tasks": tasks[:SHOWN_AT_HOME],
        "more": len(tasks) > SHOWN_AT_HOME,
        "today": timezone.localdate(),
    }
    return render(request, "backoffice/home_tasks.html", context)


def _panel(
    request: HttpRequest, person: Customer, form: TaskForm, said: str, status: int = 200
) -> HttpResponse:
    context = {
        "customer": person,
        "title": _("Tasks"),
        "panel_id": "tasks",
        "panel_icon": "checkbox",
        "panel_url": reverse("backoffice:customer_tasks", args=[person.public_id]),
        "breadcrumbs": [
            (_("Customers"), reverse("backoffice:customer_list")),
            (person.display_name, reverse("backoffice:customer", args=[person.public_id])),
        ],
        "form": form,
        "tasks": open_tasks(person),
        "done": done_tasks(person),
        "today": timezone.localdate(),
        "may_annotate": is_allowed(request.user, "customers.annotate") and not person.merged_into,
        "announcement": said,
        "writing": form.is_bound,
    }
    return render(request, "backoffice/customer_tasks.html", context, status=status)
