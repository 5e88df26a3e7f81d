"""What was drawn for who is no member yet: kept for them until they join and claim it."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.game_seeds import GameSeed
from campaigns.models.games import Game, GamePrize


class DrawnInstead(models.TextChoices):
    """Why the prize that catches was given instead of the one that was drawn."""

    NO = "", ""
    STOCK = "stock", _("All of them are won")
    DAY = "day", _("All of this day are won")
    BUDGET = "budget", _("The budget of the game does not reach for it")
    REFUSED = "refused", _("It could not be given")


class GuestDraw(models.Model):
    """A draw of a visitor, of whom nothing is known but a keyed hash of their browser's cookie.
    What it takes of a prize's stock and of the budget goes back when nobody claims it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits to be claimed")
        CLAIMED = "claimed", _("Claimed")
        RETURNED = "returned", _("Not claimed in time")
        NOTHING = "nothing", _("Nothing to claim")

    # What counts under stocks and budgets by itself; what is claimed does so as the member's draw.
    KEPT = (State.WAITING, State.NOTHING)
    # Each browser draws once.
    turn = 1

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    game = models.ForeignKey(
        Game, on_delete=models.PROTECT, related_name="guest_draws", db_index=False
    )
    seed = models.ForeignKey(
        GameSeed, on_delete=models.PROTECT, related_name="guest_draws", db_index=False
    )
    browser = models.BinaryField(max_length=16)
    nonce = models.CharField(max_length=18, blank=True, default="")
    passed = models.PositiveSmallIntegerField(default=0)
    proof = models.CharField(max_length=64)
    number = models.BigIntegerField()
    drawn = models.ForeignKey(GamePrize, on_delete=models.PROTECT, related_name="+", db_index=False)
    prize = models.ForeignKey(GamePrize, on_delete=models.PROTECT, related_name="+", db_index=False)
    instead = models.CharField(max_length=8, choices=DrawnInstead.choices, blank=True, default="")
    day = models.DateField()
    drawn_at = models.DateTimeField()
    # Exclusive.
    claim_until = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "browser"], name="guest_draw_once"),
            models.CheckConstraint(
                name="guest_draw_instead",
                condition=Q(instead="", drawn=F("prize")) | ~Q(instead="") & ~Q(drawn=F("prize")),
            ),
            models.CheckConstraint(
                name="guest_draw_state",
                condition=Q(state="waiting", closed_at=None)
                | Q(state__in=["claimed", "returned", "nothing"], closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="guest_draw_claimed_later", condition=Q(claim_until__gt=F("drawn_at"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["claim_until"], name="guest_draw_waiting", condition=Q(state="waiting")
            ),
            models.Index(fields=["seed"], name="guest_draw_of_seed"),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(name="guest_draw_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="guest_draw_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                func="""
                    IF OLD.state <> 'waiting' OR NEW.state = 'nothing'
                       OR (to_jsonb(NEW) - 'state' - 'closed_at')
                          <> (to_jsonb(OLD) - 'state' - 'closed_at') THEN
                        RAISE EXCEPTION 'what was drawn for a guest is claimed or goes back, once'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.game_id}: a guest · {self.drawn_at:%Y-%m-%d}"

    @property
    def player(self) -> str:
        """Whom the number was drawn for, as its proof says."""
        return str(self.public_id)
