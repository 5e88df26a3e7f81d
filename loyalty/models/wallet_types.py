"""The kinds of units of a program, and when their lots mature and expire."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Mod
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from loyalty.models.programs import Program, code_validator

# What is no worth above zero, in at most eight digits and six decimals.
_NO_WORTH = (
    '$.* ? (@.type() != "string" || !(@ like_regex "^[0-9]{1,8}(\\\\.[0-9]{1,6})?$")'
    ' || !(@ like_regex "[1-9]"))'
)


class JsonPathExists(models.Func):
    """Whether a document has something at a path."""

    function = "jsonb_path_exists"
    template = "%(function)s(%(expressions)s::jsonpath)"
    output_field = models.BooleanField()


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
    # What one pays, by the code of the payer's tier, as a decimal number; else what it is worth.
    tier_values = models.JSONField(_("worth by tier"), default=dict, db_default={})
    # What members may give away; the amounts are units at the scale.
    gifts_to_members = models.BooleanField(default=False, db_default=False)
    gifts_to_charities = models.BooleanField(default=True, db_default=True)
    gift_least = models.BigIntegerField(default=1, db_default=1)
    gift_step = models.BigIntegerField(null=True)
    gift_most_per_day = models.BigIntegerField(null=True)
    gift_most_received_per_day = models.BigIntegerField(null=True)
    # How many can be used at once, in units at the scale; of an order `spend_share` percent.
    spend_least = models.BigIntegerField(null=True)
    spend_step = models.BigIntegerField(null=True)
    spend_share = models.DecimalField(
        max_digits=7, decimal_places=4, default=100, db_default=Decimal(100)
    )
    # Money that the merchant owes: gift cards and store credit. One is worth one of the program's
    # currency; it is paid in, never earned.
    stored_value = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["program", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="wallet_type_code"),
            models.CheckConstraint(name="wallet_type_scale", condition=Q(scale__lte=4)),
            models.CheckConstraint(name="wallet_type_value", condition=Q(unit_value__gte=0)),
            models.UniqueConstraint(
                fields=["program"], name="wallet_type_stored_value", condition=Q(stored_value=True)
            ),
            models.CheckConstraint(
                name="wallet_type_stored_value_is_money",
                condition=Q(stored_value=False)
                | Q(unit_value=1, tier_values={}, gifts_to_members=False, gifts_to_charities=False),
            ),
            models.CheckConstraint(
                name="wallet_type_tier_values",
                condition=Q(tier_values={})
                | (
                    Q(unit_value__gt=0)
                    & ~Q(Exact(JsonPathExists("tier_values", Value(_NO_WORTH)), Value(True)))
                ),
            ),
            models.CheckConstraint(
                name="wallet_type_gifts",
                condition=Q(gift_least__gte=1)
                & (Q(gift_step=None) | Q(gift_step__gte=1))
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
