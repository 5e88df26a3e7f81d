"""Games: what they promise, and what can be won."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program
from loyalty.models.programs import code_validator
from members.models.telling import tells
from rewards.models import Reward

# What is settled once somebody may play.
_SETTLED = (
    "program_id", "code", "kind", "odds", "odds_hash", "price", "free_plays", "free_each",
    "play_days", "daily_plays", "earning", "audience", "budget_units", "budget_money", "starts_at",
    "guests", "claim_hours",
)  # fmt: skip
_AS_PUBLISHED = """
    IF (SELECT g.status FROM campaigns_game g
         WHERE g.id = CASE TG_OP WHEN 'DELETE' THEN OLD.game_id ELSE NEW.game_id END)
       <> 'draft' AND NOT (TG_OP = 'UPDATE'
       AND (to_jsonb(NEW) - 'taken') = (to_jsonb(OLD) - 'taken')) THEN
        RAISE EXCEPTION 'The prizes of a game that was published stay as they are.'
              USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


def _money() -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(max_digits=14, decimal_places=4, null=True)


class Game(models.Model):
    """A game that members play for prizes. All kinds draw alike: they only look different."""

    class Kind(models.TextChoices):
        WHEEL = "wheel", _("Wheel")
        SLOT = "slot", _("Slot machine")
        SCRATCH = "scratch", _("Scratch card")
        BOX = "box", _("Mystery box")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    class Period(models.TextChoices):
        NEVER = "", _("No free plays")
        DAY = "day", _("Every day")
        WEEK = "week", _("Every week")

    class Ending(models.TextChoices):
        OVER = "over", _("Its time was over")
        EARLY = "early", _("Somebody ended it")
        EMPTY = "empty", _("Nothing was left to win")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="games", db_index=False
    )
    code = models.CharField(_("code"), max_length=48, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT)
    # What members read, and the two in further languages by the language's code.
    title = models.CharField(_("title"), max_length=80)
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    texts = models.JSONField(default=dict, blank=True)
    # For whom, in the language of conditions; empty: every member.
    audience = models.JSONField(default=dict, blank=True)
    # What one play costs in units; None: it cannot be bought.
    price = _money()
    free_plays = models.PositiveSmallIntegerField(default=0)
    free_each = models.CharField(max_length=4, choices=Period.choices, blank=True, default="")
    # What earns plays, as in `campaigns.game_definitions`.
    earning = models.JSONField(default=list, blank=True)
    # How long plays that were earned or won last, in days; None: as long as the game.
    play_days = models.PositiveSmallIntegerField(null=True)
    # How often one member plays in a day; None: as often as they have plays.
    daily_plays = models.PositiveSmallIntegerField(null=True)
    # Who is no member plays once on the public page, and has so many hours to claim it by joining.
    guests = models.BooleanField(default=False)
    claim_hours = models.PositiveSmallIntegerField(default=48)
    budget_units = _money()
    budget_money = _money()
    # What was won so far, counted under these budgets.
    won_units = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    won_money = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    # The weights in force, a line for each prize, and their SHA-256; empty: a draft.
    odds = models.TextField(blank=True, default="")
    odds_hash = models.CharField(max_length=64, blank=True, default="")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    # Of a draft: it is published when its program is taken live.
    with_program = models.BooleanField(default=False, db_default=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    # Who wants a draft published by somebody else, and why that one sent it back.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    asked_at = models.DateTimeField(null=True)
    sent_back = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, choices=Ending.choices, blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="game_code"),
            models.CheckConstraint(
                name="game_status_of_its_times",
                condition=Q(status="draft", live_at=None, ended_at=None, ending="", odds="")
                | Q(status="scheduled", live_at=None, ended_at=None, ending="",
                    starts_at__isnull=False) & ~Q(odds="")
                | Q(status__in=["live", "paused"], live_at__isnull=False, ended_at=None, ending="")
                & ~Q(odds="")
                | Q(status="ended", live_at__isnull=False, ended_at__isnull=False)
                & ~Q(ending="") & ~Q(odds=""),
            ),
            models.CheckConstraint(
                name="game_ends_later",
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="game_budgets_hold",
                condition=(Q(budget_units=None) | Q(won_units__lte=F("budget_units")))
                & (Q(budget_money=None) | Q(won_money__lte=F("budget_money"))),
            ),
            models.CheckConstraint(
                name="game_free_plays",
                condition=Q(free_plays=0, free_each="") | Q(free_plays__gt=0) & ~Q(free_each=""),
            ),
            models.CheckConstraint(
                name="game_claim_hours", condition=Q(claim_hours__gte=1, claim_hours__lte=720)
            ),
            models.CheckConstraint(
                name="game_price", condition=Q(price=None) | Q(price__gt=0)
            ),
            models.CheckConstraint(
                name="game_asked",
                condition=Q(asked_by=None, asked_at=None)
                | Q(status="draft", asked_by__isnull=False, asked_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["program", "status"], name="game_going",
                condition=Q(status__in=["scheduled", "live", "paused"]),
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.games", state="status"),
            pgtrigger.Protect(
                name="game_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["scheduled", "live", "paused", "ended"]),
            ),
            pgtrigger.FSM(
                name="game_goes_on", field="status",
                transitions=[("draft", "scheduled"), ("scheduled", "draft"),
                             ("scheduled", "live"), ("draft", "live"), ("live", "paused"),
                             ("paused", "live"), ("live", "ended"), ("paused", "ended")],
            ),
            pgtrigger.Trigger(
                name="game_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["scheduled", "live", "paused", "ended"])
                & ~pgtrigger.Q(new__status="draft"),
                func=f"""
                    IF ({", ".join(f"NEW.{name}" for name in _SETTLED)}) IS DISTINCT FROM
                       ({", ".join(f"OLD.{name}" for name in _SETTLED)}) THEN
                        RAISE EXCEPTION 'what a game promises does not change once it is published'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class GamePrize(models.Model):
    """What can be won, with its weight among all. The one that catches the others is what is drawn
    when another one has run out."""

    class Kind(models.TextChoices):
        UNITS = "units", _("Units")
        REWARD = "reward", _("A reward")
        PLAY = "play", _("A further play")
        NOTHING = "nothing", _("Nothing")

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="prizes", db_index=False)
    code = models.CharField(max_length=48, validators=[code_validator])
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=80)
    # Its name in further languages, by the language's code.
    texts = models.JSONField(default=dict, blank=True)
    weight = models.PositiveIntegerField()
    units = _money()
    reward = models.ForeignKey(Reward, null=True, on_delete=models.PROTECT, related_name="+")
    # What one of them costs the merchant.
    cost = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    stock = models.PositiveIntegerField(null=True)
    per_day = models.PositiveIntegerField(null=True)
    taken = models.PositiveIntegerField(default=0)
    catches = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["game", "code"], name="game_prize_code"),
            models.UniqueConstraint(fields=["game", "position"], name="game_prize_position"),
            models.UniqueConstraint(
                fields=["game"], name="game_prize_catches_once", condition=Q(catches=True)
            ),
            models.CheckConstraint(
                name="game_prize_kind",
                condition=Q(kind="units", units__gt=0, reward=None)
                | Q(kind="reward", units=None, reward__isnull=False)
                | Q(kind__in=["play", "nothing"], units=None, reward=None, cost=0),
            ),
            models.CheckConstraint(name="game_prize_weight", condition=Q(weight__gt=0)),
            models.CheckConstraint(
                name="game_prize_stock", condition=Q(stock=None) | Q(taken__lte=F("stock"))
            ),
            models.CheckConstraint(
                name="game_prize_that_catches",
                condition=Q(catches=False) | Q(kind="nothing", stock=None, per_day=None),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="stays_as_published", when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=_AS_PUBLISHED,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class GamePrizeDay(models.Model):
    """How many of a prize were won on a day."""

    prize = models.ForeignKey(
        GamePrize, on_delete=models.PROTECT, related_name="days", db_index=False
    )
    day = models.DateField()
    taken = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prize", "day"], name="game_prize_day_once")]

    def __str__(self) -> str:
        return f"{self.prize_id} · {self.day}"
