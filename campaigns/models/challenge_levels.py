"""What a program calls those who have done so many challenges."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.challenges import Challenge
from loyalty.models import Program


class ChallengeLevel(models.Model):
    """From so many challenges on. A program without any has the standard ones."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="challenge_levels", db_index=False
    )
    needs = models.PositiveIntegerField(_("challenges done"))
    name = models.CharField(_("name"), max_length=40)
    icon = models.CharField(_("icon"), max_length=8, choices=Challenge.Icon.choices)
    # The name in further languages, by the language's code.
    texts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["program", "needs"]
        constraints = [
            models.UniqueConstraint(fields=["program", "needs"], name="challenge_level_once"),
            models.UniqueConstraint(fields=["program", "name"], name="challenge_level_name"),
            models.CheckConstraint(name="challenge_level_needs", condition=Q(needs__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name
