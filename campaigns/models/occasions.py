"""What the merchant wants told, by which ways, and how often at most."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program


def _usual_channels() -> list[str]:
    return ["email", "inbox"]


def _usual_topics() -> list[str]:
    return ["points"]


class OccasionSetting(models.Model):
    """Whether members are told of an occasion, and how. One without a row is off."""

    # As in `campaigns.occasions`.
    code = models.CharField(max_length=32, primary_key=True)
    is_on = models.BooleanField(default=False)
    # Only what happened from then on is told: switching it on tells nobody of last year.
    since = models.DateTimeField(null=True)
    channels = ArrayField(models.CharField(max_length=16), default=_usual_channels)
    # By the first of the ways that reaches somebody, in their order, rather than by all of them.
    only_first = models.BooleanField(default=False)
    topic = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="occasion_on_since",
                condition=Q(is_on=False) | Q(since__isnull=False) & ~Q(channels=[]),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class MessagingPolicy(models.Model):
    """When and how often members are written to: exactly one row."""

    # Nothing but orders and rewards is sent between the two, by the member's clock; both the same:
    # at any time.
    quiet_from = models.TimeField(_("quiet from"), default=dt.time(21))
    quiet_until = models.TimeField(_("quiet until"), default=dt.time(8))
    # So many in so many days; 0: as many as there are.
    cap = models.PositiveSmallIntegerField(_("messages at most"), default=5)
    cap_days = models.PositiveSmallIntegerField(_("in so many days"), default=7)
    # Whoever says yes is written to only when they have confirmed it by a link in a mail.
    double_opt_in = models.BooleanField(_("have a yes confirmed"), default=True)
    # Told to everybody who has not said no; the others to who said yes.
    assumed_topics = ArrayField(models.CharField(max_length=16), default=_usual_topics, blank=True)

    # Whether it is counted who follows a link in a message, and who opens a mail.
    track_clicks = models.BooleanField(_("count clicks"), default=True)
    track_opens = models.BooleanField(_("count opens"), default=False)
    # Counted only of who has said yes to it; else of all who have not said no.
    tracking_asks = models.BooleanField(_("count only with a yes"), default=False)
    # An order so many days after a message counts as one that followed it.
    order_days = models.PositiveSmallIntegerField(_("days for an order"), default=7)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="messaging_policy_order_days",
                condition=Q(order_days__gte=1, order_days__lte=90),
            ),
            models.CheckConstraint(name="messaging_policy_single_row", condition=Q(pk=1)),
            models.CheckConstraint(
                name="messaging_policy_cap", condition=Q(cap_days__gte=1, cap_days__lte=90)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quiet_from}–{self.quiet_until}, {self.cap} in {self.cap_days} days"


class ProgramMeasuring(models.Model):
    """What a program counts of its messages otherwise than the policy says."""

    program = models.OneToOneField(
        Program, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    # Neither clicks nor opens are counted of what is about it.
    is_off = models.BooleanField(default=False)
    # None: as the policy says.
    order_days = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="program_measuring_order_days",
                condition=Q(order_days=None) | Q(order_days__gte=1, order_days__lte=90),
            ),
            models.CheckConstraint(
                name="program_measuring_says_something",
                condition=Q(is_off=True) | Q(order_days__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id}: {self.order_days} days"


class ExpiryNotice(models.Model):
    """Up to when the end of a wallet's units was told, at one of the distances of days."""

    wallet = models.ForeignKey(
        "loyalty.Wallet", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    days = models.PositiveSmallIntegerField()
    through = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "days"], name="expiry_notice_once"),
            models.CheckConstraint(name="expiry_notice_days", condition=Q(days__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id}: {self.days} days, through {self.through}"
