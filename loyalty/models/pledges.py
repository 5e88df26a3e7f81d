"""What a merchant gives to a charity for each event of a kind: a tree for each order."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.activities import Activity, ActivityType
from loyalty.models.charities import Charity, ThingsField
from loyalty.models.memberships import Membership
from loyalty.models.orders import MoneyField, Order
from loyalty.models.programs import code_validator


class Pledge(models.Model):
    """So much for each event, as long as its budget lasts. It takes no units of members."""

    class Event(models.TextChoices):
        ORDER = "order", _("Order")
        ACTIVITY = "activity", _("Activity")
        MEMBER = "member", _("New member")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    class Unit(models.TextChoices):
        MONEY = "money", _("Money")
        THINGS = "things", _("Things")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, related_name="pledges")
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.DRAFT
    )
    event = models.CharField(_("for each"), max_length=16, choices=Event.choices)
    # Of activities: only those of this type.
    activity_type = models.ForeignKey(
        ActivityType, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Of orders: only from so much on.
    least = MoneyField(_("only for orders from"), null=True, blank=True)
    # For whom, in the language of conditions.
    when = models.JSONField(default=dict, blank=True)
    unit = models.CharField(_("given in"), max_length=8, choices=Unit.choices)
    amount = ThingsField(_("for each event"))
    # At most so much in all, in the same; None: no limit. `given` is what was given of it.
    budget = ThingsField(_("in all at most"), null=True, blank=True)
    given = ThingsField(default=0)
    # What happened before it was put live, or was changed, is still to be looked at.
    to_count = models.BooleanField(default=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["charity", "code"], name="pledge_code"),
            models.CheckConstraint(
                name="pledge_words",
                condition=Q(
                    event__in=["order", "activity", "member"],
                    status__in=["draft", "live", "archived"],
                    unit__in=["money", "things"],
                ),
            ),
            models.CheckConstraint(
                name="pledge_of_its_event",
                condition=(Q(activity_type=None) | Q(event="activity"))
                & (Q(least=None) | Q(event="order", least__gt=0)),
            ),
            models.CheckConstraint(name="pledge_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="pledge_within_budget",
                condition=Q(given__gte=0) & (Q(budget=None) | Q(given__lte=F("budget"))),
            ),
            models.CheckConstraint(
                name="pledge_ends_after_start",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def left(self) -> bool:
        """Whether its budget has room for one more."""
        return self.budget is None or self.given + self.amount <= self.budget


class PledgeEvent(models.Model):
    """What became of an event that a pledge is about: looked at once, counted or not."""

    class State(models.TextChoices):
        COUNTED = "counted", _("Counted")
        NOT_MET = "not_met", _("Its condition did not hold")
        NO_BUDGET = "no_budget", _("The budget was used up")
        UNDONE = "undone", _("Undone")

    pledge = models.ForeignKey(
        Pledge, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="pledge_events"
    )
    order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="pledge_events"
    )
    activity = models.ForeignKey(
        Activity, null=True, on_delete=models.PROTECT, related_name="pledge_events"
    )
    state = models.CharField(max_length=16, choices=State.choices)
    # How often it was counted or given back; its entries are keyed by it.
    turns = models.PositiveIntegerField(default=0)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Once for each order, activity, or member.
            models.UniqueConstraint(
                fields=["pledge", "order", "activity"], name="pledge_event_once",
                condition=~Q(order=None, activity=None), nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["pledge", "membership"], name="pledge_event_member_once",
                condition=Q(order=None, activity=None),
            ),
            models.CheckConstraint(
                name="pledge_event_of_one", condition=Q(order=None) | Q(activity=None)
            ),
            models.CheckConstraint(
                name="pledge_event_state",
                condition=Q(state__in=["counted", "not_met", "no_budget", "undone"]),
            ),
        ]  # fmt: skip
        triggers = [pgtrigger.Protect(name="pledge_event_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.pledge}: {self.get_state_display()}"
