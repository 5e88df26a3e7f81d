"""Codes by which members get a campaign, and how often each was used."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from loyalty.models import Membership, Program
from rewards.codes import masked


class PromoCode(models.Model):
    """A code of a campaign: one that everybody types, or one of many that are used once each."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="promo_codes", db_index=False
    )
    # As it is compared: capitals and digits only.
    code = models.CharField(max_length=40)
    # As people read it.
    written = models.CharField(max_length=48)
    # So often it can be used; None: as often as one likes.
    most_uses = models.PositiveIntegerField(null=True)
    # How many of these are held or used; the database counts it with each use.
    uses_taken = models.PositiveIntegerField(default=0, db_default=0)
    # While its campaign is to come or on. Then another may have the same code.
    is_open = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"], condition=Q(is_open=True), name="promo_code_open_once"
            ),
            models.UniqueConstraint(fields=["campaign", "code"], name="promo_code_of_campaign"),
            models.CheckConstraint(
                name="promo_code_plain", condition=Q(code__regex=r"^[A-Z0-9]+$")
            ),
            models.CheckConstraint(
                name="promo_code_used_as_often_as_it_may_be",
                condition=Q(most_uses=None) | Q(most_uses__gt=0, uses_taken__lte=F("most_uses")),
            ),
        ]
        indexes = [models.Index(fields=["code"], name="promo_code_found")]
        triggers = [
            pgtrigger.Protect(
                name="promo_code_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__uses_taken__gt=0),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.written

    @property
    def masked(self) -> str:
        """For who may not use it."""
        return masked(self.written)


class PromoCodeUse(models.Model):
    """A code at one cart or order: kept for it, used by it, or let go again."""

    class State(models.TextChoices):
        HELD = "held", _("Held")
        USED = "used", _("Used")
        RELEASED = "released", _("Let go")

    promo_code = models.ForeignKey(
        PromoCode, on_delete=models.PROTECT, related_name="uses", db_index=False
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Which of the member's uses of the campaign it is, from 1 on.
    own_slot = models.PositiveIntegerField()
    # "cart:" and the cart's name, or "order:" with its source and number.
    holder = models.CharField(max_length=180)
    state = models.CharField(max_length=8, choices=State.choices)
    held_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["promo_code", "holder"], condition=Q(state__in=["held", "used"]),
                name="promo_code_use_once",
            ),
            models.UniqueConstraint(
                fields=["campaign", "membership", "own_slot"],
                condition=Q(state__in=["held", "used"]),
                name="promo_code_in_each_slot_of_a_member",
            ),
            models.CheckConstraint(
                name="promo_code_use_of_its_times",
                condition=Q(state="held", held_until__isnull=False, closed_at=None)
                | Q(state__in=["used", "released"], closed_at__isnull=False),
            ),
            models.CheckConstraint(name="promo_code_slot", condition=Q(own_slot__gt=0)),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["holder"], name="promo_code_use_holder"),
            models.Index(fields=["membership", "campaign"], name="promo_code_use_of_member"),
            models.Index(fields=["campaign", "-id"], name="promo_code_uses"),
            models.Index(
                fields=["promo_code", "held_until"],
                name="promo_code_use_held",
                condition=Q(state="held"),
            ),
            models.Index(
                fields=["membership"], name="promo_code_use_kept_for", condition=Q(state="held")
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="promo_code_use_stays", operation=pgtrigger.Delete),
            # Whoever writes holds the code's row where it is limited.
            pgtrigger.Trigger(
                name="promo_code_use_counted",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                declare=[("more", "integer")],
                func="""
                    more := (NEW.state IN ('held', 'used'))::int
                            - coalesce((OLD.state IN ('held', 'used'))::int, 0);
                    IF more <> 0 THEN
                        UPDATE campaigns_promocode SET uses_taken = uses_taken + more
                         WHERE id = NEW.promo_code_id AND most_uses IS NOT NULL;
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promo_code} · {self.holder}"
