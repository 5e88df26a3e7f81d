"""Another plan for a customer who has one: when it renews, or now, the sums first."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.member_plans import offered_plans, running_plan
from loyalty.backoffice.subscription_forms import AgreedForm, ChangeForm
from loyalty.models import Plan, Subscription
from loyalty.payments.providers import provider_named
from loyalty.plan_words import price_words
from loyalty.selectors.plan_changes import PlanChange, preview_change
from loyalty.selectors.subscriptions import owner_of
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.subscriptions import change_plan
from members.errors import ConflictError
from members.formatting import format_day, format_money, format_units
from members.forms import add_domain_errors, errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done

DIALOG = "loyalty/backoffice/plan_dialog.html"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("plans.serve")
def subscription_change(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that lets a plan become another one: which and when, then the sums, then it is."""
    found = running_plan(public_id)
    if request.method == "POST" and "pays_now" in request.POST:
        return _change_now(request, found)
    owner = owner_of(found)
    offers = offered_plans(owner.program) | {found.plan: _("%s, as it is") % found.version.name}
    form = ChangeForm(
        posted(request), offers=offers, initial={"plan": (found.next_plan or found.plan).code}
    )
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["when"] == "now":
            return _sums(request, found, form)
        with errors_on(form):
            change_plan(
                subscription=found, plan=form.chosen, actor=acting(request), now=timezone.now()
            )
            message = _("That is what it is from its renewal on.")
            back = customer_url(owner.customer)
            return dialog_done(request, url=back, changed="wallet", message=message)
    return _ask(request, found, form)


def _sums(request: HttpRequest, found: Subscription, form: ChangeForm) -> HttpResponse:
    """What it would mean now, to be confirmed."""
    try:
        change = preview_change(found, form.chosen, now=timezone.now(), when="now")
    except ConflictError as error:
        add_domain_errors(form, error)
        return _ask(request, found, form)
    agreed = AgreedForm(
        initial={
            "plan": form.chosen.code, "when": "now", "pays_now": change.pays_now,
            "gives_back": change.gives_back,
        }
    )  # fmt: skip
    said = {
        "title": _("Change to %s now?") % change.version.name, "form": agreed,
        "lines": list(change_lines(found, change)), "submit": _("Change it now"),
        "back": customer_url(owner_of(found).customer),
    }  # fmt: skip
    return render(request, DIALOG, said)


def _change_now(request: HttpRequest, found: Subscription) -> HttpResponse:
    back = customer_url(owner_of(found).customer)
    form = AgreedForm(posted(request))
    if form.is_valid():
        plan = Plan.objects.filter(
            program=owner_of(found).program, code=form.cleaned_data["plan"], ended_at=None
        ).first()
        try:
            if plan is None:
                raise ConflictError(_("This plan is not offered."), code="plan_not_offered")
            change_as_offered(
                subscription=found, plan=plan, actor=acting(request), now=timezone.now(),
                pays_now=form.cleaned_data["pays_now"],
                gives_back=form.cleaned_data["gives_back"], when="now",
            )  # fmt: skip
        except ConflictError as error:
            add_domain_errors(form, error)
        else:
            message = _("They have %s now.") % form.cleaned_data["plan"]
            return dialog_done(request, url=back, changed="wallet", message=message)
    said = {"title": _("Nothing was changed"), "form": form, "submit": _("Try again"), "back": back}
    return render(request, DIALOG, said, status=422)


def _ask(request: HttpRequest, found: Subscription, form: ChangeForm) -> HttpResponse:
    said = {
        "title": _("Another plan"), "form": form, "submit": _("Continue"),
        "back": customer_url(owner_of(found).customer),
    }  # fmt: skip
    return render(request, DIALOG, said, status=422 if form.is_bound else 200)


def change_lines(found: Subscription, change: PlanChange) -> Iterator[str]:
    """What staff agree to for somebody."""
    program = owner_of(found).program
    collects = provider_named(found.provider).collects
    money = {
        "now": format_money(change.pays_now, program.currency),
        "price": format_money(change.version.price, program.currency),
        "left": format_money(change.taken_off, program.currency),
        "rest": format_money(change.gives_back, program.currency),
        "plan": found.version.name,
    }
    if change.taken_off:
        yield _("%(price)s, less %(left)s for the days of %(plan)s that are left: %(now)s.") % money
    else:
        yield _("%(now)s, since no day of %(plan)s is left.") % money
    if change.pays_now:
        yield _("Their card is charged at once.") if collects else _("An invoice is written.")
    if change.gives_back:
        yield (
            _("%(rest)s is left besides, and goes back to their card.")
            if collects
            else _("%(rest)s is left besides. You transfer it yourself: nothing is sent by this.")
        ) % money
    assert change.period_end is not None
    yield _("It begins now, and renews on %(day)s: %(price)s.") % {
        "day": format_day(change.period_end, program.zone),
        "price": price_words(change.version, program.currency),
    }
    for item in change.unused:
        yield _("Units of the present payment that are still there go: %s.") % format_units(
            item.units, item.wallet_type
        )
