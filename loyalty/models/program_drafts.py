"""A program that somebody is still answering questions about, in the wizard."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.programs import Program


class ProgramDraft(models.Model):
    """The answers of one person until they are a program: what they said so far and where they
    were. Nobody else sees it. Once it is a program it says nothing any more but which one."""

    class Mode(models.TextChoices):
        STARTER = "starter", _("Quick start")
        FULL = "full", _("Step by step")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="program_drafts"
    )
    mode = models.CharField(max_length=8, choices=Mode.choices)
    # Code of the template; empty while no kind is chosen.
    template = models.CharField(max_length=64, blank=True, default="")
    # How the shop is: currency, margin, how simple it should be, and what is estimated.
    situation = models.JSONField(default=dict)
    # Answers to the template's questions, as far as they were given.
    answers = models.JSONField(default=dict)
    # What earns, where it was asked; and how the program is to begin.
    base = models.JSONField(default=dict)
    launch = models.JSONField(default=dict)
    # The furthest step that was come to.
    step = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    program = models.OneToOneField(
        Program, null=True, on_delete=models.PROTECT, related_name="drafted_by"
    )

    class Meta:
        ordering = ["-updated_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="program_draft_mode", condition=Q(mode__in=["starter", "full"])
            ),
            # What is a program was answered about a kind.
            models.CheckConstraint(
                name="program_draft_done", condition=Q(program=None) | ~Q(template="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "-updated_at"],
                name="program_draft_open",
                condition=Q(program=None),
            ),
        ]

    @property
    def name(self) -> str:
        said = self.answers.get("program_name", "")
        return said if isinstance(said, str) else ""

    def __str__(self) -> str:
        return self.name or str(self.public_id)
