"""Links that open a survey without signing in: whose answer it will be is signed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.urls import reverse

from campaigns.links import absolute
from campaigns.models import Survey
from loyalty.models import Membership

_SALT = "setia.surveys"


@dataclass(frozen=True, slots=True)
class SurveyLink:
    """`membership`: none in the link for everybody."""

    survey: UUID
    membership: UUID | None


def survey_path(survey: Survey, membership: Membership | None = None) -> str:
    member = str(membership.public_id) if membership else ""
    token = signing.dumps([str(survey.public_id), member], salt=_SALT)
    return reverse("surveys:survey", args=[token])


def survey_url(survey: Survey, membership: Membership | None = None) -> str:
    return absolute(survey_path(survey, membership))


def read_survey_token(token: str) -> SurveyLink | None:
    """Works for as long as the survey is asked."""
    try:
        survey, member = signing.loads(token, salt=_SALT)
        return SurveyLink(UUID(survey), UUID(member) if member else None)
    except (signing.BadSignature, ValueError, TypeError):
        return None
