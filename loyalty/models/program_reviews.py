"""What a program was like in a quarter, what was found in it, and what became of each finding."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.programs import Program

_FROZEN = """
    RAISE EXCEPTION 'The review of a quarter that is over stays as it is.'
          USING ERRCODE = 'check_violation';
"""
_FROZEN_FINDING = """
    IF (SELECT r.is_over FROM loyalty_programreview r
         WHERE r.id = CASE TG_OP WHEN 'INSERT' THEN NEW.review_id ELSE OLD.review_id END)
    THEN
        RAISE EXCEPTION 'The review of a quarter that is over stays as it is.'
              USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""
# What was found; what somebody made of it may change.
_FOUND = ("review_id", "key", "rule", "part", "tone", "position", "facts", "place", "place_key")


class ProgramReview(models.Model):
    """The review of a program and a quarter. Of one that runs it is made anew whenever somebody
    asks; once the quarter is over and it was made, its figures stay as they are."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="reviews", db_index=False
    )
    # Its first day.
    quarter = models.DateField()
    # At the end of which the figures were so.
    day = models.DateField()
    is_over = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    # None: it was made by itself.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-quarter", "program"]
        constraints = [
            models.UniqueConstraint(fields=["program", "quarter"], name="program_review_once"),
            models.CheckConstraint(
                name="program_review_quarter",
                condition=Q(quarter__day=1, quarter__month__in=[1, 4, 7, 10])
                & Q(day__gte=F("quarter")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="review_stays", when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.is_over"), func=_FROZEN,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.program} {self.quarter:%Y-%m}"


class ReviewFinding(models.Model):
    """Something that a review found: numbers and names, which the reader's language puts into
    words; and what somebody made of it."""

    class Part(models.TextChoices):
        WORKS = "works", _("What works")
        WEAK = "weak", _("What does not work yet")
        UNUSED = "unused", _("What nobody uses")
        COSTLY = "costly", _("What costs too much")
        SAID = "said", _("What members said")
        GOALS = "goals", _("Goals")

    class Tone(models.TextChoices):
        GOOD = "good", _("Good")
        BAD = "bad", _("To be changed")
        NEWS = "news", _("To be known")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        DISMISSED = "dismissed", _("Dismissed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    review = models.ForeignKey(
        ProgramReview, on_delete=models.CASCADE, related_name="findings", db_index=False
    )
    # What it is about, so that a review that is made anew knows it again.
    key = models.CharField(max_length=120)
    # Of `loyalty.review_findings`: what the numbers say.
    rule = models.CharField(max_length=24)
    part = models.CharField(max_length=8, choices=Part.choices)
    tone = models.CharField(max_length=4, choices=Tone.choices)
    position = models.PositiveSmallIntegerField()
    facts = models.JSONField(default=dict)
    # The page on which it is changed, by the name of its address and what that takes, with "/"
    # between.
    place = models.CharField(max_length=64, blank=True, default="")
    place_key = models.CharField(max_length=160, blank=True, default="")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    note = models.CharField(max_length=500, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["review", "position"]
        constraints = [
            models.UniqueConstraint(fields=["review", "key"], name="review_finding_once"),
            models.CheckConstraint(
                name="review_finding_decided",
                condition=Q(state="open", decided_at=None, decided_by=None, note="")
                | Q(state="done", decided_at__isnull=False)
                | Q(state="dismissed", decided_at__isnull=False) & ~Q(note=""),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="finding_stays", when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.Delete
                | pgtrigger.UpdateOf(*_FOUND),  # type: ignore[no-untyped-call]
                func=_FROZEN_FINDING,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.key


class ReviewReading(models.Model):
    """That somebody has opened a review: they are not reminded of it any more."""

    review = models.ForeignKey(
        ProgramReview, on_delete=models.CASCADE, related_name="readings", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # As of when it was made: one that was made anew since is new again.
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "user"], name="review_reading_once")
        ]

    def __str__(self) -> str:
        return f"{self.review_id} {self.user_id}"
