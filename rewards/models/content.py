"""What members may read, hear or watch."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Program
from loyalty.models.programs import code_validator
from rewards.models.access_windows import AccessWindow
from rewards.models.rewards import Reward


class ContentItem(models.Model):
    """A file or a link: for all members, for some of them, or for who took its reward."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="content", db_index=False
    )
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    title = models.CharField(_("title"), max_length=120)
    summary = models.CharField(_("in a sentence"), max_length=300, blank=True, default="")
    file = models.FileField(_("file"), upload_to="content/", blank=True, max_length=200)
    # As it is called when it is downloaded.
    file_name = models.CharField(max_length=120, blank=True, default="")
    link = models.URLField(_("link"), max_length=500, blank=True, default="")
    # Who may have it, in the language of conditions.
    when = models.JSONField(default=dict, blank=True)
    # What it is taken with; None: nothing has to be taken.
    reward = models.OneToOneField(
        Reward, null=True, on_delete=models.PROTECT, related_name="content_item"
    )
    # With which sale it comes; of what is taken for units its reward says it.
    window = models.ForeignKey(
        AccessWindow, null=True, blank=True, on_delete=models.PROTECT, related_name="content"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="content_code"),
            models.CheckConstraint(
                name="content_file_or_link",
                condition=(Q(file="") & ~Q(link="")) | (~Q(file="") & Q(link="")),
            ),
            models.CheckConstraint(
                name="content_condition_or_reward", condition=Q(when={}) | Q(reward=None)
            ),
            models.CheckConstraint(
                name="content_window_or_reward", condition=Q(window=None) | Q(reward=None)
            ),
        ]
        triggers = [pgtrigger.Protect(name="content_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.title


class ContentDownload(models.Model):
    """That a member fetched something, and how often."""

    item = models.ForeignKey(
        ContentItem, on_delete=models.PROTECT, related_name="downloads", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="content_downloads"
    )
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "membership"], name="content_download_once")
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.membership}"
