"""A loyalty scheme: its units and how orders become units."""

from __future__ import annotations

import uuid
import zoneinfo

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.tally_triggers import days_moved

code_validator = RegexValidator(
    r"^[a-z0-9][a-z0-9-]*$", _("Use lower-case letters, digits and hyphens.")
)


class Program(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    class Enrollment(models.TextChoices):
        AUTOMATIC = "automatic", _("Every customer, with their first order")
        ACCOUNT = "account", _("Every customer, with their shop account or first order")
        EXPLICIT = "explicit", _("Only customers who were enrolled")

    class UnlinkedReturns(models.TextChoices):
        OWN_AMOUNT = "own_amount", _("Take back what their own amount would earn")
        IGNORE = "ignore", _("Ignore them")

    class LinkedReturns(models.TextChoices):
        RECONCILE = "reconcile", _("Take back what the rest of the order no longer earns")
        OWN_AMOUNT = "own_amount", _("Take back what their own amount would earn")

    class Debt(models.TextChoices):
        CARRY = "carry", _("Carry it: what is earned next repays it")
        WRITE_OFF = "write_off", _("Write it off, visibly")
        REFUSE_REDEMPTION = (
            "refuse_redemption_only",
            _("Only refuse redemptions until it is settled"),
        )

    class ClawbackOrder(models.TextChoices):
        OWN_FIRST = "own_first", _("The order's own units first, then what expires first")
        OLDEST_FIRST = "oldest_first", _("The oldest units first, whichever order they came from")

    class Multiplying(models.TextChoices):
        BEST = "best", _("The largest counts")
        ADD = "add", _("What each adds is added up")
        MULTIPLY = "multiply", _("Each multiplies what those before it made")

    class Discounting(models.TextChoices):
        BEST = "best", _("The largest alone counts")
        ADD = "add", _("Each is off the prices as they were")
        IN_TURN = "in_turn", _("Each is off what those before it left")

    class ForeignOrders(models.TextChoices):
        CONVERT = "convert", _("Count them at the exchange rate of their day")
        REFUSE = "refuse", _("Do not count them")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(
        _("code"), max_length=64, unique=True, validators=[code_validator],
        help_text=_("Short name for files, commands and the API. Stays as it is."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.DRAFT
    )
    currency = models.CharField(_("currency"), max_length=3)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    enrollment = models.CharField(
        _("who takes part"),
        max_length=16,
        choices=Enrollment.choices,
        default=Enrollment.AUTOMATIC,
    )
    joinable = models.BooleanField(
        _("customers join by themselves"),
        default=True,
        db_default=True,
        help_text=_("On the program’s public page, by link or QR code, and at the checkout."),
    )
    unlinked_returns = models.CharField(
        _("returns without their order"),
        max_length=16,
        choices=UnlinkedReturns.choices,
        default=UnlinkedReturns.OWN_AMOUNT,
    )
    linked_returns = models.CharField(
        _("returns with their order"),
        max_length=16,
        choices=LinkedReturns.choices,
        default=LinkedReturns.RECONCILE,
    )
    debt_policy = models.CharField(
        _("when a refund takes more than there is"),
        max_length=24,
        choices=Debt.choices,
        default=Debt.CARRY,
    )
    clawback_order = models.CharField(
        _("what a refund takes first"),
        max_length=16,
        choices=ClawbackOrder.choices,
        default=ClawbackOrder.OWN_FIRST,
    )
    multiplying = models.CharField(
        _("several multipliers"),
        max_length=16,
        choices=Multiplying.choices,
        default=Multiplying.BEST,
        db_default=Multiplying.BEST,
    )
    discounting = models.CharField(
        _("several discounts"),
        max_length=16,
        choices=Discounting.choices,
        default=Discounting.BEST,
        db_default=Discounting.BEST,
    )
    foreign_orders = models.CharField(
        _("orders in another currency"),
        max_length=16,
        choices=ForeignOrders.choices,
        default=ForeignOrders.REFUSE,
        db_default=ForeignOrders.REFUSE,
    )
    # What accounts are called in the merchant's own bookkeeping (`definitions.AccountCodes`); what
    # is missing has its usual number.
    account_codes = models.JSONField(default=dict)
    # What new companies begin with, as the program file says it.
    company_terms = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    four_eyes = models.BooleanField(
        _("a second person publishes rules and tiers"),
        default=False,
        db_default=False,
        help_text=_("Whoever wrote a rule or tiers asks; somebody else reads them and publishes."),
    )
    # Whether it was ever paused, or was to end: only then is anybody asked about it.
    has_times = models.BooleanField(default=False, db_default=False)
    # Goes up with every change of what the engine reads, so that caches know when to reload.
    revision = models.PositiveIntegerField(default=1)
    live_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                name="program_status_known",
                condition=Q(status__in=["draft", "live", "archived"]),
            ),
            models.CheckConstraint(
                name="program_currency_iso", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
        ]
        triggers = [days_moved()]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def takes_in_everybody(self) -> bool:
        """Whether an order makes its buyer a member."""
        return self.enrollment != Program.Enrollment.EXPLICIT
