"""Leaderboards of challenges: who wants to be seen on them, by which name, how far they are."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from campaigns.models.challenges import Challenge
from loyalty.models import Membership, Program


class BoardName(models.Model):
    """The name that others see of a member on leaderboards, who has chosen it or was given one.
    Staff may hide it: then it is one that was made for them, until they let them choose again."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, related_name="board_name"
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=24)
    # Since when they want to be seen; None: they do not any more.
    since = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), "program", name="board_name_once"),
            models.CheckConstraint(
                name="board_name_hidden", condition=Q(hidden_at__isnull=False) | Q(hidden_by=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BoardScore(models.Model):
    """How far somebody who is on leaderboards is: in one challenge, or in all of a program in a
    month or ever. Kept up with each challenge that goes on; `rebuild_leaderboards` does
    it anew."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="board_scores", db_index=False
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    # None: all of the program's.
    challenge = models.ForeignKey(
        Challenge, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # A month as in 2026-03; empty: ever. Of a challenge there is no month.
    month = models.CharField(max_length=7, blank=True, default="")
    # Of a program how often challenges were done; of a challenge a hundred for each time, and the
    # percent of the next.
    score = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "challenge", "month"],
                name="board_score_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="board_score_some", condition=Q(score__gt=0)),
            models.CheckConstraint(
                name="board_score_month",
                condition=Q(month="") | Q(challenge=None, month__regex=r"^[0-9]{4}-[0-9]{2}$"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["program", "challenge", "month", "-score", "membership"],
                name="board_score_highest",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.score}"
