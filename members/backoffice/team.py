"""Who works here, with which role."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.backoffice.forms import (
    InviteForm,
    RequiredTwoFactorForm,
    RoleForm,
    StaffPhoneForm,
)
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import StaffMember
from members.phones import format_phone
from members.policy import acting, staff_view
from members.program_scope import program_names, programs_in_scope
from members.responses import dialog_done
from members.selectors.merchants import get_merchant
from members.selectors.staff import get_staff_member, list_staff
from members.services.staff import (
    change_phone,
    change_role,
    invite_again,
    invite_staff,
    remove_staff,
)
from members.services.two_factor import require_two_factor, take_away_two_factor

# What a role is for, in the words of those who choose one.
ROLES: dict[str, str | Promise] = {
    StaffMember.Role.ADMINISTRATOR: gettext_lazy("Everything, also this team and the API keys."),
    StaffMember.Role.MARKETING_MANAGER: gettext_lazy(
        "Programs and rules, imports, adjustments also in bulk, and their approval."
    ),
    StaffMember.Role.SUPPORT_AGENT: gettext_lazy(
        "Customers and notes, adjustments; larger ones need somebody's approval."
    ),
    StaffMember.Role.ANALYST: gettext_lazy(
        "Sees everything about customers and programs, changes nothing."
    ),
    StaffMember.Role.AUDITOR: gettext_lazy(
        "Reads the books, the audit log, adjustments, imports, limits, the team and its keys; "
        "changes nothing at all."
    ),
    StaffMember.Role.PARTNER: gettext_lazy(
        "Somebody of another brand: sees its own sales and settlements, and nothing else."
    ),
}


@require_safe
@staff_view("staff.view")
def team(request: HttpRequest) -> HttpResponse:
    """Everybody with their role, and what can be done about it."""
    people = list_staff()
    summary = ngettext(
        "%(number)s person works here.", "%(number)s people work here.", len(people)
    ) % {"number": len(people)}
    seen = programs_in_scope()
    names = {
        pk: name if seen is None or pk in seen else _("another program")
        for pk, name in program_names().items()
    }
    rows = [
        (person, list(dict.fromkeys(names[pk] for pk in person.programs if pk in names)))
        for person in people
    ]
    required = get_merchant().two_factor_roles
    context = {
        "people": rows, "summary": summary, "roles": _roles(), "required": required,
        "required_of": [label for role, label in StaffMember.Role.choices if role in required],
    }  # fmt: skip
    return render(request, "backoffice/team.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("staff.manage")
def invite(request: HttpRequest) -> HttpResponse:
    """Give somebody access."""
    form = InviteForm(posted(request), auto_id="invite_%s")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            invited = invite_staff(actor=acting(request), **form.cleaned_data)
            message = _("The invitation to %(email)s is on its way.") % {
                "email": invited.user.email
            }
            return _done(request, message)
    context = {"title": _("Invite somebody"), "form": form, "submit": _("Send the invitation")}
    return _dialog(request, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("staff.manage")
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody another role, or limit it to programs."""
    staff_member = get_staff_member(pk)
    reach = RoleForm.ONLY if staff_member.programs else RoleForm.ALL
    initial = {
        "role": staff_member.role,
        "reach": reach,
        "programs": staff_member.programs,
        "partner": staff_member.partner,
    }
    form = RoleForm(posted(request), initial=initial, auto_id="role_%s")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            changed = change_role(
                actor=acting(request), staff_member=staff_member, **form.cleaned_data
            )
            message = _("%(name)s is now: %(role)s.") % {
                "name": staff_member.user,
                "role": changed.get_role_display(),
            }
            return _done(request, message)
    title = _("Role of %(name)s") % {"name": staff_member.user}
    return _dialog(request, {"title": title, "form": form, "submit": _("Save")})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("staff.manage")
def phone(request: HttpRequest, pk: int) -> HttpResponse:
    """The number under which companies reach somebody."""
    staff_member = get_staff_member(pk)
    initial = {"phone": format_phone(staff_member.phone) if staff_member.phone else ""}
    form = StaffPhoneForm(posted(request), initial=initial, auto_id="phone_%s")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            change_phone(
                actor=acting(request), staff_member=staff_member, phone=form.cleaned_data["phone"]
            )
            return _done(request, _("Saved."))
    title = _("Phone of %(name)s") % {"name": staff_member.user}
    return _dialog(request, {"title": title, "form": form, "submit": _("Save"), "roles": []})


@require_POST
@staff_view("staff.manage")
def remind(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the invitation once more."""
    staff_member = get_staff_member(pk)
    done = _("The invitation to %(email)s is on its way.") % {"email": staff_member.user.email}
    return _act(request, partial(invite_again, staff_member=staff_member), done)


@require_POST
@staff_view("staff.manage")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away somebody's access."""
    staff_member = get_staff_member(pk)
    done = _("%(name)s has no access to the back-office any more.") % {"name": staff_member.user}
    return _act(request, partial(remove_staff, staff_member=staff_member), done)


@require_POST
@staff_view("staff.manage")
def two_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody whose phone is gone sign in without their app."""
    staff_member = get_staff_member(pk)
    done = _("%(name)s signs in without an app until they set it up again.") % {
        "name": staff_member.user
    }
    taking = partial(take_away_two_factor, staff_member=staff_member, now=timezone.now())
    return _act(request, taking, done)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("staff.manage")
def required_two_factor(request: HttpRequest) -> HttpResponse:
    """Of which roles a second factor is required."""
    initial = {"roles": get_merchant().two_factor_roles}
    form = RequiredTwoFactorForm(posted(request), initial=initial, auto_id="two_factor_%s")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            require_two_factor(actor=acting(request), roles=form.cleaned_data["roles"])
            return _done(request, _("Saved."))
    title = _("Require two-factor sign-in")
    return _dialog(request, {"title": title, "form": form, "submit": _("Save"), "roles": []})


def _act(request: HttpRequest, service: Callable[..., None], done: str) -> HttpResponse:
    """Call a service on behalf of whoever asks, and say what came of it on the team's page."""
    try:
        service(actor=acting(request))
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, done)
    return redirect("backoffice:team")


def _roles() -> list[tuple[str, str]]:
    labels = dict(StaffMember.Role.choices)
    return [(str(labels[key]), str(text)) for key, text in ROLES.items()]


def _dialog(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    known = {"roles": _roles(), "back_url": reverse("backoffice:team")}
    status = 422 if context["form"].is_bound else 200
    return render(request, "backoffice/team_form.html", known | context, status=status)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    return dialog_done(request, url=reverse("backoffice:team"), changed="team", message=message)
