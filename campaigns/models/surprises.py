"""Surprises: who was drawn, by which seed, and what became of it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from loyalty.models import Activity, Membership
from members.models.telling import tells
from rewards.models import Redemption


class SurpriseDraw(models.Model):
    """One round: its seed is committed to before anybody knows who can be drawn, and is no secret
    any more once they were."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="surprise_draws", db_index=False
    )
    number = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    # Encrypted; see `members.kept_secrets`.
    secret = models.BinaryField()
    commitment = models.CharField(max_length=64)
    # The seed in hexadecimal digits; the hash of the list that it was drawn from.
    revealed = models.CharField(max_length=64, blank=True, default="")
    list_hash = models.CharField(max_length=64, blank=True, default="")
    eligible = models.PositiveIntegerField(default=0)
    chosen = models.PositiveIntegerField(default=0)
    drawn_at = models.DateTimeField(null=True)
    # When everybody who was drawn had got it, or why not was known.
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="surprise_draw_number"),
            models.CheckConstraint(
                name="surprise_draw_revealed",
                condition=Q(drawn_at=None, revealed="", list_hash="", eligible=0, chosen=0)
                | Q(drawn_at__isnull=False) & ~Q(revealed="") & ~Q(list_hash=""),
            ),
            models.CheckConstraint(
                name="surprise_draw_done", condition=Q(done_at=None) | Q(drawn_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="surprise_draw_due", condition=Q(done_at=None)),
        ]
        triggers = [
            pgtrigger.Protect(
                name="surprise_draw_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__drawn_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="surprise_draw_committed", operation=pgtrigger.Update, when=pgtrigger.Before,
                func="""
                    IF (NEW.campaign_id, NEW.number, NEW.secret, NEW.commitment) IS DISTINCT FROM
                       (OLD.campaign_id, OLD.number, OLD.secret, OLD.commitment)
                       OR OLD.drawn_at IS NOT NULL AND
                       (NEW.revealed, NEW.list_hash, NEW.eligible, NEW.chosen, NEW.drawn_at)
                       IS DISTINCT FROM
                       (OLD.revealed, OLD.list_hash, OLD.eligible, OLD.chosen, OLD.drawn_at) THEN
                        RAISE EXCEPTION 'a draw is as it was committed to'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.number}"


class SurpriseTicket(models.Model):
    """That a member could be drawn, which place their number had, and what they got."""

    draw = models.ForeignKey(
        SurpriseDraw, on_delete=models.PROTECT, related_name="tickets", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Under this name they were on the list, and this is their number, in hexadecimal digits.
    name = models.UUIDField()
    proof = models.CharField(max_length=64)
    place = models.PositiveIntegerField()
    chosen = models.BooleanField()
    # When it was given, or was known why not.
    settled_at = models.DateTimeField(null=True)
    activity = models.ForeignKey(
        Activity, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    redemption = models.ForeignKey(
        Redemption, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ungiven = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draw", "membership"], name="surprise_ticket_once"),
            models.UniqueConstraint(fields=["draw", "place"], name="surprise_ticket_place"),
            models.CheckConstraint(
                name="surprise_ticket_chosen",
                condition=Q(chosen=True)
                | Q(settled_at=None, activity=None, redemption=None, ungiven=""),
            ),
        ]
        indexes = [
            models.Index(fields=["membership"], name="surprise_ticket_of"),
            models.Index(
                fields=["draw", "place"], name="surprise_ticket_waiting",
                condition=Q(chosen=True, settled_at=None),
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.surprise_tickets", watched=("settled_at",)),
            pgtrigger.Protect(name="surprise_ticket_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="surprise_ticket_drawn", operation=pgtrigger.Update, when=pgtrigger.Before,
                func="""
                    IF (NEW.draw_id, NEW.membership_id, NEW.name, NEW.proof, NEW.place, NEW.chosen)
                       IS DISTINCT FROM
                       (OLD.draw_id, OLD.membership_id, OLD.name, OLD.proof, OLD.place, OLD.chosen)
                       OR OLD.settled_at IS NOT NULL THEN
                        RAISE EXCEPTION 'who was drawn stays drawn, and gets it once'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.draw_id}: {self.name}"
