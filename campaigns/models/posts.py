"""What members of a program read, and what they say to it."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Program
from members.models.telling import tells, tells_new
from rewards.models import ContentItem


class Post(models.Model):
    """Something to read for members, or for some of them: the others see its teaser."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        PUBLISHED = "published", _("Published")
        ARCHIVED = "archived", _("Archived")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="posts", db_index=False
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    title = models.CharField(_("title"), max_length=120)
    teaser = models.CharField(_("teaser"), max_length=300, blank=True, default="")
    # In Markdown.
    body = models.TextField(_("text"), blank=True, default="")
    # The three in further languages, by the language's code.
    texts = models.JSONField(default=dict, blank=True)
    picture = models.FileField(_("picture"), upload_to="posts/", blank=True, max_length=200)
    # Something of the library that belongs to it.
    item = models.ForeignKey(
        ContentItem, null=True, blank=True, on_delete=models.PROTECT, related_name="posts"
    )
    # Who may read it, in the language of conditions.
    when = models.JSONField(default=dict, blank=True)
    # Before, only those read it whose tier lets them come earlier. None: as soon as it is there.
    opens_at = models.DateTimeField(_("opens for everybody"), null=True, blank=True)
    publish_at = models.DateTimeField(_("appears"), null=True, blank=True)
    pinned = models.BooleanField(_("on top"), default=False)
    comments_open = models.BooleanField(_("members may comment"), default=True)
    by_message = models.BooleanField(_("members are told"), default=False)
    published_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="post_state_of_its_times",
                condition=Q(state="draft", published_at=None, archived_at=None)
                | Q(state="scheduled", publish_at__isnull=False, published_at=None,
                    archived_at=None)
                | Q(state="published", published_at__isnull=False, archived_at=None)
                | Q(state="archived", published_at__isnull=False, archived_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["program", "state"], name="post_feed")]
        triggers = [
            pgtrigger.Protect(
                name="post_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["published", "archived"]),
            ),
            pgtrigger.FSM(
                name="post_goes_on", field="state",
                transitions=[
                    ("draft", "scheduled"), ("draft", "published"), ("scheduled", "draft"),
                    ("scheduled", "published"), ("published", "archived"),
                    ("archived", "published"),
                ],
            ),
            *tells("told.posts", state="state"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    @property
    def picture_name(self) -> str:
        """Under which its picture is read; empty: it has none."""
        return str(self.picture.name or "").rpartition("/")[2]


class PostReading(models.Model):
    """That a member read a post, and whether they found it helpful."""

    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="readings", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="post_readings"
    )
    first_at = models.DateTimeField()
    helpful_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "membership"], name="post_read_once")
        ]

    def __str__(self) -> str:
        return f"{self.post} · {self.membership}"


class PostComment(models.Model):
    """What a member says to a post. Others read it once staff have let it through."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for approval")
        SHOWN = "shown", _("Shown")
        HIDDEN = "hidden", _("Hidden")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="post_comments"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    text = models.CharField(max_length=1000, blank=True)
    # Which form it came with: sent twice it is the same.
    form = models.UUIDField(unique=True)
    written_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["written_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="comment_shown_by_somebody",
                condition=Q(state__in=["waiting", "withdrawn"])
                | Q(state__in=["shown", "hidden"], decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="comment_says_something", condition=Q(state="withdrawn") | ~Q(text="")
            ),
        ]
        indexes = [
            models.Index(fields=["post", "state"], name="comment_of_post"),
            models.Index(fields=["written_at"], name="comment_waits", condition=Q(state="waiting")),
        ]
        triggers = [*tells_new("told.post_comments")]

    def __str__(self) -> str:
        return f"{self.post} · {self.written_at:%Y-%m-%d}"


class CommentReport(models.Model):
    """That a member finds that a comment should not be shown. Each says so once."""

    comment = models.ForeignKey(
        PostComment, on_delete=models.CASCADE, related_name="reports", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="comment_reports"
    )
    at = models.DateTimeField()
    # Once staff have looked at the comment again.
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comment", "membership"], name="comment_reported_once")
        ]

    def __str__(self) -> str:
        return f"{self.comment} · {self.at:%Y-%m-%d}"


class CommunityName(models.Model):
    """What other members of a program call a member, who chose it themselves."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    membership = models.OneToOneField(
        Membership, on_delete=models.PROTECT, related_name="community_name"
    )
    name = models.CharField(_("name"), max_length=20)
    # Without case, so that nobody is taken for another.
    folded = models.CharField(max_length=40)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "folded"], name="community_name_once"),
            models.CheckConstraint(name="community_name_given", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
