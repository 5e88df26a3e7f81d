"""Settings: the reasons that may be given for an adjustment."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.adjustment_settings_forms import ReasonForm, role_choices
from loyalty.models import AdjustmentReason
from loyalty.selectors.adjustment_reasons import list_reasons, reason_label
from loyalty.services.adjustment_reasons import create_reason, update_reason
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done


@require_safe
@staff_view("limits.view")
def reason_list(request: HttpRequest) -> HttpResponse:
    """Every reason, with who may use it."""
    labels = dict(role_choices())
    rows = [
        (reason, reason_label(reason.label), [labels[role] for role in labels
                                              if role in reason.roles])
        for reason in list_reasons()
    ]  # fmt: skip
    context = {
        "title": _("Adjustment reasons"),
        "summary": _(
            "Whoever adds or takes points chooses one of these. What was moved keeps the reason as"
            " it was called then."
        ),
        "create_url": (
            reverse("loyalty_backoffice:reason_create")
            if is_allowed(request.user, "limits.manage")
            else ""
        ),
        "create_label": _("New reason"),
        "changed": "reason",
        "rows": rows,
        "everybody": len(labels),
    }
    return render(request, "loyalty/backoffice/reason_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def reason_create(request: HttpRequest) -> HttpResponse:
    """A further reason."""
    form = ReasonForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            reason = create_reason(actor=acting(request), **form.cleaned_data)
            return _done(request, _("“%s” can be chosen from now on.") % reason.label)
    return _dialog(request, form, _("New reason"), _("Add reason"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def reason_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What a reason is called, and who may use it."""
    reason = get_object_or_404(AdjustmentReason, pk=pk)
    form = ReasonForm(posted(request), reason=reason)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            changed = update_reason(actor=acting(request), reason=reason, **form.cleaned_data)
            return _done(request, _("“%s” is saved.") % reason_label(changed.label))
    return _dialog(request, form, reason_label(reason.label), _("Save reason"))


def _dialog(request: HttpRequest, form: ReasonForm, title: str, submit: str) -> HttpResponse:
    context = {"title": title, "form": form, "submit": submit, "back": _url()}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    return dialog_done(request, url=_url(), changed="reason", message=message)


def _url() -> str:
    return reverse("loyalty_backoffice:reason_list")
