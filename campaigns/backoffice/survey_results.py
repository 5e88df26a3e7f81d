"""What was answered to a survey: figures, texts, and a file of all of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.surveys import NAMESPACE, crumbs, find_survey, languages_of
from campaigns.models import Survey, SurveyAnswer, SurveyQuestion, SurveyResponse
from campaigns.selectors.survey_results import (
    Group,
    QuestionResult,
    count_removed,
    texts_of,
)
from campaigns.selectors.survey_rewards import brings
from campaigns.services.survey_answers import remove_text
from campaigns.slow_figures import SURVEY_RESULT
from campaigns.survey_links import survey_url as link_of
from loyalty.rule_conditions import stored_condition
from members.charts import Chart, Series
from members.conditions.sentences import sentence
from members.conditions.tree import ConditionError
from members.csv_files import csv_response
from members.file_cells import harmless
from members.formatting import format_number
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for
from rewards.texts import LANGUAGES

ORDERINGS = {"newest": ("-response__answered_at", "-pk")}
Kind = SurveyQuestion.Kind


@dataclass(frozen=True, slots=True)
class Shown:
    """A question's result with its pictures."""

    result: QuestionResult
    spread: Chart | None
    trend: Chart | None

    @property
    def score(self) -> str:
        """As it is read: NPS with its sign, a mean of five or ten."""
        score = self.result.score
        if score is None or score.value is None:
            return "–"
        return score_words(self.result.question.kind, score.value)

    @property
    def tiers(self) -> list[tuple[str, str, int]]:
        return self._rows(self.result.tiers)

    @property
    def segments(self) -> list[tuple[str, str, int]]:
        return self._rows(self.result.segments)

    def _rows(self, groups: Sequence[Group]) -> list[tuple[str, str, int]]:
        """By name: the score in words, and how many answered."""
        kind = self.result.question.kind
        return [(one.name, score_words(kind, one.score.value or 0), one.score.count)
                for one in groups]  # fmt: skip


def score_words(kind: str, value: float) -> str:
    if kind == Kind.NPS:
        sign = "+" if value > 0 else ""
        return f"{sign}{format_number(round(value))}"
    if kind in SurveyQuestion.LIKELY:
        return _("%s of 10") % format_number(value)
    return _("%s of 5") % format_number(value)


@require_safe
@staff_view("programs.view")
def survey(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """One survey with its results."""
    found = find_survey(public_id)
    asked = {"survey": found.pk, "removed": count_removed(found)}
    figures = figures_for(request, SURVEY_RESULT, timezone.now(), **asked)
    results = figures.value if figures else None
    context = {
        "title": found.title,
        "survey": found,
        "figures": figures,
        "results": results,
        "answered": SurveyResponse.objects.filter(survey=found).exists(),
        "shown": [_shown(item) for item in results.questions] if results else [],
        "reward": brings(found, timezone.now()),
        "audience": _audience(found),
        "link": link_of(found) if found.anonymous else "",
        "languages": [(code, LANGUAGES[code]) for code in languages_of(found)],
        "other_languages": [(code, name) for code, name in LANGUAGES.items()],
        "breadcrumbs": crumbs(),
        "may_edit": is_allowed(request.user, "surveys.edit"),
    }
    return render(request, "surveys/backoffice/survey.html", context)


@require_safe
@staff_view("programs.view")
def survey_words(request: HttpRequest, public_id: uuid.UUID, code: str) -> HttpResponse:
    """All that was written to a question, newest first."""
    found = find_survey(public_id)
    question = get_object_or_404(found.questions, code=code, kind=Kind.TEXT)
    page = paginate(texts_of(question), request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": question.text,
        "survey": found,
        "question": question,
        "page": page,
        "breadcrumbs": crumbs(found),
        "may_edit": is_allowed(request.user, "surveys.edit"),
    }
    return render(request, "surveys/backoffice/survey_words.html", context)


@require_POST
@staff_view("surveys.edit")
def survey_word_remove(request: HttpRequest, public_id: uuid.UUID, pk: int) -> HttpResponse:
    """Take a text away that says something that should not be kept."""
    found = find_survey(public_id)
    rows = SurveyAnswer.objects.select_related("response__survey", "question")
    answer = get_object_or_404(rows, pk=pk, response__survey=found, question__kind=Kind.TEXT)
    remove_text(answer=answer, actor=acting(request), now=timezone.now())
    messages.success(request, _("The text is gone."))
    return redirect(f"{NAMESPACE}:survey_words", found.public_id, answer.question.code)


@require_safe
@staff_view("programs.view")
def survey_export(_request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """All answers as a file for spreadsheets, without saying whose they are."""
    found = find_survey(public_id)
    return csv_response(f"survey-{found.code}.csv", _lines(found))


def _lines(found: Survey) -> Iterator[list[str]]:
    questions = list(found.questions.all())
    yield ["day", "way", "language", "tier", *(question.code for question in questions)]
    rows = SurveyResponse.objects.filter(survey=found).prefetch_related("answers")
    for response in rows.order_by("answered_at", "pk").iterator(chunk_size=500):
        said = {answer.question_id: answer for answer in response.answers.all()}
        day = response.answered_at.astimezone(found.program.zone).date().isoformat()
        cells = [_cell(said.get(question.pk)) for question in questions]
        yield [day, response.via, response.locale, response.tier, *map(harmless, cells)]


def _cell(answer: SurveyAnswer | None) -> str:
    if answer is None:
        return ""
    if answer.number is not None:
        return str(answer.number)
    return " | ".join(answer.chosen) or answer.text


def _shown(result: QuestionResult) -> Shown:
    question, spread, trend = result.question, None, None
    if result.answered and question.kind in SurveyQuestion.SCALES:
        spread = Chart(
            id=f"spread-{question.code}", title=_("How often each was chosen"),
            labels=[share.text for share in result.shares],
            series=[Series(_("Answers"), [share.count for share in result.shares])],
            kind="bar", x_label=_("Answer"), height="sm",
        )  # fmt: skip
    if len(result.trend) > 1:
        name = _("NPS") if question.kind == Kind.NPS else _("Average")
        trend = Chart(
            id=f"trend-{question.code}", title=_("Over time"),
            labels=[day for day, _score in result.trend],
            series=[Series(name, [score.value for _day, score in result.trend])],
            kind="line", x_label=_("From"), height="sm",
        )  # fmt: skip
    return Shown(result, spread, trend)


def _audience(found: Survey) -> str:
    try:
        condition = stored_condition(found.when)
    except ConditionError:
        return _("Nobody: what its condition names is not there any more.")
    return sentence(condition.root) if condition else _("Every member")
