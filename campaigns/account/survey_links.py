"""A survey that is opened by a link: a member's own, or the one for everybody."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.account.surveys import outcome_words
from campaigns.models import Survey, SurveyResponse
from campaigns.selectors.survey_rewards import brings
from campaigns.selectors.surveys import answered_by, is_asked, is_open, surveys
from campaigns.services.survey_answers import Answered, answer_anonymously, answer_survey
from campaigns.survey_forms import Sheet, blank_sheet, filled_sheet, given_in
from campaigns.survey_links import SurveyLink, read_survey_token
from loyalty.models import Membership
from loyalty.selectors.memberships import with_id
from members.api.throttling import take
from members.errors import DomainError
from members.languages import language_of
from members.selectors.merges import current


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """The questions, and thanks once they are answered. Opening it changes nothing."""
    link = read_survey_token(token)
    found = surveys().filter(public_id=link.survey).first() if link else None
    member = _member(link, found) if link and found else None
    if link is None or found is None or (member is None) != (link.membership is None):
        return _outcome(request, _("This link does not work any more"), "", 404)
    language = language_of(current(member.customer)) if member else ""
    with translation.override(language or get_language() or ""):
        return _page(request, found, member)


def _page(request: HttpRequest, found: Survey, member: Membership | None) -> HttpResponse:
    now = timezone.now()
    known = answered_by(member).filter(survey=found).first() if member else None
    if known is not None:
        return _thanks(request, Answered(known, again=True))
    if not is_open(found, now) or not _is_for(found, member):
        return _outcome(request, _("This survey is over"), _("Thank you for wanting to answer."))
    sheet, status = blank_sheet(found), 200
    if request.method == "POST":
        given, status = given_in(found, request.POST), 422
        try:
            return _thanks(request, _answer(request, found, member, given))
        except DomainError as error:
            sheet = filled_sheet(found, given, error)
    return _form(request, sheet, member, status)


def _answer(
    request: HttpRequest, found: Survey, member: Membership | None, given: dict[str, list[str]]
) -> Answered:
    now, locale = timezone.now(), get_language() or ""
    if member is not None:
        return answer_survey(
            survey=found, membership=member, given=given, via=SurveyResponse.Via.LINK,
            locale=locale, now=now,
        )  # fmt: skip
    allowance = take(f"survey:{found.pk}", settings.PUBLIC_REQUESTS_PER_MINUTE)
    if allowance is not None and not allowance.granted:
        raise DomainError(_("Very many answer just now. Please try again in a minute."))
    try:
        form = uuid.UUID(request.POST.get("form", ""))
    except ValueError as error:
        raise DomainError(_("Please open the link again.")) from error
    return answer_anonymously(survey=found, form=form, given=given, locale=locale, now=now)


def _form(
    request: HttpRequest, sheet: Sheet, member: Membership | None, status: int
) -> HttpResponse:
    context: dict[str, Any] = {
        "sheet": sheet, "title": sheet.told.title, "member": member,
        "reward": brings(sheet.survey, timezone.now()) if member else "",
        # The same form sent twice is the same answer.
        "form_id": request.POST.get("form") or uuid.uuid4(),
    }  # fmt: skip
    return render(request, "surveys/public/survey.html", context, status=status)


def _thanks(request: HttpRequest, answered: Answered) -> HttpResponse:
    sheet = blank_sheet(answered.response.survey)
    text = sheet.told.thanks or _("Your answer has reached us.")
    response = answered.response
    outcome = outcome_words(response) if response.membership_id else ""
    return _outcome(request, _("Thank you"), text, outcome=outcome)


def _outcome(
    request: HttpRequest, title: str, text: str, status: int = 200, outcome: str = ""
) -> HttpResponse:
    context = {"title": title, "text": text, "outcome": outcome}
    return render(request, "surveys/public/outcome.html", context, status=status)


def _member(link: SurveyLink, found: Survey) -> Membership | None:
    """Whose link it is; after a merge, the one that counts."""
    if link.membership is None:
        return None
    rows = Membership.objects.select_related("customer__merged_into", "program")
    return rows.filter(pk__in=with_id(link.membership), program=found.program_id).first()


def _is_for(found: Survey, member: Membership | None) -> bool:
    if member is None:
        return found.anonymous
    return member.status == Membership.Status.ACTIVE and is_asked(found, member, timezone.now())
