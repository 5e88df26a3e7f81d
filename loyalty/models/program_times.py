"""When a program rests and when it ends: what is kept of its pauses, and of the plan of its end."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateTimeRangeField,
    RangeBoundary,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q

from loyalty.models.programs import Program


def _program_has_times(name: str) -> pgtrigger.Trigger:
    """Whoever reads the program knows that there is something to look for."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        func="""
            UPDATE loyalty_program SET has_times = true
             WHERE id = NEW.program_id AND NOT has_times;
            RETURN NULL;
        """,
    )


class ProgramPause(models.Model):
    """A time in which a program gives nothing: [starts_at, ends_at), without an end for as long as
    nobody resumes it. Orders are asked by when they were placed, so a pause that is over stays.

    Only its end changes; one that has not begun may be called off.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="pauses")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    # Whether units can be spent meanwhile.
    spending = models.BooleanField(default=True)
    note = models.CharField(max_length=500, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["program", "starts_at"]
        constraints = [
            models.CheckConstraint(
                name="program_pause_ends_later",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            # Ranges of one number for the program: PostgreSQL's own index knows ranges only.
            ExclusionConstraint(
                name="program_pause_one_at_a_time",
                expressions=[
                    (
                        Func(
                            F("program_id"), F("program_id"),
                            RangeBoundary(inclusive_upper=True),
                            function="int8range", output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            F("starts_at"), F("ends_at"), RangeBoundary(),
                            function="tstzrange", output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]  # fmt: skip
        triggers = [
            _program_has_times("program_pause_noted"),
            pgtrigger.Trigger(
                name="program_pause_began",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (to_jsonb(NEW) - 'ends_at') = (to_jsonb(OLD) - 'ends_at') THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'of a pause only the end changes' USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.starts_at:%Y-%m-%d}"


class ProgramEnding(models.Model):
    """How a program ends: the last days on which units are earned and can be spent, in its time
    zone. What is left after that expires.

    A plan never changes; it may be called off until the last day to earn is over. Another one is
    another row.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="endings")
    announced_on = models.DateField()
    last_earning_day = models.DateField()
    last_spending_day = models.DateField()
    note = models.CharField(max_length=500, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField()
    called_off_at = models.DateTimeField(null=True)
    called_off_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["program", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["program"], name="program_ending_once", condition=Q(called_off_at=None)
            ),
            models.CheckConstraint(
                name="program_ending_in_order",
                condition=Q(announced_on__lte=F("last_earning_day"))
                & Q(last_earning_day__lte=F("last_spending_day")),
            ),
        ]
        triggers = [
            _program_has_times("program_ending_noted"),
            pgtrigger.Trigger(
                name="program_ending_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.called_off_at IS NULL
                       AND (to_jsonb(NEW) - 'called_off_at' - 'called_off_by_id')
                           = (to_jsonb(OLD) - 'called_off_at' - 'called_off_by_id') THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'the plan of an end does not change' USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.last_spending_day}"
