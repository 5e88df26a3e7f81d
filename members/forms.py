"""Forms and the errors of services, brought together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.forms import BaseForm
from django.http import HttpRequest, QueryDict

from members.errors import DomainError


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, also when every field is empty; None while the form is only shown."""
    return request.POST if request.method == "POST" else None


def add_domain_errors(form: BaseForm, error: DomainError) -> None:
    """Show what a service refused at the fields it names, and at the top what has no field here."""
    shown = False
    for item in error.errors:
        name = item.field.partition("[")[0]
        if name in form.fields:
            form.add_error(name, str(item.message))
        else:
            form.add_error(None, str(item.message))
        shown = True
    if not shown:
        form.add_error(None, str(error.message))


@contextmanager
def errors_on(form: BaseForm) -> Iterator[None]:
    """`with errors_on(form): service(...)`: afterwards `form.errors` says whether it worked."""
    try:
        yield
    except DomainError as error:
        add_domain_errors(form, error)
