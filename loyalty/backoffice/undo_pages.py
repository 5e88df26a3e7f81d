"""The page that undoes what a file brought: what that would do first, then with a reason; the work
is a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy

from loyalty.backoffice.reason_forms import ReasonForm
from members.backoffice.jobs import hand_over
from members.errors import ConflictError
from members.forms import errors_on, posted
from members.models import Job
from members.policy import acting, is_allowed
from members.slow_figures import Figures

Preview = TypeVar("Preview")


class UndoForm(ReasonForm):
    """Why; and whether people are erased, for whoever may."""

    erase = forms.BooleanField(
        label=gettext_lazy("Also erase the people whom it brought"),
        required=False,
        help_text=gettext_lazy(
            "Of whom nothing else is known. This cannot be undone, and a corrected file with the"
            " same numbers finds them without name and address."
        ),
    )

    def __init__(self, *args: Any, may_erase: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_erase:
            del self.fields["erase"]


@dataclass(frozen=True, slots=True)
class UndoPage(Generic[Preview]):
    """What one kind of import says of its undoing.

    `look`: what would happen, None while it is being worked out; `people`: how many it brought;
    `start` and `refuse`: the services; `then`: where the work that began is seen; `more`: what the
    template shows beside that.
    """

    job: Job
    template: str
    title: str
    verb: str
    begun: str
    breadcrumbs: list[tuple[str, str]]
    back: str
    look: Callable[[], Figures | None]
    people: Callable[[Preview], int]
    start: Callable[..., Job]
    refuse: Callable[..., None]
    then: Callable[[Job], str]
    more: Callable[[Preview], dict[str, Any]] = lambda _preview: {}


def answer_undo(request: HttpRequest, page: UndoPage[Preview]) -> HttpResponse:
    """What would happen, and the button that makes it happen."""
    may_erase = is_allowed(request.user, "customers.erase")
    form = UndoForm(posted(request), may_erase=may_erase)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            undo = page.start(
                job=page.job, reason=form.cleaned_data["reason"], actor=acting(request),
                erase=form.cleaned_data.get("erase", False),
            )  # fmt: skip
            hand_over(request, undo)
            messages.success(request, page.begun)
            return redirect(page.then(undo))
    figures = page.look()
    preview = figures.value if figures else None
    if preview is not None and not page.people(preview):
        form.fields.pop("erase", None)
    context = {
        "title": page.title,
        "verb": page.verb,
        "breadcrumbs": [*page.breadcrumbs, (page.job.label, page.back)],
        "job": page.job,
        "preview": preview,
        "figures": figures,
        "form": form,
        # What comes after the page comes beside a form that was filled in, and brings no other.
        "filled": "1" if form.is_bound or "filled" in request.GET else "",
        "back": page.back,
    }
    if preview is not None:
        context["problem"] = _problem(page, preview, may_erase=may_erase)
        context |= page.more(preview)
    return render(request, page.template, context, status=422 if form.is_bound else 200)


def _problem(page: UndoPage[Preview], preview: Preview, *, may_erase: bool) -> str:
    try:
        page.refuse(page.job, preview, erase=may_erase)
    except ConflictError as error:
        return str(error.message)
    return ""
