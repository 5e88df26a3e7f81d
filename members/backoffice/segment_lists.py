"""Who is on a list: loaded from a file, put on and taken off one by one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from members.backoffice.segment_forms import ListCustomerForm, ListFileForm
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer
from members.phones import normalize_phone, region_of_time_zone
from members.policy import acting, staff_view
from members.responses import dialog_done
from members.selectors.customers import get_customer
from members.selectors.identities import having_any
from members.selectors.merchants import get_merchant
from members.selectors.merges import current
from members.selectors.segments import get_segment
from members.services.segment_lists import Loaded, load_list
from members.services.segments import add_to_list, remove_from_list


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("segments.edit")
def segment_load(request: HttpRequest, code: str) -> HttpResponse:
    """Load a file; rows that name nobody are shown, the others are on the list."""
    segment = get_segment(code)
    form = ListFileForm(posted(request), request.FILES or None, auto_id="list_%s")
    loaded = None
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            loaded = load_list(
                actor=acting(request), segment=segment, now=timezone.now(),
                content=form.cleaned_data["file"].read(), replace=form.cleaned_data["replace"],
            )  # fmt: skip
            if not loaded.errors:
                return _done(request, code, loaded_words(loaded))
    context = {
        "title": _("Load a file into %(name)s") % {"name": segment.name}, "form": form,
        "segment": segment, "loaded": loaded, "submit": _("Load"),
        "words": loaded_words(loaded) if loaded else "",
    }  # fmt: skip
    status = 422 if form.is_bound and form.errors else 200
    response = render(request, "backoffice/segment_load.html", context, status=status)
    return trigger_client_event(response, "segment-changed", {}) if loaded else response


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("segments.edit")
def segment_add(request: HttpRequest, code: str) -> HttpResponse:
    """Put one customer on the list."""
    segment = get_segment(code)
    form = ListCustomerForm(posted(request), auto_id="list_%s")
    if request.method == "POST" and form.is_valid():
        customer = _customer_called(form.cleaned_data["customer"])
        if customer is None:
            form.add_error("customer", _("Nobody has this number, address or phone."))
        else:
            with errors_on(form):
                add_to_list(
                    actor=acting(request), segment=segment, customer=customer, now=timezone.now()
                )
                message = _("%(name)s is on the list.") % {"name": customer.display_name}
                return _done(request, code, message)
    context = {
        "title": _("Put somebody on %(name)s") % {"name": segment.name}, "form": form,
        "segment": segment, "submit": _("Put on the list"),
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/segment_load.html", context, status=status)


@require_POST
@staff_view("segments.edit")
def segment_remove(request: HttpRequest, code: str, public_id: UUID) -> HttpResponse:
    """Take one customer off the list."""
    segment, customer = get_segment(code), get_customer(public_id)
    try:
        remove_from_list(
            actor=acting(request), segment=segment, customer=customer, now=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        text = _("%(name)s is not on the list any more.") % {"name": customer.display_name}
        messages.success(request, text)
    return redirect("backoffice:segment", code)


def loaded_words(loaded: Loaded) -> str:
    """What became of a file, in words."""
    words = [
        ngettext("%(count)s customer added", "%(count)s customers added", loaded.added)
        % {"count": loaded.added}
    ]
    if loaded.removed:
        words.append(_("%(count)s removed") % {"count": loaded.removed})
    if loaded.already:
        words.append(_("%(count)s were on the list already") % {"count": loaded.already})
    return f"{', '.join(words)}."


def _customer_called(typed: str) -> Customer | None:
    """The one customer whose number, address or phone it is."""
    text = typed.replace("\x00", "").strip()
    phone = ""
    if "@" not in text:
        try:
            phone = normalize_phone(text, region=region_of_time_zone(get_merchant().time_zone))
        except DomainError:
            phone = ""
    found = having_any(
        email=text if "@" in text else "", phone=phone, external_ids=[text]
    ).select_related("merged_into")
    people = {current(customer) for customer in found}
    return people.pop() if len(people) == 1 else None


def _done(request: HttpRequest, code: str, message: str) -> HttpResponse:
    url = reverse("backoffice:segment", args=[code])
    return dialog_done(request, url=url, changed="segment", message=message)
