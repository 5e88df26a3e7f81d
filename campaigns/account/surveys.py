"""Surveys on the member's own page: what they are asked, and answering it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.models import Survey, SurveyResponse
from campaigns.selectors.open_kinds import open_kinds
from campaigns.selectors.survey_rewards import brings, brought
from campaigns.selectors.surveys import answered_by, asked_of, is_asked, is_open, surveys
from campaigns.services.survey_answers import answer_survey
from campaigns.survey_forms import blank_sheet, filled_sheet, given_in
from campaigns.survey_texts import told_title
from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.home_cards import HomeCard
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Activity, Membership
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError

MOST_ANSWERED = 20


@dataclass(frozen=True, slots=True)
class SurveyCard:
    """A survey that waits for an answer. `reward`: what answering brings, in words."""

    title: str
    reward: str
    url: str
    closes_at: dt.datetime | None = None


def survey_card(membership: Membership, now: dt.datetime) -> HomeCard | None:
    """For the home page: the one that closes first."""
    found = asked_of(membership, now) if open_kinds(membership, now).surveys else []
    if not found:
        return None
    return HomeCard("surveys/account/home_card.html", _card(found[0], membership, now))


@require_safe
@customer_view
def survey_list(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What waits for an answer, and what was answered."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    context = {
        "title": _("Your opinion"),
        "tabs": chosen.tabs("surveys_account:surveys_of"),
        "cards": [_card(item, member, now) for item in asked_of(member, now)],
        "answered": [
            (told_title(item.survey), item.answered_at, brought(item))
            for item in answered_by(member)[:MOST_ANSWERED]
        ],
    }
    return render_page(request, "surveys/account/survey_list.html", chosen, context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def survey(request: CustomerRequest, public_id: uuid.UUID, survey_id: uuid.UUID) -> HttpResponse:
    """The questions; answered once, thanks afterwards."""
    chosen = choose_membership(request, public_id)
    assert chosen is not None  # somebody else's, or none, is 404 already
    member, now = chosen.membership, timezone.now()
    found = surveys().filter(public_id=survey_id, program=member.program_id).first()
    known = answered_by(member).filter(survey=found).first() if found else None
    if found is None or (known is None and not _is_theirs(found, member, now)):
        raise Http404("This member is not asked that.")
    if known is not None:
        return _thanks(request, chosen, found, known)
    sheet = blank_sheet(found)
    if request.method == "POST":
        given = given_in(found, request.POST)
        try:
            answer_survey(
                survey=found, membership=member, given=given, via=SurveyResponse.Via.PAGE,
                locale=get_language() or "", now=now,
            )  # fmt: skip
            messages.success(request, _("Thank you. Your answer has reached us."))
            return HttpResponseRedirect(request.path)
        except DomainError as error:
            sheet = filled_sheet(found, given, error)
    context = {
        "title": sheet.told.title, "sheet": sheet, "reward": brings(found, now),
        "breadcrumbs": _crumbs(member),
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render_page(request, "surveys/account/survey.html", chosen, context, status=status)


def outcome_words(response: SurveyResponse) -> str:
    """What became of the reward, for who has answered."""
    units, activity = brought(response), response.activity
    if units:
        return _("You got %s for it.") % units
    if activity is not None and activity.state == Activity.State.PENDING:
        return _("What you get for it is yours once we have looked at it.")
    return ""


def _thanks(
    request: CustomerRequest, chosen: Chosen, found: Survey, known: SurveyResponse
) -> HttpResponse:
    sheet = blank_sheet(found)
    context = {
        "title": sheet.told.title, "sheet": sheet, "answered": known,
        "outcome": outcome_words(known), "breadcrumbs": _crumbs(chosen.membership),
    }  # fmt: skip
    return render_page(request, "surveys/account/survey.html", chosen, context)


def _is_theirs(found: Survey, member: Membership, now: dt.datetime) -> bool:
    active = member.status == Membership.Status.ACTIVE
    return active and found.on_page and is_open(found, now) and is_asked(found, member, now)


def _card(found: Survey, member: Membership, now: dt.datetime) -> SurveyCard:
    url = reverse("surveys_account:survey", args=[member.public_id, found.public_id])
    return SurveyCard(told_title(found), brings(found, now), url, found.closes_at)


def _crumbs(member: Membership) -> list[tuple[str, str]]:
    return [(_("Your opinion"), reverse("surveys_account:surveys_of", args=[member.public_id]))]
