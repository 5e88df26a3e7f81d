"""How orders become units: a program's rules, their wordings, and what is used up of their caps."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.programs import Program, code_validator
from loyalty.models.wallet_types import LotPolicy, WalletType


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
    # A campaign's ("campaign:7") is of the same kind.
    source = models.CharField(max_length=32, blank=True, default="", db_default="")
    # Rules that share their caps, in all and for a member, name the one in whose counters those are
    # kept, that one too. None: the caps that its wording has are its own.
    budget_rule = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Of a discount rule: what all that it takes off comes out of. None: as much as it says.
    discount_budget = models.ForeignKey(
        "loyalty.DiscountBudget", null=True, on_delete=models.PROTECT, related_name="rules"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="earning_rule_code"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="rule_awards_no_stored_value",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (SELECT FROM loyalty_wallettype
                                WHERE id = NEW.wallet_type_id AND stored_value) THEN
                        RAISE EXCEPTION 'stored value is paid in, and no rule awards it'
                            USING ERRCODE = 'SL006';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="rule_budget_of_its_own_kind",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__budget_rule__isnull=False),
                func="""
                    IF NEW.budget_rule_id <> NEW.id AND NOT EXISTS (
                        SELECT FROM loyalty_earningrule r
                         WHERE r.id = NEW.budget_rule_id AND r.budget_rule_id = r.id
                           AND r.program_id = NEW.program_id
                           AND r.wallet_type_id = NEW.wallet_type_id) THEN
                        RAISE EXCEPTION 'rules that share a budget award the same units'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
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
    # As of `loyalty.rules.body_parts.MemberCaps`; a budget is kept for ever.
    period = models.CharField(max_length=8, default="lifetime", db_default="lifetime")
    period_start = models.DateField()
    used = models.BigIntegerField(default=0, db_default=0)
    # What it was worth when it was given, where the rule has a budget in money: exact to the
    # smallest unit and the last digit of its worth.
    worth = models.DecimalField(max_digits=24, decimal_places=10, default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "membership", "period", "period_start"],
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
            models.CheckConstraint(name="cap_counter_used", condition=Q(used__gte=0, worth__gte=0)),
            models.CheckConstraint(
                name="cap_counter_period",
                condition=Q(period__in=["day", "week", "month", "year", "lifetime"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.used}"
