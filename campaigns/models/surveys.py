"""What the merchant asks, and what people answered."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Activity, ActivityType, Membership, Program
from loyalty.models.programs import code_validator
from members.models.telling import tells_new

_AS_ASKED = """
    IF (SELECT s.state FROM campaigns_survey s
         WHERE s.id = CASE TG_OP WHEN 'DELETE' THEN OLD.survey_id ELSE NEW.survey_id END)
       <> 'draft' THEN
        RAISE EXCEPTION 'The questions of a survey that was live stay as they are.'
              USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


class Survey(models.Model):
    """Questions to the members of a program, asked for a while."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="surveys", db_index=False
    )
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    title = models.CharField(_("title"), max_length=120)
    intro = models.CharField(_("what it is about"), max_length=600, blank=True, default="")
    thanks = models.CharField(_("thanks"), max_length=600, blank=True, default="")
    # The three in further languages, by the language's code.
    texts = models.JSONField(default=dict, blank=True)
    # Who is asked, in the language of conditions.
    when = models.JSONField(default=dict, blank=True)
    # None: from being live on, and until it is ended.
    opens_at = models.DateTimeField(_("from"), null=True, blank=True)
    closes_at = models.DateTimeField(_("until"), null=True, blank=True)
    on_page = models.BooleanField(_("on members' own pages"), default=True)
    by_message = models.BooleanField(_("by a message"), default=False)
    # Whoever has the link may answer, and nobody knows who did.
    anonymous = models.BooleanField(_("by a link for everybody"), default=False)
    # What an answer counts as; rules say what it brings. None: it brings nothing.
    activity_type = models.ForeignKey(
        ActivityType, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="survey_code"),
            models.CheckConstraint(
                name="survey_state_of_its_times",
                condition=Q(state="draft", live_at=None, ended_at=None)
                | Q(state__in=["live", "paused"], live_at__isnull=False, ended_at=None)
                | Q(state="ended", live_at__isnull=False, ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="survey_closes_later",
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="survey_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["live", "paused", "ended"]),
            ),
            pgtrigger.FSM(
                name="survey_goes_on", field="state",
                transitions=[
                    ("draft", "live"), ("live", "paused"), ("paused", "live"), ("live", "ended"),
                    ("paused", "ended"),
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title


class SurveyQuestion(models.Model):
    """One question. Once its survey is live it stays as it was asked."""

    class Kind(models.TextChoices):
        NPS = "nps", _("Would you recommend us? (0–10)")
        REPURCHASE = "repurchase", _("Would you buy from us again? (0–10)")
        OTHER_GOODS = "other_goods", _("Would you buy other things from us? (0–10)")
        SATISFACTION = "satisfaction", _("How satisfied? (1–5)")
        ONE = "one", _("One of several")
        MANY = "many", _("Any of several")
        TEXT = "text", _("In their own words")

    CHOSEN = (Kind.ONE, Kind.MANY)
    # How likely something is, from 0 to 10.
    LIKELY = (Kind.NPS, Kind.REPURCHASE, Kind.OTHER_GOODS)
    SCALES = {**dict.fromkeys(LIKELY, range(11)), Kind.SATISFACTION: range(1, 6)}

    survey = models.ForeignKey(
        Survey, on_delete=models.CASCADE, related_name="questions", db_index=False
    )
    code = models.CharField(max_length=64, validators=[code_validator])
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    text = models.CharField(max_length=300)
    required = models.BooleanField(default=True)
    # What can be chosen, each with its code and what people read.
    choices = models.JSONField(default=list, blank=True)
    # Text and choices in further languages, by the language's code.
    texts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "code"], name="survey_question_code"),
            models.UniqueConstraint(
                fields=["survey", "position"], name="survey_question_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                name="survey_question_kind",
                condition=Q(
                    kind__in=["nps", "repurchase", "other_goods", "satisfaction", "text"],
                    choices=[],
                )
                | Q(kind__in=["one", "many"]) & ~Q(choices=[]),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="stays_as_asked", when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete, func=_AS_ASKED,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.text


class SurveyResponse(models.Model):
    """That somebody answered. A member does so once."""

    class Via(models.TextChoices):
        PAGE = "page", _("Own page")
        LINK = "link", _("Personal link")
        API = "api", _("API")
        ANONYMOUS = "anonymous", _("Link for everybody")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    survey = models.ForeignKey(
        Survey, on_delete=models.PROTECT, related_name="responses", db_index=False
    )
    # None: nobody knows who it was.
    membership = models.ForeignKey(
        Membership, null=True, on_delete=models.PROTECT, related_name="survey_responses",
        db_index=False,
    )  # fmt: skip
    via = models.CharField(max_length=12, choices=Via.choices)
    # Which form an answer without a name came with: sent twice it is the same.
    form = models.UUIDField(null=True)
    locale = models.CharField(max_length=16, blank=True, default="")
    # The member's tier then.
    tier = models.CharField(max_length=64, blank=True, default="")
    answered_at = models.DateTimeField()
    # What it counted as, and brought.
    activity = models.OneToOneField(
        Activity, null=True, on_delete=models.PROTECT, related_name="survey_response"
    )
    # Why it brought nothing although it should.
    unrewarded = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "survey"], name="survey_answered_once",
                condition=Q(membership__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["form"], name="survey_form_once", condition=Q(form__isnull=False)
            ),
            models.CheckConstraint(
                name="survey_response_of_somebody",
                condition=Q(via="anonymous", membership=None, activity=None, form__isnull=False)
                | Q(via__in=["page", "link", "api"], membership__isnull=False, form=None),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["survey", "answered_at", "id"], name="survey_answered")]
        triggers = [
            pgtrigger.Protect(name="response_stays", operation=pgtrigger.Update | pgtrigger.Delete),
            *tells_new("told.survey_responses"),
        ]

    def __str__(self) -> str:
        return f"{self.survey} · {self.answered_at:%Y-%m-%d}"


class SurveyAnswer(models.Model):
    """What was answered to one question: a number, what was chosen, or a text."""

    response = models.ForeignKey(
        SurveyResponse, on_delete=models.PROTECT, related_name="answers", db_index=False
    )
    question = models.ForeignKey(SurveyQuestion, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveSmallIntegerField(null=True)
    chosen = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    text = models.TextField(blank=True, default="")
    # When staff took the text away, because it said something that we should not keep.
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "question"], name="survey_answer_once"),
            models.CheckConstraint(
                name="survey_answer_is_one_thing",
                condition=Q(number__gte=0, number__lte=10, chosen=[], text="", removed_at=None)
                | Q(number=None, text="", removed_at=None) & ~Q(chosen=[])
                | Q(number=None, chosen=[], removed_at=None) & ~Q(text="")
                | Q(number=None, chosen=[], text="", removed_at__isnull=False),
            ),
        ]
        triggers = [pgtrigger.Protect(name="answer_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text or str(self.number if self.number is not None else self.chosen)
