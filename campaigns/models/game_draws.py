"""Who may play games, and what came of it."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.game_guests import DrawnInstead, GuestDraw
from campaigns.models.game_seeds import GameSeed
from campaigns.models.games import Game, GamePrize
from loyalty.models import Membership, Order, Transfer
from members.models.telling import tells_new
from rewards.models import Redemption


class GamePlay(models.Model):
    """That a member may play once, or did."""

    class Source(models.TextChoices):
        ORDER = "order", _("For an order")
        ACTIVITY = "activity", _("For an activity")
        JOINED = "joined", _("For joining")
        TIER_UP = "tier_up", _("For a higher tier")
        FREE = "free", _("Free")
        BOUGHT = "bought", _("Bought")
        WON = "won", _("Won")
        GUEST = "guest", _("Played before joining")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="plays", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="game_plays")
    source = models.CharField(max_length=8, choices=Source.choices)
    # What it is for, so that it is granted once.
    occasion = models.CharField(max_length=120)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    # Exclusive; None: as long as the game.
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    # Taken back before it was used, and why: the order behind it is gone, or the game is over.
    withdrawn_at = models.DateTimeField(null=True)
    spent = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="game_play"
    )
    returned = models.OneToOneField(Transfer, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["game", "membership", "occasion"], name="game_play_once"
            ),
            models.CheckConstraint(
                name="game_play_bought",
                condition=Q(source="bought", spent__isnull=False)
                | ~Q(source="bought") & Q(spent=None, returned=None),
            ),
            models.CheckConstraint(
                name="game_play_used_or_withdrawn",
                condition=Q(used_at=None) | Q(withdrawn_at=None),
            ),
            models.CheckConstraint(
                name="game_play_returned",
                condition=Q(returned=None) | Q(withdrawn_at__isnull=False),
            ),
        ]
        triggers = [
            *tells_new("told.game_plays"),
            pgtrigger.Protect(name="game_play_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.membership_id}"


class GameDraw(models.Model):
    """What came of a play, and all that it follows from."""

    Instead = DrawnInstead

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="draws", db_index=False)
    play = models.OneToOneField(GamePlay, on_delete=models.PROTECT, related_name="draw")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="game_draws")
    seed = models.ForeignKey(
        GameSeed, on_delete=models.PROTECT, related_name="draws", db_index=False
    )
    # The how-many-th draw of the member with this seed, and the number that they thought of.
    turn = models.PositiveIntegerField()
    nonce = models.CharField(max_length=18, blank=True, default="")
    # How many numbers were passed over, so that each is as likely.
    passed = models.PositiveSmallIntegerField(default=0)
    proof = models.CharField(max_length=64)
    number = models.BigIntegerField()
    drawn = models.ForeignKey(GamePrize, on_delete=models.PROTECT, related_name="+", db_index=False)
    prize = models.ForeignKey(
        GamePrize, on_delete=models.PROTECT, related_name="draws", db_index=False
    )
    instead = models.CharField(max_length=8, choices=DrawnInstead.choices, blank=True, default="")
    units = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    cost = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    day = models.DateField()
    drawn_at = models.DateTimeField()
    # The same request again gets the same draw.
    key = models.CharField(max_length=80)
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="game_draw"
    )
    redemption = models.OneToOneField(
        Redemption, null=True, on_delete=models.PROTECT, related_name="game_draw"
    )
    # It was drawn before its member had joined, or had said who they are.
    guest = models.OneToOneField(
        GuestDraw, null=True, on_delete=models.PROTECT, related_name="claimed_as"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seed", "membership", "turn"],
                name="game_draw_turn",
                condition=Q(guest=None),
            ),
            models.UniqueConstraint(fields=["membership", "game", "key"], name="game_draw_key"),
            models.CheckConstraint(
                name="game_draw_instead",
                condition=Q(instead="", drawn=F("prize")) | ~Q(instead="") & ~Q(drawn=F("prize")),
            ),
        ]
        indexes = [
            models.Index(fields=["game", "-drawn_at", "-id"], name="game_draw_newest"),
            models.Index(fields=["prize", "day"], name="game_draw_of_day"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="game_draw_stays", operation=pgtrigger.Update | pgtrigger.Delete
            ),
            *tells_new("told.game_draws"),
        ]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.membership_id} · {self.drawn_at:%Y-%m-%d}"

    @property
    def player(self) -> str:
        """Whom the number was drawn for, as its proof says."""
        return str(self.guest.public_id if self.guest else self.membership.public_id)


AnyDraw = GameDraw | GuestDraw
