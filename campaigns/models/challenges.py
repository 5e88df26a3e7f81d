"""Challenges: what members do for a reward, how far each is, and what they have won."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from campaigns.models.tally_triggers import ENTRIES
from loyalty.models import Activity, Membership
from members.models.telling import tells
from rewards.models import Redemption, Reward

# What is settled once its campaign is no draft any more. Its pauses are not.
_SETTLED = (
    "campaign_id", "steps", "in_order", "opt_in", "days", "times", "units", "reward_id", "badge",
    "badge_icon", "team_size",
)  # fmt: skip


class Challenge(models.Model):
    """What is to be done and what it brings. Its life, its audience, its time, its budget and its
    words are those of its campaign."""

    class Icon(models.TextChoices):
        AWARD = "award", _("Award")
        TROPHY = "trophy", _("Trophy")
        STAR = "star", _("Star")
        FLAME = "flame", _("Flame")
        HEART = "heart", _("Heart")
        LEAF = "leaf", _("Leaf")

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="challenge")
    # As in `campaigns.challenges.steps`.
    steps = models.JSONField(default=list)
    in_order = models.BooleanField(default=False)
    # Members take part by their own decision; else everybody does who is in the audience.
    opt_in = models.BooleanField(default=True)
    # So many days for each member from their beginning on, the last instant included; None: the
    # campaign's time.
    days = models.PositiveSmallIntegerField(null=True)
    times = models.PositiveSmallIntegerField(default=1)
    # Members do it together, so many at most in a team; None: each alone.
    team_size = models.PositiveSmallIntegerField(null=True)
    units = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    reward = models.ForeignKey(Reward, null=True, on_delete=models.PROTECT, related_name="+")
    badge = models.CharField(max_length=40, blank=True, default="")
    badge_icon = models.CharField(max_length=8, choices=Icon.choices, default=Icon.AWARD)
    # Pairs of instants between which nothing counts; the end of the last may be null.
    pauses = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="challenge_times", condition=Q(times__gte=1) & Q(times__lte=100)
            ),
            models.CheckConstraint(
                name="challenge_days", condition=Q(days=None) | Q(days__gte=1, days__lte=366)
            ),
            # They begin and end together, so there are no days of one's own.
            models.CheckConstraint(
                name="challenge_team",
                condition=Q(team_size=None)
                | Q(team_size__gte=2, team_size__lte=100, opt_in=True, days=None),
            ),
            models.CheckConstraint(
                name="challenge_units", condition=Q(units=None) | Q(units__gt=0)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="challenge_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                func=f"""
                    IF ({", ".join(f"NEW.{name}" for name in _SETTLED)}) IS DISTINCT FROM
                       ({", ".join(f"OLD.{name}" for name in _SETTLED)})
                       AND EXISTS (SELECT FROM campaigns_campaign
                                    WHERE id = OLD.campaign_id AND status <> 'draft') THEN
                        RAISE EXCEPTION 'what a challenge asks does not change once it is planned'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.campaign)


class ChallengeTeam(models.Model):
    """Members who do a challenge together; whoever has its code can join it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    challenge = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="teams")
    code = models.CharField(max_length=8, unique=True)
    name = models.CharField(_("name"), max_length=40)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ChallengeEntry(models.Model):
    """A member takes part, from when to when, and how far they are: worked out from what they
    bought. A challenge that was received twice is two entries."""

    class State(models.TextChoices):
        OPEN = "open", _("On it")
        NEAR = "near", _("Nearly there")
        WON = "won", _("Done")
        ENDED = "ended", _("Time is over")
        LEFT = "left", _("Left")

    GOING = (State.OPEN, State.NEAR)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    challenge = models.ForeignKey(
        Challenge, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="challenge_entries", db_index=False
    )
    team = models.ForeignKey(
        ChallengeTeam, null=True, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    # So often done, and how far the next time is: pairs of what is reached and what is asked.
    rounds = models.PositiveSmallIntegerField(default=0)
    percent = models.PositiveSmallIntegerField(default=0)
    reached = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["challenge", "membership", "starts_at"], name="challenge_entry_once"
            ),
            models.CheckConstraint(
                name="challenge_entry_ends_later", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(name="challenge_entry_percent", condition=Q(percent__lte=100)),
        ]
        indexes = [
            models.Index(fields=["membership"], name="challenge_entry_of"),
            models.Index(
                fields=["team"], name="challenge_entry_team", condition=~Q(team=None)
            ),
            # What time ends.
            models.Index(
                fields=["ends_at"], name="challenge_entry_going",
                condition=Q(state__in=["open", "near"]),
            ),
        ]  # fmt: skip
        triggers = [
            *ENTRIES.triggers(),
            *tells("told.challenge_entries", "state", ("percent", "rounds")),
        ]

    def __str__(self) -> str:
        return f"{self.challenge_id}: {self.membership_id}"


class ChallengeWin(models.Model):
    """That somebody has done it, for the n-th time, and what they got: once. Undone when what was
    bought for it went back; done again, it brings that again."""

    class State(models.TextChoices):
        WON = "won", _("Won")
        UNDONE = "undone", _("Undone")

    entry = models.ForeignKey(
        ChallengeEntry, on_delete=models.PROTECT, related_name="wins", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WON)
    # So often given: the first time, and again after it was undone.
    attempt = models.PositiveSmallIntegerField(default=1)
    # When the order was placed that made it whole.
    reached_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    # What brought the units, and the reward; and why there are none where there should be some.
    activity = models.ForeignKey(
        Activity, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    redemption = models.ForeignKey(
        Redemption, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    unrewarded = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "number"], name="challenge_win_once"),
        ]
        triggers = [*tells("told.challenge_wins", "state")]

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.number}"
