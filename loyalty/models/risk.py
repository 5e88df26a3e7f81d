"""Who may take advantage of a program: how much speaks for it, and what people decided."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.absences import Absence
from loyalty.models.ledger import Transfer
from loyalty.models.memberships import Membership
from loyalty.models.programs import Program
from members.models.telling import tells

MOST_POINTS = 100


class RiskPolicy(models.Model):
    """From when on a program calls something suspicious. The newest holds; none ever changes."""

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="risk_policies", db_index=False
    )
    number = models.PositiveIntegerField()
    # `loyalty.risk_definitions.RiskDefinition`.
    definition = models.JSONField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="risk_policy_number"),
            models.CheckConstraint(name="risk_policy_from_one", condition=Q(number__gte=1)),
        ]
        triggers = [pgtrigger.Protect(name="risk_policy_stays", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.program_id} · {self.number}"


class RiskScore(models.Model):
    """How much speaks against a member now, and since when it is to be looked at anew."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, related_name="risk_score"
    )
    points = models.PositiveSmallIntegerField(default=0)
    # What was found: signals with their weight, their numbers and the names of their facts.
    signals = models.JSONField(default=list)
    # The names of facts that somebody has looked at and let pass, or that were dealt with.
    cleared = ArrayField(models.CharField(max_length=64), default=list)
    # Customers who look like the same person, and when it was looked for them.
    lookalikes = ArrayField(models.BigIntegerField(), default=list)
    looked_at = models.DateTimeField(null=True)
    scored_at = models.DateTimeField(null=True)
    # NULL: nothing has changed since it was worked out.
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="risk_score_points", condition=Q(points__gte=0, points__lte=MOST_POINTS)
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="risk_score_due", condition=Q(due_at__isnull=False)
            ),
            # Who is said to look like somebody, found from that one's side.
            GinIndex(fields=["lookalikes"], name="risk_score_lookalikes"),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.points}"


class RiskCase(models.Model):
    """A member of whom somebody is to look whether they take advantage of the program."""

    class State(models.TextChoices):
        OPEN = "open", _("To be looked at")
        HELD = "held", _("Held")
        RELEASED = "released", _("Released")
        CLAWED_BACK = "clawed_back", _("Taken back")
        MERGED = "merged", _("Merged away")

    # Somebody still has to decide.
    WAITING = (State.OPEN, State.HELD)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="risk_cases", db_index=False
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    points = models.PositiveSmallIntegerField()
    signals = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    # Something was found since that was not there when it was opened.
    grown_at = models.DateTimeField(null=True)
    # Names of the facts that were to be taken when a second person was asked; else none.
    chosen = ArrayField(models.CharField(max_length=64), default=list)
    held_at = models.DateTimeField(null=True)
    # What the hold began: it ends with the case. None where they were suspended before.
    absence = models.ForeignKey(
        Absence, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"],
                name="risk_case_one_waiting",
                condition=Q(state__in=["open", "held"]),
            ),
            models.CheckConstraint(
                name="risk_case_points", condition=Q(points__gte=0, points__lte=MOST_POINTS)
            ),
            models.CheckConstraint(
                name="risk_case_decided",
                condition=Q(state="open", decided_at=None, held_at=None, absence=None)
                | Q(state="held", decided_at=None, held_at__isnull=False)
                | Q(state__in=["released", "clawed_back", "merged"], decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "-id"], name="risk_case_of"),
            models.Index(
                fields=["-id"], name="risk_case_waiting", condition=Q(state__in=["open", "held"])
            ),
        ]
        triggers = [
            *tells("told.risk_cases", "state"),
            pgtrigger.Protect(
                name="risk_case_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["released", "clawed_back", "merged"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.state}"

    @property
    def suspended(self) -> bool:
        """Whether the hold is what keeps them from taking part now; nobody has ended it since."""
        return self.absence is not None and self.absence.ended_at is None


class OrderTaking(models.Model):
    """What an adjustment takes, or would take once a second person has approved it, of what an
    order earned: a refund of that order later takes only the rest. Counts while there is a movement
    with this key that nobody has undone."""

    key = models.CharField(max_length=200)
    accrual = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="takings")
    units = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "accrual"], name="order_taking_once"),
            models.CheckConstraint(name="order_taking_of_units", condition=Q(units__gt=0)),
        ]
        triggers = [
            pgtrigger.Protect(
                name="order_taking_stays", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units} of {self.accrual_id}"
