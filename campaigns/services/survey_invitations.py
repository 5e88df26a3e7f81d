"""Asking members by a message, each once: a job that runs while a survey is asked, so that who
joins, or comes into its audience, is asked as well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.models import Message, OccasionSetting, Survey, SurveyResponse
from campaigns.news import News
from campaigns.occasions import Occasion, Variable
from campaigns.selectors.survey_rewards import brings
from campaigns.selectors.surveys import open_surveys, those_asked
from campaigns.services.messages import watched, write_messages
from campaigns.survey_links import survey_path
from campaigns.survey_texts import told_survey
from loyalty.lot_words import last_day
from loyalty.models import Membership
from members.formatting import format_day, format_number
from members.jobs import Work
from members.models import Job
from members.selectors.merges import current
from members.services.job_runs import Step, run_in_chunks

KIND = "survey_invitations"
PIECE = 200
SURVEY = Occasion(
    code="survey",
    label=_l("Survey"),
    description=_l("You ask something, and this is the link to answer. Each survey says whom."),
    icon="message-question",
    topic="surveys",
    priority=40,
    variables=(
        Variable("survey", _l("The survey's title"), "text", "How was your last visit?"),
        Variable("intro", _l("What it is about"), "text", "Three questions, one minute.",
                 may_be_empty=True),
        Variable("reward", _l("What answering brings"), "units", "50 points", may_be_empty=True),
        Variable("until", _l("Last day"), "day", "Jan 26, 2027", may_be_empty=True),
    ),
)  # fmt: skip


def find_invitations(now: dt.datetime) -> Work | None:
    """Nothing while the occasion is off, or nobody is to be asked."""
    if watched(SURVEY) is None:
        return None
    asking = [survey for survey in _asking(now) if _uninvited(survey, 0).exists()]
    if not asking:
        return None
    # Once a day, since who is in no audience today may be in it later; and as soon as another asks.
    stamp = f"{now:%Y-%m-%d} {','.join(str(survey.pk) for survey in asking)}"
    return Work(_("Whom surveys ask"), fingerprint=stamp, params={"now": now.isoformat()})


def run_invitations(job_id: int) -> Job | None:
    """Ask everybody who was not asked yet; None when another run has it."""
    return run_in_chunks(job_id, _invite_piece)


def invitation_words(job: Job) -> str:
    asked = job.result.get("asked", 0)
    words = ngettext("%s member was asked.", "%s members were asked.", asked)
    return words % format_number(asked)


def _invite_piece(job: Job) -> Step | None:
    """The next members of the survey that is being worked on, then the next survey."""
    now, setting = dt.datetime.fromisoformat(job.params["now"]), watched(SURVEY)
    place: Mapping[str, int] = job.checkpoint
    at, after = place.get("survey", 0), place.get("after", 0)
    if setting is None:
        return None
    for survey in _asking(now):
        if survey.pk < at:
            continue
        members = list(_uninvited(survey, after if survey.pk == at else 0)[:PIECE])
        if not members:
            continue
        asked = job.result.get("asked", 0) + _invite(survey, members, setting, now)
        return Step(
            checkpoint={"survey": survey.pk, "after": members[-1].pk},
            done=job.done + len(members), result={"asked": asked},
        )  # fmt: skip
    return None


def _asking(now: dt.datetime) -> Sequence[Survey]:
    return list(open_surveys(now).filter(by_message=True).order_by("pk"))


def _uninvited(survey: Survey, after: int) -> QuerySet[Membership]:
    """Who was not told and has not answered, under any of their names."""
    told = Message.objects.filter(
        occasion=SURVEY.code, occurrence__startswith=f"survey:{survey.pk}:"
    )
    answered = SurveyResponse.objects.filter(survey=survey)
    known = [
        ~Exists(rows.filter(**{name: OuterRef("pk")}))
        for rows in (told, answered) for name in ("membership", "membership__merged_into")
    ]  # fmt: skip
    return (
        Membership.objects.filter(
            *known, program=survey.program_id, merged_into=None,
            status=Membership.Status.ACTIVE, pk__gt=after,
        )
        .select_related("customer__merged_into", "program")
        .order_by("pk")
    )  # fmt: skip


def _invite(
    survey: Survey, members: Sequence[Membership], setting: OccasionSetting, now: dt.datetime
) -> int:
    asked = those_asked(survey, members, now)
    reward = brings(survey, now)
    news = [_news(survey, item, reward) for item in members if item.pk in asked]
    return len(write_messages(occasion=SURVEY, setting=setting, news=news, now=now))


def _news(survey: Survey, member: Membership, reward: str) -> News:
    def values() -> dict[str, str]:
        told = told_survey(survey)
        closes = survey.closes_at
        return {
            "survey": told.title, "intro": told.intro, "reward": reward,
            "until": format_day(last_day(closes, member.program.zone)) if closes else "",
        }  # fmt: skip

    return News(
        customer=current(member.customer), membership=member,
        occurrence=f"survey:{survey.pk}:{member.pk}", values=values,
        link=survey_path(survey, member),
    )  # fmt: skip
