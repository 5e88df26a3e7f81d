"""Suspending a member of a program, and lifting that again."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.models import Membership
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done

Status = Membership.Status


class WishForm(ReasonForm):
    """What was asked for when the dialog was opened: sent twice, or after a colleague did it, it
    changes nothing."""

    wish = forms.ChoiceField(
        choices=[("suspend", "suspend"), ("resume", "resume")], widget=forms.HiddenInput
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def membership_suspension(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that suspends an active member, or lets a suspended one take part again."""
    found = Membership.objects.select_related("customer", "program")
    member = get_object_or_404(found, public_id=public_id)
    if member.status not in (Status.ACTIVE, Status.SUSPENDED):
        raise Http404("This membership has ended.")
    wish = "resume" if member.status == Status.SUSPENDED else "suspend"
    form, back = WishForm(posted(request), initial={"wish": wish}), customer_url(member.customer)
    if form.is_bound:
        # The words beside an error are those of what was sent.
        wish = form["wish"].value() or wish
    lifts = wish == "resume"
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            act = resume_membership if lifts else suspend_membership
            act(
                membership=member, reason=form.cleaned_data["reason"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            told = {"customer": member.customer, "program": member.program}
            message = (
                _("%(customer)s takes part in %(program)s again.")
                if lifts
                else _("%(customer)s is suspended in %(program)s.")
            )
            return dialog_done(request, url=back, changed="wallet", message=message % told)
    title = _("Let them take part again?") if lifts else _("Suspend this member?")
    context = {"title": title, "form": form, "member": member, "lifts": lifts, "back": back}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/membership_suspension.html", context, status=status)
