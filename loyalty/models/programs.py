"""A loyalty scheme: its units and how orders become units."""

from __future__ import annotations

import uuid
import zoneinfo
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Mod
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

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
    # What accounts are called in the merchant's own bookkeeping (`definitions.AccountCodes`); what
    # is missing has its usual number.
    account_codes = models.JSONField(default=dict)
    # What new companies begin with, as the program file says it.
    company_terms = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    four_eyes = models.BooleanField(
        _("a second person publishes rules"),
        default=False,
        db_default=False,
        help_text=_("Whoever wrote a rule asks; somebody else reads it and publishes it."),
    )
    # Whether it was ever paused, or was to end: only then is anybody asked about it.
    has_times = models.BooleanField(default=False, db_default=False)
    # Goes up with every change of what the engine reads, so that caches know when to reload.
    revision = models.PositiveIntegerField(default=1)
    live_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="program_status_known",
                condition=Q(status__in=["draft", "live", "archived"]),
            ),
            models.CheckConstraint(
                name="program_currency_iso", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def takes_in_everybody(self) -> bool:
        """Whether an order makes its buyer a member."""
        return self.enrollment != Program.Enrollment.EXPLICIT


class WalletType(models.Model):
    """A kind of unit. Amounts are integers at its scale: scale 2 stores 1.50 as 150."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="wallet_types")
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    singular = models.CharField(_("one unit is called"), max_length=40, default="point")
    plural = models.CharField(_("several are called"), max_length=40, default="points")
    # By the plural rule of which language a name is chosen ("": the reader's), and names beyond
    # singular and plural by the forms of that rule.
    plural_language = models.CharField(max_length=16, blank=True, default="", db_default="")
    plural_forms = models.JSONField(default=dict, db_default={})
    icon = models.CharField(max_length=32, default="coins", db_default="coins")
    scale = models.PositiveSmallIntegerField(
        _("decimals"), default=0, validators=[MaxValueValidator(4)]
    )
    unit_value = models.DecimalField(
        _("worth of one unit"),
        max_digits=14,
        decimal_places=6,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("In the program's currency: 0.01 when 100 points are worth 1.00."),
    )
    # What members may give away; the amounts are units at the scale.
    gifts_to_members = models.BooleanField(default=False, db_default=False)
    gifts_to_charities = models.BooleanField(default=True, db_default=True)
    gift_least = models.BigIntegerField(default=1, db_default=1)
    gift_most_per_day = models.BigIntegerField(null=True)
    gift_most_received_per_day = models.BigIntegerField(null=True)
    # How many can be used at once, in units at the scale; of an order `spend_share` percent.
    spend_least = models.BigIntegerField(null=True)
    spend_step = models.BigIntegerField(null=True)
    spend_share = models.DecimalField(
        max_digits=7, decimal_places=4, default=100, db_default=Decimal(100)
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["program", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="wallet_type_code"),
            models.CheckConstraint(name="wallet_type_scale", condition=Q(scale__lte=4)),
            models.CheckConstraint(name="wallet_type_value", condition=Q(unit_value__gte=0)),
            models.CheckConstraint(
                name="wallet_type_gifts",
                condition=Q(gift_least__gte=1)
                & (Q(gift_most_per_day=None) | Q(gift_most_per_day__gte=models.F("gift_least")))
                & (
                    Q(gift_most_received_per_day=None)
                    | Q(gift_most_received_per_day__gte=models.F("gift_least"))
                ),
            ),
            models.CheckConstraint(
                name="wallet_type_spending",
                condition=(Q(spend_least=None) | Q(spend_least__gte=1))
                & (Q(spend_step=None) | Q(spend_step__gte=1))
                & Q(spend_share__gt=0, spend_share__lte=100),
            ),
            models.CheckConstraint(
                name="wallet_type_spend_steps",
                condition=Q(spend_least=None)
                | Q(spend_step=None)
                | Q(Exact(Mod("spend_least", "spend_step"), 0)),
            ),
            models.CheckConstraint(
                name="wallet_type_plural_forms",
                condition=~Q(plural_language="") | Q(plural_forms={}),
            ),
        ]

    def __str__(self) -> str:
        return self.plural


class LotPolicy(models.Model):
    """When units of a lot mature and expire. A row never changes: each lot keeps the one it was
    granted under.

    The newest row of a wallet type without a rule is the one for new lots; a rule may have its own.
    """

    class PendingFrom(models.TextChoices):
        PLACED = "placed", _("the order was placed")
        PAID = "paid", _("the order was paid")
        FULFILLED = "fulfilled", _("the order was fulfilled")
        COMPLETED = "completed", _("the order was completed")

    class Kind(models.TextChoices):
        NEVER = "never", _("Never")
        DAYS = "days", _("Days after")
        MONTHS = "months", _("Months after")
        YEARS = "years", _("Years after")
        END_OF_PERIOD = "end_of_period", _("At the end of a month, quarter, half-year or year")
        FIXED_DATE = "fixed_date", _("On a day of the year")
        INACTIVITY = "inactivity", _("Months without activity")

    class Period(models.TextChoices):
        MONTH = "month", _("month")
        QUARTER = "quarter", _("quarter")
        HALF_YEAR = "half_year", _("half-year")
        YEAR = "year", _("year")

    class CountedFrom(models.TextChoices):
        EARNING = "earning", _("they were earned")
        MATURITY = "maturity", _("they could be spent")

    class LastDay(models.TextChoices):
        END_OF_DAY = "end_of_day", _("Usable to the end of the last day")
        START_OF_DAY = "start_of_day", _("Expire as the last day begins")

    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.PROTECT, related_name="lot_policies"
    )
    rule = models.ForeignKey(
        "loyalty.EarningRule", null=True, on_delete=models.PROTECT, related_name="lot_policies"
    )
    pending_from = models.CharField(
        max_length=16, choices=PendingFrom.choices, default=PendingFrom.PLACED
    )
    pending_days = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.NEVER)
    length = models.PositiveSmallIntegerField(null=True, blank=True)
    period = models.CharField(max_length=16, choices=Period.choices, blank=True, default="")
    month_day = models.CharField(max_length=5, blank=True, default="")
    counted_from = models.CharField(
        max_length=16, choices=CountedFrom.choices, default=CountedFrom.EARNING
    )
    last_day = models.CharField(max_length=16, choices=LastDay.choices, default=LastDay.END_OF_DAY)
    renewed_by = ArrayField(models.CharField(max_length=16), default=list)
    # A spend that is undone gives units at least so many days.
    restored_days = models.PositiveSmallIntegerField(default=0)
    # Units do not expire before a warning went out so many days earlier; NULL: without a warning.
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="lot_policy_length",
                condition=Q(kind__in=["never", "fixed_date"], length=None)
                | Q(kind="end_of_period", length__range=(0, 120))
                | Q(kind__in=["days", "months", "years", "inactivity"], length__gte=1),
            ),
            models.CheckConstraint(
                name="lot_policy_period",
                condition=Q(kind="end_of_period") ^ Q(period=""),
            ),
            models.CheckConstraint(
                name="lot_policy_month_day",
                condition=Q(kind="fixed_date", month_day__regex=r"^[01]\d-[0-3]\d$")
                | (~Q(kind="fixed_date") & Q(month_day="")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="lot_policy_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.length or self.month_day or self.pk})"


class EarningRule(models.Model):
    """A rule of a program: how orders become units, or, of the kind `discount`, what is taken off
    their price. What it says is in its versions.

    `wallet_type`: what it awards, and of what its condition asks for the balance; a discount rule
    has the program's first.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="earning_rules")
    wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(default=0)
    # What wrote it, if not people: a tier's benefit ("tiers"). It follows from there alone.
    source = models.CharField(max_length=32, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="earning_rule_code"),
        ]

    def __str__(self) -> str:
        return self.name


class EarningRuleVersion(models.Model):
    """One wording of a rule, in force for orders placed in [starts_at, ends_at).

    `body` is validated by `loyalty.rules.bodies`. Once published only the end may be set, and only
    once; an end that is still to come is moved by `loyalty.services.rule_versions` alone. A draft
    may stand beside the wording in force; it counts for nothing.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    rule = models.ForeignKey(EarningRule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    body = models.JSONField()
    # Its own terms for maturity and expiry; NULL: those of the wallet type.
    lot_policy = models.ForeignKey(
        LotPolicy, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    # Who wrote it, and when it was last changed.
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(null=True, blank=True)
    # A draft that waits for a second person: who asked, and from when to when it shall count.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_start = models.DateTimeField(null=True, blank=True)
    asked_end = models.DateTimeField(null=True, blank=True)
    # Why the second person sent it back.
    sent_back = models.CharField(max_length=500, blank=True, default="", db_default="")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["rule", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_number"),
            models.UniqueConstraint(
                fields=["rule"],
                name="rule_version_one_draft",
                condition=Q(status="draft"),
            ),
            models.UniqueConstraint(
                fields=["rule"],
                name="rule_version_one_open",
                condition=Q(status="published", ends_at=None),
            ),
            models.CheckConstraint(
                name="rule_version_published_at",
                condition=Q(status="draft", published_at=None)
                | Q(status="published", published_at__isnull=False),
            ),
            models.CheckConstraint(
                name="rule_version_window",
                condition=Q(starts_at=None)
                | Q(ends_at=None)
                | Q(starts_at__lt=models.F("ends_at")),
            ),
            models.CheckConstraint(
                name="rule_version_asked",
                condition=Q(asked_by=None, asked_at=None)
                | Q(status="draft", asked_by__isnull=False, asked_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="rule_version_waiting",
                condition=Q(asked_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="rule_version_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status="published"),
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.ends_at IS NULL
                       AND (NEW.id, NEW.rule_id, NEW.number, NEW.status, NEW.body, NEW.published_at)
                           IS NOT DISTINCT FROM
                           (OLD.id, OLD.rule_id, OLD.number, OLD.status, OLD.body, OLD.published_at)
                       AND (NEW.starts_at, NEW.lot_policy_id, NEW.written_by_id, NEW.written_at)
                           IS NOT DISTINCT FROM
                           (OLD.starts_at, OLD.lot_policy_id, OLD.written_by_id, OLD.written_at)
                       AND NEW.published_by_id IS NOT DISTINCT FROM OLD.published_by_id THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'a published rule version does not change'
                        USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"


class CapCounter(models.Model):
    """How much of a rule's cap has been used: by a member in a period, or by a slice of the budget.

    A budget is kept in slices, so that orders of different members do not wait for one row.
    """

    SLICES = 16

    rule = models.ForeignKey(EarningRule, on_delete=models.PROTECT, related_name="cap_counters")
    membership = models.ForeignKey(
        "loyalty.Membership", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    slice = models.PositiveSmallIntegerField(null=True)
    period_start = models.DateField()
    used = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "membership", "period_start"],
                name="cap_counter_member",
                condition=models.Q(slice=None),
            ),
            models.UniqueConstraint(
                fields=["rule", "slice"],
                name="cap_counter_slice",
                condition=models.Q(membership=None),
            ),
            models.CheckConstraint(
                name="cap_counter_kind", condition=Q(membership=None) ^ Q(slice=None)
            ),
            models.CheckConstraint(name="cap_counter_used", condition=Q(used__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.used}"
