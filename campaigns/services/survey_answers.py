"""Answering: kept once for a member, and rewarded once, in one transaction."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import Survey, SurveyAnswer, SurveyQuestion, SurveyResponse
from campaigns.selectors.survey_results import TEXT_REMOVED
from campaigns.selectors.surveys import answered_by, is_asked, open_surveys
from campaigns.services.surveys import data_told
from campaigns.survey_texts import told_title
from loyalty.models import Activity, Membership, Transfer
from loyalty.selectors.member_tiers import member_standings
from loyalty.services.activities import ActivityInput, record_activities
from loyalty.services.order_inputs import CustomerRef
from members.errors import ConflictError, DomainError, FieldError
from members.selectors.merges import current
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

logger = logging.getLogger(__name__)

SOURCE = "survey"
LONGEST_TEXT = 2_000
Via = SurveyResponse.Via
Kind = SurveyQuestion.Kind
# By the question's code: a number as text, what was chosen, or a text.
Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answered:
    """`again`: it had been answered before, and what was said then stays."""

    response: SurveyResponse
    again: bool


class SurveyClosedError(ConflictError):
    code = "survey_closed"


def answer_survey(
    *, survey: Survey, membership: Membership, given: Given, via: str, locale: str, now: dt.datetime
) -> Answered:
    """A member answers. What they answered before stays, and is returned. Raises DomainError naming
    each question that is wrong, SurveyClosedError where it is not asked of them now."""

    def answer() -> Answered:
        # First of all locks, so whoever comes second finds what the first has written.
        _take_turns(survey, membership)
        known = answered_by(membership).filter(survey=survey).first()
        if known is not None:
            return Answered(known, again=True)
        found = _asked(survey, now)
        if membership.status != Membership.Status.ACTIVE or not is_asked(found, membership, now):
            raise SurveyClosedError(_("This survey is not for this member."))
        answers = checked_answers(found, given)
        activity, refused = _reward(found, membership, now)
        standing = member_standings([membership], now).get(membership.pk)
        response = SurveyResponse.objects.create(
            survey=found, membership=membership, via=via, locale=locale[:16],
            tier=standing.tier.code if standing else "", answered_at=now, activity=activity,
            unrewarded=refused[:200],
        )  # fmt: skip
        _write(response, answers)
        return Answered(response, again=False)

    return run_atomically(answer)


def answer_anonymously(
    *, survey: Survey, form: UUID, given: Given, locale: str, now: dt.datetime
) -> Answered:
    """Somebody answers by the link for everybody; the same form again is the same answer. It brings
    nothing: nobody knows whom to give it to."""

    def answer() -> Answered:
        found = _asked(survey, now)
        if not found.anonymous:
            raise SurveyClosedError(_("This survey is asked of members alone."))
        answers = checked_answers(found, given)
        response, made = SurveyResponse.objects.get_or_create(
            form=form,
            defaults={"survey": found, "via": Via.ANONYMOUS, "locale": locale[:16],
                      "answered_at": now},
        )  # fmt: skip
        if response.survey_id != found.pk:
            raise SurveyClosedError(_("This form belongs to another survey."))
        if made:
            _write(response, answers)
        return Answered(response, again=not made)

    return run_atomically(answer)


@transaction.atomic
def remove_text(*, answer: SurveyAnswer, actor: Actor, now: dt.datetime) -> None:
    """Take a text away that says something that we should not keep. Again changes nothing."""
    gone = SurveyAnswer.objects.filter(pk=answer.pk, removed_at=None).exclude(text="")
    if gone.update(text="", removed_at=now):
        record_audit(
            actor=actor, action=TEXT_REMOVED, target=answer.response.survey,
            after={"response": str(answer.response.public_id)},
        )  # fmt: skip


def checked_answers(survey: Survey, given: Given) -> list[SurveyAnswer]:
    """The answers as they are kept. Raises DomainError naming each question that is wrong."""
    answers, errors = [], []
    questions = list(survey.questions.all())
    for unknown in sorted(set(given) - {question.code for question in questions}):
        errors.append(FieldError(f"answers.{unknown}", _("There is no such question."), "unknown"))
    for question in questions:
        said = [text.strip() for text in given.get(question.code, ()) if text.strip()]
        wrong = _wrong(question, said)
        if wrong:
            errors.append(FieldError(f"answers.{question.code}", wrong))
        elif said:
            answers.append(_answer(question, said))
    if not errors and not answers:
        errors.append(FieldError("answers", _("Answer at least one question."), "required"))
    if errors:
        raise DomainError(_("Something is missing, or not right."), errors=errors)
    return answers


def _wrong(question: SurveyQuestion, said: Sequence[str]) -> str:
    """What is wrong with an answer, in words; empty: nothing."""
    if not said:
        return _("Please answer this.") if question.required else ""
    if question.kind != Kind.MANY and len(said) > 1:
        return _("Choose one.")
    if question.kind == Kind.TEXT:
        too_long = len(said[0]) > LONGEST_TEXT or "\x00" in said[0]
        return _("At most %s characters.") % LONGEST_TEXT if too_long else ""
    scale = SurveyQuestion.SCALES.get(Kind(question.kind))
    allowed = [str(number) for number in scale] if scale else _codes(question)
    return "" if set(said) <= set(allowed) else _("Choose one of what there is.")


def _answer(question: SurveyQuestion, said: Sequence[str]) -> SurveyAnswer:
    if question.kind in SurveyQuestion.SCALES:
        return SurveyAnswer(question=question, number=int(said[0]))
    if question.kind == Kind.TEXT:
        return SurveyAnswer(question=question, text=said[0])
    return SurveyAnswer(
        question=question, chosen=[code for code in _codes(question) if code in said]
    )


def _codes(question: SurveyQuestion) -> list[str]:
    return [choice["code"] for choice in question.choices]


def _asked(survey: Survey, now: dt.datetime) -> Survey:
    """Not locked: everybody who answers it would wait for each other."""
    found = open_surveys(now).filter(pk=survey.pk).first()
    if found is None:
        raise SurveyClosedError(_("This survey is not asked now."))
    return found


def _reward(
    survey: Survey, membership: Membership, now: dt.datetime
) -> tuple[Activity | None, str]:
    """The activity that the answer is, with what rules give for it; or why it is none, which is no
    reason not to keep what somebody has taken the time to say."""
    kind = survey.activity_type
    if kind is None:
        return None, ""
    given = ActivityInput(
        external_id=f"{survey.public_id}:{membership.public_id}", source=SOURCE, type=kind.code,
        customer=CustomerRef(key=current(membership.customer).pk), occurred_at=now,
        subject=survey.code, subject_name=told_title(survey)[:200], data=data_told(survey),
    )  # fmt: skip
    try:
        [result] = record_activities([given], now=now, transfer_source=Transfer.Source.ACCOUNT)
    except DomainError as error:
        logger.warning("answers to survey %s are not rewarded: %s", survey.pk, error.code)
        return None, str(error.message)
    return result.activity, result.reason


def _write(response: SurveyResponse, answers: Sequence[SurveyAnswer]) -> None:
    for answer in answers:
        answer.response = response
    SurveyAnswer.objects.bulk_create(answers)


def _take_turns(survey: Survey, membership: Membership) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('campaigns.survey'), hashtext(%s || ':' || %s))",
            [str(survey.pk), str(membership.pk)],
        )
