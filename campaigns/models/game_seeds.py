"""The secrets that draws of games follow from."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from campaigns.models.games import Game


class GameSeed(models.Model):
    """The secret that draws follow from. Its hash is public from the beginning, itself once nothing
    is drawn with it any more."""

    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="seeds", db_index=False)
    number = models.PositiveIntegerField()
    # Encrypted; see `members.kept_secrets`.
    secret = models.BinaryField()
    commitment = models.CharField(max_length=64)
    # The secret in hexadecimal digits, once it is no secret any more.
    revealed = models.CharField(max_length=64, blank=True, default="")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "number"], name="game_seed_number"),
            models.UniqueConstraint(
                fields=["game"], name="game_seed_in_use", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="game_seed_revealed_at_its_end",
                condition=Q(ended_at=None, revealed="")
                | Q(ended_at__isnull=False) & ~Q(revealed=""),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="game_seed_stays", operation=pgtrigger.Delete, when=pgtrigger.Before,
                func="""
                    IF (SELECT status FROM campaigns_game WHERE id = OLD.game_id) <> 'draft' THEN
                        RAISE EXCEPTION 'a seed that was committed to is kept'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN OLD;
                """,
            ),
            pgtrigger.Trigger(
                name="game_seed_committed", operation=pgtrigger.Update, when=pgtrigger.Before,
                func="""
                    IF OLD.ended_at IS NOT NULL OR (NEW.game_id, NEW.number, NEW.secret,
                        NEW.commitment, NEW.begun_at) IS DISTINCT FROM
                       (OLD.game_id, OLD.number, OLD.secret, OLD.commitment, OLD.begun_at) THEN
                        RAISE EXCEPTION 'a seed is as it was committed to'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.game_id}: {self.number}"
