"""Affiliates, who bring customers for money, and what they were paid."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.referral_programs import ReferralProgram


class Affiliate(models.Model):
    """Somebody who brings customers for money, and is none: a blog, a club, a neighbor shop."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    referral_program = models.ForeignKey(
        ReferralProgram, on_delete=models.PROTECT, related_name="affiliates"
    )
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, default="")
    # What a friend of theirs brings them, in the program's currency, and percent of what that
    # friend's first order comes to.
    per_friend = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    # Of the secret part of the address of their page; the secret itself is not kept.
    token_hash = models.BinaryField(max_length=32, unique=True)
    stopped_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="affiliate_is_paid",
                condition=Q(per_friend__gte=0, percent__gte=0, percent__lte=100)
                & (Q(per_friend__gt=0) | Q(percent__gt=0)),
            ),
        ]
        triggers = [pgtrigger.Protect(name="affiliate_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name


class AffiliatePayout(models.Model):
    """That an affiliate was paid for a month: so much, when, by whom."""

    affiliate = models.ForeignKey(
        Affiliate, on_delete=models.PROTECT, related_name="payouts", db_index=False
    )
    month = models.DateField()
    money = models.DecimalField(max_digits=18, decimal_places=4)
    note = models.CharField(max_length=200, blank=True, default="")
    paid_at = models.DateTimeField()
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip

    class Meta:
        ordering = ["-month"]
        constraints = [
            models.UniqueConstraint(fields=["affiliate", "month"], name="affiliate_month_once"),
            models.CheckConstraint(
                name="affiliate_month_begins",
                condition=Q(month__day=1),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="affiliate_payout_stays", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.affiliate_id} for {self.month:%Y-%m}"
