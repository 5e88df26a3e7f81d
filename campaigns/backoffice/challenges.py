"""Challenges: which there are, beginning one from a template, writing it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.campaign_forms import CampaignTextsForm
from campaigns.backoffice.challenge_forms import ChallengeForm
from campaigns.backoffice.challenge_menu import NAMESPACE
from campaigns.backoffice.galleries import Gallery, begin_from, show_gallery
from campaigns.backoffice.list_filter import ListFilter
from campaigns.challenge_definitions import definition_of_challenge
from campaigns.challenge_sentences import challenge_sentences
from campaigns.challenge_templates import CHALLENGES
from campaigns.models import Campaign, Challenge
from campaigns.selectors.campaigns import status_at
from campaigns.selectors.challenges import challenges, with_counts
from campaigns.services.campaigns import columns_of
from campaigns.services.challenge_drafts import challenge_from_template
from campaigns.services.challenges import change_challenge
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from members.forms import errors_on, posted
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from rewards.texts import LANGUAGES

ORDERINGS = {
    "newest": ("-campaign__created_at", "-pk"),
    "name": ("campaign__name", "pk"),
    "-name": ("-campaign__name", "-pk"),
}


def find_challenge(public_id: uuid.UUID) -> Challenge:
    return get_object_or_404(challenges(), campaign__public_id=public_id)


def challenge_url(challenge: Challenge, name: str = "challenge") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[challenge.campaign.public_id])


def crumbs(challenge: Challenge | None = None) -> Crumbs:
    found = [(_("Challenges"), reverse(f"{NAMESPACE}:challenge_list"))]
    return [*found, (challenge.campaign.name, challenge_url(challenge))] if challenge else found


@require_safe
@staff_view("programs.view")
def challenge_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first, with how many take part and have done it."""
    now = timezone.now()
    chosen = ListFilter.of(request)
    found = with_counts(challenges().filter(chosen.condition(now, of="campaign__")))
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Challenges"),
        "page": page,
        "filter": chosen,
        "rows": [
            {"challenge": item, "campaign": item.campaign,
             "status": "waiting" if item.campaign.asked_at else status_at(item.campaign, now)}
            for item in page.items
        ],
        "may_edit": is_allowed(request.user, "rules.draft"),
    }  # fmt: skip
    return render(request, "challenges/backoffice/challenge_list.html", context)


@require_safe
@staff_view("rules.draft")
def challenge_gallery(request: HttpRequest) -> HttpResponse:
    """What to begin from."""
    gallery = Gallery(
        title=_("New challenge"),
        before=_("It gives nothing before you publish it."),
        breadcrumbs=crumbs(),
        cards="campaigns/backoffice/gallery.html",
        templates=list(CHALLENGES.values()),
        create_url=reverse(f"{NAMESPACE}:challenge_create"),
        icon="target-arrow",
        none_live=_("A challenge is for the members of a program. Put one live first."),
    )
    return show_gallery(request, gallery)


@require_POST
@staff_view("rules.draft")
def challenge_create(request: HttpRequest) -> HttpResponse:
    """A draft from a template, from tomorrow on."""

    def create(program: Program, template: str) -> str:
        made = challenge_from_template(
            program=program, template=template, actor=acting(request), now=timezone.now()
        )
        return challenge_url(made, "challenge_edit")

    return begin_from(request, create, gallery=f"{NAMESPACE}:challenge_gallery")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def challenge_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A draft, with what it comes to in words beside it."""
    challenge = find_challenge(public_id)
    if challenge.campaign.status != Campaign.Status.DRAFT:
        messages.error(request, _("It is planned already. Take it back first, or copy it."))
        return redirect(challenge_url(challenge))
    form = ChallengeForm(posted(request), challenge=challenge)
    if request.method == "POST" and request.POST.get("preview"):
        sentences = _sentences(form, challenge)
        return render(request, "campaigns/backoffice/words.html", {"sentences": sentences})
    if form.is_valid() and _save(request, form, challenge):
        if request.POST.get("more"):
            return redirect(challenge_url(challenge, "challenge_edit") + "#steps")
        messages.success(request, _("Saved. It gives nothing before it is published."))
        return redirect(challenge_url(challenge))
    context = {
        "title": _("Change %s") % challenge.campaign.name, "form": form, "challenge": challenge,
        "breadcrumbs": crumbs(challenge), "sentences": challenge_sentences(challenge),
        "back": challenge_url(challenge), "program": challenge.campaign.program,
        "show_errors": bool(form.errors),
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "challenges/backoffice/challenge_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def challenge_texts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What members read in another language."""
    challenge, language = find_challenge(public_id), request.GET.get("language", "")
    campaign = challenge.campaign
    if language not in LANGUAGES or campaign.status != Campaign.Status.DRAFT:
        raise Http404("There is no such language, or it is not to be written any more.")
    form = CampaignTextsForm(posted(request), campaign=campaign, language=language)
    if form.is_valid():
        texts = form.definition().texts
        wanted = definition_of_challenge(challenge).model_copy(update={"texts": texts})
        with errors_on(form):
            change_challenge(
                challenge=challenge, definition=wanted, actor=acting(request), now=timezone.now()
            )
            messages.success(request, _("The texts were saved."))
            return redirect(challenge_url(challenge))
    context = {
        "title": _("%(name)s in another language: %(language)s")
        % {"name": campaign.name, "language": LANGUAGES[language]},
        "form": form, "back": challenge_url(challenge), "breadcrumbs": crumbs(challenge),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "campaigns/backoffice/campaign_texts.html", context, status=status)


def _save(request: HttpRequest, form: ChallengeForm, challenge: Challenge) -> bool:
    definition = form.challenge_definition()
    if definition is None:
        return False
    with errors_on(form):
        change_challenge(
            challenge=challenge, definition=definition, actor=acting(request), now=timezone.now()
        )
    return not form.errors


def _sentences(form: ChallengeForm, challenge: Challenge) -> list[str]:
    """What the form says so far; nothing is saved."""
    definition = form.challenge_definition() if form.is_valid() else None
    if definition is None:
        first = next(iter(form.errors.items()), None)
        field = form.fields.get(first[0]) if first else None
        return [f"{field.label}: {first[1][0]}" if first and field else _("Something is missing.")]
    for name, value in columns_of(definition.campaign()).items():
        setattr(challenge.campaign, name, value)
    for name, value in definition.columns().items():
        setattr(challenge, name, value)
    rewards = challenge.campaign.program.rewards.filter(code=definition.reward)
    challenge.reward = rewards.first() if definition.reward else None
    return challenge_sentences(challenge)
