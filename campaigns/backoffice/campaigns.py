"""Promotions: which there are, beginning one from a template, writing it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.campaign_forms import CampaignForm, CampaignTextsForm
from campaigns.backoffice.campaign_menu import NAMESPACE
from campaigns.backoffice.galleries import Gallery, begin_from, show_gallery
from campaigns.backoffice.list_filter import ListFilter
from campaigns.campaign_rules import template_of
from campaigns.campaign_templates import CHALLENGE, PROMOTIONS
from campaigns.campaign_words import campaign_sentences
from campaigns.models import Campaign
from campaigns.selectors.campaigns import campaigns, promotions, status_at
from campaigns.selectors.money_budgets import budgets_of
from campaigns.services.campaigns import change_campaign, columns_of, create_from_template
from loyalty.backoffice.links import Crumbs
from loyalty.models import EarningRule, Program
from loyalty.selectors.rules import CAMPAIGN
from members.forms import errors_on, posted
from members.list_files import ListFile, hand_out
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from rewards.texts import LANGUAGES

ORDERINGS = {
    "newest": ("-created_at", "-pk"), "name": ("name", "pk"), "-name": ("-name", "-pk"),
}  # fmt: skip


def find_campaign(public_id: uuid.UUID) -> Campaign:
    return get_object_or_404(promotions(), public_id=public_id)


def campaign_url(campaign: Campaign, name: str = "campaign") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[campaign.public_id])


def crumbs(campaign: Campaign | None = None) -> Crumbs:
    found = [(_("Promotions"), reverse(f"{NAMESPACE}:campaign_list"))]
    return [*found, (campaign.name, campaign_url(campaign))] if campaign else found


FILE: ListFile[Campaign] = ListFile(
    "promotions",
    {
        "promotion": lambda row: row.code,
        "name": lambda row: row.name,
        "program": lambda row: row.program.code,
        "template": lambda row: row.template,
        "state": lambda row: status_at(row, timezone.now()),
        "starts_at": lambda row: row.starts_at,
        "ends_at": lambda row: row.ends_at,
        "budget_units": lambda row: row.budget_units,
        "budget_money": lambda row: row.budget_money,
    },
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def campaign_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first, with what they have used of their budgets."""
    now = timezone.now()
    chosen = ListFilter.of(request)
    found = promotions().filter(chosen.condition(now))
    if request.method == "POST":
        return hand_out(request, FILE, found, orderings=ORDERINGS, default="newest")
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    budgets = budgets_of(page.items)
    context = {
        "title": _("Promotions"),
        "page": page,
 "file": FILE.offered(request),        "filter": chosen,
        "rows": [
            {"campaign": item, "status": "waiting" if item.asked_at else status_at(item, now),
             "budget": budgets.get(item.pk), "template": template_of(item)}
            for item in page.items
        ],
        "may_edit": is_allowed(request.user, "rules.draft"),
        "templates": PROMOTIONS[:6],
    }  # fmt: skip
    return render(request, "campaigns/backoffice/campaign_list.html", context)


@require_safe
@staff_view("rules.draft")
def campaign_gallery(request: HttpRequest) -> HttpResponse:
    """What to begin from."""
    gallery = Gallery(
        title=_("New promotion"),
        before=_("It gives nothing before you publish it."),
        breadcrumbs=crumbs(),
        cards="campaigns/backoffice/gallery.html",
        templates=PROMOTIONS,
        create_url=reverse(f"{NAMESPACE}:campaign_create"),
        icon="speakerphone",
        none_live=_("A promotion is for the members of a program. Put one live first."),
    )
    return show_gallery(request, gallery)


@require_POST
@staff_view("rules.draft")
def campaign_create(request: HttpRequest) -> HttpResponse:
    """A draft from a template, for the next time that suits it."""

    def create(program: Program, template: str) -> str:
        made = create_from_template(
            program=program, template=template, actor=acting(request), now=timezone.now()
        )
        return campaign_url(made, "campaign_edit")

    return begin_from(request, create, gallery=f"{NAMESPACE}:campaign_gallery")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def campaign_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A draft, with what it comes to in words beside it."""
    campaign = find_campaign(public_id)
    if campaign.status != Campaign.Status.DRAFT:
        messages.error(request, _("It is planned already. Take it back first, or copy it."))
        return redirect(campaign_url(campaign))
    form = CampaignForm(posted(request), campaign=campaign)
    if request.method == "POST" and request.POST.get("preview"):
        sentences = _sentences(form, campaign)
        return render(request, "campaigns/backoffice/words.html", {"sentences": sentences})
    if form.is_valid() and _save(request, form, campaign):
        messages.success(request, _("Saved. It gives nothing before it is published."))
        return redirect(campaign_url(campaign))
    context = {
        "title": _("Change %s") % campaign.name, "form": form, "campaign": campaign,
        "template": template_of(campaign), "breadcrumbs": crumbs(campaign),
        "sentences": campaign_sentences(campaign), "back": campaign_url(campaign),
        "program": campaign.program, "show_errors": bool(form.errors),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "campaigns/backoffice/campaign_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def campaign_texts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What members read in another language."""
    campaign, language = find_campaign(public_id), request.GET.get("language", "")
    if language not in LANGUAGES or campaign.status != Campaign.Status.DRAFT:
        raise Http404("There is no such language, or it is not to be written any more.")
    form = CampaignTextsForm(posted(request), campaign=campaign, language=language)
    if form.is_valid():
        with errors_on(form):
            change_campaign(
                campaign=campaign, definition=form.definition(), actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("The texts were saved."))
            return redirect(campaign_url(campaign))
    context = {
        "title": _("%(name)s in another language: %(language)s")
        % {"name": campaign.name, "language": LANGUAGES[language]},
        "form": form, "back": campaign_url(campaign), "breadcrumbs": crumbs(campaign),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "campaigns/backoffice/campaign_texts.html", context, status=status)


@require_safe
@staff_view("programs.view")
def campaign_of_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """From one of its rules to the campaign."""
    rule = get_object_or_404(EarningRule, pk=pk, source__startswith=CAMPAIGN)
    campaign = get_object_or_404(campaigns(), pk=int(rule.source.removeprefix(CAMPAIGN)))
    if campaign.template == CHALLENGE:
        return redirect("challenges_backoffice:challenge", campaign.public_id)
    return redirect(campaign_url(campaign))


def _save(request: HttpRequest, form: CampaignForm, campaign: Campaign) -> bool:
    definition = form.definition()
    if definition is None:
        return False
    with errors_on(form):
        change_campaign(
            campaign=campaign, definition=definition, actor=acting(request), now=timezone.now()
        )
    return not form.errors


def _sentences(form: CampaignForm, campaign: Campaign) -> list[str]:
    """What the form says so far; nothing is saved."""
    definition = form.definition() if form.is_valid() else None
    if definition is None:
        first = next(iter(form.errors.items()), None)
        field = form.fields.get(first[0]) if first else None
        return [f"{field.label}: {first[1][0]}" if first and field else _("Something is missing.")]
    for name, value in columns_of(definition).items():
        setattr(campaign, name, value)
    return campaign_sentences(campaign)
